"""Pictures of a search: its history, slices of its space, its trials as lines, importances."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from examples.cifar10.runs.figures import new_figure
from examples.cifar10.tuning.log import State, TrialRecord, best_of

_COLOURS: dict[State, str] = {
    "finished": "tab:blue",
    "pruned": "tab:orange",
    "diverged": "tab:red",
    "interrupted": "tab:gray",
}
# A range whose largest value is so many times its smallest is drawn logarithmically.
_LOG_FROM = 20.0


def draw_search(
    records: Sequence[TrialRecord], importances: Mapping[str, float], folder: Path
) -> list[Path]:
    """Write history.png, slices.png, parallel.png and importances.png (if any are given); returns
    what was written.
    """
    trained = [record for record in records if record.accuracies]
    drawn = {
        "history": draw_history(trained),
        "slices": draw_slices(trained),
        "parallel": draw_parallel(trained),
    }
    if importances:
        drawn["importances"] = draw_importances(importances)
    paths = []
    for name, figure in drawn.items():
        path = folder / f"{name}.png"
        figure.savefig(path)
        paths.append(path)
    return paths


def draw_history(records: Sequence[TrialRecord]) -> Any:
    """Each trial's validation accuracy, the best so far, and all curves over the epochs."""
    figure = new_figure(9.0, 3.8)
    history, curves = figure.subplots(1, 2)
    _scatter(history, records, lambda record: record.trial)
    finished = [record for record in records if record.state == "finished"]
    best = np.maximum.accumulate([_accuracy(record) for record in finished])
    history.step(
        [record.trial for record in finished],
        best,
        where="post",
        color="black",
        label="best so far",
    )
    history.set_xlabel("trial")
    history.set_ylabel("validation accuracy")
    history.xaxis.get_major_locator().set_params(integer=True)
    history.legend()
    winner = best_of(records)
    for record in records:
        chosen = winner is not None and record.trial == winner.trial
        curves.plot(
            range(1, len(record.accuracies) + 1),
            record.accuracies,
            marker="o",
            ms=2,
            color="black" if chosen else _COLOURS[record.state],
            alpha=1.0 if chosen else 0.4,
            zorder=3 if chosen else 2,
            label="the best trial" if chosen else None,
        )
    curves.set_xlabel("epoch")
    curves.xaxis.get_major_locator().set_params(integer=True)
    if winner is not None:
        curves.legend(loc="lower right")
    for axes in (history, curves):
        axes.grid(alpha=0.3)
    return figure


def draw_slices(records: Sequence[TrialRecord]) -> Any:
    """Validation accuracy against each hyper-parameter."""
    names = list(records[0].values)
    columns = min(4, len(names))
    rows = math.ceil(len(names) / columns)
    figure = new_figure(3.0 * columns, 2.7 * rows)
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for axes, name in zip(grid.ravel(), names, strict=False):
        _scatter(axes, records, lambda record, name=name: record.values[name])
        if _logarithmic(records, name):
            axes.set_xscale("log")
        axes.set_xlabel(name)
        axes.grid(alpha=0.3)
    for axes in grid.ravel()[len(names) :]:
        axes.set_axis_off()
    for row in grid:
        row[0].set_ylabel("validation accuracy")
    grid[0, 0].legend(fontsize=8)
    return figure


def draw_parallel(records: Sequence[TrialRecord]) -> Any:
    """Each trial a line through its values, each scaled to its own range, and its accuracy."""
    names = list(records[0].values)
    ordered = sorted(records, key=_accuracy)
    columns = []
    ends = []
    for name in names:
        values = np.array([float(record.values[name]) for record in ordered])
        ends.append((values.min(), values.max()))
        columns.append(_scaled(np.log(values) if _logarithmic(records, name) else values))
    accuracies = np.array([_accuracy(record) for record in ordered])
    ends.append((accuracies.min(), accuracies.max()))
    columns.append(_scaled(accuracies))
    figure = new_figure(1.5 * len(columns) + 1.0, 3.8)
    axes = figure.subplots()
    places = range(len(columns))
    from matplotlib import colormaps

    colours = colormaps["viridis"](columns[-1])
    for line, colour in zip(np.array(columns).T, colours, strict=True):
        axes.plot(places, line, color=colour, alpha=0.8)
    for place, (low, high) in zip(places, ends, strict=True):
        axes.axvline(place, color="black", lw=0.8)
        axes.text(place, -0.02, f"{low:.3g}", ha="center", va="top", fontsize=8)
        axes.text(place, 1.02, f"{high:.3g}", ha="center", va="bottom", fontsize=8)
    axes.set_xticks(places, [*names, "accuracy"])
    axes.set_yticks([])
    axes.set_ylim(-0.1, 1.1)
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    return figure


def draw_importances(importances: Mapping[str, float]) -> Any:
    """A bar for each hyper-parameter's share."""
    figure = new_figure(6.0, 1.0 + 0.35 * len(importances))
    axes = figure.subplots()
    names = sorted(importances, key=lambda name: importances[name])
    axes.barh(names, [importances[name] for name in names])
    axes.set_xlabel("importance (PED-ANOVA)")
    axes.grid(alpha=0.3, axis="x")
    return figure


def _scatter(axes: Any, records: Sequence[TrialRecord], place: Any) -> None:
    for state, colour in _COLOURS.items():
        chosen = [record for record in records if record.state == state]
        if chosen:
            across = [place(record) for record in chosen]
            up = [_accuracy(record) for record in chosen]
            axes.scatter(across, up, s=14, color=colour, label=state)


def _accuracy(record: TrialRecord) -> float:
    return record.accuracy or 0.0


def _logarithmic(records: Sequence[TrialRecord], name: str) -> bool:
    values = [record.values[name] for record in records]
    return min(values) > 0 and max(values) >= _LOG_FROM * min(values)


def _scaled(values: np.ndarray) -> np.ndarray:
    spread = values.max() - values.min()
    scaled: np.ndarray = (values - values.min()) / spread if spread else np.full(len(values), 0.5)
    return scaled
