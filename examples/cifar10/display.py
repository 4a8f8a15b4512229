"""What a terminal shows while something takes long."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import autograd as ag
from examples.cifar10.extras import check_extra, load_extra


def say(line: str) -> None:
    """Print a line at once, also into a pipe."""
    print(line, flush=True)


def check_bar(quiet: bool) -> None:
    """Raise now if a progress bar is wanted and could not be shown."""
    if not quiet:
        check_extra("tqdm", "the progress bar (--quiet does without)")


class EpochBar:
    """A progress bar of images with loss, accuracy and images per second."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar

    def show(self, images: int, loss: float, accuracy: float) -> None:
        """Move to where an epoch is."""
        if self._bar is not None:
            self._bar.set_postfix_str(f"loss {loss:.4f}, accuracy {accuracy:.4f}", refresh=False)
            self._bar.update(images - self._bar.n)

    def compiling(self, kernel: str | None) -> None:
        """Say that the epoch waits for kernels to be compiled, or no longer."""
        if self._bar is not None:
            self._bar.set_postfix_str("" if kernel is None else f"compiling kernels: {kernel}")


@contextmanager
def epoch_bar(title: str, images: int, quiet: bool, done: int = 0) -> Iterator[EpochBar]:
    """A bar on the terminal that leaves when the epoch is done; none in a pipe or when quiet.

    `done` of the images were shown before.
    """
    if quiet:
        yield EpochBar(None)
        return
    tqdm = load_extra("tqdm", "the progress bar (--quiet does without)")
    with tqdm.tqdm(
        total=images,
        initial=done,
        desc=title,
        unit=" images",
        leave=False,
        disable=None,
        dynamic_ncols=True,
    ) as bar:
        epoch = EpochBar(bar)
        with ag.watch_compilation(epoch.compiling):
            yield epoch


class DownloadProgress:
    """One line that is rewritten on a terminal; a line for every tenth in a pipe."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._shown = -1
        self._began: tuple[float, int] | None = None

    def __call__(self, done: int, total: int) -> None:
        """Show `done` of `total` bytes."""
        now = monotonic()
        if self._began is None:
            self._began = (now, done)
        share = (1000 if self._terminal else 10) * done // total
        if share == self._shown:
            return
        self._shown = share
        speed = (done - self._began[1]) / max(now - self._began[0], 1e-3)
        line = f"{done / total:6.1%} of {total / 1e6:.1f} MB, {speed / 1e6:.1f} MB/s"
        if self._terminal:
            print(f"\r{line}   ", end="\n" if done >= total else "", file=sys.stderr, flush=True)
        else:
            print(line, file=sys.stderr, flush=True)
