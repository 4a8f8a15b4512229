"""One of two numbers, entry by entry, by a condition or by which is larger."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled

__all__ = [
    "absolute_back",
    "choose_entries",
    "choose_entries_or_number",
    "choose_number_or_entries",
    "clip",
    "clip_back",
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


@compiled
def absolute_back(g: Array, x: Array, dx: Array) -> None:
    """g sign(x); NaN stays."""
    for i in range(x.size):
        value = x[i]
        otherwise = g[i] * abs(value)  # 0 or NaN
        dx[i] = g[i] if value > 0 else (-g[i] if value < 0 else otherwise)


@compiled
def clip(x: Array, y: Array, low: Any, high: Any) -> None:
    """NaN stays."""
    for i in range(x.size):
        value = low if x[i] < low else x[i]
        y[i] = high if value > high else value


@compiled
def clip_back(g: Array, x: Array, dx: Array, low: Any, high: Any) -> None:
    """g times (1, 1/2 or 0 as x is above, at or below `low`) and (the same below, at or above
    `high`).
    """
    kind = g.dtype.type
    zero, half, one = kind(0), kind(0.5), kind(1)
    at_low = half * (one if low < high else (half if low == high else zero))
    for i in range(x.size):
        value = x[i]
        above = one if value < high else (half if value == high else zero)
        slope = above if value > low else (at_low if value == low else zero)
        dx[i] = g[i] * slope
