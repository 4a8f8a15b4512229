"""Sums and the like of two large arrays of one shape: on all threads, in memory used before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.kernels.backend import LARGE, compiled_for
from autograd.kernels.buffers import empty_like, fills_memory
from autograd.kernels.workers import parallel_ranges

__all__ = ["accumulate", "on_threads", "sum_of"]

Array = np.ndarray[Any, Any]

GRAIN = 1 << 12
"""Elements: parts of an array begin at multiples of it, so that cache lines are not shared."""


NANOSECONDS = 0.7
"""About what an entry takes one thread: memory is read twice and written."""


def on_threads(ufunc: np.ufunc) -> Callable[[Any, Any], Any]:
    """A function that computes what `ufunc` does of two operands, bit for bit.

    >>> on_threads(np.subtract)(np.array([3.0]), 2.0).tolist()
    [1.0]
    """

    def compute(a: Any, b: Any) -> Any:
        if not _goes_parallel(a, b):
            return ufunc(a, b)
        out = empty_like(a)
        _write(ufunc, a, b, out)
        return out

    compute.__name__ = compute.__qualname__ = ufunc.__name__
    return compute


sum_of = on_threads(np.add)


def accumulate(a: Array, b: Array) -> None:
    """a += b.

    >>> a = np.array([1.0])
    >>> accumulate(a, np.array([2.0]))
    >>> a.tolist()
    [3.0]
    """
    if a.size >= LARGE and _goes_parallel(a, b):
        _write(np.add, a, b, a)
    else:
        a += b


def _goes_parallel(a: Any, b: Any) -> bool:
    return (
        type(a) is type(b) is np.ndarray
        and a.size >= LARGE
        and a.dtype == b.dtype
        and a.strides == b.strides
        and a.shape == b.shape
        and fills_memory(a)
        and compiled_for(a.dtype, a.size)
    )


def _write(ufunc: np.ufunc, a: Array, b: Array, out: Array) -> None:
    left, right, target = (array.ravel(order="K") for array in (a, b, out))

    def part(_worker: int, first: int, last: int) -> None:
        ufunc(left[first:last], right[first:last], out=target[first:last])

    parallel_ranges(part, target.size, GRAIN, NANOSECONDS * target.size)
