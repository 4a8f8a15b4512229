"""Windows of images copied into rows (im2col), and rows added back (its transpose)."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled

__all__ = ["add_columns", "gather_columns"]

Array = np.ndarray[Any, Any]


@compiled
def gather_columns(
    x: Array,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    before: tuple[int, ...],
    dilation: tuple[int, ...],
    out: tuple[int, ...],
    columns: Array,
) -> None:
    """Row (n, p, q) of columns holds the window there of x (N, H, W, C), in (kh, kw, c) order."""
    images, height, width, channels = x.shape
    row = 0
    for n in range(images):
        for p in range(out[0]):
            for q in range(out[1]):
                at = 0
                left = q * stride[1] - before[1]
                for i in range(kernel[0]):
                    y = p * stride[0] - before[0] + i * dilation[0]
                    inside = 0 <= y < height
                    for j in range(kernel[1]):
                        z = left + j * dilation[1]
                        if inside and 0 <= z < width:
                            for c in range(channels):
                                columns[row, at + c] = x[n, y, z, c]
                        else:
                            for c in range(channels):
                                columns[row, at + c] = 0
                        at += channels
                row += 1


@compiled
def add_columns(
    columns: Array,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    before: tuple[int, ...],
    dilation: tuple[int, ...],
    out: tuple[int, ...],
    x: Array,
) -> None:
    """The transpose of `gather_columns`, into x (N, H, W, C), which it clears first."""
    images, height, width, channels = x.shape
    row = 0
    for n in range(images):
        for y in range(height):
            for z in range(width):
                for c in range(channels):
                    x[n, y, z, c] = 0
        for p in range(out[0]):
            for q in range(out[1]):
                at = 0
                left = q * stride[1] - before[1]
                for i in range(kernel[0]):
                    y = p * stride[0] - before[0] + i * dilation[0]
                    if 0 <= y < height:
                        for j in range(kernel[1]):
                            z = left + j * dilation[1]
                            if 0 <= z < width:
                                for c in range(channels):
                                    x[n, y, z, c] += columns[row, at + c]
                            at += channels
                    else:
                        at += kernel[1] * channels
                row += 1
