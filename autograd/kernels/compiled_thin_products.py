"""Products of matrices of which one is thin: a linear layer's of few outputs, and its gradient's.

A BLAS library packs both factors for a product that uses each packed entry many times; here the
large factor is read once, where it lies.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled
from autograd.kernels.vector_maps import LANES, few_outer_sums

__all__ = ["FEW", "MOST_DOTS", "WIDTH", "long_dots", "long_dots_of_terms", "long_rows"]

Array = np.ndarray[Any, Any]

WIDTH = 2 * LANES
"""Columns of `long_rows` that are computed together."""

FEW = 5
"""Rows that are."""

MOST_DOTS = 2 * FEW if LANES > 8 else FEW
"""Columns up to which long dots are quicker than the BLAS, which shorter vectors slow less."""


@compiled
def long_dots(a: Array, b: Array, first: int, last: int, out: Array) -> None:
    """out[i, j] = sum over t from `first` to `last` of a[i, t] b[j, t], all contiguous."""
    rows, columns = len(a), len(b)
    depth = last - first
    zero = out.dtype.type(0)
    whole_rows, whole_columns = rows // 4 * 4, columns // FEW * FEW
    for i in range(0, whole_rows, 4):
        a0, a1 = a[i, first:last], a[i + 1, first:last]
        a2, a3 = a[i + 2, first:last], a[i + 3, first:last]
        for j in range(0, whole_columns, FEW):
            b0, b1, b2 = b[j, first:last], b[j + 1, first:last], b[j + 2, first:last]
            b3, b4 = b[j + 3, first:last], b[j + 4, first:last]
            # Twenty sums and nine vectors are what registers hold.
            s00, s01, s02, s03, s04 = zero, zero, zero, zero, zero
            s10, s11, s12, s13, s14 = zero, zero, zero, zero, zero
            s20, s21, s22, s23, s24 = zero, zero, zero, zero, zero
            s30, s31, s32, s33, s34 = zero, zero, zero, zero, zero
            for t in range(depth):
                x0, x1, x2, x3 = a0[t], a1[t], a2[t], a3[t]
                y0, y1, y2, y3, y4 = b0[t], b1[t], b2[t], b3[t], b4[t]
                s00 += x0 * y0
                s01 += x0 * y1
                s02 += x0 * y2
                s03 += x0 * y3
                s04 += x0 * y4
                s10 += x1 * y0
                s11 += x1 * y1
                s12 += x1 * y2
                s13 += x1 * y3
                s14 += x1 * y4
                s20 += x2 * y0
                s21 += x2 * y1
                s22 += x2 * y2
                s23 += x2 * y3
                s24 += x2 * y4
                s30 += x3 * y0
                s31 += x3 * y1
                s32 += x3 * y2
                s33 += x3 * y3
                s34 += x3 * y4
            out[i, j : j + FEW] = (s00, s01, s02, s03, s04)
            out[i + 1, j : j + FEW] = (s10, s11, s12, s13, s14)
            out[i + 2, j : j + FEW] = (s20, s21, s22, s23, s24)
            out[i + 3, j : j + FEW] = (s30, s31, s32, s33, s34)
    for i in range(rows):
        for j in range(whole_columns if i < whole_rows else 0, columns):
            x, y = a[i, first:last], b[j, first:last]  # or the loop would use no vectors
            total = zero
            for t in range(depth):
                total += x[t] * y[t]
            out[i, j] = total


@compiled
def long_dots_of_terms(a: Array, b: Array, sums: Array, worker: int, first: int, last: int) -> None:
    """`long_dots` into sums[worker]."""
    long_dots(a, b, first, last, sums[worker])


@compiled
def long_rows(a: Array, b: Array, out: Array, _worker: int, first: int, last: int) -> None:
    """out[i, j] = sum over t of a[i, t] b[t, j] for columns j from `first` to `last`, in float32,
    all contiguous.
    """
    rows, depth = a.shape
    columns = b.shape[1]
    entries, factors, sums = a.ravel(), b.ravel(), out.ravel()
    nothing = np.zeros(WIDTH, b.dtype)
    every, some = np.arange(depth), np.empty(FEW, np.intp)
    buffer, rest = np.empty(FEW * WIDTH, b.dtype), np.zeros(depth * WIDTH, b.dtype)
    for j in range(first, last, WIDTH):
        width = min(WIDTH, last - j)
        if width < WIDTH:
            for t in range(depth):
                for c in range(width):
                    rest[t * WIDTH + c] = b[t, j + c]
        for i in range(0, rows, FEW):
            for k in range(FEW):
                some[k] = min(i + k, rows - 1) * depth
            if width == WIDTH and i + FEW <= rows:
                few_outer_sums(
                    entries, some, 0, every, 0, depth, factors[j:], columns, nothing, 0, 0, sums,
                    i * columns + j, columns,
                )  # fmt: skip
                continue
            part, pitch = (factors[j:], columns) if width == WIDTH else (rest, WIDTH)
            few_outer_sums(
                entries, some, 0, every, 0, depth, part, pitch, nothing, 0, 0, buffer, 0, WIDTH
            )
            for k in range(min(FEW, rows - i)):
                for c in range(width):
                    out[i + k, j + c] = buffer[k * WIDTH + c]
