"""Making the next items in a thread while the current one is used."""

from __future__ import annotations

import contextvars
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from time import perf_counter
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")


class Prefetcher(Generic[Item]):
    """The items of `source` in its order, up to `depth` of them made ahead by a thread.

    The thread lives in the `with` block, from its beginning to the source's end or the block's,
    whichever comes first: leaving the block, also by `break` or an exception, ends it after the
    item it is making, and waits for that. What the source raises is raised by `next`, after the
    items before it; what it raises when it is closed, by the end of the block. The source runs in a
    copy of the block's context (modes, `np.errstate`). With `depth` 0 there is no thread: an item
    is made when it is asked for.

    One thread at a time may ask for items, in the process that entered the block. A source whose
    items depend on nothing that their use changes gives the same items at any depth. Leave the
    making to NumPy: its loops let the other threads run.

    Raises ValueError for a negative depth; RuntimeError when used outside its block, entered
    twice, or asked in a process that was forked inside the block.

    >>> with Prefetcher(range(4)) as numbers:
    ...     [number**2 for number in numbers]
    [0, 1, 4, 9]
    """

    def __init__(self, source: Iterable[Item], depth: int = 2) -> None:
        if depth < 0:
            raise ValueError(f"depth must be 0 (no thread) or more items, got {depth}")
        self.depth = depth
        self.waited_seconds = 0.0
        """How long `next` took in all: what the consumer waited for items, the first included."""
        self._source = iter(source)
        self._ready: deque[Item] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._stopping = False
        self._error: BaseException | None = None
        self._closing_error: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._process: int | None = None

    def __enter__(self) -> Self:
        if self._process is not None:
            raise RuntimeError("a Prefetcher goes through its source once; make a new one")
        self._process = os.getpid()
        if self.depth:
            context = contextvars.copy_context()
            # A daemon, so that a program which ends inside the block is not kept alive.
            self._thread = threading.Thread(
                target=context.run, args=(self._fill,), name="prefetch", daemon=True
            )
            self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._process != os.getpid():
            return  # The thread, and perhaps the lock it held, stayed in the parent process.
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        else:
            self._close_source()
        self._ready.clear()
        error, self._closing_error = self._closing_error, None
        if error is not None:
            raise error

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        if self._process is None:
            raise RuntimeError("use a Prefetcher in a block: with Prefetcher(source) as items: ...")
        if self._process != os.getpid():
            raise RuntimeError(
                "this Prefetcher's thread is in the process that forked this one; make a new "
                "Prefetcher after the fork"
            )
        began = perf_counter()
        try:
            return self._made_ahead() if self._thread is not None else self._made_now()
        finally:
            self.waited_seconds += perf_counter() - began

    def _made_now(self) -> Item:
        if self._stopping:
            raise RuntimeError("this Prefetcher's block has ended; make a new one")
        return next(self._source)

    def _made_ahead(self) -> Item:
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._ended or self._stopping)
            if self._stopping:
                raise RuntimeError("this Prefetcher's block has ended; make a new one")
            if self._ready:
                item = self._ready.popleft()
                self._changed.notify_all()
                return item
            error, self._error = self._error, None
        if error is None:
            raise StopIteration
        try:
            raise error
        finally:
            del error  # Its traceback holds this frame.

    def _fill(self) -> None:
        """The thread: make items while there is room, until the end, an exception or a stop."""
        try:
            while self._has_room():
                try:
                    item = next(self._source)
                except StopIteration:
                    break
                with self._changed:
                    self._ready.append(item)
                    self._changed.notify_all()
                del item
        except BaseException as error:
            self._error = error
        self._close_source()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _has_room(self) -> bool:
        """Wait for room; False when there is nothing more to make."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or len(self._ready) < self.depth)
            return not self._stopping

    def _close_source(self) -> None:
        """Let a generator run its `finally` clauses now, in the thread that ran it."""
        try:
            getattr(self._source, "close", lambda: None)()
        except BaseException as error:
            self._closing_error = error
