"""Tile transforms of Winograd's F(4x4, 3x3), over images that lie channels-last."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled

__all__ = ["input_tiles", "output_tiles", "spread_tiles"]

Array = np.ndarray[Any, Any]


@compiled
def input_tiles(x: Array, top: int, left: int, down: int, across: int, v: Array) -> None:
    """v[6 i + j, tile] = (B^T d B)[i, j] for each 6x6 tile d of the padded x (n, H, W, C)."""
    n, height, width, channels = x.shape
    rows, columns = 4 * down + 2, 4 * across + 2
    padded = np.zeros((rows, columns, channels), x.dtype)
    half = np.empty((6, 6, channels), x.dtype)
    two, four, five = x.dtype.type(2), x.dtype.type(4), x.dtype.type(5)
    first_row, last_row = max(0, -top), min(height, rows - top)
    first_column, last_column = max(0, -left), min(width, columns - left)
    tile = 0
    for image in range(n):
        for r in range(first_row, last_row):
            for s in range(first_column, last_column):
                for c in range(channels):
                    padded[r + top, s + left, c] = x[image, r, s, c]
        for ty in range(down):
            for tx in range(across):
                for j in range(6):
                    for c in range(channels):
                        d0 = padded[4 * ty, 4 * tx + j, c]
                        d1 = padded[4 * ty + 1, 4 * tx + j, c]
                        d2 = padded[4 * ty + 2, 4 * tx + j, c]
                        d3 = padded[4 * ty + 3, 4 * tx + j, c]
                        d4 = padded[4 * ty + 4, 4 * tx + j, c]
                        d5 = padded[4 * ty + 5, 4 * tx + j, c]
                        a, b = d4 - four * d2, d3 - four * d1
                        e, f = d4 - d2, two * (d3 - d1)
                        half[0, j, c] = four * d0 - five * d2 + d4
                        half[1, j, c] = a + b
                        half[2, j, c] = a - b
                        half[3, j, c] = e + f
                        half[4, j, c] = e - f
                        half[5, j, c] = four * d1 - five * d3 + d5
                for i in range(6):
                    for c in range(channels):
                        d0, d1, d2 = half[i, 0, c], half[i, 1, c], half[i, 2, c]
                        d3, d4, d5 = half[i, 3, c], half[i, 4, c], half[i, 5, c]
                        a, b = d4 - four * d2, d3 - four * d1
                        e, f = d4 - d2, two * (d3 - d1)
                        v[6 * i, tile, c] = four * d0 - five * d2 + d4
                        v[6 * i + 1, tile, c] = a + b
                        v[6 * i + 2, tile, c] = a - b
                        v[6 * i + 3, tile, c] = e + f
                        v[6 * i + 4, tile, c] = e - f
                        v[6 * i + 5, tile, c] = four * d1 - five * d3 + d5
                tile += 1


@compiled
def output_tiles(m: Array, down: int, across: int, y: Array) -> None:
    """The 4x4 tile A^T m A of y (n, H, W, O) for each tile of m (36, tiles, O)."""
    n, height, width, channels = y.shape
    half = np.empty((4, 6, channels), y.dtype)
    full = np.empty((4, 4, channels), y.dtype)
    two, four, eight = y.dtype.type(2), y.dtype.type(4), y.dtype.type(8)
    tile = 0
    for image in range(n):
        for ty in range(down):
            for tx in range(across):
                for j in range(6):
                    for c in range(channels):
                        m0, m1, m2 = m[j, tile, c], m[6 + j, tile, c], m[12 + j, tile, c]
                        m3, m4, m5 = m[18 + j, tile, c], m[24 + j, tile, c], m[30 + j, tile, c]
                        a, b, e, f = m1 + m2, m1 - m2, m3 + m4, m3 - m4
                        half[0, j, c] = m0 + a + e
                        half[1, j, c] = b + two * f
                        half[2, j, c] = a + four * e
                        half[3, j, c] = b + eight * f + m5
                high, wide = min(4, height - 4 * ty), min(4, width - 4 * tx)
                for i in range(high):
                    for c in range(channels):
                        m0, m1, m2 = half[i, 0, c], half[i, 1, c], half[i, 2, c]
                        m3, m4, m5 = half[i, 3, c], half[i, 4, c], half[i, 5, c]
                        a, b, e, f = m1 + m2, m1 - m2, m3 + m4, m3 - m4
                        full[i, 0, c] = m0 + a + e
                        full[i, 1, c] = b + two * f
                        full[i, 2, c] = a + four * e
                        full[i, 3, c] = b + eight * f + m5
                    for j in range(wide):
                        for c in range(channels):
                            y[image, 4 * ty + i, 4 * tx + j, c] = full[i, j, c]
                tile += 1


@compiled
def spread_tiles(g: Array, down: int, across: int, s: Array) -> None:
    """s[6 i + j, tile] = (A g A^T)[i, j] for each 4x4 tile of g (n, H, W, O), zero outside it."""
    n, height, width, channels = g.shape
    tile_values = np.zeros((4, 4, channels), g.dtype)
    half = np.empty((6, 4, channels), g.dtype)
    two, four, eight = g.dtype.type(2), g.dtype.type(4), g.dtype.type(8)
    tile = 0
    for image in range(n):
        for ty in range(down):
            for tx in range(across):
                high, wide = min(4, height - 4 * ty), min(4, width - 4 * tx)
                for i in range(4):
                    for j in range(4):
                        if i < high and j < wide:
                            for c in range(channels):
                                tile_values[i, j, c] = g[image, 4 * ty + i, 4 * tx + j, c]
                        else:
                            for c in range(channels):
                                tile_values[i, j, c] = 0
                for j in range(4):
                    for c in range(channels):
                        g0, g1 = tile_values[0, j, c], tile_values[1, j, c]
                        g2, g3 = tile_values[2, j, c], tile_values[3, j, c]
                        a, b = g0 + g2, g1 + g3
                        e, f = g0 + four * g2, two * g1 + eight * g3
                        half[0, j, c] = g0
                        half[1, j, c] = a + b
                        half[2, j, c] = a - b
                        half[3, j, c] = e + f
                        half[4, j, c] = e - f
                        half[5, j, c] = g3
                for i in range(6):
                    for c in range(channels):
                        g0, g1, g2, g3 = half[i, 0, c], half[i, 1, c], half[i, 2, c], half[i, 3, c]
                        a, b = g0 + g2, g1 + g3
                        e, f = g0 + four * g2, two * g1 + eight * g3
                        s[6 * i, tile, c] = g0
                        s[6 * i + 1, tile, c] = a + b
                        s[6 * i + 2, tile, c] = a - b
                        s[6 * i + 3, tile, c] = e + f
                        s[6 * i + 4, tile, c] = e - f
                        s[6 * i + 5, tile, c] = g3
                tile += 1
