"""Rows of an array that an index names: reading them, and adding to them one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.backend import compiled_for
from autograd.kernels.buffers import empty
from autograd.kernels.workers import parallel_parts

__all__ = ["add_at", "read_at"]

Array = np.ndarray[Any, Any]

NANOSECONDS = 0.4
"""About what an entry takes."""

GRAIN = 16
"""Columns: parts begin at multiples, so that cache lines are not shared."""


def read_at(x: Array, index: Any) -> Any:
    """x[index]; rows of large arrays compiled, into memory used before.

    >>> read_at(np.array([[1.0], [2.0]]), np.array([1, 1])).tolist()
    [[2.0], [2.0]]
    """
    rows = _rows(index)
    if rows is None or not _is_plain(x, rows.size):
        return x[index]
    from autograd.kernels.compiled_indexed_rows import read_rows

    places = _places(rows, len(x))
    flat = x.reshape(len(x), -1)
    out = empty((len(places), flat.shape[1]), x.dtype)
    parallel_parts(read_rows, (flat, places, out), len(places), nanoseconds=NANOSECONDS * out.size)
    return out.reshape(rows.shape + x.shape[1:])


def add_at(out: Array, index: Any, values: Any) -> None:
    """np.add.at(out, index, values), bit for bit; rows of large arrays compiled.

    >>> out = np.zeros((2, 1))
    >>> add_at(out, np.array([0, 0]), np.array([[1.0], [2.0]]))
    >>> out.tolist()
    [[3.0], [0.0]]
    """
    rows = _rows(index)
    if (
        rows is None
        or type(values) is not np.ndarray
        or values.shape != rows.shape + out.shape[1:]
        or values.dtype != out.dtype
        or not (values.flags.c_contiguous and values.flags.aligned)
        or not _is_plain(out, rows.size)
    ):
        np.add.at(out, index, values)
        return
    from autograd.kernels.compiled_indexed_rows import add_rows

    places = _places(rows, len(out))
    flat = out.reshape(len(out), -1)
    parallel_parts(
        add_rows,
        (flat, places, values.reshape(len(places), -1)),
        flat.shape[1],
        GRAIN,
        nanoseconds=NANOSECONDS * values.size,
    )


def _rows(index: Any) -> Array | None:
    """The row numbers, where the index is one array of integers."""
    rows = index[0] if type(index) is tuple and len(index) == 1 else index
    return rows if type(rows) is np.ndarray and rows.dtype.kind in "iu" else None


def _is_plain(x: Array, count: int) -> bool:
    """Whether so many rows of x go to a compiled kernel."""
    size = count * (x.size // len(x)) if x.ndim > 1 and x.size else 0
    flags = x.flags
    return size > 0 and flags.c_contiguous and flags.aligned and compiled_for(x.dtype, size)


def _places(rows: Array, count: int) -> Array:
    """Row numbers from 0 to `count` - 1, in a line."""
    places = rows.astype(np.int64).reshape(-1)
    places[places < 0] += count
    if not (places.min() >= 0 and places.max() < count):
        raise IndexError(
            f"an index from {rows.min()} to {rows.max()} is out of bounds for {count} rows"
        )
    return places
