"""What run folders hold, read leniently: of any format, unfinished or damaged."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from examples.cifar10.errors import DataError
from examples.cifar10.runs.folder import RunFolder

State = Literal["finished", "unfinished", "damaged", "foreign"]

# How far below a folder that is given the runs may be.
_DEPTH = 3


@dataclass
class RunSummary:
    """One run in numbers; None where the files do not say, or the folder is not of a run."""

    folder: Path
    # finished: tested; damaged: a file is not what it should be; foreign: no files of a run.
    state: State = "unfinished"
    problem: str | None = None
    model: str | None = None
    preset: str | None = None
    seed: int | None = None
    epochs: int = 0
    planned_epochs: int | None = None
    best_validation_accuracy: float | None = None
    best_epoch: int | None = None
    test_accuracy: float | None = None
    averaged_test_accuracy: float | None = None
    # Of training, without the measurements.
    seconds: float | None = None
    images_per_second: float | None = None
    # config.json, flat: `recipe.groups.0.lr`.
    settings: dict[str, Any] = field(default_factory=dict)
    # The lines of metrics.jsonl that are epochs.
    history: list[dict[str, Any]] = field(default_factory=list)

    def as_entry(self) -> dict[str, Any]:
        """Everything as JSON can hold it, but the history."""
        entry = asdict(self)
        del entry["history"]
        return {**entry, "folder": str(self.folder)}


def find_runs(folders: Sequence[Path]) -> list[RunSummary]:
    """Summaries of the given folders that are runs, and of those below the others.

    A folder directly in a given one that neither is nor holds a run is reported as foreign. Raises
    DataError for a given folder that does not exist.
    """
    found: dict[Path, RunSummary] = {}
    for folder in folders:
        if not folder.is_dir():
            raise DataError(f"{folder}: no such folder; give a run folder, or one that holds some")
        for path in _candidates(folder):
            found.setdefault(path.resolve(), summarize(path))
    return list(found.values())


def _candidates(folder: Path) -> Iterator[Path]:
    if _is_run(folder):
        yield folder
        return
    for child in _subfolders(folder):
        yield from _runs_below(child, _DEPTH) or [child]


def _runs_below(folder: Path, depth: int) -> list[Path]:
    if _is_run(folder):
        return [folder]
    if depth == 1:
        return []
    return [run for child in _subfolders(folder) for run in _runs_below(child, depth - 1)]


def _is_run(folder: Path) -> bool:
    run = RunFolder(folder)
    return run.config.exists() or run.metrics.exists()


def _subfolders(folder: Path) -> list[Path]:
    try:
        return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    except OSError:
        return []


def summarize(folder: Path) -> RunSummary:
    """Read config.json and metrics.jsonl as far as they can be read."""
    summary = RunSummary(folder)
    run = RunFolder(folder)
    if not _is_run(folder):
        summary.state, summary.problem = "foreign", "no run: neither config.json nor metrics.jsonl"
        return summary
    for read, path in ((_read_config, run.config), (_read_metrics, run.metrics)):
        try:
            read(summary, path)
        except OSError as error:
            problem = f"{path.name}: cannot be read ({error.strerror})"
        except (ValueError, RecursionError) as error:
            problem = f"{path.name}: {error}"
        else:
            continue
        summary.state, summary.problem = "damaged", problem
        break
    return summary


def _read_config(summary: RunSummary, path: Path) -> None:
    config = json.loads(path.read_text(encoding="utf-8"))
    recipe = config.get("recipe") if isinstance(config, dict) else None
    if not isinstance(recipe, dict) or not isinstance(config.get("model"), str):
        raise ValueError("not the config.json of a run: it names no model and recipe")
    summary.model = config["model"]
    summary.preset = None if config.get("preset") is None else str(config["preset"])
    summary.seed = _whole(config, "seed")
    summary.planned_epochs = _whole(recipe, "epochs")
    summary.settings = dict(_flat("", config))


def _read_metrics(summary: RunSummary, path: Path) -> None:
    if not path.exists():
        return
    *lines, rest = path.read_text(encoding="utf-8").split("\n")
    epochs: dict[int, dict[str, Any]] = {}
    try:
        for number, line in enumerate(lines, 1):
            try:
                _read_line(summary, epochs, json.loads(line))
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from error
    finally:
        _sum_up(summary, [epochs[epoch] for epoch in sorted(epochs)])
    if rest:
        # A process that was stopped as it wrote; what came before it is whole.
        summary.problem = f"{path.name}: the last line is cut off"


def _read_line(summary: RunSummary, epochs: dict[int, dict[str, Any]], entry: Any) -> None:
    if not isinstance(entry, dict):
        raise ValueError("not an object")
    if "epoch" in entry:
        epoch = _whole(entry, "epoch")
        assert epoch is not None
        for key in ("validation_accuracy", "seconds", "images_per_second"):
            _number(entry, key)
        epochs[epoch] = entry
    elif "test_accuracy" in entry:
        summary.test_accuracy = _number(entry, "test_accuracy")
        summary.averaged_test_accuracy = _number(entry, "averaged_test_accuracy")
        summary.state = "finished"


def _sum_up(summary: RunSummary, history: list[dict[str, Any]]) -> None:
    summary.history = history
    summary.epochs = len(history)
    accuracies = [
        (entry["validation_accuracy"], -entry["epoch"])
        for entry in history
        if not math.isnan(entry.get("validation_accuracy", math.nan))
    ]
    if accuracies:
        summary.best_validation_accuracy, epoch = max(accuracies)
        summary.best_epoch = -epoch
    timed = [entry for entry in history if {"seconds", "images_per_second"} <= entry.keys()]
    if timed:
        seconds = math.fsum(entry["seconds"] for entry in timed)
        images = math.fsum(entry["seconds"] * entry["images_per_second"] for entry in timed)
        summary.seconds = seconds
        summary.images_per_second = images / seconds if seconds else None


def _number(entry: dict[str, Any], key: str) -> float | None:
    if key not in entry:
        return None
    value = entry[key]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{key} is {value!r}, not a number")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{key} is beyond any float") from None


def _whole(entry: dict[str, Any], key: str) -> int | None:
    value = entry.get(key)
    if key in entry and (isinstance(value, bool) or not isinstance(value, int)):
        raise ValueError(f"{key} is {value!r}, not a whole number")
    return value


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    entries: Any = None
    if isinstance(value, dict):
        entries = value.items()
    elif isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
        entries = enumerate(value)
    if entries is None:
        yield prefix, value
    else:
        for key, entry in entries:
            yield from _flat(f"{prefix}.{key}" if prefix else str(key), entry)


def differences(runs: Sequence[RunSummary]) -> list[tuple[str, list[Any]]]:
    """The settings in which runs differ, and each run's value; None where a run has no such one."""
    keys = {key: None for run in runs for key in run.settings}
    rows = [(key, [run.settings.get(key) for run in runs]) for key in keys]
    return [(key, values) for key, values in rows if any(v != values[0] for v in values[1:])]
