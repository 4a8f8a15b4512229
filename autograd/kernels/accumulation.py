"""Sums of two large arrays of one shape, on all threads, in memory that is used again."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.backend import LARGE, compiled_for
from autograd.kernels.buffers import empty_like
from autograd.kernels.workers import parallel_ranges

__all__ = ["accumulate", "sum_of"]

Array = np.ndarray[Any, Any]

GRAIN = 1 << 12
"""Elements: parts of an array begin at multiples of it, so that cache lines are not shared."""


def sum_of(a: Array, b: Array) -> Array:
    """a + b.

    >>> sum_of(np.array([1.0]), np.array([2.0])).tolist()
    [3.0]
    """
    if not _goes_parallel(a, b):
        return a + b
    out = empty_like(a)
    _add(a, b, out)
    return out


def accumulate(a: Array, b: Array) -> None:
    """a += b.

    >>> a = np.array([1.0])
    >>> accumulate(a, np.array([2.0]))
    >>> a.tolist()
    [3.0]
    """
    if _goes_parallel(a, b):
        _add(a, b, a)
    else:
        np.add(a, b, out=a)


def _goes_parallel(a: Array, b: Array) -> bool:
    return (
        a.size >= LARGE
        and type(a) is type(b) is np.ndarray
        and a.dtype == b.dtype
        and a.strides == b.strides
        and a.shape == b.shape
        and np.shares_memory(a.ravel(order="K"), a)
        and compiled_for(a.dtype, a.size)
    )


def _add(a: Array, b: Array, out: Array) -> None:
    left, right, target = (array.ravel(order="K") for array in (a, b, out))

    def part(_worker: int, first: int, last: int) -> None:
        np.add(left[first:last], right[first:last], out=target[first:last])

    parallel_ranges(part, target.size, GRAIN)
