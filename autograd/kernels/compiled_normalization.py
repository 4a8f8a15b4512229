"""Statistics of channels and affine maps by channel, over rows (positions, channels)."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled

__all__ = ["affine_rows", "gradient_rows", "gradient_sums", "row_moments", "row_sums"]

Array = np.ndarray[Any, Any]

BLOCK_ROWS = 64
"""Rows summed in the working precision before double precision takes over."""


@compiled
def row_moments(x: Array, mean: Array, squares: Array) -> None:
    """The mean of each column, and its sum of squared distances from the mean, in float64.

    Block by block, each centred on its own mean while it is in cache. Source: T. Chan, G. Golub
    and R. LeVeque, Algorithms for computing the sample variance, 1983, equation 1.5.
    """
    rows, channels = x.shape
    total, squared = np.empty(channels, x.dtype), np.empty(channels, x.dtype)
    mean[:] = 0
    squares[:] = 0
    for first in range(0, rows, BLOCK_ROWS):
        last = min(first + BLOCK_ROWS, rows)
        count = last - first
        total[:] = 0
        squared[:] = 0
        for r in range(first, last):
            for c in range(channels):
                total[c] += x[r, c]
        inverse = x.dtype.type(1.0 / count)
        for c in range(channels):
            total[c] *= inverse
        for r in range(first, last):
            for c in range(channels):
                distance = x[r, c] - total[c]
                squared[c] += distance * distance
        share = count / last
        for c in range(channels):
            gap = total[c] - mean[c]
            mean[c] += gap * share
            squares[c] += squared[c] + gap * gap * (first * share)


@compiled
def row_sums(x: Array, sums: Array) -> None:
    """The sum of each column, in float64."""
    rows, channels = x.shape
    total = np.empty(channels, x.dtype)
    sums[:] = 0
    for first in range(0, rows, BLOCK_ROWS):
        total[:] = 0
        for r in range(first, min(first + BLOCK_ROWS, rows)):
            for c in range(channels):
                total[c] += x[r, c]
        for c in range(channels):
            sums[c] += total[c]


@compiled
def affine_rows(x: Array, centre: Array, scale: Array, shift: Array, y: Array) -> None:
    """y = (x - centre) scale + shift."""
    rows, channels = x.shape
    for r in range(rows):
        for c in range(channels):
            y[r, c] = (x[r, c] - centre[c]) * scale[c] + shift[c]


@compiled
def gradient_sums(g: Array, x: Array, mean: Array, sums: Array, products: Array) -> None:
    """The sums of g and of g (x - mean) of each column, in float64."""
    rows, channels = x.shape
    total, product = np.empty(channels, x.dtype), np.empty(channels, x.dtype)
    sums[:] = 0
    products[:] = 0
    for first in range(0, rows, BLOCK_ROWS):
        total[:] = 0
        product[:] = 0
        for r in range(first, min(first + BLOCK_ROWS, rows)):
            for c in range(channels):
                total[c] += g[r, c]
                product[c] += g[r, c] * (x[r, c] - mean[c])
        for c in range(channels):
            sums[c] += total[c]
            products[c] += product[c]


@compiled
def gradient_rows(
    g: Array, x: Array, mean: Array, scale: Array, slope: Array, shift: Array, dx: Array
) -> None:
    """dx = scale g + slope (x - mean) + shift."""
    rows, channels = x.shape
    for r in range(rows):
        for c in range(channels):
            dx[r, c] = scale[c] * g[r, c] + slope[c] * (x[r, c] - mean[c]) + shift[c]
