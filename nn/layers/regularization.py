"""Dropout."""

from __future__ import annotations

from typing import Any

import numpy as np

from nn import functional
from nn.checks import probability
from nn.module import Module
from nn.randomness import choose_rng


class Dropout(Module):
    """In training, zeros with probability p, the rest divided by 1 - p; else the identity.

    Draws from `rng`, or from the generator of `nn.manual_seed`. Source: Srivastava et al.,
    Dropout, 2014.

    >>> import nn, numpy as np
    >>> nn.Dropout(0.5).eval()(np.ones(3, np.float32))
    array([1., 1., 1.], dtype=float32)
    """

    def __init__(self, p: float = 0.5, *, rng: np.random.Generator | None = None) -> None:
        self.p = probability(p)
        self.rng = None if rng is None else choose_rng(rng)

    def forward(self, input: Any) -> Any:
        """The same shape."""
        return functional.dropout(input, self.p, self.training, rng=self.rng)

    def extra_repr(self) -> str:
        return f"p={self.p}"
