"""Numbers as a picture shows them: few digits, and what is not a number says so."""

from __future__ import annotations

from typing import Any

import numpy as np

LARGEST_SHOWN = 6
NOT_KEPT = "not kept"
NOT_COMPUTED = "not computed"


def number(value: Any) -> str:
    """A number with four significant digits."""
    if isinstance(value, complex | np.complexfloating):
        return f"{complex(value):.4g}"
    return f"{float(value):.4g}"


def summary(value: Any, statistics: bool = True) -> str:
    """All of a small array; of a larger one the range, the mean and the standard deviation."""
    if isinstance(value, tuple | list):
        return "; ".join("0" if item is None else summary(item, statistics) for item in value)
    array = np.asarray(value)
    if array.size == 0:
        return "empty"
    if array.size <= LARGEST_SHOWN:
        return _nested(array)
    if not statistics:
        return f"{array.size} numbers"
    finite = array[np.isfinite(array)].astype(np.float64)
    broken = array.size - finite.size
    text = f"{broken} of {array.size} not finite" if broken else ""
    if finite.size:
        span = (
            f"{number(finite.min())} … {number(finite.max())}, "
            f"{number(finite.mean())} ± {number(finite.std())}"
        )
        text = f"{span}; {text}" if text else span
    return text


def _nested(array: np.ndarray) -> str:
    if array.ndim == 0:
        return number(array[()])
    return "[" + ", ".join(_nested(np.asarray(part)) for part in array) + "]"
