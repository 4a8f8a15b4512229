"""Powers with numbers for exponents.

np.power takes about as long as a logarithm and an exponential, and for negative entries, to which
only whole exponents can be given, twenty times as long.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels import arithmetic, entrywise
from autograd.kernels.arithmetic import product_of, quotient_of
from autograd.kernels.backend import compiled_for, read_only
from autograd.kernels.buffers import empty_like, fills_memory
from autograd.kernels.checked import is_told, run_checked
from autograd.kernels.entrywise import in_parts
from autograd.kernels.workers import SHARED_FROM

__all__ = ["power", "scaled_power", "square"]

LARGEST_WHOLE = 1 << 24
"""From there on float32 has even numbers only."""

FEWEST, FEWEST_SQUARES = 1 << 16, SHARED_FROM
"""Entries from which NumPy's passes take longer, and for squares, which take it one."""

_ARRAY = np.ndarray


def power(x: Any, y: Any) -> Any:
    """np.power, to within two units in the last place.

    >>> power(np.array([-2.0, 3.0]), 3).tolist()
    [-8.0, 27.0]
    """
    if type(x) is not _ARRAY or (type(y) is not int and type(y) is not float):
        return np.power(x, y)
    if x.size >= FEWEST and (found := _in_one_pass(1.0, x, y)) is not None:
        return found
    if y == 2:
        return np.square(x) if x.dtype.kind == "f" else np.power(x, y)  # others change their dtype
    if x.dtype.char not in "fd" or y % 1 != 0 or abs(y) > LARGEST_WHOLE:
        return _power(x, y)
    if y == 1:
        return np.positive(x)
    if y == 3:
        return product_of(np.square(x), x)
    if y == 4:
        square = np.square(x)
        return np.square(square, out=_writable(square))
    if y == -1:
        return quotient_of(1.0, x)
    if y == -2:
        inverse = quotient_of(1.0, x)
        return np.square(inverse, out=_writable(inverse))
    return _whole_power(x, y)


def square(x: Any) -> Any:
    """np.square.

    >>> square(np.array([-2.0, 3.0])).tolist()
    [4.0, 9.0]
    """
    found = _in_one_pass(1.0, x, 2) if type(x) is _ARRAY and x.size >= FEWEST_SQUARES else None
    return np.square(x) if found is None else found


def scaled_power(factor: float, x: Any, y: float) -> Any:
    """factor x ** y.

    >>> scaled_power(2.0, np.array([-2.0]), 3).tolist()
    [-16.0]
    """
    if factor == 1:
        return power(x, y)
    if type(x) is _ARRAY and x.size >= FEWEST and (found := _in_one_pass(factor, x, y)) is not None:
        return found
    raised = x if y == 1 else power(x, y)
    return product_of(raised, factor) if type(raised) is _ARRAY else factor * raised


def _in_one_pass(factor: float, x: Any, y: float) -> Any:
    """factor x ** y; None where NumPy is to compute it, and to warn."""
    if (
        not -3 <= y <= 4
        or (y == 2 and x.size < FEWEST_SQUARES)
        or (y == -3 and x.dtype.char != "f")
        or not fills_memory(x)
        or not compiled_for(x.dtype, x.size)
    ):
        return None
    from autograd.kernels import compiled_powers as compiled

    if y not in compiled.EXPONENTS or np.geterr()["under"] != "ignore":
        return None
    out = empty_like(x)
    given = int(y), x.dtype.type(factor), read_only(x.ravel(order="K")), out.ravel(order="K")
    cost = arithmetic.NANOSECONDS * x.size
    finite = run_checked(compiled.raise_entries, given, x.size, arithmetic.GRAIN, cost)
    return out if finite or not is_told() else None


def _power(x: Any, y: float) -> Any:
    """np.power, of a part of a large array in each thread."""
    found = None
    if (
        x.size >= entrywise.FEWEST
        and fills_memory(x)
        and compiled_for(x.dtype, x.size)
        and np.geterr()["under"] == "ignore"
    ):
        found = in_parts(lambda source, out: np.power(source, y, out=out), x)
    return np.power(x, y) if found is None else found


def _whole_power(x: Any, y: float) -> Any:
    """By that of |x|, with the sign of x where y is odd."""
    sizes = np.abs(x)
    powers = _power(sizes, y)
    return np.copysign(powers, x, out=_writable(powers)) if y % 2 else powers


def _writable(array: Any) -> Any:
    """An array to write over; None for NumPy's scalars, which 0-d arrays become."""
    return array if type(array) is _ARRAY else None
