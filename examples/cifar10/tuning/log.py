"""The trials of a search as records, and their log: JSON lines, the first about the search."""

from __future__ import annotations

import json
import os
import platform
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from autograd import get_num_threads
from examples.cifar10.data.images import LabelledImages
from examples.cifar10.errors import DataError
from examples.cifar10.presets import ModelName
from examples.cifar10.tuning.spaces import Value, space_of

FORMAT = 1
# finished: all epochs; pruned: given up as hopeless; diverged: the loss was not finite;
# interrupted: stopped or killed, and done again under a number of its own.
State = Literal["finished", "pruned", "diverged", "interrupted"]
STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True)
class Search:
    """What decides the trials of a search; one that goes on must be of the same."""

    model: ModelName
    seed: int
    trial_epochs: int
    training_images: int
    validation_images: int
    # A checksum of both.
    images: str
    # The epoch after which a trial may first be given up; None for never.
    pruned_from: int | None
    # The ranges, as text.
    space: dict[str, str]

    @classmethod
    def of(
        cls,
        model: ModelName,
        seed: int,
        trial_epochs: int,
        training: LabelledImages,
        validating: LabelledImages,
        *,
        pruned_from: int | None,
    ) -> Search:
        """The search of a model on these images."""
        checksum = 0
        for part in (training, validating):
            checksum = zlib.crc32(np.ascontiguousarray(part.images).data, checksum)
            checksum = zlib.crc32(part.labels.astype("<i8").data, checksum)
        space = {name: repr(range_) for name, range_ in space_of(model).items()}
        counts = len(training), len(validating)
        return cls(model, seed, trial_epochs, *counts, f"{checksum:08x}", pruned_from, space)

    def differences(self, other: Search) -> list[str]:
        """What is not the same in another search, a phrase each."""
        mine, its = asdict(self), asdict(other)
        return [f"{name} {mine[name]}, now {its[name]}" for name in mine if mine[name] != its[name]]


@dataclass(frozen=True)
class TrialRecord:
    """One trial: its values, and the validation accuracy after each epoch."""

    trial: int
    state: State
    values: dict[str, Value]
    accuracies: tuple[float, ...]
    seconds: float

    @property
    def accuracy(self) -> float | None:
        """The best epoch's, as `train` keeps that epoch's model; None before the first."""
        return max(self.accuracies, default=None)


def best_of(records: Sequence[TrialRecord]) -> TrialRecord | None:
    """The finished trial of the highest validation accuracy, the first of equals."""
    finished = [record for record in records if record.state == "finished"]
    return max(finished, key=lambda record: record.accuracy or 0.0, default=None)


def describe_machine() -> dict[str, str]:
    """The machine and the versions that a search runs on."""
    found = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "threads": str(get_num_threads()),
        "python": platform.python_version(),
    }
    for package in ("numpy", "numba", "optuna"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


@dataclass(frozen=True)
class Log:
    """All that a log says."""

    search: Search
    machine: dict[str, str]
    records: tuple[TrialRecord, ...]
    # Of the best trial's recipe, trained in full; None before that.
    final: dict[str, Any] | None = None

    def write(self, path: Path) -> None:
        """Replace the file by this log."""
        head = {"format": FORMAT, **asdict(self.search), "machine": self.machine}
        if self.final is not None:
            head["final"] = self.final
        lines = [head, *(asdict(record) for record in self.records)]
        partial = path.with_name(f"{path.name}.part")
        partial.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        os.replace(partial, path)

    @classmethod
    def read(cls, path: Path) -> Log:
        """What `write` wrote; DataError naming the file if it is missing or damaged."""
        try:
            head, *lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
            if head.pop("format") != FORMAT:
                raise ValueError(f"not of format {FORMAT}")
            machine, final = head.pop("machine"), head.pop("final", None)
            records = tuple(
                TrialRecord(**{**line, "accuracies": tuple(line["accuracies"])}) for line in lines
            )
            if any(record.state not in STATES for record in records):
                raise ValueError(f"states are {', '.join(STATES)}")
            return cls(Search(**head), machine, records, final)
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {error.strerror}") from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DataError(f"{path}: not the log of a search: {error}") from error
