"""Tile transforms of Winograd's F(4x4, 3x3), over images that lie channels-last.

The matrices B^T, A^T and A are written out as sums. Each transform goes over the columns of a tile
and then over its rows, for `LANES` channels at a time, the last ones together with some before
them; there must be as many. `h` and `d` are buffers of `BUFFER` entries.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled, inlined
from autograd.kernels.vector_maps import LANES, vector_map

__all__ = ["BUFFER", "input_tiles", "output_tiles", "spread_tiles"]

Array = np.ndarray[Any, Any]

BUFFER = 36 * LANES
"""Entries of the buffers."""


def _input_map(d0: Any, d1: Any, d2: Any, d3: Any, d4: Any, d5: Any) -> tuple[Any, ...]:
    """B^T d."""
    a, b = d4 - 4 * d2, d3 - 4 * d1
    e, f = d4 - d2, 2 * (d3 - d1)
    return 4 * d0 - 5 * d2 + d4, a + b, a - b, e + f, e - f, 4 * d1 - 5 * d3 + d5


def _output_map(m0: Any, m1: Any, m2: Any, m3: Any, m4: Any, m5: Any) -> tuple[Any, ...]:
    """A^T m."""
    a, b, e, f = m1 + m2, m1 - m2, m3 + m4, m3 - m4
    return m0 + a + e, b + 2 * f, a + 4 * e, b + 8 * f + m5


def _spread_map(g0: Any, g1: Any, g2: Any, g3: Any) -> tuple[Any, ...]:
    """A g."""
    a, b = g0 + g2, g1 + g3
    e, f = g0 + 4 * g2, 2 * g1 + 8 * g3
    return g0, a + b, a - b, e + f, e - f, g3


_map_input = vector_map(_input_map, 6)
_map_output = vector_map(_output_map, 6)
_map_spread = vector_map(_spread_map, 4)
_add = vector_map(lambda x, y: (x + y,), 2)
_copy = vector_map(lambda x: (x,), 1)


@inlined
def _gather(
    images: Array, at: int, row: int, channels: int, rows: Any, columns: Any, size: int, d: Array
) -> None:
    """The square of `size` from images[at] on into d, zero outside the given rows and columns."""
    for i in range(size):
        for j in range(size):
            to = (size * i + j) * LANES
            if rows[0] <= i < rows[1] and columns[0] <= j < columns[1]:
                _copy(images, at + i * row + j * channels, 0, d, to, 0)
            else:
                for c in range(LANES):
                    d[to + c] = 0


@compiled
def input_tiles(
    x: Array, top: int, left: int, down: int, across: int, v: Array, d: Array, h: Array
) -> None:
    """v[6 i + j, tile] = (B^T d B)[i, j] for each 6x6 tile d of the padded x (n, H, W, C)."""
    n, height, width, channels = x.shape
    images, planes, between = x.ravel(), v.ravel(), v.shape[1] * v.shape[2]
    row = width * channels
    for tile in range(n * down * across):
        image, place = tile // (down * across), tile % (down * across)
        r, s = 4 * (place // across) - top, 4 * (place % across) - left
        rows, columns = (-r, height - r), (-s, width - s)
        inside = r >= 0 and s >= 0 and r + 6 <= height and s + 6 <= width
        for block in range(-(-channels // LANES)):
            first = min(block * LANES, channels - LANES)
            at = (image * height + r) * row + s * channels + first
            if inside:
                for j in range(6):
                    _map_input(images, at + j * channels, row, h, j * LANES, 6 * LANES)
            else:
                _gather(images, at, row, channels, rows, columns, 6, d)
                for j in range(6):
                    _map_input(d, j * LANES, 6 * LANES, h, j * LANES, 6 * LANES)
            to = tile * channels + first
            for i in range(6):
                _map_input(h, i * 6 * LANES, LANES, planes, 6 * i * between + to, between)


@compiled
def output_tiles(
    m: Array, down: int, across: int, bias: Array, y: Array, d: Array, h: Array
) -> None:
    """The 4x4 tile A^T m A + bias of y (n, H, W, O) for each tile of m (36, tiles, O)."""
    n, height, width, channels = y.shape
    images, planes, between = y.ravel(), m.ravel(), m.shape[1] * m.shape[2]
    shift = 35 * LANES  # where the bias lies in d, behind the 16 results
    for tile in range(n * down * across):
        image, place = tile // (down * across), tile % (down * across)
        r, s = 4 * (place // across), 4 * (place % across)
        for block in range(-(-channels // LANES)):
            first = min(block * LANES, channels - LANES)
            at = tile * channels + first
            for j in range(6):
                _map_output(planes, j * between + at, 6 * between, h, j * LANES, 6 * LANES)
            for i in range(4):
                _map_output(h, i * 6 * LANES, LANES, d, i * 4 * LANES, LANES)
            _copy(bias, first, 0, d, shift, 0)
            for i in range(min(4, height - r)):
                to = ((image * height + r + i) * width + s) * channels + first
                for j in range(min(4, width - s)):
                    place_in_d = (4 * i + j) * LANES
                    _add(d, place_in_d, shift - place_in_d, images, to + j * channels, 0)


@compiled
def spread_tiles(g: Array, down: int, across: int, s: Array, d: Array, h: Array) -> None:
    """s[6 i + j, tile] = (A g A^T)[i, j] for each 4x4 tile of g (n, H, W, O), zero outside it."""
    n, height, width, channels = g.shape
    images, planes, between = g.ravel(), s.ravel(), s.shape[1] * s.shape[2]
    for tile in range(n * down * across):
        image, place = tile // (down * across), tile % (down * across)
        top, left = 4 * (place // across), 4 * (place % across)
        rows, columns = (0, height - top), (0, width - left)
        for block in range(-(-channels // LANES)):
            first = min(block * LANES, channels - LANES)
            at = ((image * height + top) * width + left) * channels + first
            _gather(images, at, width * channels, channels, rows, columns, 4, d)
            for j in range(4):
                _map_spread(d, j * LANES, 4 * LANES, h, j * LANES, 4 * LANES)
            to = tile * channels + first
            for i in range(6):
                _map_spread(h, i * 4 * LANES, LANES, planes, 6 * i * between + to, between)
