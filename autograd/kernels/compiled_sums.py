"""Sums of pieces of rows, and of their squares.

Piece k of a matrix is entries [`PIECE` j, `PIECE` (j + 1)) of row i, where k counts through the
pieces of all rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled
from autograd.kernels.vector_maps import LANES

__all__ = ["PIECE", "squares_of_pieces", "sums_of_pieces"]

Array = np.ndarray[Any, Any]

PIECE = LANES << 8
"""Entries: few enough for a running sum in each lane of a vector."""


@compiled
def sums_of_pieces(x: Array, out: Array, _worker: int, first: int, last: int) -> None:
    """out[k] = the sum of piece k of x, for k in [first, last)."""
    columns = x.shape[1]
    pieces = -(-columns // PIECE)
    for k in range(first, last):
        i, j = k // pieces, k % pieces
        total = x.dtype.type(0)
        for c in range(np.uint64(j * PIECE), np.uint64(min(columns, (j + 1) * PIECE))):
            total += x[i, c]
        out[k] = total


@compiled
def squares_of_pieces(x: Array, out: Array, _worker: int, first: int, last: int) -> None:
    """out[k] = the sum of the squares of piece k of x, for k in [first, last)."""
    columns = x.shape[1]
    pieces = -(-columns // PIECE)
    for k in range(first, last):
        i, j = k // pieces, k % pieces
        total = x.dtype.type(0)
        for c in range(np.uint64(j * PIECE), np.uint64(min(columns, (j + 1) * PIECE))):
            total += x[i, c] * x[i, c]
        out[k] = total
