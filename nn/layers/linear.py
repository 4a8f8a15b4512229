"""Affine layers and the identity."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nn import functional, init
from nn.checks import count
from nn.module import Module, describe
from nn.parameter import DEFAULT_DTYPE, Parameter
from nn.randomness import choose_rng


class Linear(Module):
    """y = x W^T + b on the last axis: input (..., in_features), output (..., out_features).

    `weight` (out, in) and `bias` (out,) start uniform in +-1/sqrt(in_features), as in PyTorch
    (LeCun et al., Efficient backprop, 1998). Raises ValueError for an input of another width.

    >>> import nn, numpy as np
    >>> layer = nn.Linear(3, 2, rng=np.random.default_rng(0))
    >>> layer(np.ones((5, 3), np.float32)).shape
    (5, 2)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = None,
    ) -> None:
        self.in_features = count(in_features, "in_features")
        self.out_features = count(out_features, "out_features")
        shape = (self.out_features, self.in_features)
        self.weight = Parameter(np.empty(shape, dtype or DEFAULT_DTYPE))
        self.bias = Parameter(np.empty(self.out_features, dtype or DEFAULT_DTYPE)) if bias else None
        self.reset_parameters(rng=rng)

    def reset_parameters(self, *, rng: np.random.Generator | None = None) -> None:
        """Draw the weight and the bias anew."""
        generator = choose_rng(rng)
        init.kaiming_uniform_(self.weight, a=math.sqrt(5), rng=generator)
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features)
            init.uniform_(self.bias, -bound, bound, rng=generator)

    def forward(self, input: Any) -> Any:
        """(..., in_features) to (..., out_features)."""
        shape = np.shape(input)
        if not shape or shape[-1] != self.in_features:
            raise ValueError(
                f"{describe(self)} got an input of shape {shape}; its last axis must have size "
                f"{self.in_features}"
            )
        return functional.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Identity(Module):
    """The input itself; arguments are ignored, so that it can stand in for any layer.

    >>> import nn
    >>> nn.Identity()(3.0)
    3.0
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Takes anything."""

    def forward(self, input: Any) -> Any:
        """The input itself."""
        return input
