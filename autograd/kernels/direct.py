"""Convolutions in float32 without columns.

A window is multiplied where it lies in the padded image: a block of windows and of results stays
in the registers while the window's entries go by. Source: the register blocking of K. Goto and
R. van de Geijn, "Anatomy of high-performance matrix multiplication", 2008.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import numpy as np

from autograd.kernels.backend import compiled_for, read_only
from autograd.kernels.columns import Geometry, padded_sizes, segments
from autograd.kernels.split_products import split_pays
from autograd.kernels.weight_layouts import weight_blocks, weight_matrix, weights_of_sums
from autograd.kernels.workers import WORTH_A_PART, parallel_kernel, scratch, thread_count

__all__ = ["direct_convolve", "direct_input_gradient", "direct_pays", "direct_weight_gradient"]

Array = np.ndarray[Any, Any]

FEW_CHANNELS = 8
"""Up to so many, windows where they lie are better than columns whatever else. With more it takes
`FEWEST_WINDOWS`; for the weights' gradient `FEWEST_SEEDS`, and at most `FEW_OUTPUTS`. Measured.
"""

FEWEST_WINDOWS, FEWEST_SEEDS, FEW_OUTPUTS = 64, 256, 48

MOST_OUTPUTS = 128
"""With more, packing a matrix for the BLAS is worth its time."""

FEW_IMAGES = 8
"""For each thread: up to which images left over are split."""

MULTIPLICATIONS = 30
"""In a nanosecond, about."""

CHUNK_ENTRIES = 1 << 17
"""Entries of images and results that are worked on together: they stay in cache."""


def direct_pays(
    geometry: Geometry, batch: int, dtype: np.dtype[Any], *, gradient: bool = False
) -> bool:
    """Whether this convolution, or its weights' `gradient`, is computed without columns: a rule of
    shapes and dtype, and whether matrix units compute products of columns.
    """
    if dtype.char != "f" or geometry.groups != 1 or geometry.outputs > MOST_OUTPUTS:
        return False
    windows = batch * geometry.out[0] * geometry.out[1]
    if not windows or not geometry.depth:
        return False
    if geometry.channels > FEW_CHANNELS and (
        windows < (FEWEST_SEEDS if gradient else FEWEST_WINDOWS)
        or geometry.kernel == (1, 1)
        or (gradient and geometry.outputs > FEW_OUTPUTS)
        or split_pays(windows, geometry.outputs, geometry.depth)
    ):
        return False
    return compiled_for(dtype, windows * geometry.depth)


def direct_convolve(
    x: Array,
    w: Array,
    geometry: Geometry,
    y: Array,
    bias: Array | None = None,
    activation: str | None = None,
) -> None:
    """Writes the convolution of x (N, H, W, C) with w (O, C, KH, KW), plus the bias (O,), and of
    that the activation (relu or gelu), into the C-contiguous y (N, P, Q, O).
    """
    from autograd.kernels import compiled_direct as compiled
    from autograd.kernels.compiled_activations import GELU, RELU

    blocks = -(-geometry.outputs // compiled.WIDTH)
    weights = weight_blocks(w, compiled.WIDTH)
    start: Array = np.zeros(blocks * compiled.WIDTH, np.float32)
    if bias is not None:
        start[: geometry.outputs] = bias
    start = start.reshape(blocks, compiled.WIDTH)
    last_map = {None: 0, "relu": RELU, "gelu": GELU}[activation]

    windows = _windows(x, geometry)

    def arguments(worker: int, images: slice, rows: slice) -> tuple[Any, ...]:
        return (*windows(worker, images, rows), weights, start, last_map, y[images, rows])

    _in_parts(compiled.direct_images, arguments, geometry, len(x))


def direct_weight_gradient(x: Array, g: Array, geometry: Geometry) -> Array:
    """The partial with respect to w, (O, C, KH, KW), of x (N, H, W, C) and g (N, P, Q, O)."""
    from autograd.kernels import compiled_direct as compiled

    blocks = -(-geometry.outputs // compiled.WIDTH)
    totals = np.zeros((thread_count(), geometry.depth, blocks * compiled.WIDTH), np.float32)

    windows, groups = _windows(x, geometry), _groups(geometry, _is_planar(x))

    def arguments(worker: int, images: slice, rows: slice) -> tuple[Any, ...]:
        seeds = _seeds(g[images, rows], geometry, worker)
        return (*windows(worker, images, rows), groups, *seeds, totals[worker])

    _in_parts(compiled.direct_weight_sums, arguments, geometry, len(x), most=len(totals))
    return weights_of_sums(totals[:, None], geometry.kernel, geometry.outputs)


def direct_input_gradient(g: Array, w: Array, geometry: Geometry, dx: Array) -> None:
    """Writes the partial with respect to x into dx (N, H, W, C), for g (N, P, Q, O)."""
    from autograd.kernels import compiled_direct as compiled
    from autograd.kernels.compiled_columns import SLACK

    blocks = -(-geometry.depth // compiled.WIDTH)
    weights: Array = np.zeros((geometry.outputs, blocks * compiled.WIDTH), np.float32)
    weights[:, : geometry.depth] = weight_matrix(w, 1)[0].T
    weights = weights.reshape(-1, blocks, compiled.WIDTH).swapaxes(0, 1)
    weights = np.ascontiguousarray(weights)
    shape = padded_sizes(geometry)

    def arguments(worker: int, first: int, last: int) -> tuple[Any, ...]:
        step = min(_images_at_a_time(geometry), last - first)
        images = scratch(f"padded {worker}", (step * math.prod(shape) + SLACK,), np.float32)
        seeds = _seeds(g[first:last], geometry, worker)
        places = segments(step, geometry)
        before = geometry.before
        return (*seeds, weights, before, shape, step, images, *places, dx[first:last])

    cost = 2 * geometry.multiplications(len(g)) / MULTIPLICATIONS
    parallel_kernel(compiled.direct_input_sums, arguments, len(g), nanoseconds=cost)


def _in_parts(
    kernel: Callable[..., None],
    arguments: Callable[[int, slice, slice], tuple[Any, ...]],
    geometry: Geometry,
    batch: int,
    most: int | None = None,
) -> None:
    """kernel(*arguments(worker, images, rows)) for parts of the images, all their rows of windows.
    The images that are left over are split by rows, one after the other, if that takes less time
    than one image each for some of the threads.
    """
    threads = thread_count() if most is None else most
    cost, height = geometry.multiplications(1) / MULTIPLICATIONS, geometry.out[0]
    left = batch % threads if batch < FEW_IMAGES * threads and cost >= WORTH_A_PART else 0
    if left * -(-height // threads) >= height:
        left = 0
    whole, every = batch - left, slice(0, height)
    parallel_kernel(
        kernel,
        lambda worker, first, last: arguments(worker, slice(first, last), every),
        whole,
        nanoseconds=cost * whole,
        most=most,
    )

    def rows_of(n: int, worker: int, first: int, last: int) -> tuple[Any, ...]:
        return arguments(worker, slice(n, n + 1), slice(first, last))

    for n in range(whole, batch):
        parts = partial(rows_of, n)
        parallel_kernel(kernel, parts, height, nanoseconds=cost, most=most)


@lru_cache(maxsize=256)
def _band(geometry: Geometry, first: int, last: int) -> tuple[slice, Geometry]:
    """The rows of an image that rows [first, last) of windows lie in, and their convolution."""
    (height, width), (before, _), stride = geometry.in_sizes, geometry.padding[0], geometry.stride
    if last - first == geometry.out[0]:
        return slice(0, height), geometry
    begin = first * stride[0] - before
    end = (last - 1) * stride[0] - before + geometry.dilation[0] * (geometry.kernel[0] - 1) + 1
    start = min(max(begin, 0), height)
    stop = max(start, min(end, height))
    band = replace(
        geometry,
        in_sizes=(stop - start, width),
        out=(last - first, geometry.out[1]),
        padding=((start - begin, end - stop), geometry.padding[1]),
    )
    return slice(start, stop), band


def _seeds(g: Array, geometry: Geometry, worker: int) -> tuple[Array, Array, Array, Array]:
    """g (n, P, Q, O), its planes or its rows if it lies so in memory, and scratch memory."""
    from autograd.kernels.compiled_direct import WIDTH

    entries = min(_images_at_a_time(geometry), len(g)) * math.prod(g.shape[1:])
    seeds = scratch(f"cotangent {worker}", (entries + WIDTH,), np.float32)
    seeds[entries:] = 0
    planes = _planes(g).reshape(-1, geometry.outputs, g.shape[1] * g.shape[2])
    rows = g.reshape(-1) if g.flags.c_contiguous else seeds[:0]
    return read_only(g), read_only(planes), read_only(rows), seeds


def _windows(x: Array, geometry: Geometry) -> Callable[[int, slice, slice], tuple[Any, ...]]:
    """Gives the first arguments of the compiled kernels for a worker's rows of windows in images of
    x (N, H, W, C).
    """
    from autograd.kernels.compiled_columns import SLACK

    planar = _is_planar(x)
    parts = geometry.channels if planar else 1

    def windows(worker: int, some: slice, rows: slice) -> tuple[Any, ...]:
        inside, band = _band(geometry, rows.start, rows.stop)
        own = x[some, inside]
        if planar:
            own = own.transpose(0, 3, 1, 2).reshape(len(own) * parts, *band.in_sizes, 1)
        height, width, channels = padded_sizes(band)
        step = min(_images_at_a_time(geometry), some.stop - some.start)
        memory = step * height * width * channels + SLACK
        images = scratch(f"padded {worker}", (memory,), np.float32)
        images[-SLACK:] = 0
        shape = height, width, channels // parts
        return read_only(own), parts, band.before, shape, step, images, *_places(step, band, planar)

    return windows


def _is_planar(x: Array) -> bool:
    """Whether (N, H, W, C) is a contiguous (N, C, H, W) in memory."""
    return x.transpose(0, 3, 1, 2).flags.c_contiguous


def _planes(x: Array) -> Array:
    """(N, H, W, C) as a contiguous (N, C, H, W) if it lies so in memory, else an empty array."""
    planes = x.transpose(0, 3, 1, 2)
    return planes if _is_planar(x) else np.empty((0, *planes.shape[1:]), x.dtype)


def _images_at_a_time(geometry: Geometry) -> int:
    entries = math.prod(geometry.in_sizes) * geometry.channels
    return max(1, CHUNK_ENTRIES // (entries + math.prod(geometry.out) * geometry.outputs))


@lru_cache(maxsize=64)
def _groups(geometry: Geometry, planar: bool) -> Array:
    """The entries of a window in groups of up to ROWS: the first, how many, and whether all of a
    group are neighbours in the image. Groups end with segments where that makes no more of them.
    """
    from autograd.kernels.vector_maps import ROWS

    _, offsets = _places(1, geometry, planar)
    _, pieces, length = segments(1, geometry)
    parts = [(0, geometry.depth)]
    if not planar and len(pieces) * -(-length // ROWS) == -(-geometry.depth // ROWS):
        parts = [(k * length, (k + 1) * length) for k in range(len(pieces))]
    groups = []
    for begin, end in parts:
        for first in range(begin, end, ROWS):
            size = min(ROWS, end - first)
            neighbours = bool(np.all(np.diff(offsets[first : first + size]) == 1))
            groups.append((first, size, int(neighbours)))
    return np.array(groups, np.intp)


@lru_cache(maxsize=64)
def _places(images: int, geometry: Geometry, planar: bool) -> tuple[Array, Array]:
    """Where windows begin in so many flat padded images, (H', W', C) or with `planar` (C, H', W'),
    and where from there each entry of a window lies, in the order of the columns.
    """
    if not planar:
        starts, pieces, length = segments(images, geometry)
        return starts, (pieces[:, None] + np.arange(length)).ravel()
    height, width, channels = padded_sizes(geometry)
    starts, offsets = _places(1, replace(geometry, channels=1), False)
    image, plane = np.arange(images) * (channels * height * width), height * width
    offsets = offsets[:, None] + np.arange(channels) * plane
    return (image[:, None] + starts).ravel(), offsets.ravel()
