"""Keeping the library's threads off the processor that their caller runs on.

Linux likes to wake a thread where the one that wakes it runs, and for parts of less than a
millisecond nothing moves it away in time: the parts run one after the other. So before they are
handed parts, the threads are told to stay off the caller's processor, if they are not already.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterable

__all__ = ["Placement"]


class Placement:
    """The processors that some threads may run on: all of their caller's but its present one."""

    def __init__(self) -> None:
        self._present = _present_processor()
        self._avoided: int | None = None

    def avoid_caller(self, threads: Iterable[int]) -> None:
        """Keep threads, by their native numbers, off the processor that this one runs on.

        Does nothing where the system has no such call, or refuses it.

        >>> Placement().avoid_caller([])
        """
        if self._present is None or sys.platform != "linux":
            return
        present = self._present()
        if present == self._avoided:
            return
        self._avoided = present
        others = os.sched_getaffinity(0) - {present}
        for thread in threads if others else ():
            try:
                os.sched_setaffinity(thread, others)
            except OSError:  # it has ended, or may not be moved
                continue


def _present_processor() -> Callable[[], int] | None:
    if sys.platform != "linux":
        return None
    try:
        function = ctypes.CDLL(None).sched_getcpu
    except (OSError, AttributeError):
        return None
    return function if function() >= 0 else None
