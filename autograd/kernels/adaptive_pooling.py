"""Averages over bins that cover an image, whole planes above all, and their transposes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.kernels.buffers import empty
from autograd.kernels.layouts import in_layout_of
from autograd.kernels.precision import accumulator, inexact
from autograd.kernels.windows import (
    Sizes,
    channels_put_last,
    channels_put_second,
    is_channels_last,
    spatial_tuple,
)
from autograd.kernels.workers import parallel_ranges

__all__ = [
    "adaptive_average_pool",
    "adaptive_average_pool_transpose",
    "plane_means",
    "spread_over_planes",
]

Array = np.ndarray[Any, Any]

NANOSECONDS = 0.2
"""About what an entry of an image takes one thread."""


def adaptive_average_pool(x: Array, out_size: int | Sequence[int]) -> Array:
    """Means over out_size bins; bin i of a dimension L is [floor(i*L/out), ceil((i+1)*L/out)).

    >>> adaptive_average_pool(np.arange(4.0).reshape(1, 1, 4), 1).tolist()
    [[[1.5]]]
    """
    out = spatial_tuple(out_size, x.ndim - 2, "output_size")
    if 0 in x.shape[2:]:
        raise ValueError(f"the input {x.shape} has an empty spatial dimension; nothing to average")
    if math.prod(out) == 1:
        return plane_means(x)
    y = x.astype(accumulator(x.dtype), copy=False)
    for axis, bins in enumerate(out, start=2):
        y = _along(y, _bin_matrix(y.shape[axis], bins, y.dtype), axis)
    return in_layout_of(x, y.astype(inexact(x.dtype), copy=False))


def adaptive_average_pool_transpose(g: Array, in_shape: Sizes) -> Array:
    """The transpose of `adaptive_average_pool`, to an array of shape `in_shape`.

    It lies in memory in the order of g; for one position as `spread_over_planes` says.

    >>> adaptive_average_pool_transpose(np.ones((1, 1, 1)), (1, 1, 4)).tolist()
    [[[0.25, 0.25, 0.25, 0.25]]]
    """
    if g.ndim != len(in_shape) or g.shape[:2] != tuple(in_shape[:2]):
        raise ValueError(f"a cotangent of shape {g.shape} does not fit an input {in_shape}")
    if 0 in in_shape[2:]:
        raise ValueError(f"the input {in_shape} has an empty spatial dimension")
    if math.prod(g.shape[2:]) == 1:
        return spread_over_planes(g, in_shape[2:])
    dx = g.astype(accumulator(g.dtype), copy=False)
    for axis, size in enumerate(in_shape[2:], start=2):
        dx = _along(dx, _bin_matrix(size, g.shape[axis], dx.dtype).T, axis)
    return in_layout_of(g, dx.astype(inexact(g.dtype), copy=False))


def plane_means(x: Array) -> Array:
    """The mean of each plane of (N, C, *spatial), as (N, C, 1, ...).

    >>> plane_means(np.arange(6.0).reshape(1, 2, 3)).tolist()
    [[[1.0], [4.0]]]
    """
    # A sum for each axis, of less rounding error than one over all entries of a plane.
    last, work = is_channels_last(x), accumulator(x.dtype)
    images = channels_put_last(x) if last else x
    out = np.empty(x.shape[:2], work)

    def means(_worker: int, first: int, end: int) -> None:
        some = images[first:end].astype(work, copy=False)
        for size in x.shape[:1:-1]:
            left, right = (np.ones(size, work), some) if last else (some, np.ones(size, work))
            some = np.matmul(left, right)
            some /= size
        out[first:end] = some

    parallel_ranges(means, len(x), nanoseconds=NANOSECONDS * x.size)
    return out.astype(inexact(x.dtype), copy=False).reshape(*x.shape[:2], *(1,) * (x.ndim - 2))


def spread_over_planes(g: Array, sizes: Sizes) -> Array:
    """The transpose of `plane_means`: g (N, C, 1, ...) spread evenly over planes of these sizes.

    One position does not say in which order memory lies; it is channels last, as the images that
    are averaged mostly are.

    >>> spread_over_planes(np.ones((1, 1, 1)), (2,)).tolist()
    [[[0.5, 0.5]]]
    """
    n, c = g.shape[:2]
    dtype = inexact(g.dtype)
    shares = g.reshape(n, 1, c).astype(accumulator(g.dtype), copy=False) / math.prod(sizes)
    pixels = empty((n, math.prod(sizes), c), dtype)

    def spread(_worker: int, first: int, end: int) -> None:
        np.copyto(pixels[first:end], shares[first:end], casting="same_kind")

    parallel_ranges(spread, n, nanoseconds=NANOSECONDS * pixels.size)
    return channels_put_second(pixels.reshape(n, *sizes, c))


def _bin_matrix(size: int, bins: int, dtype: Any) -> Array:
    """Row i holds 1/length on bin i and 0 elsewhere."""
    matrix = np.zeros((bins, size), dtype)
    for i in range(bins):
        first, last = i * size // bins, -(-(i + 1) * size // bins)
        matrix[i, first:last] = 1.0 / (last - first)
    return matrix


def _along(x: Array, matrix: Array, axis: int) -> Array:
    return np.moveaxis(np.tensordot(x, matrix, axes=(axis, 1)), -1, axis)
