"""Layers as plain loops over NumPy scalars, to compare with."""

from __future__ import annotations

from typing import Any

import numpy as np


def convolve(
    x: Any, w: Any, b: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> np.ndarray:
    """Cross-correlation of (N, C, H, W) with (O, C/groups, kh, kw), entry by entry."""
    n, _, height, width = x.shape
    outputs, depth, kh, kw = w.shape
    rows = (height + 2 * padding[0] - dilation[0] * (kh - 1) - 1) // stride[0] + 1
    columns = (width + 2 * padding[1] - dilation[1] * (kw - 1) - 1) // stride[1] + 1
    y = np.zeros((n, outputs, rows, columns))
    for image, o, p, q in np.ndindex(y.shape):
        total = 0.0 if b is None else b[o]
        first = o // (outputs // groups) * depth
        for c, i, j in np.ndindex(depth, kh, kw):
            row = p * stride[0] + i * dilation[0] - padding[0]
            column = q * stride[1] + j * dilation[1] - padding[1]
            if 0 <= row < height and 0 <= column < width:
                total += w[o, c, i, j] * x[image, first + c, row, column]
        y[image, o, p, q] = total
    return y


def pool(x: Any, kernel: Any, stride: Any, padding: Any, reduce: Any) -> np.ndarray:
    """`reduce` of the entries of each window that lie inside the image."""
    n, channels, height, width = x.shape
    rows = (height + 2 * padding[0] - kernel[0]) // stride[0] + 1
    columns = (width + 2 * padding[1] - kernel[1]) // stride[1] + 1
    y = np.zeros((n, channels, rows, columns))
    for image, c, p, q in np.ndindex(y.shape):
        inside = [
            x[image, c, row, column]
            for row in range(p * stride[0] - padding[0], p * stride[0] - padding[0] + kernel[0])
            for column in range(q * stride[1] - padding[1], q * stride[1] - padding[1] + kernel[1])
            if 0 <= row < height and 0 <= column < width
        ]
        y[image, c, p, q] = reduce(inside)
    return y


def standardise(values: Any, eps: float) -> np.ndarray:
    """(v - mean) / sqrt(variance + eps) of a flat list."""
    values = np.asarray(values, float)
    mean = values.sum() / values.size
    variance = ((values - mean) ** 2).sum() / values.size
    return (values - mean) / np.sqrt(variance + eps)
