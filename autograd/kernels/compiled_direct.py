"""Convolutions of images with few channels, without columns: windows are read where they lie.

`direct_images` and `direct_weight_sums` pad a few images at a time, which then stay in cache; a
thread calls them once, since Python between calls would wait for the other threads' Python. They
take images (N, H, W, C) of any strides, or `planes` (N, C, H, W), contiguous, if that has entries.

Padded images are flat; window r begins at starts[r], and its entry k lies offsets[k]
behind that (see `columns`). Results have 2 `LANES` channels at a time; whole vectors may touch what
lies behind a row, so a part's last rows go through a buffer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled
from autograd.kernels.compiled_activations import gelu_value, relu_value
from autograd.kernels.compiled_columns import pad_images, pad_planes
from autograd.kernels.compiled_layouts import exchange_axes
from autograd.kernels.vector_maps import LANES, ROWS, outer_sums

__all__ = ["GELU", "RELU", "WIDTH", "direct_images", "direct_weight_sums"]

Array = np.ndarray[Any, Any]

WIDTH = 2 * LANES
"""Channels of the result that are computed together."""

RELU, GELU = 1, 2

CHUNK = 128
"""Windows after which the sums of `direct_weights` go on with the next entries of the window."""


@compiled
def direct_rows(
    images: Array, starts: Array, offsets: Array, weights: Array, bias: Array, y: Array
) -> None:
    """y[r, o] = bias[o] + sum over k of images[starts[r] + offsets[k]] weights[o // WIDTH, k, o].

    weights (blocks, K, WIDTH) and bias (blocks, WIDTH) are filled up with zeros.
    """
    rows, outputs = y.shape
    blocks, depth = weights.shape[:2]
    flat = y.ravel()
    buffer = np.empty(ROWS * WIDTH, y.dtype)
    some = np.empty(ROWS, starts.dtype)
    # The last row that is written in place has WIDTH entries of `y` before it ends.
    whole = max(0, rows - -(-WIDTH // outputs)) // ROWS * ROWS
    for r in range(0, whole, ROWS):
        for block in range(blocks):
            outer_sums(
                images,
                starts,
                r,
                offsets,
                0,
                depth,
                weights[block].ravel(),
                WIDTH,
                bias[block],
                0,
                0,
                flat,
                r * outputs + block * WIDTH,
                outputs,
            )
    for r in range(whole, rows, ROWS):
        for i in range(ROWS):
            some[i] = starts[min(r + i, rows - 1)]
        for block in range(blocks):
            last = weights[block].ravel()
            outer_sums(
                images, some, 0, offsets, 0, depth, last, WIDTH, bias[block], 0, 0, buffer, 0, WIDTH
            )
            for i in range(min(ROWS, rows - r)):
                for c in range(min(WIDTH, outputs - block * WIDTH)):
                    y[r + i, block * WIDTH + c] = buffer[i * WIDTH + c]


@compiled
def direct_weights(
    images: Array, starts: Array, offsets: Array, seeds: Array, outputs: int, total: Array
) -> None:
    """total[k, o] += sum over r of images[starts[r] + offsets[k]] seeds[r outputs + o]; of the
    seeds whole vectors are read: they go on for WIDTH entries. `total` is (K, blocks * WIDTH).
    """
    depth, width = total.shape
    buffer = np.empty(ROWS * WIDTH, total.dtype)
    nothing = np.zeros(WIDTH, total.dtype)
    some = np.empty(ROWS, offsets.dtype)
    for first in range(0, len(starts), CHUNK):
        end = min(first + CHUNK, len(starts))
        for k in range(0, depth, ROWS):
            for i in range(ROWS):
                some[i] = offsets[min(k + i, depth - 1)]
            for block in range(0, width, WIDTH):
                shifted = seeds[block:]
                outer_sums(
                    images,
                    some,
                    0,
                    starts,
                    first,
                    end,
                    shifted,
                    outputs,
                    nothing,
                    0,
                    0,
                    buffer,
                    0,
                    WIDTH,
                )
                for i in range(min(ROWS, depth - k)):
                    for c in range(WIDTH):
                        total[k + i, block + c] += buffer[i * WIDTH + c]


@compiled
def direct_images(
    x: Array,
    planes: Array,
    before: Any,
    shape: Any,
    step: int,
    images: Array,
    starts: Array,
    offsets: Array,
    weights: Array,
    bias: Array,
    activation: int,
    y: Array,
) -> None:
    """`direct_rows` of all images, for y (N, P, Q, O), contiguous, and of that the activation: 0
    for none, RELU or GELU. `images` is memory for `step` images of the padded `shape`
    (H', W', C), and SLACK; `starts` are the windows of so many.
    """
    outputs, zero = y.shape[3], y.dtype.type(0)
    for first in range(0, len(y), step):
        last = min(first + step, len(y))
        middle = images[: (last - first) * shape[0] * shape[1] * shape[2]]
        middle = middle.reshape(last - first, shape[0], shape[1], shape[2])
        if planes.size > 0:
            pad_planes(planes[first:last], before[0], before[1], middle)
        else:
            pad_images(x[first:last], before[0], before[1], middle)
        flat = y[first:last].ravel()
        rows = flat.reshape(-1, outputs)
        direct_rows(images, starts[: len(rows)], offsets, weights, bias, rows)
        if activation == RELU:
            for i in range(flat.size):
                flat[i] = relu_value(flat[i], zero)
        elif activation == GELU:
            for i in range(flat.size):
                flat[i] = gelu_value(flat[i])


@compiled
def direct_weight_sums(
    x: Array,
    planes: Array,
    before: Any,
    shape: Any,
    step: int,
    images: Array,
    starts: Array,
    offsets: Array,
    g: Array,
    seed_planes: Array,
    seeds: Array,
    total: Array,
) -> None:
    """`direct_weights` of all images, for g (N, P, Q, O) of any strides, or `seed_planes`
    (N, O, P Q) if that has entries; `seeds` is memory for `step` of their images, and
    WIDTH entries.
    """
    count, down, across, outputs = g.shape
    for first in range(0, count, step):
        last = min(first + step, count)
        middle = images[: (last - first) * shape[0] * shape[1] * shape[2]]
        middle = middle.reshape(last - first, shape[0], shape[1], shape[2])
        if planes.size > 0:
            pad_planes(planes[first:last], before[0], before[1], middle)
        else:
            pad_images(x[first:last], before[0], before[1], middle)
        flat = seeds[: (last - first) * down * across * outputs]
        if seed_planes.size > 0:
            target = flat.reshape(last - first, down * across, outputs)
            exchange_axes(seed_planes[first:last], target)
        else:
            pixels = flat.reshape(last - first, down, across, outputs)
            for n in range(last - first):
                for p in range(down):
                    for q in range(across):
                        for o in range(outputs):
                            pixels[n, p, q, o] = g[first + n, p, q, o]
        windows = (last - first) * down * across
        direct_weights(images, starts[:windows], offsets, seeds, outputs, total)
