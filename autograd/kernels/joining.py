"""Arrays put together along an axis, and taken apart, in the memory order that they share.

In that order, an array is a matrix: its entries along the axis and within it are a row. Joined
arrays have the rows of the parts one after the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from autograd.kernels.backend import LARGE, compiled_for
from autograd.kernels.buffers import empty
from autograd.kernels.workers import parallel_parts

__all__ = ["join", "separate"]

Array = np.ndarray[Any, Any]

NARROW = 16
"""Entries of a row up to which beginning each takes too long."""

NANOSECONDS = 0.2
"""About what an entry takes one thread."""


def join(arrays: Sequence[Array], axis: int) -> Array:
    """np.concatenate along an axis.

    >>> join([np.ones((1, 1)), np.zeros((1, 2))], 1).tolist()
    [[1.0, 0.0, 0.0]]
    """
    first = arrays[0]
    order = _order(first)
    axis = axis + first.ndim if -first.ndim <= axis < 0 else axis
    if (
        sum(array.size for array in arrays) < LARGE
        or not 0 <= axis < first.ndim
        or not all(_fits(array, first, axis, order) for array in arrays)
    ):
        return np.concatenate(arrays, axis)
    length = sum(array.shape[axis] for array in arrays)
    shape = (*first.shape[:axis], length, *first.shape[axis + 1 :])
    if not compiled_for(first.dtype, math.prod(shape)):
        return np.concatenate(arrays, axis)
    out = empty(tuple(shape[k] for k in order), first.dtype)
    joined = out.transpose(np.argsort(order))
    if order[0] == axis:  # one after the other
        return np.concatenate(arrays, axis, out=joined)
    ends = np.cumsum([0, *(array.shape[axis] for array in arrays)]).tolist()
    whole = _rows(joined, axis, order)
    each = whole.shape[1] // length
    parts = [_rows(array, axis, order) for array in arrays]

    for rows, start in zip(parts, ends, strict=False):
        _copy(rows, 0, whole, start * each, rows.shape[1])
    return joined


def separate(x: Array, ends: Sequence[int], axis: int) -> tuple[Array, ...]:
    """The parts of x between successive `ends` along an axis, as packed as x is.

    Parts of a small array, or those that lie together as they are, are views of it.

    >>> [part.tolist() for part in separate(np.array([[1.0, 2.0, 3.0]]), (0, 1, 3), 1)]
    [[[1.0]], [[2.0, 3.0]]]
    """
    before = (slice(None),) * axis
    views = tuple(x[*before, slice(start, end)] for start, end in pairwise(ends))
    order = _order(x)
    if x.size < LARGE or order[0] == axis or not _fits(x, x, axis, order):
        return views
    if not compiled_for(x.dtype, x.size):
        return views
    whole = _rows(x, axis, order)
    each = whole.shape[1] // x.shape[axis]
    parts = []
    for view in views:
        memory = empty(tuple(view.shape[k] for k in order), x.dtype)
        parts.append(memory.transpose(np.argsort(order)))
    targets = [_rows(part, axis, order) for part in parts]

    for rows, start in zip(targets, ends, strict=False):
        _copy(whole, start * each, rows, 0, rows.shape[1])
    return tuple(parts)


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


def _rows(x: Array, axis: int, order: tuple[int, ...]) -> Array:
    packed = x.transpose(order)
    count = math.prod(packed.shape[: order.index(axis)])
    return packed.reshape(count, packed.size // max(1, count))


def _copy(source: Array, begin: int, target: Array, place: int, count: int) -> None:
    """Some columns of a matrix to those of another from `place` on, rows on all threads."""
    from autograd.kernels.compiled_joining import copy_columns

    if count < NARROW:
        target[:, place : place + count] = source[:, begin : begin + count]
        return
    given = source, begin, target, place, count
    rows = len(target)
    parallel_parts(copy_columns, given, rows, nanoseconds=NANOSECONDS * rows * count)
