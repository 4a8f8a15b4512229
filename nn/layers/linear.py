"""Affine maps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nn import functional as F
from nn.checks import as_floats, count
from nn.layers.starts import start_uniform, zeros_parameter
from nn.module import Module, describe
from nn.parameter import Parameter


class Linear(Module):
    """x W^T + b on the last axis: (..., in_features) to (..., out_features).

    `weight` (out_features, in_features) and `bias` (out_features,), or None, start uniform on
    +-1/sqrt(in_features).

    >>> import nn, numpy as np
    >>> nn.Linear(3, 2)(np.zeros((5, 3), np.float32)).shape
    (5, 2)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: DTypeLike | None = None,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.in_features = count(in_features, "in_features")
        self.out_features = count(out_features, "out_features")
        self.weight: Parameter = zeros_parameter((self.out_features, self.in_features), dtype)
        self.bias: Parameter | None = zeros_parameter((self.out_features,), dtype) if bias else None
        self.reset_parameters(rng)

    def reset_parameters(self, rng: np.random.Generator | None = None) -> None:
        """Draw the initial values again."""
        start_uniform(self.weight, self.bias, rng)

    def forward(self, input: Any) -> Any:
        """The map; ValueError unless the last axis has `in_features` entries."""
        return self.activated(input, None)

    def activated(self, input: Any, activation: str | None) -> Any:
        """The same with an activation, "relu" or "gelu", applied in the same pass."""
        input = as_floats(input, "Linear")
        if input.ndim == 0 or input.shape[-1] != self.in_features:
            raise ValueError(
                f"{describe(self)} takes an input (..., {self.in_features}), "
                f"got shape {input.shape}"
            )
        return F.linear(input, self.weight, self.bias, activation=activation)

    def extra_repr(self) -> str:
        """The sizes."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )
