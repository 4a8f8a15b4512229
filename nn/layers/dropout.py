"""Dropout."""

from __future__ import annotations

from typing import Any

import numpy as np

from nn import functional as F
from nn.checks import probability
from nn.module import Module
from nn.randomness import choose_rng


class Dropout(Module):
    """Zeros with probability p, the rest divided by 1 - p; in evaluation the identity.

    Masks come from `rng`, by default the generator of `nn.manual_seed` (Srivastava et al. 2014).

    >>> import nn, numpy as np
    >>> nn.Dropout(0.5).eval()(np.ones(3))
    array([1., 1., 1.])
    """

    def __init__(self, p: float = 0.5, *, rng: np.random.Generator | None = None) -> None:
        self.p = probability(p)
        if rng is not None:
            choose_rng(rng)
        self.rng = rng

    def forward(self, input: Any) -> Any:
        """With a new mask in every call."""
        return F.dropout(input, self.p, self.training, rng=self.rng)

    def extra_repr(self) -> str:
        """The probability."""
        return f"p={self.p}"
