"""Copies of some columns of a matrix into some of another."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled

__all__ = ["copy_columns"]

Array = np.ndarray[Any, Any]


@compiled
def copy_columns(
    source: Array, begin: int, target: Array, place: int, count: int, _: int, first: int, last: int
) -> None:
    """`count` columns of `source` from `begin` on to those of `target` from `place` on, for rows
    [first, last).
    """
    for i in range(first, last):
        for j in range(np.uint64(count)):
            target[i, np.uint64(place) + j] = source[i, np.uint64(begin) + j]
