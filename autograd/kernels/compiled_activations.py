"""ReLU and GELU over flat float arrays in one pass, and their products with a cotangent."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.core import types
from numba.extending import intrinsic

from autograd.kernels.compilation import compiled, inlined

__all__ = [
    "GELU",
    "RELU",
    "exact_power_parts",
    "float_of_bits",
    "gelu",
    "gelu_back",
    "gelu_in_place",
    "gelu_slope",
    "gelu_value",
    "normal_parts",
    "power_of_two",
    "power_parts",
    "relu",
    "relu_back",
    "relu_back_in_place",
    "relu_in_place",
    "relu_value",
    "tanh_back",
]

Array = np.ndarray[Any, Any]

RELU, GELU = 1, 2
"""What kernels with an activation call it; 0 is none."""

_LOG2_E = np.float32(1.4426950408889634)
# log(2) in two parts; the first has few enough digits for n times it to be exact.
_LOG_2_HIGH = np.float32(0.693359375)
_LOG_2_LOW = np.float32(-2.12194440e-4)
_ROOT_HALF = np.float32(0.7071067811865476)
_DENSITY_AT_0 = np.float32(0.3989422804014327)
_FAR = np.float32(14)
"""From there on x exp(-x^2/2) is 0 in float32; what is computed for the power is exp(-87)."""


@intrinsic
def _intrinsic_float_of_bits(typing_context: Any, bits: Any) -> Any:
    """The float32 with the bits of an int32."""
    signature = types.float32(types.int32)

    def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.bitcast(values[0], context.get_value_type(types.float32))

    return signature, generate


float_of_bits: Any = _intrinsic_float_of_bits


@intrinsic
def _intrinsic_reduced(typing_context: Any, y: Any, n: Any) -> Any:
    """y - n log(2), of which Numba would make one product, and lose the digits of the two parts."""

    def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        rest, count = values
        for part in (_LOG_2_HIGH, _LOG_2_LOW):
            share = builder.fmul(count, context.get_constant(types.float32, part), ("contract",))
            rest = builder.fsub(rest, share, flags=("contract",))
        return rest

    return types.float32(types.float32, types.float32), generate


_reduced: Any = _intrinsic_reduced


@inlined
def _whole_powers(y: Any) -> Any:
    return np.floor(y * _LOG2_E + np.float32(0.5))


@inlined
def _small_power(r: Any) -> Any:
    """e^r for |r| <= log(2) / 2: a Taylor polynomial."""
    number = np.float32
    p = number(1 / 5040)
    p = p * r + number(1 / 720)
    p = p * r + number(1 / 120)
    p = p * r + number(1 / 24)
    p = p * r + number(1 / 6)
    p = p * r + number(0.5)
    p = p * r + number(1)
    return p * r + number(1)


@inlined
def power_parts(y: Any) -> Any:
    """(p, n), float32 and int32, with exp(y) = p 2^n, without branches.

    The compiler makes one product of Cody and Waite's reduction, which costs up to 4 units in the
    last place near |y| = 87.
    """
    n = _whole_powers(y)
    return _small_power((y - n * _LOG_2_HIGH) - n * _LOG_2_LOW), np.int32(n)


@inlined
def exact_power_parts(y: Any) -> Any:
    """The same to one unit for all y, in a tenth more of the time."""
    n = _whole_powers(y)
    return _small_power(_reduced(y, n)), np.int32(n)


@inlined
def power_of_two(n: Any) -> Any:
    """2^n of an int32 from -126 to 127."""
    return float_of_bits((n + np.int32(127)) << np.int32(23))


@inlined
def normal_parts(x: Any) -> Any:
    """(Phi(x), exp(-x^2/2)) of the normal distribution, in float32, without branches.

    The tail of Phi by Abramowitz and Stegun, Handbook of mathematical functions, 7.1.26, with an
    error below 1.5e-7.
    """
    number = np.float32
    p, n = power_parts(max(number(-0.5) * x * x, number(-87.0)))
    density = p * power_of_two(n)
    t = number(1) / (number(1) + number(0.3275911) * (abs(x) * _ROOT_HALF))
    q = number(1.061405429)
    q = q * t + number(-1.453152027)
    q = q * t + number(1.421413741)
    q = q * t + number(-0.284496736)
    q = q * t + number(0.254829592)
    tail = number(0.5) * q * t * density
    return (tail if x < number(0) else number(1) - tail), density


@inlined
def gelu_value(x: Any) -> Any:
    """x Phi(x); NaN stays."""
    below, _ = normal_parts(x)
    # From there on it is 0, and -inf * 0 would be NaN; NaN itself stays.
    return x * below if x > -_FAR or x != x else np.float32(0)


@inlined
def gelu_slope(x: Any) -> Any:
    """Phi(x) + x phi(x)."""
    below, density = normal_parts(x)
    slope = below + x * (density * _DENSITY_AT_0)
    return slope if abs(x) < _FAR or x != x else np.float32(x > 0)


@inlined
def relu_value(x: Any, zero: Any) -> Any:
    """max(x, 0); NaN stays. `zero` has the dtype of x."""
    return x if x > zero or x != x else zero


@compiled
def gelu(x: Array, y: Array) -> None:
    for i in range(x.size):
        y[i] = gelu_value(x[i])


@compiled
def gelu_in_place(y: Array) -> None:
    for i in range(y.size):
        y[i] = gelu_value(y[i])


@compiled
def gelu_back(g: Array, x: Array, dx: Array) -> None:
    """g * (Phi(x) + x phi(x))."""
    for i in range(x.size):
        dx[i] = g[i] * gelu_slope(x[i])


@compiled
def relu(x: Array, y: Array) -> None:
    zero = x.dtype.type(0)
    for i in range(x.size):
        y[i] = relu_value(x[i], zero)


@compiled
def relu_in_place(y: Array) -> None:
    zero = y.dtype.type(0)
    for i in range(y.size):
        y[i] = relu_value(y[i], zero)


@compiled
def relu_back(g: Array, out: Array, dx: Array) -> None:
    zero = g.dtype.type(0)
    for i in range(g.size):
        dx[i] = g[i] if out[i] > zero else zero


@compiled
def relu_back_in_place(g: Array, out: Array) -> None:
    zero = g.dtype.type(0)
    for i in range(g.size):
        g[i] = g[i] if out[i] > zero else zero


@compiled
def tanh_back(g: Array, out: Array, dx: Array) -> None:
    one = g.dtype.type(1)
    for i in range(g.size):
        dx[i] = g[i] * (one - out[i] * out[i])
