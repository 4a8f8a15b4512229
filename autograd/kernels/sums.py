"""Sums of large arrays over their last axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.kernels.backend import compiled_for, read_only
from autograd.kernels.workers import parallel_parts

__all__ = ["sum_over"]

Array = np.ndarray[Any, Any]

FEWEST, FEWEST_ROWS = 1 << 16, 1 << 9
"""Entries, and short rows, from which NumPy takes longer."""

NANOSECONDS = 0.08
"""About what an entry takes one thread."""

SHORT = 8
"""Columns from which NumPy adds several entries of a row at once. For fewer it is quicker to add
columns, which gives the same sums.
"""

NARROW = 16
"""Columns up to which beginning each row takes a compiled kernel too long."""

BLOCK = 1 << 12
"""Short rows that are added at a time, so that they stay in the cache."""


def sum_over(x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    """np.add.reduce; of the last axes of a large array in pieces, whose sums NumPy adds, and where
    it is not finite computes all again to say so, or where those are short by columns.

    >>> sum_over(np.ones((2, 3)), (1,), False).tolist()
    [3.0, 3.0]
    """
    rows = _in_rows(x, axes)
    if rows is not None:
        total = _sums(rows)
        if total is not None:
            kept = x.shape[: x.ndim - len(axes)]
            result = total.reshape((*kept, *[1] * len(axes)) if keepdims else kept)
            return result if result.ndim else result[()]
    add: Any = np.add
    return add.reduce(x, axis=axes, keepdims=keepdims)


def _sums(rows: Array) -> Array | None:
    """Of large matrices' rows; None where NumPy is to do it, and to warn."""
    count, columns = rows.shape
    if columns < SHORT:
        total: Array = np.empty(count, rows.dtype)
        for first in range(0, count, BLOCK):
            part, block = total[first : first + BLOCK], rows[first : first + BLOCK]
            np.add(block[:, 0], block[:, 1], out=part)
            for k in range(2, columns):
                part += block[:, k]
        return total
    from autograd.kernels.compiled_sums import PIECE, sums_of_pieces

    sums = np.empty((count, -(-columns // PIECE)), rows.dtype)
    given = rows, sums.reshape(-1)
    parallel_parts(sums_of_pieces, given, sums.size, nanoseconds=NANOSECONDS * rows.size)
    total = np.add.reduce(sums, axis=1)
    return total if np.isfinite(total).all() else None


def _in_rows(x: Any, axes: tuple[int, ...]) -> Array | None:
    """The array as a matrix of which rows are summed; None where NumPy is to do it."""
    if (
        type(x) is not np.ndarray
        or x.size < 2 * FEWEST_ROWS
        or not (x.flags.c_contiguous and x.flags.aligned)
    ):
        return None
    first = x.ndim - len(axes)
    if min(axes, default=-1) < first or x.dtype.char not in "fd" or not x.dtype.isnative:
        return None
    columns = math.prod(x.shape[first:])
    if columns < SHORT:
        if columns < 2 or x.size < FEWEST_ROWS * columns:
            return None
    elif columns < NARROW or x.size < FEWEST or not compiled_for(x.dtype, x.size):
        return None
    return read_only(x.reshape(-1, columns))
