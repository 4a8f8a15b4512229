"""Numbers as a picture shows them: few digits, and what is not a number says so."""

from __future__ import annotations

from typing import Any

import numpy as np

LARGEST_SHOWN = 6


def number(value: Any) -> str:
    """A number with four significant digits."""
    return f"{float(value):.4g}"


def summary(value: Any) -> str:
    """All of a small array, the range and the mean of a larger one."""
    array = np.asarray(value)
    if array.size == 0:
        return "empty"
    if array.size <= LARGEST_SHOWN:
        return _nested(array)
    finite = array[np.isfinite(array)]
    broken = array.size - finite.size
    text = f"{broken} of {array.size} not finite" if broken else ""
    if finite.size:
        span = f"{number(finite.min())} … {number(finite.max())}, mean {number(finite.mean())}"
        text = f"{span}; {text}" if text else span
    return text


def _nested(array: np.ndarray) -> str:
    if array.ndim == 0:
        return number(array)
    return "[" + ", ".join(_nested(np.asarray(part)) for part in array) + "]"
