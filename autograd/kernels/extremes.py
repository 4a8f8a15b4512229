"""The largest and smallest entries of lines, and what each gets of their cotangent."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.kernels.backend import compiled_for, read_only
from autograd.kernels.buffers import empty
from autograd.kernels.workers import SHARED_FROM, parallel_parts

__all__ = ["largest", "share_out", "shares", "smallest"]

Array = np.ndarray[Any, Any]

_maximum: Any = np.maximum
_minimum: Any = np.minimum

SHORT, LONG = 2, 1 << 7
"""Entries of rows that NumPy takes longer to begin than to go through: more than the first."""

FEWEST, LONGEST = SHARED_FROM, 1 << 10
"""Entries from which two threads are quicker, and of rows up to which they are."""

NANOSECONDS, NANOSECONDS_TO_FIND = 0.4, 0.15
"""About what an entry takes one thread, for its share of a cotangent and to find the extreme."""


def largest(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    """np.maximum.reduce, but for the sign of a zero.

    >>> largest(np.array([[1.0, 3.0]]), (1,), False).tolist()
    [3.0]
    """
    found = _of_rows(x, axis, keepdims, False)
    return _maximum.reduce(x, axis=axis, keepdims=keepdims) if found is None else found


def smallest(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    """np.minimum.reduce, but for the sign of a zero.

    >>> smallest(np.array([[1.0, 3.0]]), (1,), False).tolist()
    [1.0]
    """
    found = _of_rows(x, axis, keepdims, True)
    return _minimum.reduce(x, axis=axis, keepdims=keepdims) if found is None else found


def _of_rows(x: Any, axis: tuple[int, ...], keepdims: bool, smallest: bool) -> Array | None:
    """The extremes of a large array over its last axes; None where NumPy is to find them."""
    if type(x) is not np.ndarray or not x.size or not x.flags.c_contiguous or not axis:
        return None
    first = x.ndim - len(axis)
    rows = math.prod(x.shape[:first])
    length = x.size // rows
    if not SHORT < length <= (LONG if x.size < FEWEST else LONGEST) or min(axis) < first:
        return None
    if not compiled_for(x.dtype, x.size):
        return None
    from autograd.kernels.compiled_extremes import largest_of_rows

    kind = np.dtype(f"i{x.itemsize}")
    out = np.empty(x.shape[:first], x.dtype)
    numbers = np.array([-0.0 if smallest else 0.0, np.inf], x.dtype).view(kind)
    rest = kind.type(np.iinfo(kind).max)
    given = read_only(x.reshape(rows, -1).view(kind)), numbers[0], rest, numbers[1]
    parallel_parts(
        largest_of_rows,
        (*given, out.reshape(-1).view(kind)),
        rows,
        nanoseconds=NANOSECONDS_TO_FIND * x.size,
    )
    return out.reshape(*out.shape, *(1,) * len(axis)) if keepdims else out


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
