"""Word of kernels that are being compiled, for whoever shows what a program is doing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["compilation_began", "compilation_ended", "watch_compilation"]

Watcher = Callable[[str | None], None]

_lock = threading.RLock()
_watchers: list[Watcher] = []
_running: list[str] = []


@contextmanager
def watch_compilation(watcher: Watcher) -> Iterator[None]:
    """Call `watcher(name)` when a kernel is about to be compiled, `watcher(None)` when it is done.

    Kernels of the extra `fast` are compiled when they are first used on a machine, which takes
    seconds; later runs read them from disk and say nothing. A kernel compiled for the sake of
    another is not told on its own. Holds for all threads; the watcher is called in the thread that
    compiles, and what it raises stops the program there. Raises TypeError unless it is a function.

    >>> import autograd as ag
    >>> with ag.watch_compilation(lambda name: print(name or "done")):
    ...     pass
    """
    if not callable(watcher):
        raise TypeError(f"watch_compilation takes a function of a name, got {watcher!r}")
    with _lock:
        _watchers.append(watcher)
    try:
        yield
    finally:
        with _lock:
            _watchers.remove(watcher)


def compilation_began(name: str) -> None:
    """Said by the compiler's decorator."""
    with _lock:
        _running.append(name)
        if len(_running) > 1:
            return
        watchers = list(_watchers)
    for watcher in watchers:
        watcher(name)


def compilation_ended(name: str) -> None:
    """Said by the compiler's decorator, also after an error."""
    with _lock:
        _running.remove(name)
        if _running:
            return
        watchers = list(_watchers)
    for watcher in watchers:
        watcher(None)
