"""Runs as a table, as wide as the terminal at most."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from examples.cifar10.extras import load_extra
from examples.cifar10.runs.summary import RunSummary

SortKey = Literal[
    "folder",
    "model",
    "preset",
    "seed",
    "epochs",
    "validation",
    "test",
    "averaged",
    "time",
    "speed",
    "state",
]
SORT_KEYS: tuple[SortKey, ...] = get_args(SortKey)

# Of a terminal too narrow for all, the first column goes first.
_DROPPED: tuple[SortKey, ...] = (
    "speed",
    "preset",
    "seed",
    "time",
    "averaged",
    "model",
    "epochs",
    "validation",
    "state",
    "test",
)
_GAP = 2
_HEADINGS: dict[SortKey, str] = {"speed": "images/s"}
_LEFT: tuple[SortKey, ...] = ("folder", "model", "preset", "state")
_STYLES = {"damaged": "red", "foreign": "dim", "unfinished": "yellow"}

_VALUES: dict[SortKey, Callable[[RunSummary], Any]] = {
    "folder": lambda run: str(run.folder),
    "model": lambda run: run.model,
    "preset": lambda run: run.preset,
    "seed": lambda run: run.seed,
    "epochs": lambda run: run.epochs,
    "validation": lambda run: run.best_validation_accuracy,
    "test": lambda run: run.test_accuracy,
    "averaged": lambda run: run.averaged_test_accuracy,
    "time": lambda run: run.seconds,
    "speed": lambda run: run.images_per_second,
    "state": lambda run: ("finished", "unfinished", "damaged", "foreign").index(run.state),
}
_BEST_FIRST: tuple[SortKey, ...] = ("validation", "test", "averaged", "speed", "epochs")


def sort_runs(
    runs: Sequence[RunSummary], key: SortKey, *, reverse: bool = False
) -> list[RunSummary]:
    """Runs in the order of a column: accuracies, speed and epochs from the largest, others from the
    smallest; those without a value last, and equals by folder.
    """
    value = _VALUES[key]
    runs = sorted(runs, key=lambda run: str(run.folder))
    known = [run for run in runs if not _unknown(value(run))]
    known.sort(key=value, reverse=(key in _BEST_FIRST) != reverse)
    return known + [run for run in runs if _unknown(value(run))]


def _unknown(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


class Terminal:
    """Standard output by rich: in colour on a terminal without NO_COLOR (or with FORCE_COLOR), and
    as wide as the terminal; plain and as wide as needed in a pipe.
    """

    def __init__(self) -> None:
        console = load_extra("rich.console", "printing tables (--json does without)").Console
        plain = bool(os.environ.get("NO_COLOR"))
        self.console = console(color_system=None if plain else "auto", highlight=False)
        self.width: int | None = self.console.width
        if not sys.stdout.isatty():
            self.width = None
            # More than any table's.
            self.console.width = 10**6

    def print(self, content: Any) -> None:
        """Print a renderable or a line, no wider than the terminal."""
        rich_text = load_extra("rich.text", "printing tables").Text
        if isinstance(content, str):
            content = rich_text(printable(content), overflow="fold")
        with self.console.capture() as capture:
            self.console.print(content)
        sys.stdout.write("".join(f"{line.rstrip()}\n" for line in capture.get().splitlines()))
        sys.stdout.flush()


def print_runs(runs: Sequence[RunSummary], terminal: Terminal) -> list[str]:
    """Print the table of runs; returns the headings of columns for which there was no room."""
    root = common_folder(runs)
    cells: dict[SortKey, list[str]] = {
        key: [_cell(run, key, root) for run in runs] for key in SORT_KEYS
    }
    columns = [key for key in SORT_KEYS if key == "folder" or any(cells[key])]
    length = load_extra("rich.cells", "printing tables").cell_len
    widths = {key: max(map(length, [heading(key), *cells[key]])) for key in columns}
    columns, folder_width = fit(columns, widths, terminal.width)
    table = load_extra("rich.table", "printing tables").Table(
        box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold"
    )
    for key in columns:
        left, width = key in _LEFT, folder_width if key == "folder" else widths[key]
        table.add_column(
            heading(key), justify="left" if left else "right", width=width, overflow="fold"
        )
    text = load_extra("rich.text", "printing tables").Text
    for row, run in enumerate(runs):
        styles = {"state": _STYLES.get(run.state, "")}
        table.add_row(*[text(cells[key][row], style=styles.get(key, "")) for key in columns])
    terminal.print(table)
    return [heading(key) for key in widths if key not in columns]


def fit(
    columns: list[SortKey], widths: dict[SortKey, int], room: int | None
) -> tuple[list[SortKey], int]:
    """The columns that a terminal of `room` columns holds, and the width of the folders'.

    Names of folders are broken into lines rather than taking more than half of it while other
    columns want room.
    """
    natural = widths["folder"]
    if room is None:
        return columns, natural
    least = min(natural, max(room // 2, 1))
    kept = list(columns)
    for key in (key for key in _DROPPED if key in columns):
        if least + _others(kept, widths) <= room:
            break
        kept.remove(key)
    # A wide column that went may have left room for narrow ones that went before it.
    for key in (key for key in reversed(_DROPPED) if key in columns and key not in kept):
        if least + _others([*kept, key], widths) <= room:
            kept.append(key)
    kept = [key for key in columns if key in kept]
    return kept, min(natural, room - _others(kept, widths))


def _others(columns: Sequence[SortKey], widths: dict[SortKey, int]) -> int:
    return sum(widths[key] + _GAP for key in columns if key != "folder")


def heading(key: SortKey) -> str:
    """What stands above a column."""
    return _HEADINGS.get(key, key)


def common_folder(runs: Sequence[RunSummary]) -> Path:
    """The folder that all runs are in."""
    return Path(os.path.commonpath([os.path.dirname(_absolute(run)) for run in runs]))


def short_name(run: RunSummary, root: Path) -> str:
    """The folder of a run within `root`."""
    return printable(os.path.relpath(_absolute(run), root))


def _absolute(run: RunSummary) -> str:
    return os.path.abspath(run.folder)


def _cell(run: RunSummary, key: SortKey, root: Path) -> str:
    value = _VALUES[key](run)
    if key == "folder":
        return short_name(run, root)
    if key == "state":
        return run.state
    if key == "epochs":
        planned = "?" if run.planned_epochs is None else run.planned_epochs
        return "" if run.state == "foreign" else f"{run.epochs}/{planned}"
    if value is None:
        return ""
    if key == "time":
        return duration(value)
    if key in ("validation", "test", "averaged"):
        return f"{value:.4f}"
    return f"{value:.0f}" if key == "speed" else printable(str(value))


def duration(seconds: float) -> str:
    """A time for people.

    >>> [duration(seconds) for seconds in (2.34, 99.96, 3599.6, 90061)]
    ['2.3s', '1m40s', '1h00m', '25h01m']
    """
    if not math.isfinite(seconds):
        return str(seconds)
    if round(seconds, 1) < 99.95:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m{rest:02d}s"
    return f"{minutes // 60}h{minutes % 60:02d}m"


def printable(text: str) -> str:
    """The text with what would move the cursor, or cannot be encoded, as escapes."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def print_differences(
    runs: Sequence[RunSummary], rows: Sequence[tuple[str, list[Any]]], terminal: Terminal
) -> None:
    """Print the settings in which runs differ, a column for each run."""
    root = common_folder(runs)
    table = load_extra("rich.table", "printing tables").Table(
        box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold"
    )
    text = load_extra("rich.text", "printing tables").Text
    for name in ("setting", *(short_name(run, root) for run in runs)):
        table.add_column(text(name), overflow="fold")
    for key, values in rows:
        shown = ["-" if value is None else json.dumps(value) for value in values]
        table.add_row(*[text(printable(cell)) for cell in (key, *shown)])
    terminal.print(table)
