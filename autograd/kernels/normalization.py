"""Batch normalisation: fused forward and backward kernels.

y = (x - mean) * inverse_std * weight + bias with inverse_std = 1 / sqrt(var + eps), the biased
variance, both taken over all axes but 1 (Ioffe and Szegedy, arXiv:1502.03167). Statistics have the
dtype of x (float32 for float16) and are summed in blocks, the blocks in double precision. Results
lie in memory in the order of x.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from autograd.kernels import channel_planes, channel_rows
from autograd.kernels.activations import fuses, gelu, gelu_pullback, relu, relu_pullback
from autograd.kernels.backend import compiled_for
from autograd.kernels.windows import channels_put_last, is_channels_last

__all__ = [
    "batch_norm_backward",
    "batch_norm_forward",
    "channel_affine",
    "channel_sums",
    "check_channels",
    "check_same",
    "like_in_memory",
    "per_channel",
    "working_dtype",
]

Array = np.ndarray[Any, Any]

BLOCK = 1 << 16
"""Elements handled at a time: they stay in cache between the passes over them."""


def batch_norm_forward(
    x: Array, weight: Array | None, bias: Array | None, eps: float, activation: str | None = None
) -> tuple[Array, Array, Array]:
    """(y, mean, inverse_std) of x (N, C, *S), with the statistics of each channel, shape (C,).

    The `activation`, relu or gelu, is applied to y. The biased variance is 1/inverse_std**2 - eps.
    Raises ValueError when a channel has no values.

    >>> y, mean, inverse_std = batch_norm_forward(np.array([[1.0], [3.0]]), None, None, 0.0)
    >>> y.tolist(), mean.tolist(), inverse_std.tolist()
    ([[-1.0], [1.0]], [2.0], [1.0])
    """
    check_channels(x, weight, bias)
    count = x.size // max(1, x.shape[1])
    if count == 0:
        raise ValueError(f"batch norm of an input of shape {x.shape}: a channel has no values")
    if _rows_compiled(x) and fuses(activation, x.dtype):
        return channel_rows.batch_norm_forward(x, weight, bias, eps, activation)
    if activation is not None:
        y, mean, inverse_std = batch_norm_forward(x, weight, bias, eps)
        return _activated(y, activation), mean, inverse_std
    if (planes := _planes_compiled(x)) is not None:
        return channel_planes.batch_norm_forward(x, planes, weight, bias, eps)
    work = working_dtype(x.dtype)
    mean = _channel_sums(x) / count
    centred = mean.astype(work)
    variance = _channel_sums(x, centred) / count
    # The square of the rounding error of the mean is what the two-pass variance is too large by.
    inverse_std = 1.0 / np.sqrt(variance + eps)
    scale = inverse_std if weight is None else inverse_std * weight
    y = np.empty_like(x, order="K")
    shape = per_channel(x)
    np.subtract(x, centred.reshape(shape), out=y, casting="same_kind")
    y *= scale.astype(work).reshape(shape)
    if bias is not None:
        y += bias.astype(work).reshape(shape)
    return y, centred, inverse_std.astype(work)


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
    """(dx, dweight, dbias) for a cotangent g of y; dweight and dbias have shape (C,).

    An activation's argument is computed again, which needs the bias. With `may_overwrite`, g is
    lost, and dx may lie in its memory. With g times its derivative
    for g, and h = (x - mean) * inverse_std: dbias = sum(g), dweight = sum(g h) and
    dx = weight * inverse_std * (g - mean(g) - h mean(g h)).

    >>> g, x = np.array([[1.0], [2.0]]), np.array([[1.0], [3.0]])
    >>> dx, dweight, dbias = batch_norm_backward(g, x, None, np.array([2.0]), np.array([1.0]))
    >>> dx.tolist(), dweight.tolist(), dbias.tolist()
    ([[0.0], [0.0]], [1.0], [3.0])
    """
    check_channels(x, weight, None)
    check_same(g, x)
    if _rows_compiled(x) and g.dtype == x.dtype and fuses(activation, x.dtype):
        return channel_rows.batch_norm_backward(
            g, x, weight, mean, inverse_std, bias, activation, may_overwrite
        )
    if activation is not None:
        scale = inverse_std if weight is None else inverse_std * weight
        shift = -mean * scale if bias is None else bias - mean * scale
        y = channel_affine(x, scale.astype(x.dtype), shift.astype(x.dtype))
        g = relu_pullback(g, y, None) if activation == "relu" else gelu_pullback(g, None, y)
        return batch_norm_backward(g, x, weight, mean, inverse_std)
    if g.dtype == x.dtype and (planes := _planes_compiled(x)) is not None:
        return channel_planes.batch_norm_backward(g, x, planes, weight, mean, inverse_std)
    work = working_dtype(x.dtype)
    count = max(1, x.size // max(1, x.shape[1]))
    dbias = _channel_sums(g)
    dweight = _channel_products(g, x, mean) * inverse_std
    scale = inverse_std.astype(np.result_type(work, np.float64))
    slope = -scale * dweight / count
    shift = -dbias / count
    if weight is not None:
        scale = scale * weight
    shape = per_channel(x)
    # dx = scale * (g + (x - mean) * slope + shift)
    dx = np.empty_like(x, order="K")
    np.subtract(x, mean.reshape(shape), out=dx, casting="same_kind")
    dx *= slope.astype(work).reshape(shape)
    dx += g
    dx += shift.astype(work).reshape(shape)
    dx *= scale.astype(work).reshape(shape)
    return dx, dweight.astype(work), dbias.astype(work)


def check_channels(x: Array, weight: Array | None, bias: Array | None) -> None:
    """Raise for what is no (N, C, ...) array of floats, or parameters not of its channels.

    >>> check_channels(np.ones((2, 3)), np.ones(3), None)
    """
    if x.ndim < 2:
        raise ValueError(f"normalisation needs an (N, C, *spatial) array, not shape {x.shape}")
    if x.dtype.kind not in "fc":
        raise TypeError(f"normalisation needs floats, not {x.dtype}")
    for name, array in (("weight", weight), ("bias", bias)):
        if array is not None and array.shape != (x.shape[1],):
            raise ValueError(
                f"{name} has shape {array.shape}, the input {x.shape} has {x.shape[1]} channels"
            )


def check_same(g: Array, x: Array) -> None:
    """Raise ValueError unless a cotangent has the shape of x.

    >>> check_same(np.ones(2), np.ones(2))
    """
    if g.shape != x.shape:
        raise ValueError(f"the cotangent has shape {g.shape}, the input {x.shape}")


def working_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of statistics: float32 for float16, else the same, in this machine's byte order.

    >>> working_dtype(np.dtype(np.float16))
    dtype('float32')
    """
    if dtype.char == "e":
        return np.dtype(np.float32)
    return dtype if dtype.isnative else dtype.newbyteorder("=")  # a sum takes no other as `dtype`


def _rows_compiled(x: Array) -> bool:
    """Whether x lies as rows (positions, channels) that the compiled kernels take."""
    rows = x if x.ndim == 2 else channels_put_last(x)
    return rows.flags.c_contiguous and compiled_for(x.dtype, x.size)


def _planes_compiled(x: Array) -> Array | None:
    """The planes of x (N, C, *S) that the compiled kernels take, if they do."""
    return channel_planes.planes_of(x) if compiled_for(x.dtype, x.size) else None


def per_channel(x: Array) -> tuple[int, ...]:
    """The shape in which channels broadcast along x (N, C, ...).

    >>> per_channel(np.ones((2, 3, 4)))
    (1, -1, 1)
    """
    return (1, -1, *(1,) * (x.ndim - 2))


def _channel_blocks(x: Array) -> tuple[Array, bool]:
    """x as (rows, C) when that is its memory order, else as (N, C, positions)."""
    if x.ndim == 2:
        return x, True
    if is_channels_last(x):
        last = channels_put_last(x)
        return last.reshape(-1 if x.size else 0, x.shape[1]), True
    return x.reshape(*x.shape[:2], int(np.prod(x.shape[2:]))), False


def channel_affine(
    x: Array, scale: Array, shift: Array | None = None, activation: str | None = None
) -> Array:
    """x scale + shift for each channel of x (N, C, *S), and the activation of it.

    >>> channel_affine(np.ones((1, 2)), np.array([2.0, 3.0]), np.array([0.5, 0.0])).tolist()
    [[2.5, 3.0]]
    """
    same = scale.dtype == x.dtype and (shift is None or shift.dtype == x.dtype)
    if same and _rows_compiled(x) and fuses(activation, x.dtype):
        return channel_rows.channel_affine(x, scale, shift, activation)
    if same and (planes := _planes_compiled(x)) is not None:
        return _activated(channel_planes.channel_affine(x, planes, scale, shift), activation)
    shape = per_channel(x)
    out: Array = x * scale.reshape(shape)
    return _activated(out if shift is None else out + shift.reshape(shape), activation)


def _activated(x: Array, activation: str | None) -> Array:
    if activation is None:
        return x
    result: Array = relu(x) if activation == "relu" else gelu(x)
    return result


def channel_sums(x: Array) -> Array:
    """The sums of x (N, C, *S) over all but axis 1, in its dtype, summed in double precision.

    >>> channel_sums(np.ones((3, 2, 2))).tolist()
    [6.0, 6.0]
    """
    if _rows_compiled(x):
        total = channel_rows.channel_sums(x)
    elif (planes := _planes_compiled(x)) is not None:
        total = channel_planes.channel_sums(x, planes)
    elif x.ndim == 2 and x.size <= BLOCK and x.dtype.char in "fd":
        return _block_sum(x, rows_first=True)  # the same as below, where this is the only block
    else:
        total = _channel_sums(x)
    return total.astype(x.dtype, copy=False)


def _channel_sums(x: Array, mean: Array | None = None) -> Array:
    """Sums of x over all but axis 1 in double precision; of (x - mean)**2 when mean is given."""
    blocks, rows_first = _channel_blocks(x)
    work = working_dtype(x.dtype)
    total = np.zeros(x.shape[1], np.result_type(work, np.float64))
    step = max(1, BLOCK // max(1, blocks[:1].size))
    for at in range(0, len(blocks), step):
        block = blocks[at : at + step].astype(work, copy=False)
        if mean is not None:
            block = block - (mean if rows_first else mean[:, None])
            block *= block
        total += _block_sum(block, rows_first)
    return total


def _channel_products(g: Array, x: Array, mean: Array) -> Array:
    """Sums of g * (x - mean) over all but axis 1, in double precision."""
    blocks, rows_first = _channel_blocks(x)
    seeds, same = _channel_blocks(g)
    if same != rows_first:
        return _channel_products(like_in_memory(x, g), x, mean)
    work = working_dtype(x.dtype)
    total = np.zeros(x.shape[1], np.result_type(work, np.float64))
    step = max(1, BLOCK // max(1, blocks[:1].size))
    for at in range(0, len(blocks), step):
        block = blocks[at : at + step] - (mean if rows_first else mean[:, None])
        block *= seeds[at : at + step]
        total += _block_sum(block, rows_first)
    return total


@functools.lru_cache(maxsize=8)
def _ones(count: int, dtype: np.dtype[Any]) -> Array:
    ones = np.ones(count, dtype)
    ones.flags.writeable = False
    return ones


def _block_sum(block: Array, rows_first: bool) -> Array:
    total: Array = (
        _ones(len(block), block.dtype).dot(block)
        if rows_first
        else block.sum(axis=2).sum(axis=0, dtype=np.result_type(block, np.float64))
    )
    return total


def like_in_memory(x: Array, y: Array) -> Array:
    """y in the dtype and memory order of x.

    >>> like_in_memory(np.ones((2, 3)).T, np.ones((3, 2))).flags.f_contiguous
    True
    """
    out = np.empty_like(x, order="K")
    out[...] = y
    return out
