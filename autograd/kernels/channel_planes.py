"""Batch normalisation and sums by channel with the compiled kernels, for channels-first arrays.

An (N, C, *S) array in C order is a matrix of planes (N C, positions). Each thread takes some of
them; their sums are joined in double precision, in the order of the examples.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.kernels.buffers import empty_like
from autograd.kernels.layouts import in_order_of
from autograd.kernels.workers import parallel_parts

__all__ = [
    "batch_norm_backward",
    "batch_norm_forward",
    "channel_affine",
    "channel_sums",
    "planes_of",
]

Array = np.ndarray[Any, Any]

FEWEST_POSITIONS = 16
"""Entries of a plane from which it is worth a loop of its own."""

NANOSECONDS = 0.4
"""About what an entry takes one thread."""


def planes_of(x: Array) -> Array | None:
    """x (N, C, *S) as its planes; None where they are none, or too small.

    >>> planes_of(np.ones((2, 3, 4, 5))).shape
    (6, 20)
    """
    positions = math.prod(x.shape[2:])
    if positions < FEWEST_POSITIONS or not x.flags.c_contiguous:
        return None
    return x.reshape(-1, positions)


def batch_norm_forward(
    x: Array, planes: Array, weight: Array | None, bias: Array | None, eps: float
) -> tuple[Array, Array, Array]:
    """(y, mean, inverse_std) as `normalization.batch_norm_forward` defines them.

    >>> x = np.arange(32.0).reshape(2, 1, 16)
    >>> y, mean, _ = batch_norm_forward(x, planes_of(x), None, None, 0.0)
    >>> mean.tolist(), y.mean().round(6).tolist()
    ([15.5], 0.0)
    """
    from autograd.kernels.compiled_channel_planes import plane_moments

    means, squares = np.empty((2, *x.shape[:2]))
    _on_planes(plane_moments, planes, planes, means.reshape(-1), squares.reshape(-1))
    positions = planes.shape[1]
    mean = means.mean(axis=0)
    spread = squares.sum(axis=0) + positions * ((means - mean) ** 2).sum(axis=0)
    inverse_std = 1.0 / np.sqrt(spread / (len(x) * positions) + eps)
    centre, inverse = mean.astype(x.dtype), inverse_std.astype(x.dtype)
    scale = inverse if weight is None else inverse * weight.astype(x.dtype, copy=False)
    return _affine_planes(x, planes, centre, scale, bias), centre, inverse


def batch_norm_backward(
    g: Array, x: Array, planes: Array, weight: Array | None, mean: Array, inverse_std: Array
) -> tuple[Array, Array, Array]:
    """(dx, dweight, dbias) as `normalization.batch_norm_backward` defines them.

    >>> x = np.arange(32.0).reshape(2, 1, 16)
    >>> mean, inverse_std = np.array([15.5]), np.array([0.1])
    >>> batch_norm_backward(np.ones_like(x), x, planes_of(x), None, mean, inverse_std)[2].tolist()
    [32.0]
    """
    from autograd.kernels.compiled_channel_planes import gradient_planes, plane_gradient_sums

    seeds = in_order_of(x, g).reshape(planes.shape)
    dx = empty_like(x)
    mean = mean.astype(x.dtype, copy=False)
    sums, products = np.empty((2, *x.shape[:2]))
    _on_planes(
        plane_gradient_sums, planes, seeds, planes, mean, sums.reshape(-1), products.reshape(-1)
    )
    count = x.size // x.shape[1]
    precise = inverse_std.astype(np.float64)
    dbias, dweight = sums.sum(axis=0), products.sum(axis=0) * precise
    scale = precise if weight is None else precise * weight
    slope = -scale * precise * dweight / count
    shift = -scale * dbias / count
    coefficients = (array.astype(x.dtype) for array in (scale, slope, shift))
    _on_planes(
        gradient_planes, planes, seeds, planes, mean, *coefficients, dx.reshape(planes.shape)
    )
    return dx, dweight.astype(x.dtype), dbias.astype(x.dtype)


def channel_affine(x: Array, planes: Array, scale: Array, shift: Array | None) -> Array:
    """x scale + shift as `normalization.channel_affine` defines it.

    >>> x = np.ones((1, 1, 16))
    >>> channel_affine(x, planes_of(x), np.array([2.0]), None)[0, 0, :2].tolist()
    [2.0, 2.0]
    """
    return _affine_planes(x, planes, np.zeros_like(scale), scale, shift)


def channel_sums(x: Array, planes: Array) -> Array:
    """Sums over all but axis 1, in double precision.

    >>> x = np.ones((3, 2, 16))
    >>> channel_sums(x, planes_of(x)).tolist()
    [48.0, 48.0]
    """
    from autograd.kernels.compiled_channel_planes import plane_sums

    sums = np.empty(x.shape[:2])
    _on_planes(plane_sums, planes, planes, sums.reshape(-1))
    total: Array = sums.sum(axis=0)
    return total


def _affine_planes(
    x: Array, planes: Array, centre: Array, scale: Array, shift: Array | None
) -> Array:
    from autograd.kernels.compiled_channel_planes import affine_planes

    y = empty_like(x)
    offset = np.zeros_like(scale) if shift is None else shift.astype(x.dtype, copy=False)
    given = (np.ascontiguousarray(array) for array in (centre, scale, offset))
    _on_planes(affine_planes, planes, planes, *given, y.reshape(planes.shape))
    return y


def _on_planes(kernel: Any, planes: Array, *given: Array) -> None:
    parallel_parts(kernel, given, len(planes), nanoseconds=NANOSECONDS * planes.size)
