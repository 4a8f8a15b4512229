"""The compiled side of reading rows that an index names, and of adding to them."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled

__all__ = ["add_rows", "read_rows"]

Array = np.ndarray[Any, Any]


@compiled
def read_rows(x: Array, places: Array, out: Array, _worker: int, first: int, last: int) -> None:
    """out[i] = x[places[i]] for i from first to last - 1."""
    for i in range(first, last):
        row = places[i]
        for j in range(x.shape[1]):
            out[i, j] = x[row, j]


@compiled
def add_rows(out: Array, places: Array, values: Array, _worker: int, first: int, last: int) -> None:
    """out[places[i]] += values[i] for each i in order, in columns [first, last)."""
    for i in range(len(places)):
        row = places[i]
        for j in range(np.uint64(first), np.uint64(last)):
            out[row, j] += values[i, j]
