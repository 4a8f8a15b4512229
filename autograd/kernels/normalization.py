"""Batch, layer and group normalisation: fused forward and backward kernels.

y = (x - mean) * inverse_std * weight + bias with inverse_std = 1 / sqrt(var + eps), the biased
variance, both taken over some axes:
batch norm over all but axis 1 (Ioffe and Szegedy, arXiv:1502.03167), layer norm over the last axes
(Ba, Kiros and Hinton, arXiv:1607.06450), group norm over the spatial axes and groups of channels
(Wu and He, arXiv:1803.08494). Statistics have the dtype of x (float32 for float16) and are summed
in blocks, the blocks in double precision. Results lie in memory in the order of x.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels import channel_rows
from autograd.kernels.activations import fuses, gelu, gelu_pullback, relu, relu_pullback
from autograd.kernels.backend import compiled_for
from autograd.kernels.windows import channels_put_last, is_channels_last

__all__ = [
    "batch_norm_backward",
    "batch_norm_forward",
    "channel_affine",
    "channel_sums",
    "group_norm_backward",
    "group_norm_forward",
    "layer_norm_backward",
    "layer_norm_forward",
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
    _check_channels(x, weight, bias)
    count = x.size // max(1, x.shape[1])
    if count == 0:
        raise ValueError(f"batch norm of an input of shape {x.shape}: a channel has no values")
    if _rows_compiled(x) and fuses(activation, x.dtype):
        return channel_rows.batch_norm_forward(x, weight, bias, eps, activation)
    if activation is not None:
        y, mean, inverse_std = batch_norm_forward(x, weight, bias, eps)
        return _activated(y, activation), mean, inverse_std
    work = _working_dtype(x.dtype)
    mean = _channel_sums(x) / count
    centred = mean.astype(work)
    variance = _channel_sums(x, centred) / count
    # The square of the rounding error of the mean is what the two-pass variance is too large by.
    inverse_std = 1.0 / np.sqrt(variance + eps)
    scale = inverse_std if weight is None else inverse_std * weight
    y = np.empty_like(x, order="K")
    shape = _broadcast_shape(x)
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
    _check_channels(x, weight, None)
    _check_same(g, x)
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
    work = _working_dtype(x.dtype)
    count = max(1, x.size // max(1, x.shape[1]))
    dbias = _channel_sums(g)
    dweight = _channel_products(g, x, mean) * inverse_std
    scale = inverse_std.astype(np.result_type(work, np.float64))
    slope = -scale * dweight / count
    shift = -dbias / count
    if weight is not None:
        scale = scale * weight
    shape = _broadcast_shape(x)
    # dx = scale * (g + (x - mean) * slope + shift)
    dx = np.empty_like(x, order="K")
    np.subtract(x, mean.reshape(shape), out=dx, casting="same_kind")
    dx *= slope.astype(work).reshape(shape)
    dx += g
    dx += shift.astype(work).reshape(shape)
    dx *= scale.astype(work).reshape(shape)
    return dx, dweight.astype(work), dbias.astype(work)


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
    rows = x.reshape(_rows(x, axes), int(np.prod(inner)))
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
    _check_same(g, x)
    shape = (_rows(x, axes), int(np.prod(inner)))
    rows, cotangent = x.reshape(shape), g.reshape(shape)
    standard = (rows - mean.reshape(-1, 1)) * inverse_std.reshape(-1, 1)
    dweight = (cotangent * standard).sum(axis=0)
    dbias = cotangent.sum(axis=0, dtype=standard.dtype)
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
    _check_channels(x, weight, bias)
    rows = _group_rows(x, groups)
    mean, inverse_std = _row_statistics(rows, eps)
    y = ((rows - mean[:, None]) * inverse_std[:, None]).reshape(x.shape)
    if weight is not None:
        y *= weight.reshape(_broadcast_shape(x))
    if bias is not None:
        y += bias.reshape(_broadcast_shape(x))
    statistics = (x.shape[0], groups)
    return _in_order_of(x, y), mean.reshape(statistics), inverse_std.reshape(statistics)


def group_norm_backward(
    g: Array, x: Array, groups: int, weight: Array | None, mean: Array, inverse_std: Array
) -> tuple[Array, Array, Array]:
    """(dx, dweight, dbias) for a cotangent g of y; dweight and dbias have shape (C,).

    >>> x, g = np.array([[[1.0], [3.0]]]), np.array([[[1.0], [2.0]]])
    >>> group_norm_backward(g, x, 1, None, np.array([[2.0]]), np.array([[1.0]]))[1].tolist()
    [-1.0, 2.0]
    """
    _check_channels(x, weight, None)
    _check_same(g, x)
    rows = _group_rows(x, groups)
    standard = (rows - mean.reshape(-1, 1)) * inverse_std.reshape(-1, 1)
    spread = standard.reshape(x.shape)
    axes = (0, *range(2, x.ndim))
    dweight = (g * spread).sum(axis=axes)
    dbias = g.sum(axis=axes, dtype=standard.dtype)
    seed = g if weight is None else g * weight.reshape(_broadcast_shape(x))
    dx = _row_backward(seed.reshape(rows.shape), standard, inverse_std.reshape(-1, 1))
    return _in_order_of(x, dx.reshape(x.shape)), dweight, dbias


def _check_channels(x: Array, weight: Array | None, bias: Array | None) -> None:
    if x.ndim < 2:
        raise ValueError(f"normalisation needs an (N, C, *spatial) array, not shape {x.shape}")
    if x.dtype.kind not in "fc":
        raise TypeError(f"normalisation needs floats, not {x.dtype}")
    for name, array in (("weight", weight), ("bias", bias)):
        if array is not None and array.shape != (x.shape[1],):
            raise ValueError(
                f"{name} has shape {array.shape}, the input {x.shape} has {x.shape[1]} channels"
            )


def _check_same(g: Array, x: Array) -> None:
    if g.shape != x.shape:
        raise ValueError(f"the cotangent has shape {g.shape}, the input {x.shape}")


def _working_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(np.float32) if dtype == np.float16 else dtype


def _rows_compiled(x: Array) -> bool:
    """Whether x lies as rows (positions, channels) that the compiled kernels take."""
    rows = x if x.ndim == 2 else channels_put_last(x)
    return rows.flags.c_contiguous and compiled_for(x.dtype, x.size)


def _broadcast_shape(x: Array) -> tuple[int, ...]:
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
    shape = _broadcast_shape(x)
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
    elif x.ndim == 2 and x.size <= BLOCK and x.dtype.char in "fd":
        return _block_sum(x, rows_first=True)  # the same as below, where this is the only block
    else:
        total = _channel_sums(x)
    return total.astype(x.dtype, copy=False)


def _channel_sums(x: Array, mean: Array | None = None) -> Array:
    """Sums of x over all but axis 1 in double precision; of (x - mean)**2 when mean is given."""
    blocks, rows_first = _channel_blocks(x)
    work = _working_dtype(x.dtype)
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
        return _channel_products(_in_order_of(x, g), x, mean)
    work = _working_dtype(x.dtype)
    total = np.zeros(x.shape[1], np.result_type(work, np.float64))
    step = max(1, BLOCK // max(1, blocks[:1].size))
    for at in range(0, len(blocks), step):
        block = blocks[at : at + step] - (mean if rows_first else mean[:, None])
        block *= seeds[at : at + step]
        total += _block_sum(block, rows_first)
    return total


def _block_sum(block: Array, rows_first: bool) -> Array:
    total: Array = (
        np.ones(len(block), block.dtype) @ block
        if rows_first
        else block.sum(axis=2).sum(axis=0, dtype=np.result_type(block, np.float64))
    )
    return total


def _in_order_of(x: Array, y: Array) -> Array:
    out = np.empty_like(x, order="K")
    out[...] = y
    return out


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
    return int(np.prod(x.shape[: x.ndim - axes]))


def _group_rows(x: Array, groups: int) -> Array:
    if groups < 1 or x.shape[1] % groups:
        raise ValueError(f"groups={groups} must divide the {x.shape[1]} channels of {x.shape}")
    inner = (x.shape[1] // groups) * int(np.prod(x.shape[2:]))
    if inner == 0:
        raise ValueError(f"group norm of an input of shape {x.shape}: a group has no values")
    return x.reshape(x.shape[0] * groups, inner)


def _row_statistics(rows: Array, eps: float) -> tuple[Array, Array]:
    work = _working_dtype(rows.dtype)
    mean = rows.mean(axis=1, dtype=work)
    centred = rows - mean[:, None]
    centred *= centred
    return mean, (1.0 / np.sqrt(centred.mean(axis=1) + eps)).astype(work, copy=False)


def _row_backward(seed: Array, standard: Array, inverse_std: Array) -> Array:
    """inverse_std * (seed - mean(seed) - standard * mean(seed * standard)) in each row."""
    slope = (seed * standard).mean(axis=1, keepdims=True)
    dx: Array = seed - seed.mean(axis=1, keepdims=True)
    dx -= standard * slope
    dx *= inverse_std
    return dx
