"""Normalisation of each row of a matrix, or group of channels, and its gradients.

Each is in cache while it is worked on. Sums over one are in its dtype over `BLOCK` entries and in
float64 over blocks; sums over many, for the parameters, are in its dtype.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled
from autograd.kernels.compiled_softmaxes import BLOCK, sum_of_row

__all__ = ["gradients_of_groups", "gradients_of_rows", "normalize_groups", "normalize_rows"]

Array = np.ndarray[Any, Any]


@compiled
def _statistics(x: Array, i: int, eps: float, mean: Array, inverse_std: Array) -> None:
    """Of row i. What rounding left in the mean is found in the second pass, and taken off."""
    columns = x.shape[1]
    number = x.dtype.type
    centre = number(sum_of_row(x, i) / columns)
    rest: Any = 0.0
    squares: Any = 0.0
    for begin in range(0, columns, BLOCK):
        part, other = number(0), number(0)
        for j in range(np.uint64(begin), np.uint64(min(begin + BLOCK, columns))):
            distance = x[i, j] - centre
            part += distance
            other += distance * distance
        rest += part
        squares += other
    rest /= columns
    mean[i] = number(centre + rest)
    inverse_std[i] = number(1.0 / np.sqrt(max(squares / columns - rest * rest, 0.0) + eps))


@compiled
def normalize_rows(
    x: Array,
    weight: Array,
    bias: Array,
    eps: float,
    y: Array,
    mean: Array,
    inverse_std: Array,
    _worker: int,
    first: int,
    last: int,
) -> None:
    """y = (x - mean) inverse_std weight + bias of rows [first, last)."""
    for i in range(first, last):
        _statistics(x, i, eps, mean, inverse_std)
        centre, scale = mean[i], inverse_std[i]
        for j in range(x.shape[1]):
            y[i, j] = (x[i, j] - centre) * scale * weight[j] + bias[j]


@compiled
def normalize_groups(
    x: Array,
    weight: Array,
    bias: Array,
    eps: float,
    y: Array,
    mean: Array,
    inverse_std: Array,
    positions: int,
    _worker: int,
    first: int,
    last: int,
) -> None:
    """The same of rows that are groups of channels of so many positions, with parameters for each
    channel.
    """
    channels = x.shape[1] // positions
    for i in range(first, last):
        _statistics(x, i, eps, mean, inverse_std)
        centre, scale = mean[i], inverse_std[i]
        for c in range(channels):
            channel = (i * channels + c) % len(weight)
            factor, shift = scale * weight[channel], bias[channel]
            begin = c * positions
            for j in range(np.uint64(begin), np.uint64(begin + positions)):
                y[i, j] = (x[i, j] - centre) * factor + shift


@compiled
def gradients_of_rows(
    g: Array,
    x: Array,
    weight: Array,
    mean: Array,
    inverse_std: Array,
    dx: Array,
    sums: Array,
    worker: int,
    first: int,
    last: int,
) -> None:
    """dx = inverse_std (s - mean(s) - z mean(s z)) of rows [first, last), with s = g weight and
    z = (x - mean) inverse_std; a column's sums[worker] += g z, and further on += g.
    """
    columns = x.shape[1]
    number = x.dtype.type
    products, plain = sums[worker, :columns], sums[worker, columns:]
    for i in range(first, last):
        centre, scale = mean[i], inverse_std[i]
        whole: Any = 0.0
        slope: Any = 0.0
        for begin in range(0, columns, BLOCK):
            part, other = number(0), number(0)
            for j in range(np.uint64(begin), np.uint64(min(begin + BLOCK, columns))):
                seed = g[i, j] * weight[j]
                part += seed
                other += seed * ((x[i, j] - centre) * scale)
            whole += part
            slope += other
        average, along = number(whole / columns), number(slope / columns)
        for j in range(columns):
            seed = g[i, j]  # what is read comes before what is written, as in `compiled_updates`
            z = (x[i, j] - centre) * scale
            product, added = products[j] + seed * z, plain[j] + seed
            dx[i, j] = scale * (seed * weight[j] - average - z * along)
            products[j] = product
            plain[j] = added


@compiled
def gradients_of_groups(
    g: Array,
    x: Array,
    weight: Array,
    mean: Array,
    inverse_std: Array,
    dx: Array,
    sums: Array,
    positions: int,
    worker: int,
    first: int,
    last: int,
) -> None:
    """The same of groups of channels of so many positions, with sums for each channel."""
    columns = x.shape[1]
    channels = columns // positions
    number = x.dtype.type
    for i in range(first, last):
        centre, scale = mean[i], inverse_std[i]
        whole: Any = 0.0
        slope: Any = 0.0
        for c in range(channels):
            channel = (i * channels + c) % len(weight)
            part, other = number(0), number(0)
            begin = c * positions
            for j in range(np.uint64(begin), np.uint64(begin + positions)):
                part += g[i, j]
                other += g[i, j] * ((x[i, j] - centre) * scale)
            sums[worker, channel] += other
            sums[worker, len(weight) + channel] += part
            whole += part * weight[channel]
            slope += other * weight[channel]
        average, along = number(whole / columns), number(slope / columns)
        for c in range(channels):
            factor = weight[(i * channels + c) % len(weight)]
            begin = c * positions
            for j in range(np.uint64(begin), np.uint64(begin + positions)):
                z = (x[i, j] - centre) * scale
                dx[i, j] = scale * (g[i, j] * factor - average - z * along)
