"""Exchanging the last two axes in memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled

__all__ = ["exchange_axes"]

Array = np.ndarray[Any, Any]

BLOCK = 16
"""Entries of a cache line of float32."""


@compiled
def exchange_axes(source: Array, target: Array) -> None:
    """target[n, j, i] = source[n, i, j], both contiguous: a cache line of each row at a time."""
    count, rows, columns = source.shape
    for n in range(count):
        for first in range(0, columns, BLOCK):
            last = min(first + BLOCK, columns)
            for i in range(rows):
                for j in range(first, last):
                    target[n, j, i] = source[n, i, j]
