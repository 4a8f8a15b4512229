"""Curves of several runs in one picture."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from examples.cifar10.errors import ExampleError
from examples.cifar10.extras import load_extra
from examples.cifar10.runs.summary import RunSummary
from examples.cifar10.runs.table import common_folder, short_name

Curve = Literal["accuracy", "loss"]

_COLOURS = 10
_STYLES = ("-", "--", ":", "-.")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
# Names in one column of the legend.
_LEGEND_ROWS = 20


def draw_comparison(runs: Sequence[RunSummary], curve: Curve, path: Path) -> list[RunSummary]:
    """Draw each run's validation accuracy or loss against epochs and against training time.

    Runs without validation show that of training, and say so in the legend. The format is the
    path's suffix. Returns the runs that are drawn: those of at least one epoch that has the value.
    Raises ExampleError if there is none, or if the picture cannot be written.
    """
    curves = [(run, *_points(run, curve)) for run in runs]
    drawn = [entry for entry in curves if entry[2]]
    if not drawn:
        raise ExampleError(f"nothing to draw in {path}: no run has ended an epoch")
    columns = -(-len(drawn) // _LEGEND_ROWS)
    figure = load_extra("matplotlib.figure", "drawing").Figure(
        figsize=(10.0 + 2.5 * columns, max(4.2, 0.22 * min(len(drawn), _LEGEND_ROWS))),
        dpi=120,
        layout="constrained",
    )
    by_epoch, by_time = figure.subplots(1, 2, sharey=True)
    longest = max(times[-1] for *_, times in drawn)
    unit, seconds = _time_unit(longest)
    root = common_folder(runs)
    looks = zip(
        itertools.cycle(_MARKERS),
        itertools.cycle(itertools.product(_STYLES, range(_COLOURS))),
        strict=False,
    )
    for (run, kind, values, epochs, times), (marker, (style, colour)) in zip(
        drawn, looks, strict=False
    ):
        look = {"ls": style, "marker": marker, "ms": 3.5, "lw": 1.4, "color": f"C{colour}"}
        by_epoch.plot(epochs, values, label=_label(run, kind, root), **look)
        by_time.plot([time / seconds for time in times], values, **look)
    by_epoch.set_xlabel("epoch")
    by_epoch.set_ylabel(f"validation {curve}")
    by_epoch.xaxis.get_major_locator().set_params(integer=True)
    by_time.set_xlabel(f"time of training, {unit}")
    by_time.set_xlim(left=0)
    for axes in (by_epoch, by_time):
        axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper", ncols=columns, fontsize=8, handlelength=3.5)
    _save(figure, path)
    return [run for run, *_ in drawn]


def _points(run: RunSummary, curve: Curve) -> tuple[str, list[float], list[int], list[float]]:
    kind = "validation"
    if not any(f"validation_{curve}" in entry for entry in run.history):
        kind = "train"
    key = f"{kind}_{curve}"
    values, epochs, times = [], [], []
    passed = 0.0
    for entry in run.history:
        passed += entry.get("seconds", 0.0)
        if isinstance(entry.get(key), int | float):
            values.append(float(entry[key]))
            epochs.append(int(entry["epoch"]))
            times.append(passed)
    return kind, values, epochs, times


def _label(run: RunSummary, kind: str, root: Path) -> str:
    name = short_name(run, root)
    if run.model is not None and run.model not in name:
        name += f" ({run.model})"
    # Matplotlib leaves names that begin with an underscore out, and reads $ as mathematics.
    name = name.replace("$", r"\$")
    return f" {name}" + (", training" if kind == "train" else "")


def _time_unit(longest: float) -> tuple[str, float]:
    if longest < 180:
        return "seconds", 1.0
    return ("minutes", 60.0) if longest < 3 * 3600 else ("hours", 3600.0)


def _save(figure: Any, path: Path) -> None:
    kind = path.suffix.lstrip(".").lower()
    known = sorted(figure.canvas.get_supported_filetypes())
    if kind not in known:
        raise ExampleError(f"{path}: no format of that suffix; known are {', '.join(known)}")
    partial = path.with_name(f"{path.name}.part")
    try:
        figure.savefig(partial, format=kind)
        os.replace(partial, path)
    except OSError as error:
        raise ExampleError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
