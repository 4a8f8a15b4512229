"""Lines for people."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from examples.cifar10.display import say
from examples.cifar10.reporting.reporter import Reporter
from examples.cifar10.runs.description import describe
from examples.cifar10.runs.folder import Config
from examples.cifar10.training.evaluation import Measurement, test_line

NOTABLE_WAITING = 0.1
"""The share of an epoch's time from which waiting for batches is said."""


class Lines(Reporter):
    """Prints on standard output, or on `file`; warnings on standard error.

    When quiet, it prints warnings and the results.
    """

    def __init__(self, file: TextIO | None = None, *, quiet: bool = False) -> None:
        self._file = file
        self._quiet = quiet
        self._epochs = 0

    def note(self, text: str) -> None:
        """A line of its own."""
        if not self._quiet:
            say(text, self._file)

    def warn(self, text: str) -> None:
        """On standard error, also when quiet."""
        warn(text)

    def begin_run(self, config: Config, folder: Path, step: int = 0) -> None:
        """What is trained, and how."""
        self.note(describe(config))

    def begin_epoch(self, epoch: int, epochs: int, images: int, step: int) -> None:
        """Nothing yet."""
        self._epochs = epochs

    def end_epoch(self, entry: dict[str, Any]) -> None:
        """Loss, accuracies, speed and time."""
        self.note(epoch_line(entry, self._epochs))

    def end_run(self, results: Sequence[Measurement], class_names: Sequence[str]) -> None:
        """The test accuracy, in a line for each measurement."""
        for result in results:
            say(test_line(result), self._file)


class Warnings(Reporter):
    """Prints warnings alone."""

    def warn(self, text: str) -> None:
        """On standard error."""
        warn(text)


def warn(text: str) -> None:
    """Print on standard error at once."""
    say(text, sys.stderr)


def epoch_line(entry: dict[str, Any], epochs: int) -> str:
    """A line of metrics.jsonl as a line for people."""
    line = (
        f"epoch {entry['epoch']}/{epochs}: loss {entry['loss']:.4f}, "
        f"training accuracy {entry['train_accuracy']:.4f}, "
    )
    if "validation_accuracy" in entry:
        best = " (best)" if entry["best"] else ""
        line += f"validation accuracy {entry['validation_accuracy']:.4f}{best}, "
    line += f"{entry['images_per_second']:.0f} images/s, {entry['seconds']:.1f} s"
    share = entry["waited_seconds"] / max(entry["seconds"], 1e-9)
    return line if share < NOTABLE_WAITING else f"{line}, {share:.0%} of it waiting for images"
