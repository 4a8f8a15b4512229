"""Checks of arguments that several layers and functions share."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from autograd import Tensor

IntOrPair: TypeAlias = int | tuple[int, int]
Reduction: TypeAlias = str

VALUES = (Tensor, np.ndarray, np.generic)
REDUCTIONS = ("mean", "sum", "none")


def as_value(value: Any, who: str) -> Any:
    """A Tensor or array as it is; numbers and lists as an array. TypeError for anything else."""
    if isinstance(value, VALUES):
        return value
    array = np.asarray(value)
    if array.dtype.kind not in "fiubc":
        raise TypeError(f"{who} takes a Tensor, an array or numbers, got {type(value).__name__}")
    return array


def as_floats(value: Any, who: str) -> Any:
    """The same, refusing integers and booleans (on which a layer would silently use float64)."""
    if not isinstance(value, VALUES):
        value = as_value(value, who)
    if value.dtype.kind not in "fc":
        raise TypeError(
            f"{who} takes floats, got dtype {value.dtype}; convert with x.astype(np.float32)"
        )
    return value


def as_indices(value: Any, who: str) -> np.ndarray:
    """Class or row numbers as an integer array."""
    array = value.data if isinstance(value, Tensor) else np.asarray(value)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{who} takes integers, got dtype {array.dtype}; use .astype(np.int64)")
    return array


def count(value: Any, name: str, minimum: int = 1) -> int:
    """An integer of at least `minimum`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an integer, got {value!r} of {type(value).__name__}")
    if value < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {value}")
    return int(value)


def pair(value: Any, name: str, minimum: int = 1) -> tuple[int, int]:
    """Two integers; one stands for both."""
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise ValueError(f"{name} must be one integer or two, got {value!r}")
        return count(value[0], name, minimum), count(value[1], name, minimum)
    number = count(value, name, minimum)
    return number, number


def single(value: Any, name: str, minimum: int = 1) -> int:
    """One integer, also as a tuple of one."""
    if isinstance(value, (tuple, list)):
        if len(value) != 1:
            raise ValueError(f"{name} must be one integer, got {value!r}")
        value = value[0]
    return count(value, name, minimum)


def probability(p: Any, name: str = "p") -> float:
    """A dropout probability."""
    if isinstance(p, bool) or not isinstance(p, (int, float, np.floating)):
        raise TypeError(f"{name} must be a number, got {p!r} of {type(p).__name__}")
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"{name} must be between 0 and 1, got {p}")
    return float(p)


def check_reduction(reduction: Any) -> None:
    """ValueError unless it is one of PyTorch's three."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction must be one of {', '.join(REDUCTIONS)}; got {reduction!r}")
