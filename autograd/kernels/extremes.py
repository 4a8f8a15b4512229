"""Which entries are the largest or smallest of their line, and what each gets of a cotangent."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.backend import compiled_for
from autograd.kernels.buffers import empty
from autograd.kernels.workers import parallel_parts

__all__ = ["share_out", "shares"]

Array = np.ndarray[Any, Any]

NANOSECONDS = 0.4
"""About what an entry takes one thread."""


def shares(x: Array, extremes: Array, axis: tuple[int, ...]) -> Array:
    """1 over the number of ties where x is the extreme over `axis`, which it keeps; 0 elsewhere.

    >>> shares(np.array([3.0, 1.0, 3.0]), np.array([3.0]), (0,)).tolist()
    [0.5, 0.0, 0.5]
    """
    chosen = x == extremes
    count = np.count_nonzero(chosen, axis=axis, keepdims=True)
    dtype = x.dtype if x.dtype.kind == "f" else np.dtype(float)
    if count.max(initial=0) <= 1:
        only: Array = chosen.astype(dtype)
        return only
    result: Array = (chosen / np.maximum(count, 1)).astype(dtype)
    return result


def share_out(cotangent: Array, x: Array, extremes: Array, axis: tuple[int, ...]) -> Array:
    """`cotangent`, of the shape of the extremes, times `shares`.

    >>> share_out(np.array([4.0]), np.array([3.0, 1.0, 3.0]), np.array([3.0]), (0,)).tolist()
    [2.0, 0.0, 2.0]
    """
    last = axis == (x.ndim - 1,)
    if (
        last
        and x.size
        and type(x) is np.ndarray
        and x.flags.c_contiguous
        and cotangent.dtype == extremes.dtype == x.dtype
        and compiled_for(x.dtype, x.size)
    ):
        from autograd.kernels.compiled_extremes import share_rows

        rows = x.reshape(-1, x.shape[-1])
        out = empty(rows.shape, x.dtype)
        parallel_parts(
            share_rows,
            (rows, _flat(extremes), _flat(cotangent), out),
            len(rows),
            nanoseconds=NANOSECONDS * x.size,
        )
        return out.reshape(x.shape)
    factors = shares(x, extremes, axis)
    result: Array = np.where(factors == 0, factors, cotangent * factors)  # infinities too
    return result


def _flat(x: Array) -> Array:
    return np.ascontiguousarray(x).reshape(-1)
