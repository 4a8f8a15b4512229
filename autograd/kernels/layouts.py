"""Copies between images that lie channels last in memory and channels first."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.kernels.backend import compiled_for
from autograd.kernels.buffers import empty, empty_like
from autograd.kernels.windows import (
    Sizes,
    channels_put_last,
    channels_put_second,
    is_channels_last,
)
from autograd.kernels.workers import parallel_kernel

__all__ = ["assign", "images_like", "in_layout_of", "in_order_of", "reshaped"]

Array = np.ndarray[Any, Any]


def assign(target: Array, source: Array) -> None:
    """target[...] = source, for arrays of one shape and dtype.

    >>> target = np.zeros((2, 2))
    >>> assign(target, np.ones((2, 2)).T)
    >>> target.tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    assert target.shape == source.shape
    pairs = None
    if source.ndim > 2 and source.dtype == target.dtype:
        pairs = _exchanged(source, target)
    if pairs is None or not compiled_for(source.dtype, source.size):
        target[...] = source
        return
    from autograd.kernels import compiled_layouts as compiled

    before, after = pairs
    in_vectors = source.dtype.char == "f"
    kernel = compiled.exchange_axes_float32 if in_vectors else compiled.exchange_axes
    assert after.shape == (before.shape[0], before.shape[2], before.shape[1])

    def arguments(_worker: int, first: int, last: int) -> tuple[Array, ...]:
        return before[first:last], after[first:last]

    parallel_kernel(kernel, arguments, len(before), nanoseconds=0.3 * source.size)


def in_order_of(like: Array, x: Array) -> Array:
    """x, or a copy that lies in memory in the order of `like`, an array of its shape.

    >>> in_order_of(np.ones((2, 3)).T, np.ones((3, 2))).flags.f_contiguous
    True
    """
    if x.strides == like.strides:
        return x
    copy = empty_like(like) if x.dtype == like.dtype else np.empty_like(like, x.dtype, subok=False)
    assign(copy, x)
    return copy


def images_like(x: Array, sizes: Sizes, dtype: Any) -> Array:
    """An uninitialised (N, C, *sizes) array, channels last in memory when x is.

    >>> images_like(np.ones((2, 3, 5, 5)), (4, 4), np.float32).shape
    (2, 3, 4, 4)
    """
    if is_channels_last(x):
        return channels_put_second(empty((x.shape[0], *sizes, x.shape[1]), dtype))
    return empty((*x.shape[:2], *sizes), dtype)


def in_layout_of(x: Array, y: Array) -> Array:
    """A copy of y (N, C, *spatial) that lies channels last in memory when x does.

    >>> in_layout_of(np.ones((2, 3, 5, 5)), np.ones((2, 3, 4, 4))).shape
    (2, 3, 4, 4)
    """
    out = images_like(x, y.shape[2:], y.dtype)
    out[...] = y
    return out


def reshaped(x: Any, shape: tuple[int, ...]) -> Any:
    """The entries of x in C order in another shape, as `numpy.reshape` gives them.

    >>> reshaped(np.arange(4.0), (2, 2)).tolist()
    [[0.0, 1.0], [2.0, 3.0]]
    """
    # Otherwise NumPy may need no copy.
    merged = type(x) is np.ndarray and x.ndim > 2 and len(shape) <= 2
    if merged and len(x) > 1 and x.shape[1] > 1 and not x.flags.c_contiguous and _channels_last(x):
        flat = empty(x.shape, x.dtype)
        assign(flat, x)
        return flat.reshape(shape)
    return np.reshape(x, shape)


def _exchanged(source: Array, target: Array) -> tuple[Array, Array] | None:
    """(N, rows, columns) and (N, columns, rows) of memory, where one array lies channels last and
    the other channels first.
    """
    if source.flags.c_contiguous:
        return None if not _channels_last(target) else (_planes(source), _positions(target))
    if target.flags.c_contiguous and _channels_last(source):
        return _positions(source), _planes(target)
    return None


def _channels_last(x: Array) -> bool:
    return channels_put_last(x).flags.c_contiguous


def _planes(x: Array) -> Array:
    return x.reshape(*x.shape[:2], math.prod(x.shape[2:]))


def _positions(x: Array) -> Array:
    return channels_put_last(x).reshape(len(x), math.prod(x.shape[2:]), x.shape[1])
