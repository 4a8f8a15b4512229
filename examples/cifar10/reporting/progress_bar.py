"""A progress bar on the terminal."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from typing import Any

import autograd as ag
from examples.cifar10.extras import load_extra
from examples.cifar10.reporting.reporter import Reporter

# tqdm cuts off what is too long; what matters least is left out first. By the least width.
_FORMATS = (
    (110, None),
    (60, "{desc} {percentage:3.0f}%|{bar}|{postfix}"),
    (0, "{desc} {percentage:3.0f}%{postfix}"),
)


class ProgressBar(Reporter):
    """A bar of an epoch's images with loss and accuracy, which leaves when the epoch is done.

    tqdm draws it on standard error, if that is a terminal, as wide as that.
    """

    def __init__(self) -> None:
        self._tqdm = load_extra("tqdm", "the progress bar (--quiet does without)").tqdm
        self._bar: Any = None
        self._open = ExitStack()

    def begin_epoch(self, epoch: int, epochs: int, images: int, step: int) -> None:
        """Show an empty bar."""
        self.begin(f"epoch {epoch}/{epochs}", images)

    def begin(self, title: str, images: int) -> None:
        """Show an empty bar of so many images."""
        self.close()
        width = shutil.get_terminal_size().columns
        self._bar = self._open.enter_context(
            self._tqdm(
                total=images,
                desc=title,
                unit=" images",
                leave=False,
                disable=None,
                dynamic_ncols=True,
                bar_format=next(form for least, form in _FORMATS if width >= least),
            )
        )
        self._open.enter_context(ag.watch_compilation(self.compiling))

    def step(self, images: int, loss: float, accuracy: float) -> None:
        """Move to where the epoch is."""
        if self._bar is not None:
            self._bar.set_postfix_str(f"loss {loss:.4f}, accuracy {accuracy:.4f}", refresh=False)
            self._bar.update(images - self._bar.n)

    def compiling(self, kernel: str | None) -> None:
        """Say that the epoch waits for kernels to be compiled, or no longer."""
        self._bar.set_postfix_str("" if kernel is None else f"compiling kernels: {kernel}")

    def end_epoch(self, entry: dict[str, Any]) -> None:
        """Take the bar away."""
        self.close()

    def close(self) -> None:
        """Take the bar away."""
        self._open.close()
        self._bar = None
