"""JSON for programs: an object a line."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from examples.cifar10.display import say
from examples.cifar10.reporting.reporter import Reporter
from examples.cifar10.reporting.results import result_entry
from examples.cifar10.runs.folder import Config
from examples.cifar10.training.evaluation import Measurement


class JsonLines(Reporter):
    """Prints objects with a key `event` on standard output; when quiet, only the results.

    start: `folder`, `config` (as in config.json) and `step`, the steps done before;
    epoch: a line of metrics.jsonl;
    result: `folder`, the last line of metrics.jsonl, `test_images`, `class_accuracy`, and
    `confusion`, whose entry [i][j] counts images of class i taken for j.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._folder: Path | None = None

    def begin_run(self, config: Config, folder: Path, step: int = 0) -> None:
        """The object `start`."""
        self._folder = folder
        if not self._quiet:
            print_event("start", folder=str(folder), step=step, config=asdict(config))

    def end_epoch(self, entry: dict[str, Any]) -> None:
        """An object `epoch`."""
        if not self._quiet:
            print_event("epoch", **entry)

    def end_run(self, results: Sequence[Measurement], class_names: Sequence[str]) -> None:
        """The object `result`."""
        confusion = results[-1].confusion
        shares = np.diagonal(confusion) / np.maximum(confusion.sum(axis=1), 1)
        print_event(
            "result",
            folder=None if self._folder is None else str(self._folder),
            **result_entry(results),
            test_images=results[-1].count,
            class_accuracy=dict(zip(class_names, shares.tolist(), strict=True)),
            confusion=confusion.tolist(),
        )


def print_event(event: str, **content: Any) -> None:
    """Print one JSON object in a line; numbers that JSON lacks become null."""
    say(json.dumps({"event": event, **_finite(content)}, allow_nan=False))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
