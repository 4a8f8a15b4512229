"""Sigmoid, tanh and what is made of them, over flat float32 arrays in one pass without branches."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled, inlined
from autograd.kernels.compiled_activations import power_of_two, power_parts

__all__ = [
    "elu",
    "elu_back",
    "exponential_below",
    "leaky_relu",
    "leaky_relu_back",
    "log_one_more",
    "log_sigmoid",
    "log_sigmoid_back",
    "sigmoid",
    "sigmoid_back",
    "silu",
    "silu_back",
    "softplus",
    "softplus_back",
    "tanh",
]

Array = np.ndarray[Any, Any]


@inlined
def exponential_below(y: Any) -> Any:
    """exp(y) of y <= 0; NaN stays.

    By two powers of two, since the smallest results have more than one; what is far below them is 0
    without computing those, which would take a hundred times as long.
    """
    inside = y >= np.float32(-104.0)
    p, n = power_parts(y if inside else np.float32(0))
    half = n >> np.int32(1)
    power = p * power_of_two(half) * power_of_two(n - half)
    return y if y != y else (power if inside else np.float32(0))


@inlined
def _less_one_below(y: Any) -> Any:
    """exp(y) - 1 of y <= 0: near 0 by its Taylor series, which loses no digits there."""
    number = np.float32
    p = number(1 / 40320)
    p = p * y + number(1 / 5040)
    p = p * y + number(1 / 720)
    p = p * y + number(1 / 120)
    p = p * y + number(1 / 24)
    p = p * y + number(1 / 6)
    p = p * y + number(0.5)
    near = y + p * y * y
    return near if y > number(-0.5) else exponential_below(y) - number(1)


@inlined
def log_one_more(e: Any) -> Any:
    """log(1 + e) of e from 0 to 1: 2 artanh(e / (2 + e)) by its series."""
    number = np.float32
    z = e / (number(2) + e)
    s = z * z
    p = number(1 / 13)
    p = p * s + number(1 / 11)
    p = p * s + number(1 / 9)
    p = p * s + number(1 / 7)
    p = p * s + number(0.2)
    p = p * s + number(1 / 3)
    return number(2) * (z + z * s * p)


@inlined
def _sigmoid_value(x: Any) -> Any:
    number = np.float32
    e = exponential_below(-abs(x))
    return (number(1) if x >= number(0) else e) / (number(1) + e)


@inlined
def _softplus_value(x: Any) -> Any:
    """log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)); NaN stays."""
    return (x if x > np.float32(0) else np.float32(0)) + log_one_more(exponential_below(-abs(x)))


@compiled
def tanh(x: Array, y: Array) -> None:
    """(1 - exp(-2|x|)) / (1 + exp(-2|x|)) with the sign of x; a polynomial below 5/8. Source: S.
    Moshier, Cephes mathematical library, tanhf, 1989.
    """
    number = np.float32
    for i in range(x.size):
        value = x[i]
        size = abs(value)
        s = value * value
        p = number(-5.70498872745e-3)
        p = p * s + number(2.06390887954e-2)
        p = p * s + number(-5.37397155531e-2)
        p = p * s + number(1.33314422036e-1)
        p = p * s + number(-3.33332819422e-1)
        near = size + size * s * p
        e = exponential_below(number(-2) * size)
        far = (number(1) - e) / (number(1) + e)
        y[i] = math.copysign(near if size < number(0.625) else far, value)


@compiled
def sigmoid(x: Array, y: Array) -> None:
    for i in range(x.size):
        y[i] = _sigmoid_value(x[i])


@compiled
def sigmoid_back(g: Array, out: Array, dx: Array) -> None:
    """g out (1 - out)."""
    one = np.float32(1)
    for i in range(g.size):
        dx[i] = g[i] * (out[i] * (one - out[i]))


@compiled
def silu(x: Array, y: Array) -> None:
    for i in range(x.size):
        y[i] = x[i] * _sigmoid_value(x[i])


@compiled
def silu_back(g: Array, x: Array, dx: Array) -> None:
    """g s (1 + x (1 - s)), with s = sigmoid(x)."""
    one = np.float32(1)
    for i in range(g.size):
        s = _sigmoid_value(x[i])
        dx[i] = g[i] * (s * (one + x[i] * (one - s)))


@compiled
def log_sigmoid(x: Array, y: Array) -> None:
    for i in range(x.size):
        y[i] = -_softplus_value(-x[i])


@compiled
def log_sigmoid_back(g: Array, out: Array, dx: Array) -> None:
    """g (1 - exp(out))."""
    for i in range(g.size):
        dx[i] = -g[i] * _less_one_below(out[i])


@compiled
def softplus(x: Array, y: Array, beta: Any, threshold: Any) -> None:
    for i in range(x.size):
        scaled = x[i] * beta
        y[i] = x[i] if scaled > threshold else _softplus_value(scaled) / beta


@compiled
def softplus_back(g: Array, x: Array, dx: Array, beta: Any, threshold: Any) -> None:
    for i in range(g.size):
        scaled = x[i] * beta
        dx[i] = g[i] * (np.float32(1) if scaled > threshold else _sigmoid_value(scaled))


@compiled
def elu(x: Array, y: Array, alpha: Any) -> None:
    zero = np.float32(0)
    for i in range(x.size):
        y[i] = x[i] if x[i] > zero else alpha * _less_one_below(min(x[i], zero))


@compiled
def elu_back(g: Array, x: Array, dx: Array, alpha: Any) -> None:
    zero, one = np.float32(0), np.float32(1)
    for i in range(g.size):
        dx[i] = g[i] * (one if x[i] > zero else alpha * exponential_below(min(x[i], zero)))


@compiled
def leaky_relu(x: Array, y: Array, slope: Any) -> None:
    for i in range(x.size):
        y[i] = x[i] if x[i] > np.float32(0) else x[i] * slope


@compiled
def leaky_relu_back(g: Array, x: Array, dx: Array, slope: Any) -> None:
    one = np.float32(1)
    for i in range(g.size):
        dx[i] = g[i] * (one if x[i] > np.float32(0) else slope)
