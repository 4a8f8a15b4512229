"""Batch normalisation and sums by channel with the compiled kernels, for channels-last arrays.

An (N, C, *S) array whose channels lie next to each other is a matrix (positions, channels). Each
thread takes a range of rows; what they sum is joined in double precision, in a fixed order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.buffers import empty_like
from autograd.kernels.workers import parallel_ranges, thread_count

__all__ = ["batch_norm_backward", "batch_norm_forward", "channel_affine", "channel_sums"]

Array = np.ndarray[Any, Any]

GRAIN = 64
"""Rows: the kernels sum blocks of so many."""


def batch_norm_forward(
    x: Array, weight: Array | None, bias: Array | None, eps: float
) -> tuple[Array, Array, Array]:
    """(y, mean, inverse_std) as `normalization.batch_norm_forward` defines them.

    >>> y, mean, _ = batch_norm_forward(np.array([[1.0], [3.0]]), None, None, 0.0)
    >>> y.tolist(), mean.tolist()
    ([[-1.0], [1.0]], [2.0])
    """
    from autograd.kernels import compiled_normalization as compiled

    rows = _rows(x)
    parts = np.zeros((thread_count(), 2, rows.shape[1]))
    counts = np.zeros(len(parts))

    def moments(worker: int, first: int, last: int) -> None:
        counts[worker] = last - first
        compiled.row_moments(rows[first:last], parts[worker, 0], parts[worker, 1])

    parallel_ranges(moments, len(rows), GRAIN)
    mean = counts @ parts[:, 0] / len(rows)
    spread = parts[:, 1].sum(axis=0) + counts @ (parts[:, 0] - mean) ** 2
    inverse_std = 1.0 / np.sqrt(spread / len(rows) + eps)
    dtype = x.dtype
    scale = (inverse_std if weight is None else inverse_std * weight).astype(dtype)
    shift = np.zeros(len(scale), dtype) if bias is None else bias.astype(dtype)
    centre = mean.astype(dtype)
    y = empty_like(x)
    target = _rows(y)

    def apply(_worker: int, first: int, last: int) -> None:
        compiled.affine_rows(rows[first:last], centre, scale, shift, target[first:last])

    parallel_ranges(apply, len(rows), GRAIN)
    return y, centre, inverse_std.astype(dtype)


def batch_norm_backward(
    g: Array, x: Array, weight: Array | None, mean: Array, inverse_std: Array
) -> tuple[Array, Array, Array]:
    """(dx, dweight, dbias) as `normalization.batch_norm_backward` defines them.

    >>> x, g = np.array([[1.0], [3.0]]), np.array([[1.0], [2.0]])
    >>> batch_norm_backward(g, x, None, np.array([2.0]), np.array([1.0]))[1].tolist()
    [1.0]
    """
    from autograd.kernels import compiled_normalization as compiled

    rows, seeds = _rows(x), _rows(_in_order_of(x, g))
    parts = np.zeros((thread_count(), 2, rows.shape[1]))
    mean = mean.astype(x.dtype, copy=False)

    def sums(worker: int, first: int, last: int) -> None:
        compiled.gradient_sums(
            seeds[first:last], rows[first:last], mean, parts[worker, 0], parts[worker, 1]
        )

    parallel_ranges(sums, len(rows), GRAIN)
    dbias, products = parts.sum(axis=0)
    precise = inverse_std.astype(np.float64)
    dweight = products * precise
    scale = precise if weight is None else precise * weight
    slope = -scale * precise * dweight / len(rows)
    shift = -scale * dbias / len(rows)
    scale, slope, shift = (array.astype(x.dtype) for array in (scale, slope, shift))
    dx = empty_like(x)
    target = _rows(dx)

    def apply(_worker: int, first: int, last: int) -> None:
        compiled.gradient_rows(
            seeds[first:last], rows[first:last], mean, scale, slope, shift, target[first:last]
        )

    parallel_ranges(apply, len(rows), GRAIN)
    return dx, dweight.astype(x.dtype), dbias.astype(x.dtype)


def channel_affine(x: Array, scale: Array, shift: Array | None) -> Array:
    """x scale + shift as `normalization.channel_affine` defines it.

    >>> channel_affine(np.ones((1, 1)), np.array([2.0]), None).tolist()
    [[2.0]]
    """
    from autograd.kernels import compiled_normalization as compiled

    rows = _rows(x)
    zeros = np.zeros_like(scale)
    y = empty_like(x)
    target = _rows(y)

    def apply(_worker: int, first: int, last: int) -> None:
        added = zeros if shift is None else shift
        compiled.affine_rows(rows[first:last], zeros, scale, added, target[first:last])

    parallel_ranges(apply, len(rows), GRAIN)
    return y


def channel_sums(x: Array) -> Array:
    """Sums of a channels-last x over all but axis 1, in double precision.

    >>> channel_sums(np.ones((3, 2))).tolist()
    [3.0, 3.0]
    """
    from autograd.kernels import compiled_normalization as compiled

    rows = _rows(x)
    parts = np.zeros((thread_count(), rows.shape[1]))

    def sums(worker: int, first: int, last: int) -> None:
        compiled.row_sums(rows[first:last], parts[worker])

    parallel_ranges(sums, len(rows), GRAIN)
    total: Array = parts.sum(axis=0)
    return total


def _rows(x: Array) -> Array:
    """(N, C, *S), channels last in memory, as a C-contiguous (positions, C)."""
    last = x if x.ndim == 2 else np.moveaxis(x, 1, -1)
    return np.ascontiguousarray(last.reshape(-1 if x.size else 0, x.shape[1]))


def _in_order_of(x: Array, g: Array) -> Array:
    if g.strides == x.strides:
        return g
    copy = empty_like(x)
    copy[...] = g
    return copy
