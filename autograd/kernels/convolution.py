"""Cross-correlation in one or two dimensions: one trilinear form T(x, w, g) and its three partials.

T(x, w, g) = sum over n, o, c, p, k of g[n, o, p] w[o, c, k] x[n, c, stride*p + dilation*k - before]

Methods, chosen by shapes and dtype: matrix products over columns of windows (`columns`), Winograd's
tiles for large float32 batches of 3x3 kernels (`winograd`), windows where they lie, in float32
(`direct`), and for groups, each channel alone (`depthwise`) or slices of the channels (`grouped`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from autograd.kernels.activations import activate_in_place
from autograd.kernels.backend import compiled_for
from autograd.kernels.buffers import empty
from autograd.kernels.columns import (
    Geometry,
    columns_convolve,
    columns_input_gradient,
    columns_weight_gradient,
)
from autograd.kernels.depthwise import (
    depthwise_convolve,
    depthwise_input_gradient,
    depthwise_pays,
    depthwise_weight_gradient,
)
from autograd.kernels.direct import (
    direct_convolve,
    direct_input_gradient,
    direct_pays,
    direct_weight_gradient,
)
from autograd.kernels.grouped import group_blocks, grouped_pays
from autograd.kernels.pooling import max_pool
from autograd.kernels.transposed import Piece, covers, is_wasteful, pieces_of, spread
from autograd.kernels.windows import (
    Pairs,
    Sizes,
    output_sizes,
)
from autograd.kernels.winograd import winograd_convolve, winograd_pays, winograd_weight_gradient

__all__ = ["convolve", "convolve_input_gradient", "convolve_weight_gradient"]

Array = np.ndarray[Any, Any]

FEWEST_CHANNELS = 8
"""Of the input, from which its gradient is better a convolution of the cotangent."""

FEWEST_MULTIPLICATIONS = 1 << 23
"""From which several convolutions, where there are strides, are better than one product."""


def convolve(
    x: Array,
    w: Array,
    stride: Sizes,
    padding: Pairs,
    dilation: Sizes,
    groups: int = 1,
    bias: Array | None = None,
    activation: str | None = None,
    *,
    pooled: bool = False,
) -> Array:
    """y[n, o, p] = sum over c, k of w[o, c, k] x[n, c, stride*p + dilation*k - before] + bias[o].

    The `activation`, relu or gelu, is applied to that; of images the maxima of windows of 2x2 are
    taken if `pooled`. x is (N, C, *S), w is (O, C/groups, *K), the result (N, O, *P), channels last
    in memory.

    >>> x = np.arange(4.0).reshape(1, 1, 4)
    >>> convolve(x, np.array([[[1.0, -1.0]]]), (1,), ((0, 0),), (1,)).tolist()
    [[[-1.0, -1.0, -1.0]]]
    """
    _check(x.shape, w.shape, groups)
    dtype = np.result_type(x, w) if bias is None else np.result_type(x, w, bias)
    geometry = _geometry(x.shape, w.shape, stride, padding, dilation, groups)
    work = _working_dtype(dtype)
    at_once = pooled and activation != "gelu" and min(geometry.out) >= 2
    at_once = at_once and winograd_pays(geometry, len(x), work)
    sizes = [size // 2 for size in geometry.out] if at_once else geometry.out
    y = empty((len(x), *sizes, w.shape[0]), work)
    added = None if bias is None else np.ascontiguousarray(bias, work)
    images, kernels = _images(x, work), _kernels(w, work)
    if at_once and not winograd_convolve(
        images, kernels, geometry, y, added, activation, pooled=True
    ):
        at_once, y = False, empty((len(x), *geometry.out, w.shape[0]), work)
    if not at_once:
        _convolve(images, kernels, geometry, y, added, activation)
    result = _result(y, dtype, x.ndim - 2)
    return max_pool(result, 2)[0] if pooled and not at_once else result


def convolve_input_gradient(
    g: Array,
    w: Array,
    in_shape: Sizes,
    stride: Sizes,
    padding: Pairs,
    dilation: Sizes,
    groups: int = 1,
) -> Array:
    """The partial of T with respect to x: a result of shape `in_shape`, channels last in memory.

    >>> g = np.ones((1, 1, 3))
    >>> w = np.array([[[1.0, -1.0]]])
    >>> convolve_input_gradient(g, w, (1, 1, 4), (1,), ((0, 0),), (1,)).tolist()
    [[[1.0, 0.0, 0.0, -1.0]]]
    """
    _check(in_shape, w.shape, groups)
    dtype = np.result_type(g, w)
    geometry = _geometry(in_shape, w.shape, stride, padding, dilation, groups)
    _check_output(g.shape, in_shape, w.shape, geometry)
    dx = empty((in_shape[0], *geometry.in_sizes, in_shape[1]), _working_dtype(dtype))
    _input_gradient(_images(g, dx.dtype), _kernels(w, dx.dtype), geometry, dx)
    return _result(dx, dtype, g.ndim - 2)


def convolve_weight_gradient(
    x: Array,
    g: Array,
    kernel_shape: Sizes,
    stride: Sizes,
    padding: Pairs,
    dilation: Sizes,
    groups: int = 1,
) -> Array:
    """The partial of T with respect to w, of shape (O, C/groups, *kernel_shape).

    >>> x = np.arange(4.0).reshape(1, 1, 4)
    >>> convolve_weight_gradient(x, np.ones((1, 1, 3)), (2,), (1,), ((0, 0),), (1,)).tolist()
    [[[3.0, 6.0]]]
    """
    w_shape = (g.shape[1], x.shape[1] // max(1, groups), *kernel_shape)
    _check(x.shape, w_shape, groups)
    dtype = np.result_type(x, g)
    geometry = _geometry(x.shape, w_shape, stride, padding, dilation, groups)
    _check_output(g.shape, x.shape, w_shape, geometry)
    work = _working_dtype(dtype)
    dw = _weight_gradient(_images(x, work), _images(g, work), geometry)
    return np.ascontiguousarray(dw, dtype).reshape(w_shape)


def _check(x_shape: Sizes, w_shape: Sizes, groups: int) -> None:
    if len(x_shape) != len(w_shape) or len(x_shape) not in (3, 4):
        raise ValueError(
            f"input {x_shape} and weight {w_shape} must both be (N, C, *spatial) and "
            "(O, C/groups, *kernel) with the same number of dimensions, 3 or 4"
        )
    if groups < 1 or x_shape[1] % groups or w_shape[0] % groups:
        raise ValueError(
            f"groups={groups} must divide the input's {x_shape[1]} channels and the weight's "
            f"{w_shape[0]} output channels"
        )
    if x_shape[1] // groups != w_shape[1]:
        raise ValueError(
            f"weight {w_shape} expects {w_shape[1]} x groups={groups} input channels, "
            f"the input {x_shape} has {x_shape[1]}"
        )


def _check_output(g_shape: Sizes, x_shape: Sizes, w_shape: Sizes, geometry: Geometry) -> None:
    expected = (x_shape[0], w_shape[0], *geometry.out[4 - len(x_shape) :])
    if g_shape != expected:
        raise ValueError(f"the cotangent has shape {g_shape}, the convolution's output {expected}")


@lru_cache(maxsize=256)
def _geometry(
    x_shape: Sizes, w_shape: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes, groups: int
) -> Geometry:
    """One spatial dimension is taken as two, the first of size 1."""
    out = output_sizes(x_shape[2:], w_shape[2:], stride, padding, dilation)
    ones = (1,) * (4 - len(x_shape))
    nothing: Pairs = ((0, 0),) * len(ones)
    return Geometry(
        in_sizes=ones + tuple(x_shape[2:]),
        out=ones + out,
        kernel=ones + tuple(w_shape[2:]),
        stride=ones + tuple(stride),
        padding=nothing + tuple(padding),
        dilation=ones + tuple(dilation),
        groups=groups,
        channels=x_shape[1],
        outputs=w_shape[0],
    )


def _convolve(
    x: Array,
    w: Array,
    geometry: Geometry,
    y: Array,
    bias: Array | None = None,
    activation: str | None = None,
) -> None:
    if depthwise_pays(geometry, len(x), y.dtype):
        depthwise_convolve(x, w, geometry, y, bias)
        activate_in_place(y, activation)
    elif grouped_pays(geometry, len(x), y.dtype):
        for block in group_blocks(geometry):
            part = empty((*y.shape[:3], block.geometry.outputs), y.dtype)
            added = None if bias is None else bias[block.outputs]
            _convolve(x[..., block.inputs], block.dense(w), block.geometry, part, added, activation)
            y[..., block.outputs] = part
    elif winograd_pays(geometry, len(x), y.dtype) and winograd_convolve(
        x, w, geometry, y, bias, activation
    ):
        return
    elif direct_pays(geometry, len(x), y.dtype):
        direct_convolve(x, w, geometry, y, bias, activation)
    else:
        columns_convolve(x, w, geometry, y, bias)
        activate_in_place(y, activation)


def _input_gradient(g: Array, w: Array, geometry: Geometry, dx: Array) -> None:
    if depthwise_pays(geometry, len(g), dx.dtype):
        depthwise_input_gradient(g, w, geometry, dx)
    elif grouped_pays(geometry, len(g), dx.dtype):
        for block in group_blocks(geometry):
            part = empty((*dx.shape[:3], block.geometry.channels), dx.dtype)
            _input_gradient(g[..., block.outputs], block.dense(w), block.geometry, part)
            dx[..., block.inputs] = part
    elif (pieces := _pieces(geometry, len(g), dx.dtype)) is not None:
        w = _exchange_channels(w, geometry.groups)
        if not covers(pieces, geometry):
            dx[...] = 0
        for piece in pieces:
            own = g[:, *piece.cotangent], w[:, :, *piece.kernel], piece.geometry
            if geometry.stride == (1, 1):
                _convolve(*own, dx)
            else:
                part = empty((len(g), *piece.geometry.out, geometry.channels), dx.dtype)
                _convolve(*own, part)
                spread(part, piece.target, dx)
    elif direct_pays(geometry, len(g), dx.dtype):
        direct_input_gradient(g, w, geometry, dx)
    else:
        columns_input_gradient(g, w, geometry, dx)


def _weight_gradient(x: Array, g: Array, geometry: Geometry) -> Array:
    if depthwise_pays(geometry, len(x), x.dtype):
        return depthwise_weight_gradient(x, g, geometry)
    if grouped_pays(geometry, len(x), x.dtype):
        return np.concatenate(
            [
                block.diagonal(
                    _weight_gradient(x[..., block.inputs], g[..., block.outputs], block.geometry)
                )
                for block in group_blocks(geometry)
            ]
        )
    if winograd_pays(geometry, len(x), x.dtype, gradient=True):
        found = winograd_weight_gradient(x, g, geometry)
        if found is not None:
            return found
    if direct_pays(geometry, len(x), x.dtype, gradient=True):
        return direct_weight_gradient(x, g, geometry)
    return columns_weight_gradient(x, g, geometry)


def _pieces(geometry: Geometry, batch: int, dtype: np.dtype[Any]) -> tuple[Piece, ...] | None:
    """The convolutions of the cotangent that are better than columns, None if there are none."""
    if geometry.channels // geometry.groups < FEWEST_CHANNELS:
        return None
    pieces = pieces_of(geometry)
    if pieces is None:
        return None
    if geometry.stride != (1, 1):
        work = geometry.multiplications(batch)
        worthwhile = work >= FEWEST_MULTIPLICATIONS and not is_wasteful(geometry)
        fits = worthwhile and dtype.char == "f" and compiled_for(dtype, work)
        return pieces if fits and _overlap(geometry) else None
    if is_wasteful(geometry) and not winograd_pays(pieces[0].geometry, batch, dtype):
        return None
    return pieces


def _overlap(geometry: Geometry) -> bool:
    """Whether windows share so much that most pieces have several entries of the kernel."""
    return all(k >= 2 * s - 1 for k, s in zip(geometry.kernel, geometry.stride, strict=True))


def _working_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Half precision is multiplied in single: BLAS has no half-precision product."""
    return np.dtype(np.float32) if dtype == np.float16 else dtype


def _images(x: Array, dtype: np.dtype[Any]) -> Array:
    """(N, C, *S) as (N, H, W, C), without a copy where the dtype is right."""
    x = x.astype(dtype, copy=False)
    return (x if x.ndim == 4 else x[:, :, None]).transpose(0, 2, 3, 1)


def _kernels(w: Array, dtype: np.dtype[Any]) -> Array:
    w = w.astype(dtype, copy=False)
    return w if w.ndim == 4 else w[:, :, None]


def _result(y: Array, dtype: np.dtype[Any], dims: int) -> Array:
    """(N, H, W, C) as (N, C, *S)."""
    y = y.transpose(0, 3, 1, 2)
    return (y if dims == 2 else y[:, :, 0]).astype(dtype, copy=False)


def _exchange_channels(w: Array, groups: int) -> Array:
    """(O, C/g, *K) as (C, O/g, *K): the weights of the transposed convolution."""
    if groups == 1:
        return w.swapaxes(0, 1)
    split = w.reshape(groups, w.shape[0] // groups, *w.shape[1:]).swapaxes(1, 2)
    return split.reshape(groups * w.shape[1], w.shape[0] // groups, *w.shape[2:])
