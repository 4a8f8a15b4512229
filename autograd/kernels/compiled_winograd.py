"""Tile transforms of Winograd's F(4x4, 3x3), over images that lie channels-last.

The maps of one column or row are in `winograd_maps`. Each transform goes over the columns of a tile
and then over its rows, for `LANES` channels at a time, the last ones together with some before
them; there must be as many. `h` and `d` are buffers of `BUFFER` entries. Planes are numbered 6 i +
j by the points (i, j), so that a tile of fewer rows has the first points of a larger one. `groups`
says how the tiles are cut, a line for each of one shape: first row, rows of tiles, size, first
column, columns of tiles, size, number of the first tile.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled, inlined
from autograd.kernels.compiled_activations import GELU, RELU, gelu_in_place
from autograd.kernels.vector_maps import LANES, ROWS, outer_sums_ahead
from autograd.kernels.winograd_maps import (
    add,
    add_positive,
    copy,
    from_points,
    map_input,
    map_last_output,
    map_output,
    map_spread,
    maximum,
    to_points,
)

__all__ = [
    "BUFFER",
    "ROWS",
    "WIDTH",
    "input_tiles",
    "spread_tiles",
    "tiled_images",
    "weight_sums",
    "weight_tiles",
]

Array = np.ndarray[Any, Any]

BUFFER = 36 * LANES
"""Entries of the buffers."""

_ZEROS, _BIAS = 34 * LANES, 35 * LANES
"""Where in d, behind the results of a tile, `output_tiles` has sums of zeros and the bias."""

WIDTH = 2 * LANES
"""Channels of a result that are computed together."""


@inlined
def _gather(
    images: Array,
    at: int,
    row: int,
    channels: int,
    rows: Any,
    columns: Any,
    height: int,
    width: int,
    d: Array,
) -> None:
    """The rectangle from images[at] on into d, zero outside the given rows and columns."""
    for i in range(height):
        for j in range(width):
            to = (6 * i + j) * LANES
            if rows[0] <= i < rows[1] and columns[0] <= j < columns[1]:
                copy(images, at + i * row + j * channels, 0, d, to, 0)
            else:
                for c in range(LANES):
                    d[to + c] = 0


@inlined
def _input_group(
    size_r: int,
    size_c: int,
    cut: Any,
    x: Array,
    top: int,
    left: int,
    v: Array,
    d: Array,
    h: Array,
) -> None:
    n, height, width, channels = x.shape
    images, planes, pitch = x.ravel(), v.ravel(), v.shape[2]
    between, row = v.shape[1] * pitch, width * channels
    down, across, tall, wide = cut[1], cut[4], size_r + 2, size_c + 2
    first_tile = cut[6]
    for k in range(n * down * across):
        image, place = k // (down * across), k % (down * across)
        r = cut[0] + size_r * (place // across) - top
        s = cut[3] + size_c * (place % across) - left
        rows, columns = (-r, height - r), (-s, width - s)
        inside = r >= 0 and s >= 0 and r + tall <= height and s + wide <= width
        for block in range(-(-channels // LANES)):
            first = min(block * LANES, channels - LANES)
            at = (image * height + r) * row + s * channels + first
            if inside:
                for j in range(wide):
                    start = at + j * channels
                    map_input(size_r, images, start, row, h, j * LANES, 6 * LANES)
            else:
                _gather(images, at, row, channels, rows, columns, tall, wide, d)
                for j in range(wide):
                    map_input(size_r, d, j * LANES, 6 * LANES, h, j * LANES, 6 * LANES)
            to = (first_tile + k) * pitch + first
            for i in range(tall):
                start = 6 * i * between + to
                map_input(size_c, h, i * 6 * LANES, LANES, planes, start, between)


@compiled
def input_tiles(x: Array, top: int, left: int, groups: Array, v: Array, d: Array, h: Array) -> None:
    """v[6 i + j, tile] = (B^T d B)[i, j] for each tile d of the padded x (n, H, W, C)."""
    for group in range(len(groups)):
        cut = groups[group]
        if cut[2] == 4 and cut[5] == 4:  # compiled for these sizes, by far the most
            _input_group(4, 4, cut, x, top, left, v, d, h)
        else:
            _input_group(cut[2], cut[5], cut, x, top, left, v, d, h)


@inlined
def _output_group(
    size_r: int,
    size_c: int,
    cut: Any,
    m: Array,
    bias: Array,
    positive: bool,
    pooled: bool,
    y: Array,
    d: Array,
    h: Array,
) -> None:
    n, height, width, channels = y.shape
    apart = 2 if pooled else 1
    images, planes, pitch = y.ravel(), m.ravel(), m.shape[2]
    between, row = m.shape[1] * pitch, width * channels
    down, across = cut[1], cut[4]
    line = 5 * LANES  # of d: four results and a zero
    for k in range(n * down * across):
        image, place = k // (down * across), k % (down * across)
        r = (cut[0] + size_r * (place // across)) // apart
        s = (cut[3] + size_c * (place % across)) // apart
        for block in range(-(-channels // LANES)):
            first = min(block * LANES, channels - LANES)
            at = (cut[6] + k) * pitch + first
            for j in range(size_c + 2):
                start = j * between + at
                map_output(size_r, planes, start, 6 * between, h, j * LANES, 6 * LANES)
            for i in range(size_r):
                map_last_output(size_c, h, i * 6 * LANES, LANES, d, i * line, LANES)
                zero = i * line + size_c * LANES
                add(d, zero, _ZEROS - zero, d, _ZEROS, 0)
            copy(bias, first, 0, d, _BIAS, 0)
            if pooled:
                for i in range(size_r // 2):
                    for j in range(size_c // 2):
                        at_d = 2 * i * line + 2 * j * LANES
                        maximum(d, at_d, LANES, d, at_d, 0)
                        maximum(d, at_d + line, LANES, d, at_d + line, 0)
                        maximum(d, at_d, line, d, at_d, 0)
            for i in range(min(size_r // apart, height - r)):
                to = (image * height + r + i) * row + s * channels + first
                for j in range(min(size_c // apart, width - s)):
                    at_d = (i * line + j * LANES) * apart
                    if positive:
                        add_positive(d, at_d, _BIAS - at_d, images, to + j * channels, 0)
                    else:
                        add(d, at_d, _BIAS - at_d, images, to + j * channels, 0)


@compiled
def output_tiles(
    m: Array,
    groups: Array,
    bias: Array,
    positive: bool,
    pooled: bool,
    y: Array,
    d: Array,
    h: Array,
) -> bool:
    """The tile A^T m A + bias of y (n, H, W, O) for each tile of m (36, tiles, O); max(that, 0) if
    `positive`. If `pooled`, y has the largest of each 2x2 of these results. Whether all A^T m A are
    finite.
    """
    d[_ZEROS:_BIAS] = 0
    for group in range(len(groups)):
        cut = groups[group]
        if cut[2] == 4 and cut[5] == 4:
            _output_group(4, 4, cut, m, bias, positive, pooled, y, d, h)
        else:
            _output_group(cut[2], cut[5], cut, m, bias, positive, pooled, y, d, h)
    finite = True
    for c in range(_ZEROS, _BIAS):
        finite = finite and d[c] == 0
    return finite


@inlined
def _spread_group(
    size_r: int, size_c: int, cut: Any, g: Array, s: Array, d: Array, h: Array
) -> None:
    n, height, width, channels = g.shape
    images, planes, pitch = g.ravel(), s.ravel(), s.shape[2]
    between, row = s.shape[1] * pitch, width * channels
    down, across = cut[1], cut[4]
    first_tile = cut[6]
    for k in range(n * down * across):
        image, place = k // (down * across), k % (down * across)
        top = cut[0] + size_r * (place // across)
        left = cut[3] + size_c * (place % across)
        rows, columns = (0, height - top), (0, width - left)
        inside = top + size_r <= height and left + size_c <= width
        for block in range(-(-channels // LANES)):
            first = min(block * LANES, channels - LANES)
            at = (image * height + top) * row + left * channels + first
            if inside:
                for j in range(size_c):
                    start = at + j * channels
                    map_spread(size_r, images, start, row, h, j * LANES, 6 * LANES)
            else:
                _gather(images, at, row, channels, rows, columns, size_r, size_c, d)
                for j in range(size_c):
                    map_spread(size_r, d, j * LANES, 6 * LANES, h, j * LANES, 6 * LANES)
            to = (first_tile + k) * pitch + first
            for i in range(size_r + 2):
                start = 6 * i * between + to
                map_spread(size_c, h, i * 6 * LANES, LANES, planes, start, between)


@compiled
def spread_tiles(g: Array, groups: Array, s: Array, d: Array, h: Array) -> None:
    """s[6 i + j, tile] = (A g A^T)[i, j] for each tile of g (n, H, W, O), zero outside it."""
    for group in range(len(groups)):
        cut = groups[group]
        if cut[2] == 4 and cut[5] == 4:
            _spread_group(4, 4, cut, g, s, d, h)
        else:
            _spread_group(cut[2], cut[5], cut, g, s, d, h)


@compiled
def tile_products(
    v: Array, u: Array, m: Array, blocks: Array, rows: Array, columns: Array, nothing: Array
) -> None:
    """m[p, t] = v[p, t] u[p] for the planes p and tiles t of `blocks`: lines of first and last
    row of planes, column of planes and tile. v is (36, tiles, C), m (36, tiles, B * WIDTH), u (36,
    B, C, WIDTH). Up to ROWS - 1 tiles more are written.
    """
    size, channels = v.shape[1:]
    wide, outputs = u.shape[1], m.shape[2]
    tiles, weights, results = v.ravel(), u.ravel(), m.ravel()
    for line in range(len(blocks)):
        i_0, i_1, j_0, j_1, first, last = blocks[line]
        for k in range((i_1 - i_0) * (j_1 - j_0)):
            plane = 6 * (i_0 + k // (j_1 - j_0)) + j_0 + k % (j_1 - j_0)
            left = tiles[plane * size * channels :]
            for block in range(wide):
                right = weights[(plane * wide + block) * channels * WIDTH :]
                for t in range(first, last, ROWS):
                    to = (plane * size + t) * outputs + block * WIDTH
                    outer_sums_ahead(
                        left,
                        rows,
                        t,
                        columns,
                        0,
                        channels,
                        right,
                        WIDTH,
                        nothing,
                        0,
                        0,
                        results,
                        to,
                        outputs,
                    )


@compiled
def tiled_images(
    x: Array,
    before: Any,
    step: int,
    groups: Array,
    blocks: Array,
    last_groups: Array,
    last_blocks: Array,
    u: Array,
    v: Array,
    m: Array,
    rows: Array,
    columns: Array,
    nothing: Array,
    bias: Array,
    activation: int,
    pooled: bool,
    y: Array,
    strange: Array,
) -> None:
    """The convolution of images x (N, H, W, C), plus the bias, and of that the activation (0 for
    none, RELU or GELU), as y (N, P, Q, O): `step` images at a time, and what is left at last. If
    `pooled`, without GELU, y (N, P // 2, Q // 2, O) has the maxima of 2x2 results. strange[0] is 1
    if a convolution is not finite.
    """
    strange[0] = 0
    d, h = np.empty(BUFFER, y.dtype), np.empty(BUFFER, y.dtype)
    for first in range(0, len(y), step):
        last = min(first + step, len(y))
        if last == len(y):
            groups, blocks = last_groups, last_blocks
        input_tiles(x[first:last], before[0], before[1], groups, v, d, h)
        tile_products(v, u, m, blocks, rows, columns, nothing)
        if not output_tiles(m, groups, bias, activation == RELU, pooled, y[first:last], d, h):
            strange[0] = 1
        if activation == GELU:  # while it is in cache
            gelu_in_place(y[first:last].ravel())


@compiled
def weight_tiles(w: Array, u: Array, first: int, last: int) -> None:
    """u[6 i + j, o // WIDTH, c, o % WIDTH] = (G w[o, c] G^T)[i, j] for channels c from `first` to
    `last` of w (O, C, 3, 3), which may have any strides; zeros where there is no o.
    """
    outputs = w.shape[0]
    wide, channels = u.shape[1:3]
    d, h = np.empty(BUFFER, u.dtype), np.empty(BUFFER, u.dtype)
    planes, between = u.ravel(), wide * channels * WIDTH
    for c in range(first, last):
        for start in range(0, wide * WIDTH, LANES):
            for o in range(LANES):
                for i in range(3):
                    for j in range(3):
                        there = start + o < outputs
                        d[(3 * i + j) * LANES + o] = w[start + o, c, i, j] if there else 0
            for j in range(3):
                to_points(d, j * LANES, 3 * LANES, h, j * LANES, 3 * LANES)
            at = (start // WIDTH * channels + c) * WIDTH + start % WIDTH
            for i in range(6):
                to_points(h, i * 3 * LANES, LANES, planes, 6 * i * between + at, between)


@compiled
def weight_sums(totals: Array, dw: Array, first: int, last: int) -> None:
    """dw (O, C, 3, 3) = G^T T G with T (36, C, O) the sum of `totals`, for channels from `first` to
    `last`. The first of the totals is changed.
    """
    channels, outputs = totals.shape[2:]
    sums, between = totals[0].ravel(), channels * outputs
    d, h = np.empty(BUFFER, dw.dtype), np.empty(BUFFER, dw.dtype)
    for c in range(first, last):
        for worker in range(1, len(totals)):
            for p in range(36):
                for o in range(outputs):
                    totals[0, p, c, o] += totals[worker, p, c, o]
        for block in range(-(-outputs // LANES)):
            start = min(block * LANES, outputs - LANES)
            for j in range(6):
                at = j * between + c * outputs + start
                from_points(sums, at, 6 * between, h, j * LANES, 6 * LANES)
            for i in range(3):
                from_points(h, i * 6 * LANES, LANES, d, i * 3 * LANES, LANES)
            for o in range(LANES):
                for i in range(3):
                    for j in range(3):
                        dw[start + o, c, i, j] = d[(3 * i + j) * LANES + o]
