"""Tile transforms of Winograd's F(4x4, 3x3), over images that lie channels-last.

The matrices B^T, A^T and A are written out as sums, for results of 4, 3 and 2 rows. Each transform
goes over the columns of a tile and then over its rows, for `LANES` channels at a time, the last
ones together with some before them; there must be as many. `h` and `d` are buffers of `BUFFER`
entries. Planes are numbered 6 i + j by the points (i, j) in the order 0, 1, -1, infinity, 2, -2, so
that a tile of fewer rows has the first points of a larger one. `groups` says how the tiles are cut,
a line for each of one shape: first row, rows of tiles, size, first column, columns of tiles, size,
number of the first tile.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled, inlined
from autograd.kernels.vector_maps import LANES, ROWS, outer_sums, vector_map

__all__ = [
    "BUFFER",
    "ROWS",
    "WIDTH",
    "input_tiles",
    "output_tiles",
    "spread_tiles",
    "tile_products",
    "weight_sums",
    "weight_tiles",
]

Array = np.ndarray[Any, Any]

BUFFER = 36 * LANES
"""Entries of the buffers."""

WIDTH = 2 * LANES
"""Channels of a result that are computed together."""


def _input_4(d0: Any, d1: Any, d2: Any, d3: Any, d4: Any, d5: Any) -> tuple[Any, ...]:
    """B^T d."""
    a, b = d4 - 4 * d2, d3 - 4 * d1
    e, f = d4 - d2, 2 * (d3 - d1)
    return 4 * d0 - 5 * d2 + d4, a + b, a - b, 4 * d1 - 5 * d3 + d5, e + f, e - f


def _input_3(d0: Any, d1: Any, d2: Any, d3: Any, d4: Any) -> tuple[Any, ...]:
    """The rows are scaled so that the weights' transform is the same as for 4."""
    a, b = 3 * d2, d3 - d1
    return (
        4 * (d0 - d2) + 2 * b,
        3 * (d3 - 2 * d1) - a,
        2 * d1 + d3 - a,
        d4 - d2 - 2 * b,
        4 * b,
    )


def _input_2(d0: Any, d1: Any, d2: Any, d3: Any) -> tuple[Any, ...]:
    """As for 3."""
    a, b = 3 * d2, 3 * d1
    return 4 * (d0 - d2), -1 * (a + b), b - a, d3 - d1


def _output_4(m0: Any, m1: Any, m2: Any, m3: Any, m4: Any, m5: Any) -> tuple[Any, ...]:
    """A^T m."""
    a, b, e, f = m1 + m2, m1 - m2, m4 + m5, m4 - m5
    return m0 + a + e, b + 2 * f, a + 4 * e, b + 8 * f + m3


def _output_3(m0: Any, m1: Any, m2: Any, m3: Any, m4: Any) -> tuple[Any, ...]:
    a, b = m1 + m2, m1 - m2
    return m0 + a + m4, b + 2 * m4, a + 4 * m4 + m3


def _output_2(m0: Any, m1: Any, m2: Any, m3: Any) -> tuple[Any, ...]:
    return m0 + m1 + m2, m1 - m2 + m3


def _spread_4(g0: Any, g1: Any, g2: Any, g3: Any) -> tuple[Any, ...]:
    """A g."""
    a, b = g0 + g2, g1 + g3
    e, f = g0 + 4 * g2, 2 * g1 + 8 * g3
    return g0, a + b, a - b, g3, e + f, e - f


def _spread_3(g0: Any, g1: Any, g2: Any) -> tuple[Any, ...]:
    a = g0 + g2
    return g0, a + g1, a - g1, g2, g0 + 2 * g1 + 4 * g2


def _spread_2(g0: Any, g1: Any) -> tuple[Any, ...]:
    return g0, g0 + g1, g0 - g1, g1


def _weight_points(w0: Any, w1: Any, w2: Any) -> tuple[Any, ...]:
    """G w."""
    a, b, c = (1 / 6) * (w0 + w2), (1 / 6) * w1, (1 / 24) * (w0 + 4 * w2)
    d = (1 / 12) * w1
    return (1 / 4) * w0, -1 * (a + b), b - a, w2, c + d, c - d


def _weight_sums(p0: Any, p1: Any, p2: Any, p3: Any, p4: Any, p5: Any) -> tuple[Any, ...]:
    """G^T p."""
    a, b = (1 / 6) * (p1 + p2), p4 + p5
    return (
        (1 / 4) * p0 - a + (1 / 24) * b,
        (1 / 6) * (p2 - p1) + (1 / 12) * (p4 - p5),
        (1 / 6) * b - a + p3,
    )


_input_of_4, _input_of_3, _input_of_2 = (
    vector_map(_input_4, 6),
    vector_map(_input_3, 5),
    vector_map(_input_2, 4),
)
_output_of_4, _output_of_3, _output_of_2 = (
    vector_map(_output_4, 6),
    vector_map(_output_3, 5),
    vector_map(_output_2, 4),
)
_spread_of_4, _spread_of_3, _spread_of_2 = (
    vector_map(_spread_4, 4),
    vector_map(_spread_3, 3),
    vector_map(_spread_2, 2),
)
_points = vector_map(_weight_points, 3)
_sums = vector_map(_weight_sums, 6)
_add = vector_map(lambda x, y: (x + y,), 2)
_copy = vector_map(lambda x: (x,), 1)


@inlined
def _map_input(
    size: int, source: Array, at: int, step: int, target: Array, to: int, stride: int
) -> None:
    if size == 4:
        _input_of_4(source, at, step, target, to, stride)
    elif size == 3:
        _input_of_3(source, at, step, target, to, stride)
    else:
        _input_of_2(source, at, step, target, to, stride)


@inlined
def _map_output(
    size: int, source: Array, at: int, step: int, target: Array, to: int, stride: int
) -> None:
    if size == 4:
        _output_of_4(source, at, step, target, to, stride)
    elif size == 3:
        _output_of_3(source, at, step, target, to, stride)
    else:
        _output_of_2(source, at, step, target, to, stride)


@inlined
def _map_spread(
    size: int, source: Array, at: int, step: int, target: Array, to: int, stride: int
) -> None:
    if size == 4:
        _spread_of_4(source, at, step, target, to, stride)
    elif size == 3:
        _spread_of_3(source, at, step, target, to, stride)
    else:
        _spread_of_2(source, at, step, target, to, stride)


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
                _copy(images, at + i * row + j * channels, 0, d, to, 0)
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
                    _map_input(size_r, images, start, row, h, j * LANES, 6 * LANES)
            else:
                _gather(images, at, row, channels, rows, columns, tall, wide, d)
                for j in range(wide):
                    _map_input(size_r, d, j * LANES, 6 * LANES, h, j * LANES, 6 * LANES)
            to = (first_tile + k) * pitch + first
            for i in range(tall):
                start = 6 * i * between + to
                _map_input(size_c, h, i * 6 * LANES, LANES, planes, start, between)


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
    size_r: int, size_c: int, cut: Any, m: Array, bias: Array, y: Array, d: Array, h: Array
) -> None:
    n, height, width, channels = y.shape
    images, planes, pitch = y.ravel(), m.ravel(), m.shape[2]
    between, row = m.shape[1] * pitch, width * channels
    down, across = cut[1], cut[4]
    shift = 35 * LANES  # where the bias lies in d, behind the 16 results
    for k in range(n * down * across):
        image, place = k // (down * across), k % (down * across)
        r = cut[0] + size_r * (place // across)
        s = cut[3] + size_c * (place % across)
        for block in range(-(-channels // LANES)):
            first = min(block * LANES, channels - LANES)
            at = (cut[6] + k) * pitch + first
            for j in range(size_c + 2):
                start = j * between + at
                _map_output(size_r, planes, start, 6 * between, h, j * LANES, 6 * LANES)
            for i in range(size_r):
                _map_output(size_c, h, i * 6 * LANES, LANES, d, i * 4 * LANES, LANES)
            _copy(bias, first, 0, d, shift, 0)
            for i in range(min(size_r, height - r)):
                to = (image * height + r + i) * row + s * channels + first
                for j in range(min(size_c, width - s)):
                    at_d = (4 * i + j) * LANES
                    _add(d, at_d, shift - at_d, images, to + j * channels, 0)


@compiled
def output_tiles(m: Array, groups: Array, bias: Array, y: Array, d: Array, h: Array) -> None:
    """The tile A^T m A + bias of y (n, H, W, O) for each tile of m (36, tiles, O)."""
    for group in range(len(groups)):
        cut = groups[group]
        if cut[2] == 4 and cut[5] == 4:
            _output_group(4, 4, cut, m, bias, y, d, h)
        else:
            _output_group(cut[2], cut[5], cut, m, bias, y, d, h)


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
                    _map_spread(size_r, images, start, row, h, j * LANES, 6 * LANES)
            else:
                _gather(images, at, row, channels, rows, columns, size_r, size_c, d)
                for j in range(size_c):
                    _map_spread(size_r, d, j * LANES, 6 * LANES, h, j * LANES, 6 * LANES)
            to = (first_tile + k) * pitch + first
            for i in range(size_r + 2):
                start = 6 * i * between + to
                _map_spread(size_c, h, i * 6 * LANES, LANES, planes, start, between)


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
                    outer_sums(
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
def weight_tiles(w: Array, u: Array, first: int, last: int, d: Array, h: Array) -> None:
    """u[6 i + j, o // WIDTH, c, o % WIDTH] = (G w[o, c] G^T)[i, j] for channels c from `first` to
    `last` of w (O, C, 3, 3), which may have any strides; zeros where there is no o.
    """
    outputs = w.shape[0]
    wide, channels = u.shape[1:3]
    planes, between = u.ravel(), wide * channels * WIDTH
    for c in range(first, last):
        for start in range(0, wide * WIDTH, LANES):
            for o in range(LANES):
                for i in range(3):
                    for j in range(3):
                        there = start + o < outputs
                        d[(3 * i + j) * LANES + o] = w[start + o, c, i, j] if there else 0
            for j in range(3):
                _points(d, j * LANES, 3 * LANES, h, j * LANES, 3 * LANES)
            at = (start // WIDTH * channels + c) * WIDTH + start % WIDTH
            for i in range(6):
                _points(h, i * 3 * LANES, LANES, planes, 6 * i * between + at, between)


@compiled
def weight_sums(total: Array, dw: Array, first: int, last: int, d: Array, h: Array) -> None:
    """dw (O, C, 3, 3) = G^T total G, total (36, C, O), for channels from `first` to `last`."""
    channels, outputs = total.shape[1:]
    sums, between = total.ravel(), channels * outputs
    for c in range(first, last):
        for block in range(-(-outputs // LANES)):
            start = min(block * LANES, outputs - LANES)
            for j in range(6):
                at = j * between + c * outputs + start
                _sums(sums, at, 6 * between, h, j * LANES, 6 * LANES)
            for i in range(3):
                _sums(h, i * 6 * LANES, LANES, d, i * 3 * LANES, LANES)
            for o in range(LANES):
                for i in range(3):
                    for j in range(3):
                        dw[start + o, c, i, j] = d[(3 * i + j) * LANES + o]
