"""Batch normalisation and sums by channel with the compiled kernels, for channels-last arrays.

An (N, C, *S) array whose channels lie next to each other is a matrix (positions, channels). Each
thread takes a range of rows; what they sum is joined in double precision, in a fixed order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.kernels.buffers import empty_like
from autograd.kernels.layouts import in_order_of
from autograd.kernels.windows import channels_put_last
from autograd.kernels.workers import parallel_kernel, thread_count

__all__ = ["batch_norm_backward", "batch_norm_forward", "channel_affine", "channel_sums"]

Array = np.ndarray[Any, Any]

GRAIN = 64
"""Rows: the kernels sum blocks of so many."""


def batch_norm_forward(
    x: Array, weight: Array | None, bias: Array | None, eps: float, activation: str | None = None
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

    def moments(worker: int, first: int, last: int) -> tuple[Array, ...]:
        counts[worker] = last - first
        return rows[first:last], parts[worker, 0], parts[worker, 1]

    cost = 0.4 * x.size
    parallel_kernel(compiled.row_moments, moments, len(rows), GRAIN, cost, most=len(parts))
    mean = counts @ parts[:, 0] / len(rows)
    spread = parts[:, 1].sum(axis=0) + counts @ (parts[:, 0] - mean) ** 2
    inverse_std = 1.0 / np.sqrt(spread / len(rows) + eps)
    centre, inverse = mean.astype(x.dtype), inverse_std.astype(x.dtype)
    scale, shift = _affine(inverse, weight, bias)
    return _affine_rows(x, centre, scale, shift, activation), centre, inverse


def batch_norm_backward(
    g: Array,
    x: Array,
    weight: Array | None,
    mean: Array,
    inverse_std: Array,
    bias: Array | None = None,
    activation: str | None = None,
    may_overwrite: bool = False,
) -> tuple[Array, Array, Array]:
    """(dx, dweight, dbias) as `normalization.batch_norm_backward` defines them.

    >>> x, g = np.array([[1.0], [3.0]]), np.array([[1.0], [2.0]])
    >>> batch_norm_backward(g, x, None, np.array([2.0]), np.array([1.0]))[1].tolist()
    [1.0]
    """
    from autograd.kernels import compiled_normalization as compiled

    given = in_order_of(x, g)
    in_place = may_overwrite or given is not g
    dx = given if in_place else empty_like(x)
    rows, seeds, target = _rows(x), _rows(given), _rows(dx)
    parts = np.zeros((thread_count(), 2, rows.shape[1]))
    mean = mean.astype(x.dtype, copy=False)

    factor, offset = _affine(inverse_std.astype(x.dtype, copy=False), weight, bias)

    def sums(worker: int, first: int, last: int) -> tuple[Array, ...]:
        own = slice(first, last)
        if activation is None:
            return seeds[own], rows[own], mean, *parts[worker]
        masked = (target[own],) if activation == "gelu" else ()
        return seeds[own], rows[own], mean, factor, offset, *masked, *parts[worker]

    kernels: dict[str | None, Callable[..., None]] = {
        None: compiled.gradient_sums,
        "relu": compiled.relu_gradient_sums,
        "gelu": compiled.gelu_gradient_sums,
    }
    cost = 0.4 * x.size
    parallel_kernel(kernels[activation], sums, len(rows), GRAIN, cost, most=len(parts))
    dbias, products = parts.sum(axis=0)
    precise = inverse_std.astype(np.float64)
    dweight = products * precise
    scale = precise if weight is None else precise * weight
    slope = -scale * precise * dweight / len(rows)
    shift = -scale * dbias / len(rows)
    coefficients = [array.astype(x.dtype) for array in (scale, slope, shift)]

    def apply(_worker: int, first: int, last: int) -> tuple[Array, ...]:
        own = slice(first, last)
        given = target if activation == "gelu" else seeds
        mask = (factor, offset) if activation == "relu" else ()
        return given[own], rows[own], mean, *mask, *coefficients, target[own]

    kernel = compiled.relu_gradient_rows if activation == "relu" else compiled.gradient_rows
    parallel_kernel(kernel, apply, len(rows), GRAIN, nanoseconds=cost)
    return dx, dweight.astype(x.dtype), dbias.astype(x.dtype)


def channel_affine(
    x: Array, scale: Array, shift: Array | None, activation: str | None = None
) -> Array:
    """x scale + shift as `normalization.channel_affine` defines it.

    >>> channel_affine(np.ones((1, 1)), np.array([2.0]), None).tolist()
    [[2.0]]
    """
    zeros = np.zeros_like(scale)
    return _affine_rows(x, zeros, scale, zeros if shift is None else shift, activation)


def channel_sums(x: Array) -> Array:
    """Sums of a channels-last x over all but axis 1, in double precision.

    >>> channel_sums(np.ones((3, 2))).tolist()
    [3.0, 3.0]
    """
    from autograd.kernels import compiled_normalization as compiled

    rows = _rows(x)
    parts = np.zeros((thread_count(), rows.shape[1]))

    def sums(worker: int, first: int, last: int) -> tuple[Array, ...]:
        return rows[first:last], parts[worker]

    parallel_kernel(compiled.row_sums, sums, len(rows), GRAIN, 0.4 * x.size, most=len(parts))
    total: Array = parts.sum(axis=0)
    return total


def _affine(inverse_std: Array, weight: Array | None, bias: Array | None) -> tuple[Array, Array]:
    """What centred values are multiplied by, and what is added then."""
    dtype = inverse_std.dtype
    scale = inverse_std if weight is None else inverse_std * weight.astype(dtype, copy=False)
    shift = np.zeros_like(scale) if bias is None else bias.astype(dtype, copy=False)
    return scale, shift


def _affine_rows(
    x: Array, centre: Array, scale: Array, shift: Array, activation: str | None
) -> Array:
    from autograd.kernels import compiled_normalization as compiled

    kernels: dict[str | None, Callable[..., None]] = {
        None: compiled.affine_rows,
        "relu": compiled.relu_affine_rows,
        "gelu": compiled.gelu_affine_rows,
    }
    y = empty_like(x)
    rows, target = _rows(x), _rows(y)

    def apply(_worker: int, first: int, last: int) -> tuple[Array, ...]:
        return rows[first:last], centre, scale, shift, target[first:last]

    parallel_kernel(kernels[activation], apply, len(rows), GRAIN, nanoseconds=0.4 * x.size)
    return y


def _rows(x: Array) -> Array:
    """(N, C, *S), channels last in memory, as a C-contiguous (positions, C)."""
    last = x if x.ndim == 2 else channels_put_last(x)
    return np.ascontiguousarray(last.reshape(-1 if x.size else 0, x.shape[1]))
