"""Indices that sort large arrays, on all threads."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.backend import compiled_for
from autograd.kernels.workers import parallel_ranges

__all__ = ["stable_order"]

NANOSECONDS = 40.0
"""About what an entry takes one thread."""


def stable_order(x: Any, axis: int) -> Any:
    """The indices that sort along an axis; of equal entries the first stays first.

    >>> stable_order(np.array([3.0, 1.0, 1.0]), 0).tolist()
    [1, 2, 0]
    """
    if type(x) is not np.ndarray or x.ndim < 2 or not compiled_for(x.dtype, x.size):
        return np.argsort(x, axis=axis, kind="stable")
    order = np.empty(x.shape, np.intp)
    others = 1 if axis == 0 else 0
    lines, found = np.moveaxis(x, others, 0), np.moveaxis(order, others, 0)
    along = axis if axis > others else axis + 1

    def part(_worker: int, first: int, last: int) -> None:
        found[first:last] = np.argsort(lines[first:last], axis=along, kind="stable")

    parallel_ranges(part, len(lines), nanoseconds=NANOSECONDS * x.size)
    return order
