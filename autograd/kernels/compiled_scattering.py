"""The compiled side of adding rows to rows that an index names."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled

__all__ = ["add_rows"]

Array = np.ndarray[Any, Any]


@compiled
def add_rows(out: Array, places: Array, values: Array, _worker: int, first: int, last: int) -> None:
    """out[places[i]] += values[i] for each i in order, in columns [first, last)."""
    for i in range(len(places)):
        row = places[i]
        for j in range(np.uint64(first), np.uint64(last)):
            out[row, j] += values[i, j]
