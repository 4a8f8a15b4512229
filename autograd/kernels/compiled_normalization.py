"""Statistics of channels and affine maps by channel, over rows (positions, channels)."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled
from autograd.kernels.compiled_activations import gelu_slope, gelu_value, relu_value

__all__ = [
    "affine_rows",
    "gelu_affine_rows",
    "gelu_gradient_sums",
    "gradient_rows",
    "gradient_sums",
    "relu_affine_rows",
    "relu_gradient_rows",
    "relu_gradient_sums",
    "row_moments",
    "row_sums",
]

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
def relu_affine_rows(x: Array, centre: Array, scale: Array, shift: Array, y: Array) -> None:
    """y = relu((x - centre) scale + shift)."""
    rows, channels = x.shape
    zero = x.dtype.type(0)
    for r in range(rows):
        for c in range(channels):
            y[r, c] = relu_value((x[r, c] - centre[c]) * scale[c] + shift[c], zero)


@compiled
def gelu_affine_rows(x: Array, centre: Array, scale: Array, shift: Array, y: Array) -> None:
    """y = gelu((x - centre) scale + shift)."""
    rows, channels = x.shape
    for r in range(rows):
        for c in range(channels):
            y[r, c] = gelu_value((x[r, c] - centre[c]) * scale[c] + shift[c])


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
    """dx = scale g + slope (x - mean) + shift; dx may be g."""
    rows, channels = x.shape
    seed = np.empty(channels, x.dtype)  # apart from dx, or nothing here is vectorised
    for r in range(rows):
        for c in range(channels):
            seed[c] = g[r, c]
        for c in range(channels):
            dx[r, c] = scale[c] * seed[c] + slope[c] * (x[r, c] - mean[c]) + shift[c]


@compiled
def relu_gradient_sums(
    g: Array, x: Array, mean: Array, factor: Array, bias: Array, sums: Array, products: Array
) -> None:
    """`gradient_sums`, with 0 for g except where (x - mean) factor + bias > 0."""
    rows, channels = x.shape
    total, product = np.empty(channels, x.dtype), np.empty(channels, x.dtype)
    zero = x.dtype.type(0)
    sums[:] = 0
    products[:] = 0
    for first in range(0, rows, BLOCK_ROWS):
        total[:] = 0
        product[:] = 0
        for r in range(first, min(first + BLOCK_ROWS, rows)):
            for c in range(channels):
                distance = x[r, c] - mean[c]
                seed = g[r, c] if distance * factor[c] + bias[c] > zero else zero
                total[c] += seed
                product[c] += seed * distance
        for c in range(channels):
            sums[c] += total[c]
            products[c] += product[c]


@compiled
def relu_gradient_rows(
    g: Array,
    x: Array,
    mean: Array,
    factor: Array,
    bias: Array,
    scale: Array,
    slope: Array,
    shift: Array,
    dx: Array,
) -> None:
    """`gradient_rows`, with 0 for g except where (x - mean) factor + bias > 0; dx may be g."""
    rows, channels = x.shape
    seed = np.empty(channels, x.dtype)
    zero = x.dtype.type(0)
    for r in range(rows):
        for c in range(channels):
            seed[c] = g[r, c]
        for c in range(channels):
            distance = x[r, c] - mean[c]
            passed = seed[c] if distance * factor[c] + bias[c] > zero else zero
            dx[r, c] = scale[c] * passed + slope[c] * distance + shift[c]


@compiled
def gelu_gradient_sums(
    g: Array,
    x: Array,
    mean: Array,
    factor: Array,
    bias: Array,
    seeds: Array,
    sums: Array,
    products: Array,
) -> None:
    """seeds = g gelu'((x - mean) factor + bias), and their sums as in `gradient_sums`; seeds may
    be g.
    """
    rows, channels = x.shape
    total, product = np.empty(channels, x.dtype), np.empty(channels, x.dtype)
    seed = np.empty(channels, x.dtype)
    sums[:] = 0
    products[:] = 0
    for first in range(0, rows, BLOCK_ROWS):
        total[:] = 0
        product[:] = 0
        for r in range(first, min(first + BLOCK_ROWS, rows)):
            for c in range(channels):
                seed[c] = g[r, c]
            for c in range(channels):
                seed[c] *= gelu_slope((x[r, c] - mean[c]) * factor[c] + bias[c])
                seeds[r, c] = seed[c]
            for c in range(channels):
                total[c] += seed[c]
                product[c] += seed[c] * (x[r, c] - mean[c])
        for c in range(channels):
            sums[c] += total[c]
            products[c] += product[c]
