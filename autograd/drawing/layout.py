"""Laying out DOT text with Graphviz: its program, or the libraries in the pygraphviz wheel.

Either runs in a process of its own with a time limit, so that a crash or a hang is only an error.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys

FORMATS = ("svg", "png", "pdf", "ps", "jpg", "gif", "dot", "xdot", "json", "plain", "svgz")
SECONDS = 120.0

_IN_A_WHEEL = """
import sys, pygraphviz
graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())
sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog=sys.argv[2]))
"""


class RenderingError(RuntimeError):
    """Graphviz is missing, failed, crashed or took too long."""


def render(
    source: str, format: str, tree: str = "", seconds: float = SECONDS, engine: str = "dot"
) -> bytes:
    """The picture of DOT text, laid out by an `engine` of Graphviz.

    `tree` is shown in the error when there is no Graphviz.
    """
    check_format(format)
    command = _command(format, engine)
    if command is None:
        raise RenderingError(
            "rendering needs Graphviz: install it so that `dot` is on the PATH (apt-get install "
            "graphviz, brew install graphviz), or its libraries alone: pip install "
            f"'dagrad[draw]'. Without it, ag.show_tree prints the graph:\n{tree}"
        )
    name = command[0] if command[0] != sys.executable else "pygraphviz"
    try:
        done = subprocess.run(
            command, input=source.encode(), capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise RenderingError(
            f"{name} laid out this graph for {seconds:g} s without an end; draw less of it "
            "(max_nodes, depth)"
        ) from None
    except OSError as error:
        raise RenderingError(f"{name} could not be started: {error}") from error
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode:
        how = f"signal {-done.returncode}" if done.returncode < 0 else f"status {done.returncode}"
        raise RenderingError(f"{name} failed with {how}: {said or 'it said nothing'}")
    if not done.stdout:
        raise RenderingError(f"{name} made no picture: {said or 'it said nothing'}")
    return done.stdout


def check_format(format: str) -> None:
    """Raise ValueError for a format that we do not write."""
    if format not in FORMATS:
        raise ValueError(f"unknown format {format!r}; use one of {', '.join(FORMATS)} or html")


def _command(format: str, engine: str) -> list[str] | None:
    dot = shutil.which("dot")
    if dot is not None:
        return [dot, f"-K{engine}", f"-T{format}"]
    if importlib.util.find_spec("pygraphviz") is not None:
        return [sys.executable, "-c", _IN_A_WHEEL, format, engine]
    return None
