"""Convolutions as matrix products over columns of windows (im2col), a few images at a time.

Source: K. Chellapilla, S. Puri and P. Simard, "High performance convolutional neural networks for
document processing", 2006. All arrays here are channels-last with two spatial dimensions; they may
have any strides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from autograd.kernels.backend import compiled_for
from autograd.kernels.weight_layouts import weight_matrix, weights_of_sums
from autograd.kernels.windows import Pairs, Sizes, offset_range, pad_spatial, window_view
from autograd.kernels.workers import parallel_chunks, parallel_ranges, scratch, thread_count

__all__ = [
    "Geometry",
    "columns_convolve",
    "columns_input_gradient",
    "columns_weight_gradient",
    "padded_sizes",
    "segments",
]

Array = np.ndarray[Any, Any]

COLUMN_BYTES = 1 << 20
"""Size of the column buffer: enough rows for an efficient product, small enough for cache."""

GRAIN = 16
"""Positions: parts begin at multiples."""

THREADS_FROM = 1 << 23
"""Multiplications from which splitting the batch over threads pays."""


@dataclass(frozen=True)
class Geometry:
    """What a convolution needs to know beside its arrays."""

    in_sizes: Sizes
    out: Sizes
    kernel: Sizes
    stride: Sizes
    padding: Pairs
    dilation: Sizes
    groups: int
    channels: int
    outputs: int

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """Kept, since what depends on a geometry alone is looked up by it in every call."""
        return hash(tuple(getattr(self, field.name) for field in fields(self)))

    @property
    def before(self) -> tuple[int, int]:
        (top, _), (left, _) = self.padding
        return top, left

    @property
    def depth(self) -> int:
        """Entries of a window in one group."""
        return math.prod(self.kernel) * (self.channels // self.groups)

    @property
    def pointwise(self) -> bool:
        """Whether the pixels that windows begin at are the matrix of columns."""
        return set(self.kernel) == {1} and self.padding == ((0, 0), (0, 0)) and self.groups == 1

    def window_starts(self, x: Array) -> Array:
        """The pixels of images x (N, H, W, C) without padding that windows begin at, as a view."""
        (p, q), (down, across) = self.out, self.stride
        return x[:, : p * down : down, : q * across : across]

    def images_at_a_time(self, itemsize: int) -> int:
        row = itemsize * self.groups * max(self.depth, self.outputs // self.groups)
        return max(1, COLUMN_BYTES // max(1, row * math.prod(self.out)))

    def multiplications(self, batch: int) -> int:
        return batch * math.prod(self.out) * self.depth * self.outputs


def columns_convolve(
    x: Array, w: Array, geometry: Geometry, y: Array, bias: Array | None = None
) -> None:
    """Writes the convolution of x (N, H, W, C) with w (O, C/groups, KH, KW), plus the bias (O,),
    into the C-contiguous y (N, P, Q, O).
    """
    matrix = weight_matrix(w, geometry.groups)
    if _goes_by_blocks(x, geometry):
        rows = y.reshape(-1, geometry.outputs)

        def multiply(_worker: int, first: int, last: int) -> None:
            for columns, some in _blocks(x, geometry, first, last):
                np.matmul(columns, matrix[0], out=rows[some])
                if bias is not None:
                    np.add(rows[some], bias, out=rows[some])

        parallel_ranges(multiply, len(rows), GRAIN)
        return

    def task(first: int, last: int) -> None:
        target = y[first:last]
        columns = _columns(x[first:last], geometry)
        if geometry.groups == 1:
            np.matmul(columns[0], matrix[0], out=target.reshape(-1, geometry.outputs))
        else:
            shape = (*target.shape[:3], geometry.groups, -1)
            product = (columns @ matrix).transpose(1, 0, 2)
            target[...] = product.reshape(shape[:4] + product.shape[2:]).reshape(target.shape)
        if bias is not None:
            np.add(target, bias, out=target)

    _over_batch(task, len(x), geometry, x.itemsize)


def columns_input_gradient(g: Array, w: Array, geometry: Geometry, dx: Array) -> None:
    """Writes the partial with respect to x into dx (N, H, W, C), for g (N, P, Q, O)."""
    matrix = weight_matrix(w, geometry.groups).swapaxes(1, 2)

    def task(first: int, last: int) -> None:
        cotangent = g[first:last]
        rows = math.prod(cotangent.shape[:3])
        columns = scratch("columns", (geometry.groups, rows, geometry.depth), dx.dtype)
        np.matmul(_split_groups(cotangent, geometry.groups), matrix, out=columns)
        _add_columns(columns, geometry, dx[first:last])

    _over_batch(task, len(g), geometry, g.itemsize)


def columns_weight_gradient(x: Array, g: Array, geometry: Geometry) -> Array:
    """The partial with respect to w, (O, C/groups, KH, KW)."""
    groups, depth, width = geometry.groups, geometry.depth, geometry.outputs // geometry.groups
    totals = np.zeros((thread_count(), groups, depth, width), x.dtype)
    step = geometry.images_at_a_time(x.itemsize)
    by_blocks = _goes_by_blocks(x, geometry)
    rows = g.reshape(-1, width) if by_blocks else g

    def multiply(worker: int, first: int, last: int) -> None:
        for columns, some in _blocks(x, geometry, first, last):
            totals[worker, 0] += columns.T @ rows[some]

    def task(worker: int, first: int, last: int) -> None:
        for at in range(first, last, step):
            part = slice(at, min(at + step, last))
            columns = _columns(x[part], geometry)
            totals[worker] += columns.swapaxes(1, 2) @ _split_groups(g[part], groups)

    if by_blocks:
        parallel_ranges(multiply, len(rows), GRAIN, most=len(totals))
    elif geometry.multiplications(len(x)) < THREADS_FROM:
        task(0, 0, len(x))
    else:
        parallel_ranges(task, len(x), most=len(totals))
    return weights_of_sums(totals, geometry.kernel, geometry.outputs)


def _over_batch(
    task: Callable[[int, int], None], batch: int, geometry: Geometry, itemsize: int
) -> None:
    """task(first, last) for chunks of the batch, on all threads if that pays."""
    step = geometry.images_at_a_time(itemsize)
    if geometry.multiplications(batch) < THREADS_FROM:
        for first in range(0, batch, step):
            task(first, min(first + step, batch))
    else:
        parallel_chunks(task, batch, min(step, -(-batch // thread_count())))


def _columns(x: Array, geometry: Geometry) -> Array:
    """(n, H, W, C) as (groups, n * P * Q, KH * KW * C/g)."""
    groups, depth = geometry.groups, geometry.depth
    rows = len(x) * math.prod(geometry.out)
    if geometry.pointwise:
        return geometry.window_starts(x).reshape(1, rows, depth)
    if groups == 1 and compiled_for(x.dtype, rows * depth):
        return _compiled_columns(x, geometry)
    columns = scratch("columns", (groups, rows, depth), x.dtype)
    padded = pad_spatial(x, 1, geometry.padding)
    split = padded.reshape(*padded.shape[:3], groups, padded.shape[3] // groups)
    view = window_view(split, (1, 2), geometry.kernel, geometry.stride, geometry.dilation)
    view = view.transpose(3, 0, 1, 2, 5, 6, 4)
    columns.reshape(view.shape)[...] = view
    return columns


def _compiled_columns(x: Array, geometry: Geometry) -> Array:
    from autograd.kernels import compiled_columns as compiled

    images = _padded_images(x, geometry)
    starts, offsets, length = segments(len(x), geometry)
    count = starts.size * geometry.depth
    columns = scratch("columns", (count + compiled.SLACK,), x.dtype)
    float32 = x.dtype.char == "f"
    gather = compiled.gather_segments_float32 if float32 else compiled.gather_segments
    gather(images, starts, offsets, length, columns)
    return columns[:count].reshape(1, starts.size, geometry.depth)


def _goes_by_blocks(x: Array, geometry: Geometry) -> bool:
    """Whether positions are split, not images: where one image has more columns than the buffer, or
    there are fewer images than threads.
    """
    if geometry.groups != 1 or geometry.pointwise or not x.size:
        return False
    each = math.prod(geometry.out) * geometry.depth
    large = each * x.itemsize > 2 * COLUMN_BYTES
    few = len(x) < thread_count() and geometry.multiplications(len(x)) >= THREADS_FROM
    return (large or few) and compiled_for(x.dtype, len(x) * each)


def _blocks(x: Array, geometry: Geometry, first: int, last: int) -> Iterator[tuple[Array, slice]]:
    """The columns of positions [first, last) of all images, as many as the buffer holds at a time,
    and which they are.
    """
    from autograd.kernels import compiled_columns as compiled

    positions, depth = math.prod(geometry.out), geometry.depth
    starts, offsets, length = segments(1, geometry)
    step = max(GRAIN, COLUMN_BYTES // (depth * x.itemsize))
    columns = scratch("columns", (step * depth + compiled.SLACK,), x.dtype)
    float32 = x.dtype.char == "f"
    gather = compiled.gather_segments_float32 if float32 else compiled.gather_segments
    for n in range(first // positions, -(-last // positions)):
        image = _padded_images(x[n : n + 1], geometry)
        before = n * positions
        for begin in range(max(first - before, 0), min(last - before, positions), step):
            end = min(begin + step, last - before, positions)
            count = (end - begin) * depth
            gather(image, starts[begin:end], offsets, length, columns[: count + compiled.SLACK])
            yield columns[:count].reshape(-1, depth), slice(before + begin, before + end)


def _padded_images(x: Array, geometry: Geometry) -> Array:
    """The padded images (n, H, W, C) one after the other in scratch memory, and some slack."""
    from autograd.kernels import compiled_columns as compiled

    sizes = padded_sizes(geometry)
    images = scratch("padded", (len(x) * math.prod(sizes) + compiled.SLACK,), x.dtype)
    middle = images[: -compiled.SLACK].reshape(len(x), *sizes)
    planes = x.transpose(0, 3, 1, 2)
    if planes.flags.c_contiguous:
        compiled.pad_planes(planes, *geometry.before, middle)
    else:
        float32 = x.dtype.char == "f"
        pad = compiled.pad_images_float32 if float32 else compiled.pad_images
        pad(x, *geometry.before, middle)
    return images


def padded_sizes(geometry: Geometry) -> tuple[int, int, int]:
    """(H', W', C) of an image with its padding."""
    (top, bottom), (left, right) = geometry.padding
    height, width = geometry.in_sizes
    return top + height + bottom, left + width + right, geometry.channels


@lru_cache(maxsize=64)
def segments(images: int, geometry: Geometry) -> tuple[Array, Array, int]:
    """Where windows begin in the flat padded images, where the contiguous pieces of a window lie
    from there, and how long these are.
    """
    height, width, channels = padded_sizes(geometry)
    (p, q), (down, across) = geometry.out, geometry.stride
    starts = (
        (np.arange(images)[:, None, None] * height + np.arange(p)[:, None] * down) * width
        + np.arange(q) * across
    ) * channels
    (kh, kw), (step, aside) = geometry.kernel, geometry.dilation
    rows = np.arange(kh) * step * width * channels
    if aside == 1:
        return starts.ravel(), rows, kw * channels
    return starts.ravel(), (rows[:, None] + np.arange(kw) * aside * channels).ravel(), channels


def _add_columns(columns: Array, geometry: Geometry, dx: Array) -> None:
    if geometry.pointwise:
        dx[...] = 0
        met = geometry.window_starts(dx)
        met[...] = columns.reshape(met.shape)
        return
    if geometry.groups == 1 and compiled_for(dx.dtype, columns.size):
        from autograd.kernels.compiled_columns import add_segments

        sizes = padded_sizes(geometry)
        images = scratch("padded", (len(dx), *sizes), dx.dtype)
        images.fill(0)
        add_segments(columns.ravel(), *segments(len(dx), geometry), images.ravel())
        (top, left), (height, width) = geometry.before, geometry.in_sizes
        dx[...] = images[:, top : top + height, left : left + width]
        return
    dx[...] = 0
    each = geometry.channels // geometry.groups
    pieces = columns.reshape(geometry.groups, len(dx), *geometry.out, *geometry.kernel, each)
    for i, j in np.ndindex(*geometry.kernel):
        here_p, there_y = _meeting(0, i, geometry)
        here_q, there_z = _meeting(1, j, geometry)
        piece = pieces[:, :, here_p, here_q, i, j]
        for group in range(geometry.groups):
            channels = slice(group * each, (group + 1) * each)
            dx[:, there_y, there_z, channels] += piece[group]


def _meeting(axis: int, k: int, geometry: Geometry) -> tuple[slice, slice]:
    return offset_range(
        geometry.dilation[axis] * k - geometry.padding[axis][0],
        geometry.in_sizes[axis],
        geometry.out[axis],
        geometry.stride[axis],
    )


def _split_groups(g: Array, groups: int) -> Array:
    """(n, P, Q, O) as (groups, n * P * Q, O/g)."""
    rows = math.prod(g.shape[:3])
    return g.reshape(rows, groups, g.shape[3] // groups).transpose(1, 0, 2)
