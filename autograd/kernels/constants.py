"""Python's numbers as arrays, which NumPy's loops take in half the time where arrays are small."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["as_operand"]

MOST = 1 << 10
"""Numbers that are remembered, for each dtype."""

LEAST, LARGEST = 1e-30, 1e30
"""Magnitudes between which a number of either dtype is finite and normal."""

_SINGLE, _DOUBLE = np.dtype(np.float32), np.dtype(np.float64)
_singles: dict[float, np.ndarray[Any, Any]] = {}
_doubles: dict[float, np.ndarray[Any, Any]] = {}
_others: dict[float, np.ndarray[Any, Any]] = {}


def as_operand(number: float, dtype: np.dtype[Any]) -> Any:
    """What to compute with in place of a Python number next to an array of this dtype.

    For float32 and float64 that is a read-only array without axes, the same one each time; NumPy
    would make one for every call. Other numbers come back as they are: those of other dtypes, and
    zeros, infinities, NaN and what one dtype or the other can't hold.

    >>> as_operand(0.5, np.dtype(np.float32))
    array(0.5, dtype=float32)
    """
    table = _singles if dtype is _SINGLE else _doubles if dtype is _DOUBLE else _others
    known = table.get(number)
    return _remembered(number, dtype, table) if known is None else known


def _remembered(
    number: float, dtype: np.dtype[Any], table: dict[float, np.ndarray[Any, Any]]
) -> Any:
    if table is _others or not LEAST < abs(number) < LARGEST:
        return number
    if len(table) >= MOST:
        table.clear()
    constant = np.array(number, dtype)
    constant.flags.writeable = False
    table[number] = constant
    return constant
