"""Adding rows to the rows of an array that an index names, one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.backend import compiled_for
from autograd.kernels.workers import parallel_parts

__all__ = ["add_at"]

Array = np.ndarray[Any, Any]

NANOSECONDS = 0.4
"""About what an entry takes."""

GRAIN = 16
"""Columns: parts begin at multiples, so that cache lines are not shared."""


def add_at(out: Array, index: Any, values: Any) -> None:
    """np.add.at(out, index, values), bit for bit; rows of large arrays compiled.

    >>> out = np.zeros((2, 1))
    >>> add_at(out, np.array([0, 0]), np.array([[1.0], [2.0]]))
    >>> out.tolist()
    [[3.0], [0.0]]
    """
    rows = index[0] if type(index) is tuple and len(index) == 1 else index
    if not _goes_compiled(out, rows, values):
        np.add.at(out, index, values)
        return
    from autograd.kernels.compiled_scattering import add_rows

    places = rows.astype(np.int64).reshape(-1)
    places[places < 0] += len(out)
    if not (places.min() >= 0 and places.max() < len(out)):
        raise IndexError(
            f"an index from {rows.min()} to {rows.max()} is out of bounds for {len(out)} rows"
        )
    flat = out.reshape(len(out), -1)
    parallel_parts(
        add_rows,
        (flat, places, values.reshape(len(places), -1)),
        flat.shape[1],
        GRAIN,
        nanoseconds=NANOSECONDS * values.size,
    )


def _goes_compiled(out: Array, rows: Any, values: Any) -> bool:
    return (
        type(rows) is np.ndarray
        and rows.dtype.kind in "iu"
        and type(values) is np.ndarray
        and out.ndim > 1
        and values.size > 0
        and values.shape == rows.shape + out.shape[1:]
        and values.dtype == out.dtype
        and all(array.flags.c_contiguous and array.flags.aligned for array in (out, values))
        and compiled_for(values.dtype, values.size)
    )
