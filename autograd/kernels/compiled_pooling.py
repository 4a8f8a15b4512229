"""The largest entry of each window and where it lies, and what is put back there."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled

__all__ = ["largest_in_windows", "scatter_planes"]

Array = np.ndarray[Any, Any]


@compiled
def largest_in_windows(
    x: Array,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    before: tuple[int, ...],
    dilation: tuple[int, ...],
    best: Array,
    index: Array,
) -> None:
    """x is (N, H, W, C), best and index (N, P, Q, C); the first of equals or the first NaN wins."""
    images, height, width, channels = x.shape
    rows, columns = best.shape[1:3]
    for n in range(images):
        for p in range(rows):
            for q in range(columns):
                fresh = True
                for i in range(kernel[0]):
                    y = p * stride[0] - before[0] + i * dilation[0]
                    if y < 0 or y >= height:
                        continue
                    for j in range(kernel[1]):
                        z = q * stride[1] - before[1] + j * dilation[1]
                        if z < 0 or z >= width:
                            continue
                        place = y * width + z
                        if fresh:
                            for c in range(channels):
                                best[n, p, q, c] = x[n, y, z, c]
                                index[n, p, q, c] = place
                            fresh = False
                        else:
                            for c in range(channels):
                                old, new = best[n, p, q, c], x[n, y, z, c]
                                better = (not new <= old) & (old == old)
                                best[n, p, q, c] = new if better else old
                                index[n, p, q, c] = place if better else index[n, p, q, c]


@compiled
def scatter_planes(g: Array, index: Array, x: Array) -> None:
    """x[n, index[n, p, c], c] += g[n, p, c], after clearing x (N, positions, C)."""
    images, windows, channels = g.shape
    zero = x.dtype.type(0)
    for n in range(images):
        x[n] = zero
        for p in range(windows):
            for c in range(channels):
                x[n, index[n, p, c], c] += g[n, p, c]
