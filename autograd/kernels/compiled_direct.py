"""Convolutions of images with few channels, without columns: windows are read where they lie.

The images are flat and padded; window r begins at starts[r], and its entry k lies offsets[k]
behind that (see `columns`). Results have 2 `LANES` channels at a time; whole vectors may touch what
lies behind a row, so a part's last rows go through a buffer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled
from autograd.kernels.vector_maps import LANES, ROWS, outer_sums

__all__ = ["WIDTH", "direct_rows", "direct_weights"]

Array = np.ndarray[Any, Any]

WIDTH = 2 * LANES
"""Channels of the result that are computed together."""

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
def direct_weights(images: Array, starts: Array, offsets: Array, g: Array, total: Array) -> None:
    """total[k, o] += sum over r of images[starts[r] + offsets[k]] g[r, o]; g (R, O), of which
    whole vectors are read: its memory goes on for WIDTH entries. `total` is (K, blocks * WIDTH).
    """
    outputs = g.shape[1]
    depth, width = total.shape
    flat = g.ravel()
    buffer = np.empty(ROWS * WIDTH, total.dtype)
    nothing = np.zeros(WIDTH, total.dtype)
    some = np.empty(ROWS, offsets.dtype)
    for first in range(0, len(g), CHUNK):
        end = min(first + CHUNK, len(g))
        for k in range(0, depth, ROWS):
            for i in range(ROWS):
                some[i] = offsets[min(k + i, depth - 1)]
            for block in range(0, width, WIDTH):
                shifted = flat[block:]
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
