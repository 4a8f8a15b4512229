"""Layer and group normalisation: fused forward and backward kernels.

y = (x - mean) * inverse_std * weight + bias with inverse_std = 1 / sqrt(var + eps), the biased
variance: layer norm over the last axes (Ba, Kiros and Hinton, arXiv:1607.06450), group norm over
the spatial axes and groups of channels (Wu and He, arXiv:1803.08494). Either normalises rows of a
matrix; compiled kernels take those of large arrays one by one. Statistics have the dtype of x
(float32 for float16). Results lie in memory in the order of x.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.kernels.backend import compiled_for
from autograd.kernels.buffers import empty
from autograd.kernels.normalization import (
    check_channels,
    check_same,
    like_in_memory,
    per_channel,
    working_dtype,
)
from autograd.kernels.workers import parallel_parts, thread_count

__all__ = [
    "group_norm_backward",
    "group_norm_forward",
    "layer_norm_backward",
    "layer_norm_forward",
]

Array = np.ndarray[Any, Any]

FORWARD_NANOSECONDS, BACKWARD_NANOSECONDS = 0.8, 1.2
"""About what an entry takes."""

PASSES = 16
"""About as many sums of the entries take as long as NumPy's."""

APART = 32
"""Entries: more than a cache line."""


def layer_norm_forward(
    x: Array, weight: Array | None, bias: Array | None, eps: float, axes: int = 1
) -> tuple[Array, Array, Array]:
    """(y, mean, inverse_std) over the last `axes` axes; weight and bias have their shape.

    mean and inverse_std have the shape of the other axes.

    >>> layer_norm_forward(np.array([[1.0, 3.0]]), None, None, 0.0)[0].tolist()
    [[-1.0, 1.0]]
    """
    inner = _inner_shape(x, axes)
    for name, array in (("weight", weight), ("bias", bias)):
        if array is not None and array.shape != inner:
            raise ValueError(f"{name} has shape {array.shape}, the normalised axes {inner}")
    rows = x.reshape(_rows(x, axes), math.prod(inner))
    if _goes_compiled(rows):
        y, mean, inverse_std = _compiled_forward(rows, weight, bias, eps)
    else:
        mean, inverse_std = _row_statistics(rows, eps)
        y = (rows - mean[:, None]) * inverse_std[:, None]
        if weight is not None:
            y *= weight.reshape(-1)
        if bias is not None:
            y += bias.reshape(-1)
    outer = x.shape[: x.ndim - axes]
    return (
        y.reshape(x.shape).astype(x.dtype, copy=False),
        mean.reshape(outer),
        inverse_std.reshape(outer),
    )


def layer_norm_backward(
    g: Array, x: Array, weight: Array | None, mean: Array, inverse_std: Array, axes: int = 1
) -> tuple[Array, Array, Array]:
    """(dx, dweight, dbias) for a cotangent g of y.

    >>> x, g = np.array([[1.0, 3.0]]), np.array([[1.0, 2.0]])
    >>> layer_norm_backward(g, x, None, np.array([2.0]), np.array([1.0]))[1].tolist()
    [-1.0, 2.0]
    """
    inner = _inner_shape(x, axes)
    check_same(g, x)
    shape = (_rows(x, axes), math.prod(inner))
    rows, cotangent = x.reshape(shape), g.reshape(shape)
    if _goes_compiled(rows, cotangent):
        dx, dweight, dbias = _compiled_backward(
            cotangent, rows, weight, mean.reshape(-1), inverse_std.reshape(-1)
        )
    else:
        standard = (rows - mean.reshape(-1, 1)) * inverse_std.reshape(-1, 1)
        dweight = np.add.reduce(cotangent * standard, axis=0)
        dbias = np.add.reduce(cotangent, axis=0, dtype=standard.dtype)
        seed = cotangent if weight is None else cotangent * weight.reshape(-1)
        dx = _row_backward(seed, standard, inverse_std.reshape(-1, 1))
    return (
        dx.reshape(x.shape).astype(x.dtype, copy=False),
        dweight.reshape(inner),
        dbias.reshape(inner),
    )


def group_norm_forward(
    x: Array, groups: int, weight: Array | None, bias: Array | None, eps: float
) -> tuple[Array, Array, Array]:
    """(y, mean, inverse_std) of x (N, C, *S); the statistics have shape (N, groups).

    >>> x = np.array([[[1.0], [3.0]]])
    >>> group_norm_forward(x, 1, None, None, 0.0)[0].tolist()
    [[[-1.0], [1.0]]]
    """
    check_channels(x, weight, bias)
    rows = _group_rows(x, groups)
    if _goes_compiled(rows):
        y, mean, inverse_std = _compiled_forward(rows, weight, bias, eps, groups, x.shape[1])
        y = y.reshape(x.shape)
        statistics = (x.shape[0], groups)
        return _as_it_lies(x, y), mean.reshape(statistics), inverse_std.reshape(statistics)
    mean, inverse_std = _row_statistics(rows, eps)
    y = ((rows - mean[:, None]) * inverse_std[:, None]).reshape(x.shape)
    if weight is not None:
        y *= weight.reshape(per_channel(x))
    if bias is not None:
        y += bias.reshape(per_channel(x))
    statistics = (x.shape[0], groups)
    return like_in_memory(x, y), mean.reshape(statistics), inverse_std.reshape(statistics)


def group_norm_backward(
    g: Array, x: Array, groups: int, weight: Array | None, mean: Array, inverse_std: Array
) -> tuple[Array, Array, Array]:
    """(dx, dweight, dbias) for a cotangent g of y; dweight and dbias have shape (C,).

    >>> x, g = np.array([[[1.0], [3.0]]]), np.array([[[1.0], [2.0]]])
    >>> group_norm_backward(g, x, 1, None, np.array([[2.0]]), np.array([[1.0]]))[1].tolist()
    [-1.0, 2.0]
    """
    check_channels(x, weight, None)
    check_same(g, x)
    rows = _group_rows(x, groups)
    cotangent = g.reshape(rows.shape)
    if _goes_compiled(rows, cotangent):
        statistics = mean.reshape(-1), inverse_std.reshape(-1)
        dx, dweight, dbias = _compiled_backward(
            cotangent, rows, weight, *statistics, groups, x.shape[1]
        )
        return _as_it_lies(x, dx.reshape(x.shape)), dweight, dbias
    standard = (rows - mean.reshape(-1, 1)) * inverse_std.reshape(-1, 1)
    spread = standard.reshape(x.shape)
    axes = (0, *range(2, x.ndim))
    dweight = (g * spread).sum(axis=axes)
    dbias = g.sum(axis=axes, dtype=standard.dtype)
    seed = g if weight is None else g * weight.reshape(per_channel(x))
    dx = _row_backward(seed.reshape(rows.shape), standard, inverse_std.reshape(-1, 1))
    return like_in_memory(x, dx.reshape(x.shape)), dweight, dbias


def _inner_shape(x: Array, axes: int) -> tuple[int, ...]:
    if not 1 <= axes <= x.ndim:
        raise ValueError(f"layer norm over the last {axes} axes of an input of shape {x.shape}")
    if x.dtype.kind not in "fc":
        raise TypeError(f"normalisation needs floats, not {x.dtype}")
    inner: tuple[int, ...] = x.shape[x.ndim - axes :]
    if 0 in inner:
        raise ValueError(f"layer norm over the empty axes {inner} of an input of shape {x.shape}")
    return inner


def _rows(x: Array, axes: int) -> int:
    return math.prod(x.shape[: x.ndim - axes])


def _group_rows(x: Array, groups: int) -> Array:
    if groups < 1 or x.shape[1] % groups:
        raise ValueError(f"groups={groups} must divide the {x.shape[1]} channels of {x.shape}")
    inner = (x.shape[1] // groups) * math.prod(x.shape[2:])
    if inner == 0:
        raise ValueError(f"group norm of an input of shape {x.shape}: a group has no values")
    return x.reshape(x.shape[0] * groups, inner)


def _row_statistics(rows: Array, eps: float) -> tuple[Array, Array]:
    work = working_dtype(rows.dtype)
    mean = _means(rows, work)
    centred = rows - mean[:, None]
    centred *= centred
    return mean, (1.0 / np.sqrt(_means(centred, work) + eps)).astype(work, copy=False)


def _means(rows: Array, dtype: np.dtype[Any]) -> Array:
    """rows.mean(axis=1), in half the time where there are few."""
    sums: Array = np.add.reduce(rows, axis=1, dtype=dtype)
    sums /= rows.shape[1]
    return sums


def _row_backward(seed: Array, standard: Array, inverse_std: Array) -> Array:
    """inverse_std * (seed - mean(seed) - standard * mean(seed * standard)) in each row."""
    dtype = standard.dtype
    slope = _means(seed * standard, dtype)[:, None]
    dx: Array = seed - _means(seed, dtype)[:, None]
    dx -= standard * slope
    dx *= inverse_std
    return dx


def _goes_compiled(*rows: Array) -> bool:
    x = rows[0]
    return all(
        row.flags.c_contiguous
        and row.flags.aligned
        and row.dtype == x.dtype
        and row.size > 0
        and compiled_for(row.dtype, PASSES * row.size)
        for row in rows
    )


def _as_it_lies(x: Array, y: Array) -> Array:
    return y if x.flags.c_contiguous else like_in_memory(x, y)


def _parameters(values: Array | None, count: int, default: float, dtype: Any) -> Array:
    """Parameters in a line, for rows or channels."""
    if values is None:
        return np.full(count, default, dtype)
    return np.ascontiguousarray(values, dtype).reshape(-1)


def _compiled_forward(
    rows: Array,
    weight: Array | None,
    bias: Array | None,
    eps: float,
    groups: int = 1,
    channels: int = 0,
) -> tuple[Array, Array, Array]:
    """(y, mean, inverse_std) of rows, with a parameter for each column; or of `groups` groups of
    `channels` channels in all, with one for each channel.
    """
    from autograd.kernels.compiled_row_normalization import normalize_groups, normalize_rows

    count, entries = rows.shape
    each = _parameters(weight, channels or entries, 1.0, rows.dtype)
    shift = _parameters(bias, channels or entries, 0.0, rows.dtype)
    y = empty(rows.shape, rows.dtype)
    mean, inverse_std = np.empty(count, rows.dtype), np.empty(count, rows.dtype)
    given: tuple[Any, ...] = (rows, each, shift, float(eps), y, mean, inverse_std)
    cost = FORWARD_NANOSECONDS * rows.size
    if channels:
        given = (*given, entries * groups // channels)
        parallel_parts(normalize_groups, given, count, nanoseconds=cost)
    else:
        parallel_parts(normalize_rows, given, count, nanoseconds=cost)
    return y, mean, inverse_std


def _compiled_backward(
    g: Array,
    rows: Array,
    weight: Array | None,
    mean: Array,
    inverse_std: Array,
    groups: int = 1,
    channels: int = 0,
) -> tuple[Array, Array, Array]:
    """(dx, dweight, dbias), as `_compiled_forward`."""
    from autograd.kernels.compiled_row_normalization import gradients_of_groups, gradients_of_rows

    count, entries = rows.shape
    parameters = channels or entries
    each = _parameters(weight, parameters, 1.0, rows.dtype)
    dx = empty(rows.shape, rows.dtype)
    parts = max(1, min(thread_count(), count // groups))
    # A line of memory apart, or threads that add to their own sums would wait for each other.
    sums = np.zeros((parts, 2 * parameters + APART), rows.dtype)
    given: tuple[Any, ...] = (g, rows, each, mean, inverse_std, dx, sums)
    cost = BACKWARD_NANOSECONDS * rows.size
    if channels:
        given = (*given, entries * groups // channels)
        parallel_parts(gradients_of_groups, given, count, groups, cost, most=parts)
    else:
        parallel_parts(gradients_of_rows, given, count, nanoseconds=cost, most=parts)
    total = np.add.reduce(sums, axis=0) if parts > 1 else sums[0]
    return dx, total[:parameters], total[parameters : 2 * parameters]
