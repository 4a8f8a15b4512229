"""The exponential and the logarithm of float32, over flat arrays and without branches, and what is
one instruction, of either dtype.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types as numba_types
from numba.extending import intrinsic as numba_intrinsic

from autograd.kernels.compilation import compiled, inlined
from autograd.kernels.compiled_activations import exact_power_parts, float_of_bits, power_of_two

__all__ = ["ABSOLUTE", "NEGATIVE", "RECIPROCAL", "SQRT", "exp", "log", "simple"]

Array = np.ndarray[Any, Any]
types: Any = numba_types
intrinsic: Any = numba_intrinsic

ABSOLUTE, NEGATIVE, RECIPROCAL, SQRT = range(4)

_LARGEST, _SMALLEST = np.float32(88.0), np.float32(-104.0)
"""Above the first e^x may be infinite, below the second it is 0."""

_LOG_2 = np.float32(0.6931471805599453)
_ROOT_HALF = np.float32(0.7071067811865476)
_SMALLEST_NORMAL, _INFINITY = np.float32(1.1754943508222875e-38), np.float32(np.inf)


@intrinsic
def _bits_of_float(_context: Any, number: Any) -> Any:
    """The int32 with the bits of a float32."""

    def generate(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.bitcast(values[0], ir.IntType(32))

    return types.int32(types.float32), generate


@inlined
def _logarithm(x: Any) -> Any:
    """log(x) of a normal x > 0: of x = m 2^n, with m from sqrt(1/2) to sqrt(2), n log 2 + log m.

    Source of the polynomial: S. Moshier, Cephes mathematical library, logf, 1989.
    """
    number = np.float32
    bits = _bits_of_float(x)
    n = (bits >> np.int32(23)) - np.int32(126)
    m = float_of_bits((bits & np.int32(0x7FFFFF)) | np.int32(0x3F000000))
    low = m < _ROOT_HALF
    r = (m + m if low else m) - number(1)
    n = n - np.int32(1) if low else n
    p = number(7.0376836292e-2)
    p = p * r + number(-1.1514610310e-1)
    p = p * r + number(1.1676998740e-1)
    p = p * r + number(-1.2420140846e-1)
    p = p * r + number(1.4249322787e-1)
    p = p * r + number(-1.6668057665e-1)
    p = p * r + number(2.0000714765e-1)
    p = p * r + number(-2.4999993993e-1)
    p = p * r + number(3.3333331174e-1)
    square = r * r
    return number(n) * _LOG_2 + (r + square * (p * r - number(0.5)))


@compiled
def exp(x: Array, y: Array, strange: Array, worker: int, first: int, last: int) -> None:
    """y = e^x for entries [first, last); strange[worker, 0] = 1 if some may be infinite, at which
    NumPy has to look. By two powers of two, as the smallest results are subnormal.
    """
    found = np.int32(0)
    for i in range(np.uint64(first), np.uint64(last)):
        value = x[i]
        inside = (value >= _SMALLEST) & (value <= _LARGEST)
        p, n = exact_power_parts(value if inside else np.float32(0))
        half = n >> np.int32(1)
        power = p * power_of_two(half) * power_of_two(n - half)
        outside = value if value != value else np.float32(0)
        y[i] = power if inside else outside
        found |= np.int32(1) if value > _LARGEST else np.int32(0)
    strange[worker, 0] = found


@compiled
def log(x: Array, y: Array, strange: Array, worker: int, first: int, last: int) -> None:
    """y = log(x) in the same way; NumPy looks at what is no normal number above 0."""
    found = np.int32(0)
    for i in range(np.uint64(first), np.uint64(last)):
        value = x[i]
        inside = (value >= _SMALLEST_NORMAL) & (value < _INFINITY)
        y[i] = _logarithm(value if inside else np.float32(1))
        found |= np.int32(0) if inside else np.int32(1)
    strange[worker, 0] = found


@inlined
def _simple(kind: int, x: Any) -> Any:
    if kind == ABSOLUTE:
        return abs(x)
    if kind == NEGATIVE:
        return -x
    if kind == RECIPROCAL:
        return type(x)(1) / x
    return math.sqrt(x)


@inlined
def _run(kind: int, x: Array, y: Array, first: Any, last: Any) -> Any:
    zero = y.dtype.type(0)
    zeros = zero
    for i in range(np.uint64(first), np.uint64(last)):
        value = _simple(kind, x[i])
        y[i] = value
        zeros += value * zero
    return zeros


@compiled
def simple(
    kind: int, x: Array, y: Array, strange: Array, worker: int, first: int, last: int
) -> None:
    """y = what `kind` says of x for entries [first, last); strange[worker, 0] = 1 if any is not
    finite. Each kind has a loop of its own.
    """
    if kind == ABSOLUTE:
        zeros = _run(ABSOLUTE, x, y, first, last)
    elif kind == NEGATIVE:
        zeros = _run(NEGATIVE, x, y, first, last)
    elif kind == RECIPROCAL:
        zeros = _run(RECIPROCAL, x, y, first, last)
    else:
        zeros = _run(SQRT, x, y, first, last)
    strange[worker, 0] = zeros != zeros
