"""What a terminal shows while something takes long."""

from __future__ import annotations

import shutil
import sys
from contextlib import nullcontext
from time import monotonic
from typing import TextIO


def say(line: str, file: TextIO | None = None) -> None:
    """Print a line at once, also into a pipe; a progress bar moves below it."""
    tqdm = sys.modules.get("tqdm")
    file = file or sys.stdout
    with nullcontext() if tqdm is None else tqdm.tqdm.external_write_mode(file):
        print(line, file=file, flush=True)


class DownloadProgress:
    """One line that is rewritten on a terminal; a line for every tenth in a pipe; or nothing."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty()
        self._shown = -1
        self._began: tuple[float, int] | None = None

    def __call__(self, done: int, total: int) -> None:
        """Show `done` of `total` bytes."""
        if self._quiet:
            return
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
            # One short of the width: the last column makes some terminals begin a new line.
            width = max(shutil.get_terminal_size().columns - 1, 1)
            shown = f"{line}   "[:width]
            print(f"\r{shown}", end="\n" if done >= total else "", file=sys.stderr, flush=True)
        else:
            print(line, file=sys.stderr, flush=True)
