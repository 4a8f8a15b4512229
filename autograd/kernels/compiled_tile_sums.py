"""Winograd's weight gradient: for each point, the sum over tiles of products of their channels."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled
from autograd.kernels.compiled_winograd import BUFFER, WIDTH, input_tiles, spread_tiles
from autograd.kernels.vector_maps import (
    LANES,
    ROWS,
    add_first_lanes,
    bring_row,
    outer_sums_of_neighbours,
)
from autograd.kernels.winograd_maps import copy

__all__ = ["tile_sums", "tiled_weight_sums"]

Array = np.ndarray[Any, Any]


@compiled
def tile_sums(
    v: Array, s: Array, blocks: Array, columns: Array, panel: Array, total: Array
) -> None:
    """total[p, c, o] += sum over t of v[p, t, c] s[p, t, o], for the planes p and tiles t of
    `blocks`: lines of first and last row of planes, column of planes and tile.

    v is (36, tiles, C), s (36, tiles, O), total (36, C, O); columns[t] is t C, and `panel` memory
    for WIDTH entries of each tile. Up to ROWS - 1 entries behind a tile of v are read.
    """
    size, channels = v.shape[1:]
    outputs = s.shape[2]
    left, right, sums = v.ravel(), s.ravel(), total.ravel()
    nothing, buffer = np.zeros(WIDTH, v.dtype), np.empty(ROWS * WIDTH, v.dtype)
    some = np.empty(ROWS, columns.dtype)
    for line in range(len(blocks)):
        i_0, i_1, j_0, j_1, first, last = blocks[line]
        tiles = last - first
        for k in range((i_1 - i_0) * (j_1 - j_0)):
            plane = 6 * (i_0 + k // (j_1 - j_0)) + j_0 + k % (j_1 - j_0)
            begin = plane * size + first
            for o in range(0, outputs, WIDTH):
                width = min(WIDTH, outputs - o)
                for t in range(tiles):
                    at = (begin + t) * outputs + o
                    if width == WIDTH:
                        copy(right, at, 0, panel, t * WIDTH, 0)
                        copy(right, at + LANES, 0, panel, t * WIDTH + LANES, 0)
                    else:
                        for j in range(WIDTH):
                            panel[t * WIDTH + j] = right[at + j] if j < width else 0
                for c in range(0, channels, ROWS):
                    some[0] = begin * channels + c
                    to = (plane * channels + c) * outputs + o
                    for i in range(ROWS):
                        bring_row(sums, to + i * outputs)
                    # Summed by themselves, not from `total` on, which would round every term to it.
                    outer_sums_of_neighbours(
                        left, some, 0, columns, 0, tiles, panel, WIDTH, nothing, 0, 0, buffer, 0,
                        WIDTH,
                    )  # fmt: skip
                    if width == WIDTH and c + ROWS <= channels:
                        for i in range(ROWS):
                            place = to + i * outputs
                            add_first_lanes(buffer, i * WIDTH, sums, place, LANES)
                            add_first_lanes(buffer, i * WIDTH + LANES, sums, place + LANES, LANES)
                        continue
                    for i in range(min(ROWS, channels - c)):
                        for j in range(width):
                            sums[to + i * outputs + j] += buffer[i * WIDTH + j]


@compiled
def tiled_weight_sums(
    x: Array,
    before: Any,
    g: Array,
    step: int,
    groups: Array,
    blocks: Array,
    last_groups: Array,
    last_blocks: Array,
    v: Array,
    s: Array,
    columns: Array,
    panel: Array,
    total: Array,
) -> None:
    """total (36, C, O) = `tile_sums` of all tiles of images x (N, H, W, C) and cotangents g
    (N, P, Q, O): of `step` images at a time, and of what is left at last.
    """
    d, h = np.empty(BUFFER, v.dtype), np.empty(BUFFER, v.dtype)
    total[:] = 0
    for first in range(0, len(x), step):
        last = min(first + step, len(x))
        if last == len(x):
            groups, blocks = last_groups, last_blocks
        input_tiles(x[first:last], before[0], before[1], groups, v, d, h)
        spread_tiles(g[first:last], groups, s, d, h)
        tile_sums(v, s, blocks, columns, panel, total)
