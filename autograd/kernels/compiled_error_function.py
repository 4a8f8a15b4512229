"""The error function over flat arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled, inlined
from autograd.kernels.compiled_activations import power_of_two
from autograd.kernels.error_function import FAR, NEAR, SATURATED, SPLIT

__all__ = ["erf", "erf_float32"]

Array = np.ndarray[Any, Any]

_LOG2_E, _LOG_2 = 1.4426950408889634, 0.6931471805599453


@inlined
def _exponential(y: Any) -> Any:
    """e^y of a float64 y from -80 to 0, to nine digits."""
    n = np.floor(y * _LOG2_E + 0.5)
    r = y - n * _LOG_2
    p = 1 / 5040
    p = p * r + 1 / 720
    p = p * r + 1 / 120
    p = p * r + 1 / 24
    p = p * r + 1 / 6
    p = p * r + 0.5
    p = p * r + 1.0
    return (p * r + 1.0) * np.float64(power_of_two(np.int32(n)))


@compiled
def erf_float32(x: Array, y: Array) -> None:
    """As `error_function.erf` has it, without branches."""
    for i in range(x.size):
        value = np.float64(x[i])
        size = abs(value)
        s = value * value
        p = NEAR[6]
        p = p * s + NEAR[5]
        p = p * s + NEAR[4]
        p = p * s + NEAR[3]
        p = p * s + NEAR[2]
        p = p * s + NEAR[1]
        p = p * s + NEAR[0]
        near = value + value * p
        t = size if size < SATURATED else SATURATED
        q = FAR[7]
        q = q * t + FAR[6]
        q = q * t + FAR[5]
        q = q * t + FAR[4]
        q = q * t + FAR[3]
        q = q * t + FAR[2]
        q = q * t + FAR[1]
        q = q * t + FAR[0]
        far = 1.0 - _exponential(t * q)
        y[i] = np.float32(math.copysign(far, value) if size > SPLIT else near)


@compiled
def erf(x: Array, y: Array) -> None:
    for i in range(x.size):
        y[i] = math.erf(x[i])
