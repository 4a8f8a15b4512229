"""Sums of large arrays over their last or first axes, and of squares over their last."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.kernels.backend import compiled_for, read_only
from autograd.kernels.workers import SHARED_FROM, WORTH_A_PART, parallel_parts

__all__ = ["mean_of_squares", "sum_of_squares", "sum_over"]

Array = np.ndarray[Any, Any]

_add: Any = np.add

FEWEST, FEWEST_ROWS = 1 << 16, 1 << 9
"""Entries, and short rows, from which NumPy takes longer."""

FEWEST_SQUARES = 1 << 14
"""Entries from which squares that NumPy sums take longer."""

FEW = 1 << 14
"""Entries up to which a sum of squares is left to the BLAS: its sums are short, on one thread."""

NANOSECONDS = WORTH_A_PART / SHARED_FROM
"""For an entry, which takes one thread half as long: so all threads sum from there on."""

SHORT = 8
"""Columns from which NumPy adds several entries of a row at once. For fewer it is quicker to add
columns, which gives the same sums.
"""

NARROW = 16
"""Columns up to which beginning each row takes a compiled kernel too long."""

FEW_COLUMNS = 64
"""Columns up to which NumPy takes long to begin each row, where they are added."""

BLOCK = 1 << 12
"""Short rows that are added at a time, so that they stay in the cache."""


def sum_over(x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    """np.add.reduce; over the last or the first axes of a large array of parts, whose sums NumPy
    adds, and where those are not finite computes all again to say so; over short rows by columns.

    >>> sum_over(np.ones((2, 3)), (1,), False).tolist()
    [3.0, 3.0]
    """
    if (
        type(x) is np.ndarray
        and x.size >= 2 * FEWEST_ROWS
        and (x.size >= FEWEST or x.shape[-1] < FEW_COLUMNS)
    ):
        total = _by_pieces(x, axes, keepdims, False)
        if total is None:
            total = _of_columns(x, axes, keepdims)
        if total is not None:
            return total
    return _add.reduce(x, axis=axes, keepdims=keepdims)


def sum_of_squares(x: Any, axis: tuple[int, ...], keepdims: bool = False) -> Any:
    """np.add.reduce(np.square(x)) over some axes, without the squares if x is large.

    >>> float(sum_of_squares(np.array([3.0, 4.0]), (0,)))
    25.0
    """
    if (
        type(x) is np.ndarray
        and 0 < x.size <= FEW
        and len(axis) == x.ndim
        and x.dtype.char in "fd"
        and x.flags.c_contiguous
    ):
        flat = x.reshape(-1)
        total = flat.dot(flat)
        return total.reshape((1,) * x.ndim) if keepdims else total
    told = np.geterr()["under"] != "ignore"
    found = None if told else _by_pieces(x, axis, keepdims, True)
    return sum_over(np.square(x), axis, keepdims) if found is None else found


def mean_of_squares(x: Any, axis: tuple[int, ...], keepdims: bool = False) -> Any:
    """The same divided by the number of entries.

    >>> float(mean_of_squares(np.array([3.0, 4.0]), (0,)))
    12.5
    """
    if type(x) is not np.ndarray or x.dtype.char not in "fd":
        return np.mean(np.square(x), axis=axis, keepdims=keepdims)  # in float32 for float16
    return sum_of_squares(x, axis, keepdims) / math.prod([x.shape[k] for k in axis])


def _by_pieces(x: Any, axes: tuple[int, ...], keepdims: bool, squared: bool) -> Any:
    """The sums of entries, or their squares, in the shape that NumPy gives them; None where it is
    to do it.
    """
    rows = _in_rows(x, axes, squared)
    total = None if rows is None else _sums(rows, squared)
    if total is None:
        return None
    kept = x.shape[: x.ndim - len(axes)]
    result = total.reshape((*kept, *[1] * len(axes)) if keepdims else kept)
    return result if result.ndim else result[()]


def _of_columns(x: Array, axes: tuple[int, ...], keepdims: bool) -> Array | None:
    """Sums over the first axes of an array that has rows; None where NumPy is to do it."""
    count = len(axes)
    if (
        not 0 < count < x.ndim
        or max(axes) >= count
        or not (x.flags.c_contiguous and x.flags.aligned)
    ):
        return None
    kept = x.shape[count:]
    columns = math.prod(kept)
    if columns < FEW_COLUMNS:
        if columns < 2 or x.size < FEWEST_ROWS * columns or not compiled_for(x.dtype, 16 * x.size):
            return None
    elif x.size < max(2 * FEWEST, 8 * columns) or not compiled_for(x.dtype, x.size):
        return None
    from autograd.kernels import compiled_sums as compiled

    sums = read_only(x.reshape(-1, columns))
    while len(sums) > 1:  # sums of sums, so that none is of many
        rows, sums = sums, np.empty((-(-len(sums) // compiled.ROWS), columns), x.dtype)
        tiles = len(sums) * -(-columns // compiled.COLUMNS)
        cost = NANOSECONDS * rows.size
        parallel_parts(compiled.sums_of_columns, (read_only(rows), sums), tiles, nanoseconds=cost)
    total: Array = sums[0]
    if not np.isfinite(total).all():
        return None
    return total.reshape((1,) * count + kept if keepdims else kept)


def _sums(rows: Array, squared: bool) -> Array | None:
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
    from autograd.kernels import compiled_sums as compiled

    sums = np.empty((count, -(-columns // compiled.PIECE)), rows.dtype)
    given = rows, squared, sums.reshape(-1)
    cost = NANOSECONDS * rows.size
    parallel_parts(compiled.sums_of_pieces, given, sums.size, nanoseconds=cost)
    total = np.add.reduce(sums, axis=1)
    return total if np.isfinite(total).all() else None


def _in_rows(x: Any, axes: tuple[int, ...], squared: bool) -> Array | None:
    """The array as a matrix of which rows are summed; None where NumPy is to do it."""
    if type(x) is not np.ndarray or not (x.flags.c_contiguous and x.flags.aligned):
        return None
    first = x.ndim - len(axes)
    if min(axes, default=-1) < first or x.dtype.char not in "fd" or not x.dtype.isnative:
        return None
    columns = math.prod(x.shape[first:])
    if columns < SHORT:
        if squared or columns < 2 or x.size < FEWEST_ROWS * columns:
            return None
    else:
        fewest = FEWEST_SQUARES if squared else FEWEST
        if columns < NARROW or x.size < fewest or not compiled_for(x.dtype, x.size):
            return None
    return read_only(x.reshape(-1, columns))
