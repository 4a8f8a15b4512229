"""Memory for large results, kept when they die and used again for the next ones.

A fresh large array costs a page fault for every 4 KiB, which takes about as long as three passes
over it. The memory of an array that was made here returns to the pool when the array and all its
views are gone, so an array that anyone still holds is never written to.

The pool takes as many addresses from the system as the machine has memory, which cost nothing until
they are written to. An array lies where one of its size lay before, if that is at an end of a free
range: a thread that has the same part of it again need not take it from another core's cache, which
may make writing ten times as slow. Otherwise it is cut from the lowest free range that holds it
(first fit). Neighbouring ranges are joined when both are free. What is held is what was in use at
one time, and the gaps that no array has fitted into. Where addresses are not free of cost (Windows;
a limit on them; Linux told to promise no more memory than there is), chunks are as large as the
array that needs a new one, and take the place of those that are wholly free.
"""

from __future__ import annotations

import contextlib
import math
import mmap
import os
import sys
import threading
from bisect import bisect_left, insort
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["alone_in_pool", "empty", "empty_like", "fills_memory", "held_bytes", "release"]

Array = np.ndarray[Any, Any]

POOLED_FROM = 1 << 18
"""Bytes from which an array's memory is pooled; the allocator keeps smaller ones itself."""

GRAIN = mmap.PAGESIZE
"""Bytes that ranges are multiples of."""

MOST_PLACES, MOST_SIZES = 8, 256
"""Of a size, and sizes, whose arrays' places are remembered."""

np.empty(1 << 22, np.uint8)
"""The allocator of glibc gives what is freed at its end back to the system from 128 KiB on, and a
step of small arrays then has page faults for all its memory. When a block of its own size is freed,
as this one, it takes twice that for the limit.
"""

_lock = threading.RLock()  # an array may die inside the pool's own code
_bytes = {"used": 0}
_state = {"busy": False}
"""Whether ranges are being changed; what an array's end or a signal's handler asks for meanwhile
waits, or goes past the pool.
"""

_returned: list[_Place] = []
"""What is to be taken back."""


def _forget_all() -> None:
    """In a forked process: another thread may have been at work on the ranges."""
    global _lock
    _lock = threading.RLock()
    _state["busy"] = False
    _chunks.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)


class _Chunk:
    """Addresses from the system, and their free ranges: (first, end) in their order. What is `lazy`
    gets memory as it is written to, up to `top` so far.
    """

    def __init__(self, size: int, lazy: bool = False) -> None:
        options: dict[str, int] = {}
        if hasattr(mmap, "MAP_PRIVATE"):  # a forked process must not write to its parent's
            options = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS}
        try:
            self.memory = mmap.mmap(-1, size, **options)
        except (OSError, OverflowError) as error:
            raise MemoryError(f"no memory for arrays of {size} bytes") from error
        self._advise("MADV_HUGEPAGE", 0, size)
        self.size = size
        self.top = 0 if lazy else size
        self.free = [(0, size)]
        self._places: dict[int, list[int]] = {}

    @property
    def is_free(self) -> bool:
        return self.free == [(0, self.size)]

    def kept(self) -> list[tuple[int, int]]:
        """The free ranges that have memory, as far as they have."""
        return [(first, min(end, self.top)) for first, end in self.free if first < self.top]

    def cut(self, number: int, begin: int, size: int) -> int:
        """Take bytes of a free range, from `begin` on."""
        first, end = self.free[number]
        left = (first, begin), (begin + size, end)
        self.free[number : number + 1] = [part for part in left if part[0] < part[1]]
        self.top = max(self.top, begin + size)
        return begin

    def former_place(self, size: int) -> tuple[int, int] | None:
        """A free range, by its number, at an end of which an array of this size lay, and where: the
        lowest one so. In the middle it would leave one range more, and small ones hold less.
        """
        for begin in self._places.get(size, ()):
            number = bisect_left(self.free, (begin + 1, 0)) - 1
            if number >= 0:
                first, end = self.free[number]
                if (begin == first and begin + size <= end) or begin + size == end:
                    return number, begin
        return None

    def put(self, first: int, end: int) -> None:
        """Note that a range is free again."""
        begin, size = first, end - first
        number = bisect_left(self.free, (first, end))
        if number < len(self.free) and self.free[number][0] == end:
            end = self.free.pop(number)[1]
        if number and self.free[number - 1][1] == first:
            first = self.free.pop(number - 1)[0]
            number -= 1
        self.free.insert(number, (first, end))
        places = self._places.get(size)
        if places is None:
            if len(self._places) == MOST_SIZES:
                self._places.clear()
            places = self._places[size] = []
        if begin not in places:
            insort(places, begin)
            del places[MOST_PLACES:]

    def forget(self, first: int, end: int) -> None:
        """Let the system have the memory of a range, whose entries are lost."""
        self._advise("MADV_DONTNEED", first, end)

    def _advise(self, advice: str, first: int, end: int) -> None:
        if hasattr(mmap, advice):
            with contextlib.suppress(OSError):
                self.memory.madvise(getattr(mmap, advice), first, end - first)


_chunks: list[_Chunk] = []

_Place = tuple[_Chunk, int, int]
"""Where an array lies: from a byte of a chunk, so many bytes."""

_FreePlace = tuple[_Chunk, int, int]
"""A chunk, the number of its free range, and a byte in that."""


class _Loan(Array):
    """The owner that every view of a pooled array leads to; its end gives the memory back.

    NumPy leaves out owners whose own base is an array. This one's is a memory map.
    """

    __slots__ = ("place",)
    place: _Place

    def __del__(self, ending: Callable[[], bool] = sys.is_finalizing) -> None:
        if ending():  # what giving back needs may be gone, and soon all memory is
            return
        place = getattr(self, "place", None)  # views of this class have none
        if place is not None:
            _give_back(place)


def empty(shape: tuple[int, ...], dtype: Any) -> Array:
    """An uninitialised array, C-contiguous and aligned to a page where it is large.

    >>> empty((2, 3), np.float32).shape
    (2, 3)
    """
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    if size < POOLED_FROM:
        return np.empty(shape, dtype)
    place = chunk, first, _ = _take(size)
    loan = np.ndarray.__new__(_Loan, shape, dtype, chunk.memory, first)
    loan.place = place
    return loan.view(np.ndarray)


def empty_like(x: Array) -> Array:
    """An uninitialised array of the shape, dtype and memory order of `x`.

    >>> empty_like(np.ones((2, 3)).T).flags.f_contiguous
    True
    """
    if x.nbytes < POOLED_FROM:
        return np.empty_like(x, order="K", subok=False)
    if x.flags.c_contiguous:
        return empty(x.shape, x.dtype)
    order = sorted(range(x.ndim), key=lambda axis: -abs(x.strides[axis]))
    packed = empty(tuple(x.shape[axis] for axis in order), x.dtype)
    return packed.transpose([order.index(axis) for axis in range(x.ndim)])


def alone_in_pool(x: Array) -> bool:
    """Whether `x` is the whole of a pooled array, in any order, that no other array was made of.

    Views of `x` hold `x` itself, so they are seen in its own count of references.

    >>> x = empty((1 << 17,), np.float32)
    >>> alone_in_pool(x), alone_in_pool(x[1:])
    (True, False)
    """
    if not isinstance(x.base, np.ndarray) or x.base.size != x.size or _references(x) > _ALONE:
        return False
    if type(x.base) is _Loan:
        return True
    return type(x.base) is np.ndarray and fills_memory(x) and alone_in_pool(x.base)


def fills_memory(x: Array) -> bool:
    """Whether the entries of x lie side by side, in any order, each in a place of its own.

    >>> x = np.ones((3, 4))
    >>> fills_memory(x.T), fills_memory(x[:, :2]), fills_memory(np.broadcast_to(1.0, (2,)))
    (True, False, False)
    """
    if x.flags.c_contiguous or x.flags.f_contiguous:
        return True
    size = x.itemsize
    for stride, count in sorted(zip(map(abs, x.strides), x.shape, strict=True)):
        if count != 1:
            if stride != size:
                return False
            size *= count
    return True


def _references(x: Array) -> int:
    base = x.base
    return sys.getrefcount(base)


_ALONE = _references(np.empty(1).view())
"""What `_references` counts where x alone has its base."""


def held_bytes() -> tuple[int, int]:
    """(bytes of living pooled arrays, bytes kept for the next ones).

    >>> len(held_bytes())
    2
    """
    with _lock:
        kept = [end - first for chunk in _chunks for first, end in chunk.kept()]
    return _bytes["used"], sum(kept)


def release() -> None:
    """Give the memory that is kept for later back to the operating system.

    >>> release()
    >>> held_bytes()[1]
    0
    """
    with _lock:
        if _state["busy"]:
            return
        _state["busy"] = True
        try:
            while _chunks:
                chunk = _chunks.pop()
                for first, end in chunk.kept():
                    chunk.forget(first, end)
        finally:
            _state["busy"] = False
            _settle()


def _take(size: int) -> _Place:
    size = -(-size // GRAIN) * GRAIN
    with _lock:
        if _state["busy"]:
            chunk = _Chunk(size)
            first = chunk.cut(0, 0, size)
        else:
            _state["busy"] = True
            try:
                chunk, number, begin = _free_place(size) or (_another(size), 0, 0)
                first = chunk.cut(number, begin, size)
            finally:
                _state["busy"] = False
                _settle()
        _bytes["used"] += size
        return chunk, first, size


def _give_back(place: _Place) -> None:
    with _lock:
        _returned.append(place)
        _settle()


def _settle() -> None:
    """Take back what was returned, unless ranges are being changed further up."""
    while _returned and not _state["busy"]:
        _state["busy"] = True
        try:
            if not _returned:  # a signal's handler was here since
                return
            chunk, first, size = _returned.pop()
            _bytes["used"] -= size
            if chunk in _chunks:
                chunk.put(first, first + size)
            else:
                chunk.forget(first, first + size)
        finally:
            _state["busy"] = False


def _free_place(size: int) -> _FreePlace | None:
    """Where an array of the size lay before, or the first range that holds so much."""
    for chunk in _chunks:
        if (place := chunk.former_place(size)) is not None:
            return chunk, *place
    for chunk in _chunks:
        for number, (first, end) in enumerate(chunk.free):
            if end - first >= size:
                return chunk, number, first
    return None


def _another(size: int) -> _Chunk:
    """A new chunk for `size` bytes."""
    chunk = None
    if size <= (reach := _free_addresses()):
        with contextlib.suppress(MemoryError):
            chunk = _Chunk(reach, lazy=True)
    if chunk is None:
        _chunks[:] = [chunk for chunk in _chunks if not chunk.is_free]
        chunk = _Chunk(size)
    _chunks.append(chunk)
    return chunk


@cache
def _free_addresses() -> int:
    """As many as the machine has bytes of memory, if they are free of cost; otherwise 0."""
    strict = Path("/proc/sys/vm/overcommit_memory")
    with contextlib.suppress(AttributeError, ImportError, OSError, ValueError):  # as on Windows
        import resource

        limited = resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY
        if not limited and not (strict.exists() and strict.read_text().strip() == "2"):
            return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return 0
