"""Sides in processes of their own: HIPS autograd, whose import name is ours."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
HIPS = "autograd"
REQUIREMENTS = ("autograd>=1.7", "numpy>=2")

# The environment's own packages come first on the path, so there `autograd` is HIPS's; this
# folder's `benchmarks` is found behind them.
_RUN = "import runpy, sys; sys.path.append(sys.argv.pop(1)); runpy.run_module(sys.argv.pop(1), "
_RUN += "run_name='__main__', alter_sys=False)"


def own_command(python: Path | None) -> list[str]:
    """The start of a command that runs a module of the benchmarks with this Python."""
    if python is None or python == Path(sys.executable):
        first = "import sys; sys.path.insert(0, sys.argv[1]); " + _RUN
        return [sys.executable, "-c", first, str(ROOT)]
    return [str(python), "-I", "-c", _RUN, str(ROOT)]


def default_folder() -> Path:
    """Where environments are kept: the user's folder for caches."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "dagrad" / "benchmarks"


def hips_python(folder: Path) -> Path:
    """The Python of an environment with HIPS autograd, made in `folder` by venv and pip if it is
    not there. Raises RuntimeError with what pip said if that fails.
    """
    home = folder / f"hips-autograd-{sys.version_info.major}.{sys.version_info.minor}"
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    complete = home / "complete"
    if complete.exists():
        return python
    shutil.rmtree(home, ignore_errors=True)
    print(f"making an environment for HIPS autograd in {home}", flush=True)
    venv.create(home, with_pip=True)
    command = [str(python), "-m", "pip", "install", "--quiet", *REQUIREMENTS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr.strip()}")
    complete.touch()
    return python


def installed_version(python: Path, package: str) -> str:
    """The version of a package in another environment."""
    code = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"
    command = [str(python), "-I", "-c", code, package]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


class Remote:
    """A side in another process, which runs steps and times them when asked."""

    def __init__(self, python: Path, workload: str, peer: str, setting: str) -> None:
        self._child = subprocess.Popen(
            [*own_command(python), "benchmarks.steps", workload, peer, setting],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def sample(self, first: int, count: int) -> tuple[float, float]:
        """Ask for steps. Raises RuntimeError with what the process said if it ended."""
        seconds, result = self._asked([first, count])
        return float(seconds), float(result)

    def set_aside(self) -> None:
        """Have its garbage collections leave alone what is there now. Raises as `sample` does."""
        self._asked(None)

    def _asked(self, what: Any) -> Any:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        try:
            print(json.dumps(what), file=self._child.stdin, flush=True)
            answer = self._child.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            _, said = self._child.communicate()
            lines: list[Any] = said.strip().splitlines() or ["nothing"]
            raise RuntimeError(f"the process ended ({self._child.returncode}): {lines[-1]}")
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        if self._child.poll() is None:
            self._child.kill()
        self._child.communicate()
