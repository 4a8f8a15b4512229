"""What happens in a command, told to whoever listens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from examples.cifar10.runs.folder import Config
from examples.cifar10.training.evaluation import Measurement


class Reporter:
    """Is told what a command does, a method for each kind of event; here they do nothing.

    Used as a context manager, it is closed at the end, however that comes.
    """

    def note(self, text: str) -> None:
        """Something of interest along the way."""

    def warn(self, text: str) -> None:
        """Something to be known even where little is wanted to be read."""

    def begin_run(self, config: Config, folder: Path, step: int = 0) -> None:
        """A run begins, after `step` steps that were done before; or its evaluation does."""

    def begin_epoch(self, epoch: int, epochs: int, images: int, step: int) -> None:
        """Epoch `epoch` of `epochs`, of so many images, begins after `step` steps."""

    def step(self, images: int, loss: float, accuracy: float) -> None:
        """A step ended: the images so far in the epoch, the mean loss and accuracy over them."""

    def end_epoch(self, entry: dict[str, Any]) -> None:
        """An epoch ended with these metrics, a line of metrics.jsonl."""

    def end_run(self, results: Sequence[Measurement], class_names: Sequence[str]) -> None:
        """The test images were measured: plainly, and with more views averaged."""

    def close(self) -> None:
        """Nothing more will come; may be called again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Reporters(Reporter):
    """Several as one, told in their order."""

    def __init__(self, *reporters: Reporter) -> None:
        self.reporters = reporters

    def note(self, text: str) -> None:
        for reporter in self.reporters:
            reporter.note(text)

    def warn(self, text: str) -> None:
        for reporter in self.reporters:
            reporter.warn(text)

    def begin_run(self, config: Config, folder: Path, step: int = 0) -> None:
        for reporter in self.reporters:
            reporter.begin_run(config, folder, step)

    def begin_epoch(self, epoch: int, epochs: int, images: int, step: int) -> None:
        for reporter in self.reporters:
            reporter.begin_epoch(epoch, epochs, images, step)

    def step(self, images: int, loss: float, accuracy: float) -> None:
        for reporter in self.reporters:
            reporter.step(images, loss, accuracy)

    def end_epoch(self, entry: dict[str, Any]) -> None:
        for reporter in self.reporters:
            reporter.end_epoch(entry)

    def end_run(self, results: Sequence[Measurement], class_names: Sequence[str]) -> None:
        for reporter in self.reporters:
            reporter.end_run(results, class_names)

    def close(self) -> None:
        for reporter in self.reporters:
            reporter.close()
