"""A clock that stands still while its process is suspended, so that long timings can be paused.

`kill -TSTP PID` (or Ctrl-Z) suspends, `kill -CONT PID` (or `fg`) goes on. The suspension takes
effect when the main thread is back in Python: a call into a kernel is finished first.
"""

from __future__ import annotations

import os
import signal
from time import perf_counter
from types import FrameType


class PausingClock:
    """Seconds without those spent suspended. `listen` makes SIGTSTP known to it."""

    def __init__(self) -> None:
        self.paused_seconds = 0.0

    def __call__(self) -> float:
        """Seconds since an arbitrary moment, those of pauses left out."""
        return perf_counter() - self.paused_seconds

    def listen(self) -> None:
        """Take SIGTSTP from now on; does nothing where there is no such signal."""
        if hasattr(signal, "SIGTSTP"):
            signal.signal(signal.SIGTSTP, self._pause)

    def _pause(self, number: int, frame: FrameType | None) -> None:
        began = perf_counter()
        os.kill(os.getpid(), signal.SIGSTOP)
        self.paused_seconds += perf_counter() - began
