"""One of two numbers, entry by entry, by a condition or by which is larger."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled

__all__ = [
    "choose_entries",
    "choose_entries_or_number",
    "choose_number_or_entries",
    "larger_entries",
    "smaller_entries",
]

Array = np.ndarray[Any, Any]


@compiled
def choose_entries(
    condition: Array, x: Array, y: Array, out: Array, _worker: int, first: int, last: int
) -> None:
    for i in range(np.uint64(first), np.uint64(last)):
        a, b = x[i], y[i]  # both are read, so that there is no branch
        out[i] = a if condition[i] else b


@compiled
def choose_entries_or_number(
    condition: Array, x: Array, y: Any, out: Array, _worker: int, first: int, last: int
) -> None:
    for i in range(np.uint64(first), np.uint64(last)):
        out[i] = x[i] if condition[i] else y


@compiled
def choose_number_or_entries(
    condition: Array, x: Any, y: Array, out: Array, _worker: int, first: int, last: int
) -> None:
    for i in range(np.uint64(first), np.uint64(last)):
        out[i] = x if condition[i] else y[i]


@compiled
def larger_entries(x: Array, y: Any, out: Array, _worker: int, first: int, last: int) -> None:
    """NaN stays."""
    for i in range(np.uint64(first), np.uint64(last)):
        out[i] = y if x[i] <= y else x[i]


@compiled
def smaller_entries(x: Array, y: Any, out: Array, _worker: int, first: int, last: int) -> None:
    """NaN stays."""
    for i in range(np.uint64(first), np.uint64(last)):
        out[i] = y if x[i] >= y else x[i]
