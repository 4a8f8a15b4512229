"""3x3 convolution with stride 1 in float32 by Winograd's F(4x4, 3x3): a quarter of the products.

Source: A. Lavin and S. Gray, "Fast algorithms for convolutional neural networks", 2015
(arXiv:1509.09308). Each 4x4 tile of the output is A^T [(G w G^T) * (B^T d B)] A for a 6x6 tile d
of the input; the products over channels are 36 matrix products. The weight gradient is the
transpose: G^T [sum over tiles of (B^T d B) * (A g A^T)] G. The relative error is about 1e-5, ten
times that of the direct sum.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.kernels.backend import compiled_for
from autograd.kernels.columns import Geometry
from autograd.kernels.workers import (
    parallel_ranges,
    scratch,
    thread_count,
)

__all__ = ["winograd_convolve", "winograd_pays", "winograd_weight_gradient"]

Array = np.ndarray[Any, Any]

FEWEST_CHANNELS = 16
"""The transforms work on so many at a time."""

TILE_BYTES = 2 << 20
MANY_WEIGHTS = 1 << 15
TILES_FOR_MANY_WEIGHTS = 256
"""Measured with `python -m benchmarks.choices`: sizes of 1, 2 and 4 MiB, 64 to 512 tiles."""

FEWEST_TILES = 128
"""Below this many tiles in the whole batch the direct sum is as fast."""

WEIGHT_TRANSFORM = np.array(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ]
)


def winograd_pays(geometry: Geometry, batch: int, dtype: np.dtype[Any]) -> bool:
    """Whether this convolution goes by tiles: a rule of shapes and dtype only."""
    if dtype.char != "f" or geometry.groups != 1 or geometry.kernel != (3, 3):
        return False
    if geometry.stride != (1, 1) or geometry.dilation != (1, 1):
        return False
    if min(geometry.channels, geometry.outputs) < FEWEST_CHANNELS:
        return False
    if max(max(pair) for pair in geometry.padding) > 2:
        return False
    down, across = _tiles(geometry)
    if batch * down * across < FEWEST_TILES or 16 * down * across > 2 * math.prod(geometry.out):
        return False
    return compiled_for(dtype, batch * geometry.channels * math.prod(geometry.in_sizes))


def winograd_convolve(
    x: Array, w: Array, geometry: Geometry, y: Array, bias: Array | None = None
) -> None:
    """Writes the convolution of x (N, H, W, C) with w (O, C, 3, 3), plus the bias (O,), into the
    C-contiguous y (N, P, Q, O).
    """
    from autograd.kernels.compiled_winograd import BUFFER, input_tiles, output_tiles

    n, channels = x.shape[0], x.shape[3]
    down, across = _tiles(geometry)
    top, left = geometry.before
    taps = w.transpose(2, 3, 1, 0).reshape(9, -1).astype(np.float32, copy=False)
    u = np.matmul(_double_transform(), taps).reshape(36, channels, w.shape[0])
    added = np.zeros(w.shape[0], np.float32) if bias is None else bias
    step = _images_at_a_time(down * across, channels, w.shape[0])

    def task(_: int, first: int, last: int) -> None:
        size = min(step, last - first) * down * across
        d, h = (scratch(name, (BUFFER,), np.float32) for name in ("tile", "half"))
        v = scratch("input", (36, size + 1, channels), np.float32)
        m = scratch("output", (36, size + 1, w.shape[0]), np.float32)
        for at in range(first, last, step):
            end = min(at + step, last)
            tiles = (end - at) * down * across
            input_tiles(_contiguous(x[at:end], "images"), top, left, down, across, v, d, h)
            np.matmul(v[:, :tiles], u, out=m[:, :tiles])
            output_tiles(m, down, across, added, y[at:end], d, h)

    parallel_ranges(task, n, step)


def winograd_weight_gradient(x: Array, g: Array, geometry: Geometry) -> Array:
    """The partial with respect to w, (O, C, 3, 3), of x (N, H, W, C) and g (N, P, Q, O)."""
    from autograd.kernels.compiled_winograd import BUFFER, input_tiles, spread_tiles

    n, channels, outputs = x.shape[0], x.shape[3], g.shape[3]
    down, across = _tiles(geometry)
    top, left = geometry.before
    step = _images_at_a_time(down * across, channels, outputs)
    totals = np.empty((thread_count(), 36, channels, outputs), np.float32)
    used = [False] * len(totals)

    def task(worker: int, first: int, last: int) -> None:
        size = min(step, last - first) * down * across
        d, h = (scratch(name, (BUFFER,), np.float32) for name in ("tile", "half"))
        v = scratch("input", (36, size + 1, channels), np.float32)
        s = scratch("output", (36, size + 1, outputs), np.float32)
        product = scratch("product", (36, channels, outputs), np.float32)
        for at in range(first, last, step):
            end = min(at + step, last)
            tiles = (end - at) * down * across
            input_tiles(_contiguous(x[at:end], "images"), top, left, down, across, v, d, h)
            spread_tiles(_contiguous(g[at:end], "cotangent"), down, across, s, d, h)
            turned, spread = v[:, :tiles].swapaxes(1, 2), s[:, :tiles]
            if used[worker]:
                np.matmul(turned, spread, out=product)
                totals[worker] += product
            else:
                np.matmul(turned, spread, out=totals[worker])
                used[worker] = True

    parallel_ranges(task, n, step)
    transform = np.tile(_double_transform().T, sum(used))
    dw = transform @ totals[: sum(used)].reshape(-1, channels * outputs)
    return dw.reshape(3, 3, channels, outputs).transpose(3, 2, 0, 1)


def _double_transform() -> Array:
    """G w G^T as one matrix for the nine entries of w."""
    return np.kron(WEIGHT_TRANSFORM, WEIGHT_TRANSFORM).astype(np.float32)


def _images_at_a_time(tiles: int, channels: int, outputs: int) -> int:
    """The tiles of the images stay in cache; many, where the weights cost more to read."""
    if channels * outputs > MANY_WEIGHTS:
        return max(1, TILES_FOR_MANY_WEIGHTS // tiles)
    return max(1, TILE_BYTES // (36 * 4 * (channels + outputs)) // tiles)


def _tiles(geometry: Geometry) -> tuple[int, int]:
    return -(-geometry.out[0] // 4), -(-geometry.out[1] // 4)


def _contiguous(x: Array, name: str) -> Array:
    if x.flags.c_contiguous:
        return x
    copy = scratch(name, x.shape, x.dtype)
    copy[...] = x
    return copy
