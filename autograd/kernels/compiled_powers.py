"""Small whole powers, each in one pass, and whether any is not finite."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled, inlined

__all__ = ["EXPONENTS", "raise_entries"]

Array = np.ndarray[Any, Any]

EXPONENTS = (2, 3, 4, -2, -3)
"""Those that are within two units in the last place, the last in float32 alone."""


@inlined
def _power(exponent: int, x: Any) -> Any:
    if exponent == 2:
        return x * x
    if exponent == 3:
        return x * x * x
    if exponent == 4:
        square = x * x
        return square * square
    if exponent == -2:
        inverse = type(x)(1) / x
        return inverse * inverse
    wide = np.float64(x)
    return np.float64(1) / (wide * wide * wide)


@inlined
def _raise(exponent: int, factor: Any, x: Array, out: Array, first: Any, last: Any) -> Any:
    zero = out.dtype.type(0)
    zeros = zero
    for i in range(np.uint64(first), np.uint64(last)):
        value = out.dtype.type(factor * _power(exponent, x[i]))
        out[i] = value
        zeros += value * zero
    return zeros


@compiled
def raise_entries(
    exponent: int,
    factor: Any,
    x: Array,
    out: Array,
    strange: Array,
    worker: int,
    first: int,
    last: int,
) -> None:
    """out = factor x^exponent for entries [first, last); strange[worker, 0] is 1 if any is not
    finite. Each exponent has a loop of its own.
    """
    if exponent == 2:
        zeros = _raise(2, factor, x, out, first, last)
    elif exponent == 3:
        zeros = _raise(3, factor, x, out, first, last)
    elif exponent == 4:
        zeros = _raise(4, factor, x, out, first, last)
    elif exponent == -2:
        zeros = _raise(-2, factor, x, out, first, last)
    else:
        zeros = _raise(-3, factor, x, out, first, last)
    strange[worker, 0] = zeros != zeros
