"""Normalisation of each row of a matrix, and its gradients, a row at a time.

Sums of a row are in its dtype over `BLOCK` entries and in float64 over blocks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled
from autograd.kernels.compiled_softmaxes import BLOCK, sum_of_row

__all__ = ["gradients_of_rows", "normalize_rows"]

Array = np.ndarray[Any, Any]


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
    """y = (x - mean) inverse_std weight + bias of rows [first, last).

    Row i has the parameters of row i modulo as many as there are.
    """
    columns = x.shape[1]
    number = x.dtype.type
    for i in range(first, last):
        own = i % len(weight)
        also = i % len(bias)
        centre = number(sum_of_row(x, i) / columns)
        squares: Any = 0.0
        for begin in range(0, columns, BLOCK):
            part = number(0)
            for j in range(np.uint64(begin), np.uint64(min(begin + BLOCK, columns))):
                distance = x[i, j] - centre
                part += distance * distance
            squares += part
        scale = number(1.0 / np.sqrt(squares / columns + eps))
        mean[i] = centre
        inverse_std[i] = scale
        for j in range(columns):
            y[i, j] = (x[i, j] - centre) * scale * weight[own, j] + bias[also, j]


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
    z = (x - mean) inverse_std; sums[0, worker] += g z and sums[1, worker] += g, by groups of rows.
    """
    columns = x.shape[1]
    number = x.dtype.type
    groups = sums.shape[2]
    for i in range(first, last):
        own, group = i % len(weight), i % groups
        centre, scale = mean[i], inverse_std[i]
        whole: Any = 0.0
        slope: Any = 0.0
        for begin in range(0, columns, BLOCK):
            part, other = number(0), number(0)
            for j in range(np.uint64(begin), np.uint64(min(begin + BLOCK, columns))):
                z = (x[i, j] - centre) * scale
                seed = g[i, j] * weight[own, j]
                part += seed
                other += seed * z
            whole += part
            slope += other
        average, along = number(whole / columns), number(slope / columns)
        for j in range(columns):
            z = (x[i, j] - centre) * scale
            dx[i, j] = scale * (g[i, j] * weight[own, j] - average - z * along)
            sums[0, worker, group, j] += g[i, j] * z
            sums[1, worker, group, j] += g[i, j]
