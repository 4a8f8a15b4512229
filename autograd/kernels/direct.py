"""Convolutions of images with few channels (the first layer's) in float32, without columns.

A window is multiplied where it lies in the padded image: a block of windows and of results stays
in the registers while the window's entries go by. Source: the register blocking of K. Goto and
R. van de Geijn, "Anatomy of high-performance matrix multiplication", 2008.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.kernels.backend import compiled_for
from autograd.kernels.columns import Geometry, padded_sizes, segments, weight_matrix
from autograd.kernels.workers import parallel_kernel, scratch, thread_count

__all__ = ["direct_convolve", "direct_pays", "direct_weight_gradient"]

Array = np.ndarray[Any, Any]

MOST_CHANNELS = 8
MOST_OUTPUTS = 128
"""With more, packing a matrix for the BLAS is worth its time."""

CHUNK_ENTRIES = 1 << 17
"""Entries of images and results that are worked on together: they stay in cache."""


def direct_pays(geometry: Geometry, batch: int, dtype: np.dtype[Any]) -> bool:
    """Whether this convolution is computed without columns: a rule of shapes and dtype only."""
    if dtype.char != "f" or geometry.groups != 1 or geometry.channels > MOST_CHANNELS:
        return False
    if geometry.outputs > MOST_OUTPUTS or (geometry.outputs > 32 and geometry.outputs % 32):
        return False
    windows = batch * geometry.out[0] * geometry.out[1]
    return windows > 0 and geometry.depth > 0 and compiled_for(dtype, windows * geometry.depth)


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

    blocks = -(-geometry.outputs // compiled.WIDTH)
    weights: Array = np.zeros((geometry.depth, blocks * compiled.WIDTH), np.float32)
    weights[:, : geometry.outputs] = weight_matrix(w, 1)[0]
    weights = np.ascontiguousarray(weights.reshape(-1, blocks, compiled.WIDTH).swapaxes(0, 1))
    start: Array = np.zeros(blocks * compiled.WIDTH, np.float32)
    if bias is not None:
        start[: geometry.outputs] = bias
    start = start.reshape(blocks, compiled.WIDTH)
    last_map = {None: 0, "relu": compiled.RELU, "gelu": compiled.GELU}[activation]

    def arguments(worker: int, first: int, last: int) -> tuple[Any, ...]:
        windows = _windows(x[first:last], geometry, worker)
        return (*windows, weights, start, last_map, y[first:last])

    cost = geometry.multiplications(len(x)) / 30
    parallel_kernel(compiled.direct_images, arguments, len(x), nanoseconds=cost)


def direct_weight_gradient(x: Array, g: Array, geometry: Geometry) -> Array:
    """The partial with respect to w, (O, C, KH, KW), of x (N, H, W, C) and g (N, P, Q, O)."""
    from autograd.kernels import compiled_direct as compiled

    outputs = geometry.outputs
    blocks = -(-outputs // compiled.WIDTH)
    totals = np.zeros((thread_count(), geometry.depth, blocks * compiled.WIDTH), np.float32)

    def arguments(worker: int, first: int, last: int) -> tuple[Any, ...]:
        windows = _windows(x[first:last], geometry, worker)
        entries = len(windows[6]) * outputs
        seeds = scratch(f"cotangent {worker}", (entries + compiled.WIDTH,), np.float32)
        seeds[entries:] = 0
        planes = _planes(g[first:last]).reshape(-1, outputs, math.prod(geometry.out))
        return (*windows, g[first:last], planes, seeds, totals[worker])

    cost = geometry.multiplications(len(x)) / 30
    parallel_kernel(compiled.direct_weight_sums, arguments, len(x), nanoseconds=cost)
    total = totals.sum(axis=0)[:, :outputs]
    shape = (*geometry.kernel, geometry.channels, outputs)
    return np.ascontiguousarray(total.reshape(shape).transpose(3, 2, 0, 1))


def _windows(x: Array, geometry: Geometry, worker: int) -> tuple[Any, ...]:
    """The first arguments of the compiled kernels for a worker's images x (N, H, W, C)."""
    from autograd.kernels.compiled_columns import SLACK

    step = min(_images_at_a_time(geometry), len(x))
    shape = padded_sizes(geometry)
    images = scratch(f"padded {worker}", (step * math.prod(shape) + SLACK,), np.float32)
    images[-SLACK:] = 0
    starts, _, _ = segments(step, geometry)
    return x, _planes(x), geometry.before, shape, step, images, starts, _offsets(geometry)


def _planes(x: Array) -> Array:
    """(N, H, W, C) as a contiguous (N, C, H, W) if it lies so in memory, else an empty array."""
    planes = x.transpose(0, 3, 1, 2)
    return planes if planes.flags.c_contiguous else np.empty((0, *planes.shape[1:]), x.dtype)


def _images_at_a_time(geometry: Geometry) -> int:
    entries = math.prod(geometry.in_sizes) * geometry.channels
    return max(1, CHUNK_ENTRIES // (entries + math.prod(geometry.out) * geometry.outputs))


def _offsets(geometry: Geometry) -> Array:
    """Where each entry of a window lies from its beginning, in the order of the columns."""
    _, pieces, length = segments(1, geometry)
    return (pieces[:, None] + np.arange(length)).ravel()
