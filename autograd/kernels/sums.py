"""Sums of large arrays over their last axes, on all threads."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.kernels.backend import compiled_for, read_only
from autograd.kernels.workers import parallel_parts

__all__ = ["sum_over"]

Array = np.ndarray[Any, Any]

FEWEST = 1 << 16
"""Entries from which NumPy takes longer."""

NANOSECONDS = 0.08
"""About what an entry takes one thread."""

SHORT = 16
"""Columns up to which beginning each row takes too long."""


def sum_over(x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    """np.add.reduce; of the last axes of a large array in pieces, whose sums NumPy adds. Where a
    result is not finite, NumPy computes it all again, and says what it says.

    >>> sum_over(np.ones((2, 3)), (1,), False).tolist()
    [3.0, 3.0]
    """
    rows = _in_rows(x, axes)
    if rows is not None:
        from autograd.kernels.compiled_sums import PIECE, sums_of_pieces

        sums = np.empty((len(rows), -(-rows.shape[1] // PIECE)), x.dtype)
        given = rows, sums.reshape(-1)
        parallel_parts(sums_of_pieces, given, sums.size, nanoseconds=NANOSECONDS * x.size)
        total: Array = np.add.reduce(sums, axis=1)
        if np.isfinite(total).all():
            kept = x.shape[: x.ndim - len(axes)]
            result = total.reshape((*kept, *[1] * len(axes)) if keepdims else kept)
            return result if result.ndim else result[()]
    add: Any = np.add
    return add.reduce(x, axis=axes, keepdims=keepdims)


def _in_rows(x: Any, axes: tuple[int, ...]) -> Array | None:
    """The array as a matrix of which rows are summed; None where NumPy is to do it."""
    if (
        type(x) is not np.ndarray
        or x.size < FEWEST
        or not (x.flags.c_contiguous and x.flags.aligned)
    ):
        return None
    first = x.ndim - len(axes)
    if min(axes, default=-1) < first or not compiled_for(x.dtype, x.size):
        return None
    columns = math.prod(x.shape[first:])
    return None if columns < SHORT else read_only(x.reshape(-1, columns))
