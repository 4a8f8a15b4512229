"""np.where of large arrays, and what depends on which of two numbers is larger, with its slopes.

On all threads.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.kernels.activations import goes_compiled, in_one_pass
from autograd.kernels.backend import LARGE, compiled_for, read_only
from autograd.kernels.buffers import empty, empty_like, fills_memory
from autograd.kernels.masks import cut_off
from autograd.kernels.workers import parallel_parts

__all__ = [
    "absolute_pullback",
    "choose",
    "clip",
    "clip_pullback",
    "clip_slope",
    "larger",
    "share",
    "smaller",
]

Array = np.ndarray[Any, Any]

GRAIN = 1 << 12
"""Elements: parts of an array begin at multiples of it, so that cache lines are not shared."""

LARGEST = 1e30
"""Finite numbers up to it are so in either dtype."""

NANOSECONDS = 0.3
"""About what an entry takes one thread."""


def choose(condition: Any, x: Any, y: Any) -> Any:
    """np.where of an array of booleans, and arrays or numbers.

    >>> choose(np.array([True, False]), np.array([1.0, 2.0]), 0).tolist()
    [1.0, 0.0]
    """
    full = x if type(x) is np.ndarray and x.ndim else y
    if (
        type(condition) is np.ndarray
        and type(full) is np.ndarray
        and condition.size >= LARGE
        and condition.dtype.char == "?"
        and condition.shape == full.shape
        and _is_flat(condition)
        and _is_flat(full)
        and compiled_for(full.dtype, full.size)
    ):
        found = _chosen(condition, x, y, full)
        if found is not None:
            return found
    if type(y) in (int, float) and _is_cut_off(condition, x, y):
        return cut_off(x, condition)
    return np.where(condition, x, y)


def _is_cut_off(condition: Any, x: Any, y: float) -> bool:
    """Whether x is an array of floats, and y the zero whose bits are all 0."""
    return (
        y == 0
        and math.copysign(1.0, y) > 0
        and type(x) is np.ndarray
        and x.ndim > 0
        and x.dtype.kind == "f"
        and type(condition) is np.ndarray
        and condition.dtype.char == "?"
    )


def _chosen(condition: Array, x: Any, y: Any, full: Array) -> Array | None:
    """The same, of arrays like `full` or a number of its dtype; None for others."""
    from autograd.kernels import compiled_choosing as compiled

    kernel: Any = compiled.choose_entries
    operands = []
    for other, with_number in (
        (x, compiled.choose_number_or_entries),
        (y, compiled.choose_entries_or_number),
    ):
        if type(other) is np.ndarray and other.ndim:
            if other.shape != full.shape or other.dtype != full.dtype or not _is_flat(other):
                return None
            operands.append(read_only(other.reshape(-1)))
            continue
        number = _as_number(other, full.dtype)
        if number is None:
            return None
        operands.append(number)
        kernel = with_number
    out = empty(full.shape, full.dtype)
    given = read_only(condition.reshape(-1)), *operands, out.reshape(-1)
    parallel_parts(kernel, given, full.size, GRAIN, NANOSECONDS * full.size)
    return out


def larger(x: Any, y: Any) -> Any:
    """np.maximum, but for the sign of a zero.

    >>> larger(np.array([1.0, 3.0]), 2.0).tolist()
    [2.0, 3.0]
    """
    found = _bounded("larger_entries", x, y)
    return np.maximum(x, y) if found is None else found


def smaller(x: Any, y: Any) -> Any:
    """np.minimum, but for the sign of a zero.

    >>> smaller(np.array([1.0, 3.0]), 2.0).tolist()
    [1.0, 2.0]
    """
    found = _bounded("smaller_entries", x, y)
    return np.minimum(x, y) if found is None else found


def share(x: Any, y: Any) -> Any:
    """1 where x > y, 1/2 where they tie, else 0; floats, of float64 where both are integers.

    >>> share(np.array([1.0, 2.0, 3.0]), 2.0).tolist()
    [0.0, 0.5, 1.0]
    """
    dtype = np.result_type(x, y)
    kind = dtype.type if dtype.kind == "f" else np.float64
    halves = np.greater(x, y).view(np.uint8) + np.greater_equal(x, y).view(np.uint8)
    return np.multiply(halves, kind(0.5), dtype=kind)


def absolute_pullback(g: Any, out: Any, x: Any) -> Any:
    """g sign(x).

    >>> absolute_pullback(np.array([2.0, 3.0]), None, np.array([-1.0, 0.0])).tolist()
    [-2.0, 0.0]
    """
    if goes_compiled(x, "fd", g):
        from autograd.kernels import compiled_choosing as compiled

        return in_one_pass(compiled.absolute_back, NANOSECONDS, g, x)
    return g * np.sign(x)


def clip(x: Any, low: float, high: float) -> Any:
    """min(max(x, low), high), with finite bounds in the dtype of x.

    >>> clip(np.array([-2.0, 0.5, 2.0]), -1.0, 1.0).tolist()
    [-1.0, 0.5, 1.0]
    """
    if goes_compiled(x, "fd"):
        from autograd.kernels import compiled_choosing as compiled

        return in_one_pass(compiled.clip, NANOSECONDS, x, params=(low, high))
    return np.minimum(np.maximum(x, low), high)


def clip_slope(x: Any, low: float, high: float) -> Any:
    """1 between the bounds, 0 beyond and 1/2 at one of them: the product of two shares.

    >>> clip_slope(np.array([0.0, 1.0, 2.0, 4.0]), 1.0, 3.0).tolist()
    [0.0, 0.5, 1.0, 0.0]
    """
    kind = x.dtype.type
    return share(x, kind(low)) * share(kind(high), x)


def clip_pullback(g: Any, out: Any, x: Any, low: float, high: float) -> Any:
    """g clip_slope(x).

    >>> clip_pullback(np.array([2.0]), None, np.array([1.0]), 1.0, 3.0).tolist()
    [1.0]
    """
    if goes_compiled(x, "fd", g):
        from autograd.kernels import compiled_choosing as compiled

        return in_one_pass(compiled.clip_back, NANOSECONDS, g, x, params=(low, high))
    return g * clip_slope(x, low, high)


def _bounded(kernel: str, x: Any, y: Any) -> Array | None:
    """What a kernel makes of a large array and a number, in either order; None where NumPy is to
    do it.
    """
    if type(x) is not np.ndarray or not x.ndim:
        x, y = y, x
    if type(x) is not np.ndarray or x.size < LARGE or not (fills_memory(x) and x.flags.aligned):
        return None
    if not compiled_for(x.dtype, x.size):
        return None
    number = _as_number(y, x.dtype)
    if number is None or number != number:
        return None
    from autograd.kernels import compiled_choosing as compiled

    out = empty_like(x)
    given = read_only(x.ravel(order="K")), number, out.ravel(order="K")
    parallel_parts(getattr(compiled, kernel), given, x.size, GRAIN, NANOSECONDS * x.size)
    return out


def _as_number(other: Any, dtype: np.dtype[Any]) -> Any:
    """An operand that widens nothing, in this dtype; None for others."""
    if type(other) is float or type(other) is int:
        fits = abs(other) < LARGEST or other in (math.inf, -math.inf) or other != other
        return dtype.type(other) if fits else None
    if isinstance(other, np.generic) or (type(other) is np.ndarray and not other.ndim):
        if other.dtype != dtype:
            return None
        return dtype.type(other.item())
    return None


def _is_flat(array: Array) -> bool:
    return array.flags.c_contiguous and array.flags.aligned
