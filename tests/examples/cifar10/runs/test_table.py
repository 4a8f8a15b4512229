"""The table of runs: in the right order, and never wider than the terminal."""

from __future__ import annotations

import fcntl
import io
import math
import os
import pty
import struct
import sys
import termios
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from examples.cifar10.runs import table
from examples.cifar10.runs.summary import RunSummary
from examples.cifar10.runs.table import (
    SORT_KEYS,
    Terminal,
    print_differences,
    print_runs,
    sort_runs,
)

NAMES = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=50
).filter(lambda name: name.strip(".") != "")
SHARES = st.one_of(st.none(), st.floats(0, 1), st.just(math.nan))
RUNS = st.lists(
    st.builds(
        RunSummary,
        folder=st.builds(lambda name: Path("/runs", name), NAMES),
        state=st.sampled_from(["finished", "unfinished", "damaged", "foreign"]),
        model=st.one_of(st.none(), st.sampled_from(["softmax", "airbench"]), st.text(max_size=9)),
        preset=st.sampled_from([None, "tuned", "homework"]),
        seed=st.one_of(st.none(), st.integers(0, 2**40)),
        epochs=st.integers(0, 600),
        planned_epochs=st.one_of(st.none(), st.integers(0, 600)),
        best_validation_accuracy=SHARES,
        test_accuracy=SHARES,
        averaged_test_accuracy=SHARES,
        seconds=st.one_of(st.none(), st.floats(0, 1e9)),
        images_per_second=st.one_of(st.none(), st.floats(0, 1e9)),
    ),
    min_size=1,
    max_size=6,
)


class Screen(io.StringIO):
    """A standard output that says whether it is a terminal."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


def printed(show, width=None, **environment):
    with pytest.MonkeyPatch.context() as patch:
        for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE", "COLORTERM"):
            patch.delenv(name, raising=False)
        patch.setenv("TERM", "xterm")
        if width is not None:
            patch.setenv("COLUMNS", str(width))
            patch.setenv("LINES", "20")
        for name, value in environment.items():
            patch.setenv(name, value)
        screen = Screen(width is not None)
        patch.setattr(sys, "stdout", screen)
        result = show(Terminal())
    return screen.getvalue(), result


# A wide character has two columns.
@settings(max_examples=100)
@given(runs=RUNS, width=st.integers(2, 200))
def test_no_line_is_wider_than_the_terminal(runs, width):
    text, left_out = printed(lambda terminal: print_runs(runs, terminal), width, NO_COLOR="1")
    lines = text.splitlines()
    assert max(map(cell_len, lines)) <= width
    assert "\x1b" not in text
    # What is shown is whole.
    if "state" not in left_out:
        assert {run.state for run in runs} <= {line.split()[-1] for line in lines if line}
    if "test" not in left_out:
        words = set(text.split())
        assert {f"{run.test_accuracy:.4f}" for run in runs if run.test_accuracy} <= words
    # Only the folders are left; their names are whole, if in pieces.
    if width < 10:
        assert "state" in left_out
        pieces = "".join("".join(lines).split())
        for run in runs:
            assert "".join(table.printable(run.folder.name).split()) in pieces


@given(runs=RUNS)
def test_a_pipe_gets_every_column_in_a_line_a_run(runs):
    text, left_out = printed(lambda terminal: print_runs(runs, terminal))
    assert left_out == []
    lines = text.splitlines()
    assert len(lines) == len(runs) + 1
    assert "\x1b" not in text
    for run, line in zip(runs, lines[1:], strict=True):
        assert line.startswith(table.printable(run.folder.name).rstrip())
        assert line.endswith(run.state)
        if run.test_accuracy is not None:
            assert f"{run.test_accuracy:.4f}" in line.split()


def test_the_wider_the_more_columns_and_the_test_accuracy_to_the_last():
    run = RunSummary(
        Path("/runs/softmax-20261125-011740-seed0"), "finished", None, "softmax", "tuned", 0, 8, 8,
        0.5, 8, 0.4, 0.45, 12.0, 900.0,
    )  # fmt: skip
    left_out = [
        set(printed(lambda terminal: print_runs([run], terminal), width)[1])
        for width in range(20, 140)
    ]
    assert left_out[-1] == set()
    assert all(len(more) >= len(fewer) for more, fewer in pairwise(left_out))
    assert "test" not in set().union(*left_out)
    assert "state" not in left_out[40 - 20]


@given(runs=RUNS, key=st.sampled_from(SORT_KEYS), reverse=st.booleans())
def test_runs_are_sorted_by_the_column_and_the_unknown_come_last(runs, key, reverse):
    value = {
        "folder": lambda run: str(run.folder),
        "validation": lambda run: run.best_validation_accuracy,
        "test": lambda run: run.test_accuracy,
        "averaged": lambda run: run.averaged_test_accuracy,
        "time": lambda run: run.seconds,
        "speed": lambda run: run.images_per_second,
        "state": lambda run: "finished unfinished damaged foreign".index(run.state),
    }.get(key, lambda run: getattr(run, key))
    ordered = sort_runs(runs, key, reverse=reverse)
    assert sorted(map(id, ordered)) == sorted(map(id, runs))
    values = [value(run) for run in ordered]
    unknown = [v is None or v != v for v in values]
    assert unknown == sorted(unknown)
    values = values[: len(values) - sum(unknown)]
    falls = (key in ("validation", "test", "averaged", "speed", "epochs")) != reverse
    assert all(a >= b if falls else a <= b for a, b in pairwise(values))


@given(width=st.integers(12, 120), name=st.text(max_size=30), other=st.text(max_size=60))
def test_differences_fit_too(width, name, other):
    runs = [RunSummary(Path("/runs/a")), RunSummary(Path("/runs/b" * 20))]
    rows = [("recipe.groups.0.weight_decay", [0.5, None]), ("data", [name, other])]
    text, _ = printed(lambda terminal: print_differences(runs, rows, terminal), width, NO_COLOR="1")
    assert max(map(cell_len, text.splitlines())) <= width


@pytest.mark.parametrize(
    ("width", "environment", "coloured"),
    [
        (80, {}, True),
        (80, {"NO_COLOR": "1"}, False),
        (80, {"TERM": "dumb"}, False),
        (None, {}, False),
        (None, {"FORCE_COLOR": "1"}, True),
        (None, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(width, environment, coloured):
    runs = [RunSummary(Path("/runs/a"), "damaged")]
    text, _ = printed(lambda terminal: print_runs(runs, terminal), width, **environment)
    assert ("\x1b[31m" in text) == coloured
    assert ("\x1b" in text) == coloured


def test_a_real_terminal_is_measured(tmp_path):
    """A process on a pseudo-terminal of 50 columns, without any variable that says so."""
    for number in range(3):
        (tmp_path / f"a-run-with-a-rather-long-name-{number}").mkdir()
        (tmp_path / f"a-run-with-a-rather-long-name-{number}" / "metrics.jsonl").touch()
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 50, 0, 0))
        hidden = ("COLUMNS", "LINES", "FORCE_COLOR", "TTY_COMPATIBLE")
        environment = {k: v for k, v in os.environ.items() if k not in hidden}
        command = [sys.executable, "-m", "examples.cifar10", "runs", str(tmp_path)]
        os.execve(sys.executable, command, environment | {"TERM": "xterm", "NO_COLOR": "1"})
    written = bytearray()
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # EIO when the process has gone
            break
        if not part:
            break
        written += part
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    text = written.decode()
    assert text.count("damaged") == 3
    assert "\x1b" not in text
    assert 40 < max(map(len, text.splitlines())) <= 50
