"""Arrays put together along an axis, and taken apart, in the memory order that they share.

In that order, an array is a matrix: its entries along the axis and within it are a row. Joined
arrays have the rows of the parts one after the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from autograd.kernels.backend import LARGE, compiled_for
from autograd.kernels.buffers import empty
from autograd.kernels.layouts import assign_all
from autograd.kernels.workers import SHARED_FROM

__all__ = ["join", "separate"]

Array = np.ndarray[Any, Any]

FEWEST = SHARED_FROM
"""Entries from which it pays to copy one array after the other on all threads."""


def join(arrays: Sequence[Array], axis: int) -> Array:
    """np.concatenate along an axis.

    >>> join([np.ones((1, 1)), np.zeros((1, 2))], 1).tolist()
    [[1.0, 0.0, 0.0]]
    """
    first = arrays[0]
    if sum([array.size for array in arrays]) < LARGE:
        return np.concatenate(arrays, axis)
    order = _order(first)
    axis = axis + first.ndim if -first.ndim <= axis < 0 else axis
    if not 0 <= axis < first.ndim or not all(_fits(array, first, axis, order) for array in arrays):
        return np.concatenate(arrays, axis)
    length = sum(array.shape[axis] for array in arrays)
    shape = (*first.shape[:axis], length, *first.shape[axis + 1 :])
    if not compiled_for(first.dtype, math.prod(shape)):
        return np.concatenate(arrays, axis)
    joined = _packed(shape, order, first.dtype)
    if joined.size < FEWEST:
        return np.concatenate(arrays, axis, out=joined)
    ends = list(accumulate((array.shape[axis] for array in arrays), initial=0))
    assign_all(list(zip(_parts(joined, ends, axis), arrays, strict=True)))
    return joined


def separate(x: Array, ends: Sequence[int], axis: int) -> tuple[Array, ...]:
    """The parts of x between successive `ends` along an axis, as packed as x is.

    Parts of a small array, or those that lie together as they are, are views of it.

    >>> [part.tolist() for part in separate(np.array([[1.0, 2.0, 3.0]]), (0, 1, 3), 1)]
    [[[1.0]], [[2.0, 3.0]]]
    """
    views = _parts(x, ends, axis)
    order = _order(x)
    if x.size < LARGE or order[0] == axis or not _fits(x, x, axis, order):
        return views
    if not compiled_for(x.dtype, x.size):
        return views
    parts = [_packed(view.shape, order, x.dtype) for view in views]
    assign_all(list(zip(parts, views, strict=True)))
    return tuple(parts)


def _packed(shape: tuple[int, ...], order: tuple[int, ...], dtype: Any) -> Array:
    """An uninitialised array whose axes lie in memory in this order."""
    memory = empty(tuple(shape[k] for k in order), dtype)
    return memory.transpose([order.index(k) for k in range(len(order))])


def _parts(x: Array, ends: Sequence[int], axis: int) -> tuple[Array, ...]:
    before = (slice(None),) * axis
    return tuple(x[*before, slice(start, end)] for start, end in pairwise(ends))


def _order(x: Array) -> tuple[int, ...]:
    """The axes from the slowest to the fastest in memory."""
    return tuple(sorted(range(x.ndim), key=lambda axis: -abs(x.strides[axis])))


def _fits(array: Array, first: Array, axis: int, order: tuple[int, ...]) -> bool:
    """Whether an array lies packed in memory in this order and may be joined to the first one."""
    return (
        type(array) is np.ndarray
        and array.dtype == first.dtype
        and array.ndim == first.ndim
        and array.shape[:axis] == first.shape[:axis]
        and array.shape[axis + 1 :] == first.shape[axis + 1 :]
        and array.transpose(order).flags.c_contiguous
    )
