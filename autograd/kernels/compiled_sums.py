"""Sums of pieces of rows, and of their squares, and of columns.

Piece k of a matrix is entries [`PIECE` j, `PIECE` (j + 1)) of row i, where k counts through the
pieces of all rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled
from autograd.kernels.vector_maps import LANES

__all__ = [
    "COLUMNS",
    "PIECE",
    "ROWS",
    "sums_of_columns",
    "sums_of_pieces",
]

Array = np.ndarray[Any, Any]

PIECE = LANES << 8
"""Entries: few enough for a running sum in each lane of a vector."""

ROWS, COLUMNS = 128, 1 << 11
"""Of a tile of which columns are summed: few rows, so that sums are short, and sums that stay in
the first cache.
"""


@compiled
def sums_of_pieces(
    x: Array, squared: bool, out: Array, _worker: int, first: int, last: int
) -> None:
    """out[k] = the sum of piece k of x, or of its squares, for k in [first, last)."""
    columns = x.shape[1]
    pieces = -(-columns // PIECE)
    for k in range(first, last):
        i, j = k // pieces, k % pieces
        begin, end = np.uint64(j * PIECE), np.uint64(min(columns, (j + 1) * PIECE))
        total = x.dtype.type(0)
        if squared:
            for c in range(begin, end):
                total += x[i, c] * x[i, c]
        else:
            for c in range(begin, end):
                total += x[i, c]
        out[k] = total


@compiled
def sums_of_columns(x: Array, out: Array, _worker: int, first: int, last: int) -> None:
    """out[b, c] = the sum of x[r, c] over rows r in [`ROWS` b, `ROWS` (b + 1)), for tiles [first,
    last), counted along rows of tiles of `COLUMNS` columns.
    """
    rows, columns = x.shape
    across = -(-columns // COLUMNS)
    for k in range(first, last):
        b = k // across
        start, stop = np.uint64(k % across * COLUMNS), min(columns, (k % across + 1) * COLUMNS)
        top, bottom = b * ROWS, min(rows, (b + 1) * ROWS)
        sums = out[b]
        for c in range(start, np.uint64(stop)):
            sums[c] = x[top, c]
        done = top + 1
        for r in range(done, bottom - 3, 4):
            for c in range(start, np.uint64(stop)):
                sums[c] += (x[r, c] + x[r + 1, c]) + (x[r + 2, c] + x[r + 3, c])
            done = r + 4
        for r in range(done, bottom):
            for c in range(start, np.uint64(stop)):
                sums[c] += x[r, c]
