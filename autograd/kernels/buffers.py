"""Memory for large results, kept when they die and used again for the next of their size.

A fresh large array costs a page fault for every 4 KiB, which takes about as long as three passes
over it. The memory of an array that was made here returns to the pool when the array and all its
views are gone, so an array that anyone still holds is never written to. At most as much is held as
was in use at one time, so the pool does not raise the peak.
"""

from __future__ import annotations

import ctypes
import math
import sys
import threading
from collections import OrderedDict
from typing import Any

import numpy as np

__all__ = ["alone_in_pool", "empty", "empty_like", "held_bytes", "release"]

Array = np.ndarray[Any, Any]
Block = ctypes.Array[ctypes.c_ubyte]
"""No array and no memoryview: NumPy lets a view's owner stop being a _Loan for those."""

POOLED_FROM = 1 << 18
"""Bytes from which an array's memory is pooled; the allocator keeps smaller ones itself."""

LARGEST_FIT = 2
"""How many times larger than asked for a kept block may be."""

ALIGNMENT = 64
"""Bytes: a cache line, and the widest vector register."""

np.empty(1 << 22, np.uint8)
"""The allocator of glibc gives what is freed at its end back to the system from 128 KiB on, and a
step of small arrays then has page faults for all its memory. When a block of its own size is freed,
as this one, it takes twice that for the limit.
"""

_lock = threading.RLock()  # an array may die inside the pool's own code
_free: OrderedDict[int, list[Block]] = OrderedDict()
_bytes = {"free": 0, "used": 0, "peak": 0}


class _Loan(Array):
    """The owner that every view of a pooled array leads to; its end gives the memory back."""

    def __del__(self) -> None:
        block: Any = self.base
        if isinstance(block, ctypes.Array):
            _give_back(block)


def empty(shape: tuple[int, ...], dtype: Any) -> Array:
    """An uninitialised array, C-contiguous and aligned to 64 bytes where it is large.

    >>> empty((2, 3), np.float32).shape
    (2, 3)
    """
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    if size < POOLED_FROM:
        return np.empty(shape, dtype)
    block: Any = _take(_size_class(size))
    loan = np.ndarray.__new__(_Loan, shape, dtype, buffer=block)
    return loan.view(np.ndarray)


def empty_like(x: Array) -> Array:
    """An uninitialised array of the shape, dtype and memory order of `x`.

    >>> empty_like(np.ones((2, 3)).T).flags.f_contiguous
    True
    """
    if x.nbytes < POOLED_FROM:
        return np.empty_like(x, order="K", subok=False)
    order = sorted(range(x.ndim), key=lambda axis: -abs(x.strides[axis]))
    packed = empty(tuple(x.shape[axis] for axis in order), x.dtype)
    return packed.transpose([order.index(axis) for axis in range(x.ndim)])


def alone_in_pool(x: Array) -> bool:
    """Whether `x` is the whole of a pooled array that no other array was made of.

    Views of `x` hold `x` itself, so they are seen in its own count of references.

    >>> x = empty((1 << 17,), np.float32)
    >>> alone_in_pool(x), alone_in_pool(x[1:])
    (True, False)
    """
    loan = x.base
    # `loan` here, x's own reference, and the argument of getrefcount
    return type(loan) is _Loan and loan.size == x.size and sys.getrefcount(loan) <= 3


def held_bytes() -> tuple[int, int]:
    """(bytes of living pooled arrays, bytes kept for the next ones).

    >>> len(held_bytes())
    2
    """
    return _bytes["used"], _bytes["free"]


def release() -> None:
    """Give the memory that is kept for later back to the operating system.

    >>> release()
    >>> held_bytes()[1]
    0
    """
    with _lock:
        _free.clear()
        _bytes["free"] = 0
        _bytes["peak"] = _bytes["used"]


def _size_class(size: int) -> int:
    """The size rounded up to four binary digits, so that like sizes share memory."""
    step = 1 << max(0, size.bit_length() - 4)
    return -(-size // step) * step


def _take(size: int) -> Block:
    with _lock:
        fitting = [kept for kept in _free if size <= kept <= LARGEST_FIT * size and _free[kept]]
        if fitting:
            size = min(fitting)
            block = _free[size].pop()
            _bytes["free"] -= size
        else:
            _bytes["peak"] = max(_bytes["peak"], _bytes["used"] + size)
            _drop(_bytes["used"] + _bytes["free"] + size - _bytes["peak"])
            block = _new_block(size)
        _bytes["used"] += size
        return block


def _new_block(size: int) -> Block:
    memory = np.empty(size + ALIGNMENT, np.uint8)
    first = -memory.ctypes.data % ALIGNMENT
    return (ctypes.c_ubyte * size).from_buffer(memory[first : first + size].data)


def _give_back(block: Block) -> None:
    with _lock:
        size = ctypes.sizeof(block)
        _bytes["used"] -= size
        _bytes["free"] += size
        _free.setdefault(size, []).append(block)
        _free.move_to_end(size)


def _drop(excess: int) -> None:
    """Forget kept blocks, of the size that was returned longest ago first."""
    while excess > 0 and _free:
        size, blocks = next(iter(_free.items()))
        if blocks:
            blocks.pop()
            excess -= size
            _bytes["free"] -= size
        if not blocks:
            del _free[size]
