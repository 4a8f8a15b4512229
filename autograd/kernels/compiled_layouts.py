"""Exchanging the last two axes in memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled
from autograd.kernels.vector_maps import LANES, turn_block

__all__ = ["exchange_axes", "exchange_axes_float32"]

Array = np.ndarray[Any, Any]

BLOCK = 16
"""Entries of a cache line of float32."""


@compiled
def exchange_axes(source: Array, target: Array) -> None:
    """target[n, j, i] = source[n, i, j], both contiguous: a cache line of each row at a time."""
    for n in range(len(source)):
        _exchange_part(source[n], target[n], 0, 0)


@compiled
def exchange_axes_float32(source: Array, target: Array) -> None:
    """The same, in vectors as far as they go."""
    count, rows, columns = source.shape
    for n in range(count):
        before, after = source[n].ravel(), target[n].ravel()
        for i in range(0, rows - LANES + 1, LANES):
            for j in range(0, columns - LANES + 1, LANES):
                turn_block(before, i * columns + j, columns, after, j * rows + i, rows)
        _exchange_part(source[n], target[n], rows // LANES * LANES, columns // LANES * LANES)


@compiled
def _exchange_part(source: Array, target: Array, done_rows: int, done_columns: int) -> None:
    """target[j, i] = source[i, j], unless i < done_rows and j < done_columns."""
    rows, columns = source.shape
    for first in range(0, columns, BLOCK):
        last = min(first + BLOCK, columns)
        for i in range(done_rows if last <= done_columns else 0, rows):
            for j in range(first if i >= done_rows else max(first, done_columns), last):
                target[j, i] = source[i, j]
