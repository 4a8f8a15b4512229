"""How layers make their parameters, and PyTorch's default initial values."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from nn import init
from nn.parameter import DEFAULT_DTYPE, Parameter


def float_dtype(dtype: DTypeLike | None) -> np.dtype:
    """The dtype of a layer's parameters, float32 for None; TypeError unless it holds floats."""
    chosen = DEFAULT_DTYPE if dtype is None else np.dtype(dtype)
    if chosen.kind != "f":
        raise TypeError(f"a layer's parameters must be floats, got dtype {chosen}")
    return chosen


def zeros_parameter(shape: Sequence[int], dtype: DTypeLike | None) -> Parameter:
    """A parameter of zeros, to be filled.

    >>> zeros_parameter((2,), None)
    Parameter([0., 0.], dtype=float32, requires_grad=True)
    """
    return Parameter(np.zeros(tuple(shape), float_dtype(dtype)))


def ones_parameter(shape: Sequence[int], dtype: DTypeLike | None) -> Parameter:
    """A parameter of ones."""
    return Parameter(np.ones(tuple(shape), float_dtype(dtype)))


def start_uniform(
    weight: Parameter, bias: Parameter | None, rng: np.random.Generator | None
) -> None:
    """Weight and bias uniform on +-1/sqrt(fan_in), as PyTorch starts linear and conv layers."""
    init.kaiming_uniform_(weight, a=math.sqrt(5.0), rng=rng)
    if bias is not None:
        bound = 1.0 / math.sqrt(init.fans(weight)[0])
        init.uniform_(bias, -bound, bound, rng=rng)
