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
from autograd.kernels.columns import Geometry, padded_images, segments, weight_matrix
from autograd.kernels.workers import parallel_chunks, parallel_ranges, scratch, thread_count

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
    x: Array, w: Array, geometry: Geometry, y: Array, bias: Array | None = None
) -> None:
    """Writes the convolution of x (N, H, W, C) with w (O, C, KH, KW), plus the bias (O,), into the
    C-contiguous y (N, P, Q, O).
    """
    from autograd.kernels.compiled_direct import WIDTH, direct_rows

    blocks = -(-geometry.outputs // WIDTH)
    weights: Array = np.zeros((geometry.depth, blocks * WIDTH), np.float32)
    weights[:, : geometry.outputs] = weight_matrix(w, 1)[0]
    weights = np.ascontiguousarray(weights.reshape(-1, blocks, WIDTH).swapaxes(0, 1))
    start: Array = np.zeros(blocks * WIDTH, np.float32)
    if bias is not None:
        start[: geometry.outputs] = bias
    start = start.reshape(blocks, WIDTH)
    offsets = _offsets(geometry)

    def task(first: int, last: int) -> None:
        images = padded_images(x[first:last], geometry)
        starts, _, _ = segments(last - first, geometry)
        rows = y[first:last].reshape(-1, geometry.outputs)
        direct_rows(images, starts, offsets, weights, start, rows)

    parallel_chunks(task, len(x), _images_at_a_time(geometry))


def direct_weight_gradient(x: Array, g: Array, geometry: Geometry) -> Array:
    """The partial with respect to w, (O, C, KH, KW), of x (N, H, W, C) and g (N, P, Q, O)."""
    from autograd.kernels.compiled_direct import WIDTH, direct_weights

    blocks = -(-geometry.outputs // WIDTH)
    totals = np.zeros((thread_count(), geometry.depth, blocks * WIDTH), np.float32)
    spills = geometry.outputs < blocks * WIDTH  # vectors that are read go on behind a row
    offsets = _offsets(geometry)

    step = _images_at_a_time(geometry)

    def task(worker: int, first: int, last: int) -> None:
        for at in range(first, last, step):
            end = min(at + step, last)
            images = padded_images(x[at:end], geometry)
            starts, _, _ = segments(end - at, geometry)
            rows = g[at:end]
            if not rows.flags.c_contiguous or (spills and g[end:].size < WIDTH):
                seeds = scratch("cotangent", (rows.size + WIDTH,), np.float32)
                rows = seeds[: rows.size].reshape(rows.shape)
                rows[...] = g[at:end]
            direct_weights(
                images, starts, offsets, rows.reshape(-1, geometry.outputs), totals[worker]
            )

    parallel_ranges(task, len(x))
    total = totals.sum(axis=0)[:, : geometry.outputs]
    shape = (*geometry.kernel, geometry.channels, geometry.outputs)
    return np.ascontiguousarray(total.reshape(shape).transpose(3, 2, 0, 1))


def _images_at_a_time(geometry: Geometry) -> int:
    entries = math.prod(geometry.in_sizes) * geometry.channels
    return max(1, CHUNK_ENTRIES // (entries + math.prod(geometry.out) * geometry.outputs))


def _offsets(geometry: Geometry) -> Array:
    """Where each entry of a window lies from its beginning, in the order of the columns."""
    _, pieces, length = segments(1, geometry)
    return (pieces[:, None] + np.arange(length)).ravel()
