"""Pooling over windows: maximum with its positions, averages, and their transposes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from autograd.kernels.adaptive_pooling import plane_means, spread_over_planes
from autograd.kernels.backend import compiled_for
from autograd.kernels.layouts import images_like, in_layout_of, in_order_of
from autograd.kernels.precision import accumulator, inexact
from autograd.kernels.windows import (
    Pairs,
    Sizes,
    channels_put_last,
    in_bounds_counts,
    is_channels_last,
    offset_range,
    output_sizes,
    padding_pairs,
    spatial_tuple,
)
from autograd.kernels.workers import parallel_kernel

__all__ = [
    "average_pool",
    "average_pool_transpose",
    "gather_planes",
    "max_pool",
    "scatter_add_planes",
]

Array = np.ndarray[Any, Any]
Size = int | Sequence[int]
Padding = str | int | Sequence[int | Sequence[int]]


def max_pool(
    x: Array, kernel: Size, stride: Size | None = None, padding: Padding = 0, dilation: Size = 1
) -> tuple[Array, Array]:
    """The maximum of each window and its flat position in the (N, C) plane it came from.

    The first position wins a tie, a NaN wins over every number, and padding counts as -inf.
    Complex arrays are compared by their real parts. Positions are int32 (int64 for planes of
    2**31 elements or more). Both results lie in memory in the order of x.
    Raises ValueError when a window would hold nothing but padding.

    >>> out, index = max_pool(np.arange(16.0).reshape(1, 1, 4, 4), 2)
    >>> out.tolist(), index.tolist()
    ([[[[5.0, 7.0], [13.0, 15.0]]]], [[[[5, 7], [13, 15]]]])
    """
    sizes, kernel, stride, pairs, dilation = _geometry(x, kernel, stride, padding, dilation)
    out = output_sizes(sizes, kernel, stride, pairs, dilation)
    if _some_hold_padding_only(sizes, kernel, stride, pairs, dilation):
        raise ValueError(
            f"padding {pairs} leaves windows of kernel {kernel} (dilation {dilation}) over the "
            f"input {sizes} that hold nothing but padding; use less padding"
        )
    # The compiled kernels copy what does not lie in order, which windows may skip most of.
    sparse = x.size > 4 * math.prod((*x.shape[:2], *out, *kernel))
    if len(kernel) == 2 and not sparse and compiled_for(x.dtype, x.size):
        return _compiled_max_pool(x, kernel, stride, pairs, dilation, out)
    values = x.real if np.iscomplexobj(x) else x
    best = images_like(values, out, values.dtype)
    index = images_like(values, out, index_dtype(sizes))
    index.fill(-1)
    may_be_nan = np.issubdtype(values.dtype, np.inexact)
    for k in np.ndindex(*kernel):
        here, there, flat = _meeting(k, sizes, out, stride, pairs, dilation)
        new, old, position = values[there], best[here], index[here]
        better = (new > old) | (position < 0)
        if may_be_nan:
            better |= (new != new) & (old == old)
        np.copyto(old, new, where=better)
        np.copyto(position, flat, where=better, casting="same_kind")
    return (gather_planes(x, index) if values is not x else best), index


@lru_cache(maxsize=64)
def _some_hold_padding_only(
    sizes: Sizes, kernel: Sizes, stride: Sizes, pairs: Pairs, dilation: Sizes
) -> bool:
    counts = in_bounds_counts(sizes, kernel, stride, pairs, dilation)
    return not all(count.all() for count in counts)


def _compiled_scatter(g: Array, indices: Array, out: Array, tile: Sizes | None) -> None:
    from autograd.kernels.compiled_pooling import scatter_planes, scatter_tiles

    last = is_channels_last(out)
    if last and tile is not None:
        pixels = [channels_put_last(array) for array in (g, indices, out)]
        if all(array.flags.c_contiguous for array in pixels):

            def tiles(_worker: int, first: int, end: int) -> tuple[Any, ...]:
                values, places, target = (array[first:end] for array in pixels)
                return values, places, tile, target

            parallel_kernel(scatter_tiles, tiles, len(out), nanoseconds=0.3 * out.size)
            return

    def matrices(array: Array) -> Array:
        """(images, positions, channels), or each plane as an image of one channel."""
        if last:
            array = channels_put_last(array)
            return np.ascontiguousarray(array.reshape(len(array), -1, array.shape[-1]))
        return np.ascontiguousarray(array).reshape(-1, math.prod(array.shape[2:]), 1)

    seeds, places, target = matrices(g), matrices(indices), matrices(out)
    assert np.shares_memory(target, out)

    def arguments(_worker: int, first: int, end: int) -> tuple[Array, ...]:
        return seeds[first:end], places[first:end], target[first:end]

    parallel_kernel(scatter_planes, arguments, len(target), nanoseconds=0.5 * target.size)


def _compiled_max_pool(
    x: Array, kernel: Sizes, stride: Sizes, pairs: Pairs, dilation: Sizes, out: Sizes
) -> tuple[Array, Array]:
    from autograd.kernels import compiled_pooling as compiled

    best = images_like(x, out, x.dtype)
    index = images_like(x, out, index_dtype(x.shape[2:]))
    last = is_channels_last(x)

    def images(array: Array) -> Array:
        """(N, H, W, C) as it lies in memory, or (N C, H, W)."""
        if last:
            return np.ascontiguousarray(array.transpose(0, 2, 3, 1))
        return np.ascontiguousarray(array).reshape(-1, *array.shape[2:])

    source, values, places = images(x), images(best), images(index)
    largest: Callable[..., object]
    windows: tuple[Any, ...] = ()
    if kernel == stride == (2, 2) and pairs == ((0, 0), (0, 0)) and dilation == (1, 1):
        largest = compiled.largest_of_four_pixels if last else compiled.largest_of_four_in_planes
    else:
        largest = compiled.largest_in_windows if last else compiled.largest_in_planes
        windows = kernel, stride, (pairs[0][0], pairs[1][0]), dilation

    def arguments(_worker: int, first: int, end: int) -> tuple[Any, ...]:
        return source[first:end], *windows, values[first:end], places[first:end]

    parallel_kernel(largest, arguments, len(source), nanoseconds=0.7 * source.size)
    return best, index


def gather_planes(x: Array, indices: Array) -> Array:
    """out[n, c, p] = x[n, c].ravel()[indices[n, c, p]], in the memory order of `indices`.

    >>> gather_planes(np.arange(4.0).reshape(1, 1, 2, 2), np.array([[[3, 0]]])).tolist()
    [[[3.0, 0.0]]]
    """
    _check_planes(x, indices, "x")
    flat = _planes(x)
    chosen = np.take_along_axis(flat, _planes(indices), axis=2)
    return in_layout_of(indices, chosen.reshape(indices.shape))


def scatter_add_planes(
    g: Array,
    indices: Array,
    spatial_shape: Sizes,
    distinct: bool = False,
    tile: Sizes | None = None,
) -> Array:
    """The transpose of `gather_planes`: adds each g[n, c, p] at its position in plane (n, c).

    `distinct` promises that no position occurs twice in a plane (windows that do not overlap),
    and `tile` that windows of this size lie side by side from the first position on: both are
    faster. The result lies in memory in the order of the indices.

    >>> scatter_add_planes(np.ones((1, 1, 2)), np.array([[[1, 1]]]), (3,)).tolist()
    [[[0.0, 2.0, 0.0]]]
    """
    _check_planes(g, indices, "g")
    if g.shape != indices.shape:
        raise ValueError(f"g {g.shape} and indices {indices.shape} must have the same shape")
    out = images_like(indices, spatial_shape, g.dtype)
    if g.ndim == 4 and out.size and compiled_for(g.dtype, g.size):
        _compiled_scatter(in_order_of(indices, g), indices, out, tile)
        return out
    out.fill(0)
    if out.size == 0 or g.size == 0:
        return out
    n, c = g.shape[:2]
    positions = _planes(indices).astype(np.int64)
    if is_channels_last(out):
        memory = channels_put_last(out).reshape(-1)
        plane = np.arange(n)[:, None, None] * (out.size // n) + np.arange(c)[:, None]
        positions = positions * c + plane
    else:
        memory = out.reshape(-1)
        positions = positions + (np.arange(n * c) * (out.size // (n * c))).reshape(n, c, 1)
    if distinct:
        memory[positions] = _planes(g)
    else:
        np.add.at(memory, positions.ravel(), np.ascontiguousarray(_planes(g)).ravel())
    return out


def average_pool(
    x: Array,
    kernel: Size,
    stride: Size | None = None,
    padding: Padding = 0,
    count_include_pad: bool = True,
) -> Array:
    """The mean of each window; padding counts as zeros, or not at all.

    >>> average_pool(np.arange(4.0).reshape(1, 1, 4), 2).tolist()
    [[[0.5, 2.5]]]
    """
    sizes, kernel, stride, pairs, ones = _geometry(x, kernel, stride, padding, 1)
    out = output_sizes(sizes, kernel, stride, pairs, ones)
    if kernel == sizes and not any(map(sum, pairs)):
        return plane_means(x)
    y = images_like(x, out, accumulator(x.dtype))
    y.fill(0)
    for k in np.ndindex(*kernel):
        here, there, _ = _meeting(k, sizes, out, stride, pairs, ones)
        y[here] += x[there]
    y *= _reciprocal_counts(sizes, kernel, stride, pairs, count_include_pad, y.dtype)
    return y.astype(inexact(x.dtype), copy=False)


def average_pool_transpose(
    g: Array,
    in_shape: Sizes,
    kernel: Size,
    stride: Size | None = None,
    padding: Padding = 0,
    count_include_pad: bool = True,
) -> Array:
    """The transpose of `average_pool`: each g spread evenly over its window.

    >>> average_pool_transpose(np.ones((1, 1, 2)), (1, 1, 4), 2).tolist()
    [[[0.5, 0.5, 0.5, 0.5]]]
    """
    sizes, kernel, stride, pairs, ones = _geometry(g, kernel, stride, padding, 1, in_shape[2:])
    out = output_sizes(sizes, kernel, stride, pairs, ones)
    _check_cotangent(g.shape, (*in_shape[:2], *out))
    if kernel == sizes and not any(map(sum, pairs)):
        return spread_over_planes(g, sizes)
    work = accumulator(g.dtype)
    share = g * _reciprocal_counts(sizes, kernel, stride, pairs, count_include_pad, work)
    dx = images_like(g, sizes, work)
    dx.fill(0)
    for k in np.ndindex(*kernel):
        here, there, _ = _meeting(k, sizes, out, stride, pairs, ones)
        dx[there] += share[here]
    return dx.astype(inexact(g.dtype), copy=False)


def index_dtype(sizes: Sizes) -> np.dtype[Any]:
    """int32 while every position of a plane of these sizes fits, else int64."""
    return np.dtype(np.int32 if np.prod(sizes, dtype=np.float64) < 2**31 else np.int64)


def _geometry(
    x: Array,
    kernel: Size,
    stride: Size | None,
    padding: Padding,
    dilation: Size,
    sizes: Sizes | None = None,
) -> tuple[Sizes, Sizes, Sizes, Pairs, Sizes]:
    dims = x.ndim - 2
    if dims < 1:
        raise ValueError(f"pooling needs an (N, C, *spatial) array, not one of shape {x.shape}")
    kernel = spatial_tuple(kernel, dims, "kernel_size")
    stride = kernel if stride is None else spatial_tuple(stride, dims, "stride")
    dilation = spatial_tuple(dilation, dims, "dilation")
    pairs = padding_pairs(padding, kernel, stride, dilation)
    return tuple(x.shape[2:] if sizes is None else sizes), kernel, stride, pairs, dilation


def _meeting(
    k: Sizes, sizes: Sizes, out: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes
) -> tuple[tuple[Any, ...], tuple[Any, ...], Array]:
    """Where kernel offset k meets the input: output slices, input slices, flat positions."""
    here: list[Any] = [..., *(slice(None),) * len(k)]
    there: list[Any] = list(here)
    flat: Array = np.zeros((), np.int64)
    for axis, (i, size, o, step, (before, _), d) in enumerate(
        zip(k, sizes, out, stride, padding, dilation, strict=True), start=1
    ):
        here[axis], there[axis] = offset_range(d * i - before, size, o, step)
        flat = flat[..., None] * size + np.arange(size)[there[axis]]
    return tuple(here), tuple(there), flat


def _reciprocal_counts(
    sizes: Sizes, kernel: Sizes, stride: Sizes, pairs: Pairs, include_pad: bool, dtype: Any
) -> Array:
    real = np.zeros((), dtype).real.dtype
    if include_pad:
        return np.asarray(1.0 / float(np.prod(kernel)), real)
    total: Array = np.ones((), np.int64)
    for counts in in_bounds_counts(sizes, kernel, stride, pairs, (1,) * len(kernel)):
        total = total[..., None] * counts
    if not total.all():
        raise ValueError(
            f"padding {pairs} leaves windows of kernel {kernel} over the input {sizes} that hold "
            "nothing but padding, whose mean count_include_pad=False leaves undefined"
        )
    return (1.0 / total).astype(real)


def _planes(x: Array) -> Array:
    return x.reshape(*x.shape[:2], int(np.prod(x.shape[2:])))


def _check_planes(x: Array, indices: Array, name: str) -> None:
    if x.ndim < 3 or indices.ndim < 3 or x.shape[:2] != indices.shape[:2]:
        raise ValueError(
            f"{name} {x.shape} and indices {indices.shape} must both be (N, C, *positions) with "
            "the same N and C"
        )


def _check_cotangent(g_shape: Sizes, expected: Sizes) -> None:
    if tuple(g_shape) != tuple(expected):
        raise ValueError(f"the cotangent has shape {g_shape}, the pool's output {expected}")
