"""Ctrl-C and SIGTERM: training stops between two steps; a second Ctrl-C stops at once."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_NOTICE = b"\nstopping after this step; Ctrl-C stops at once\n"


class Stopped(Exception):
    """A signal asked for the end; `status` is the exit status that tells which."""

    def __init__(self, number: int, message: str = "stopped") -> None:
        super().__init__(message)
        self.number = number
        self.status = 128 + number


class StopRequest:
    """Whether a signal has asked to stop; it is heeded where `check` is called."""

    def __init__(self) -> None:
        self._number: int | None = None
        self._at_once = False

    def check(self) -> None:
        """Raise Stopped if a signal has come."""
        if self._number is not None:
            raise Stopped(self._number)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Inside, where there is nothing to be finished first, a signal raises Stopped itself."""
        self._at_once = True
        try:
            self.check()
            yield
        finally:
            self._at_once = False
        self.check()

    def receive(self, number: int, _frame: FrameType | None = None) -> None:
        """The handler of the signals; the next of its kind ends the program."""
        self._number = number
        restored = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        signal.signal(number, restored)
        if self._at_once:
            self.check()
        # Not by `print`, which a signal may have interrupted.
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, _NOTICE)


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Inside, SIGINT and SIGTERM are requests; only the main thread can be asked."""
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.signal(number, request.receive) for number in _SIGNALS}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def resume_command(folder: Path) -> str:
    """What to type to go on.

    >>> resume_command(Path("runs/my run"))
    "python -m examples.cifar10 train --resume 'runs/my run'"
    """
    return f"python -m examples.cifar10 train --resume {shlex.quote(os.fspath(folder))}"
