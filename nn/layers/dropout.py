"""Dropout of elements and of whole paths."""

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


class DropPath(Module):
    """Zeros whole samples of (N, ...) with probability drop_prob, the rest divided by
    1 - drop_prob; in evaluation the identity.

    At the end of a branch of a residual block or a cell it leaves that branch out for a sample.
    Names and defaults are timm's; torchvision has it as StochasticDepth in the mode "row". Without
    `scale_by_keep` what is kept stays as it is. `drop_prob` may be changed from epoch to epoch.
    Masks come from `rng`, by default the generator of `nn.manual_seed`. Source: Huang et al., Deep
    networks with stochastic depth, 2016; Larsson et al., FractalNet, 2017.

    >>> import nn, numpy as np
    >>> nn.DropPath(0.5).eval()(np.ones((2, 3)))
    array([[1., 1., 1.],
           [1., 1., 1.]])
    """

    def __init__(
        self,
        drop_prob: float = 0.0,
        scale_by_keep: bool = True,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.drop_prob = probability(drop_prob, "drop_prob")
        self.scale_by_keep = scale_by_keep
        if rng is not None:
            choose_rng(rng)
        self.rng = rng

    def forward(self, input: Any) -> Any:
        """With a new mask in every call; ValueError for an input without a batch axis."""
        return F.drop_path(input, self.drop_prob, self.training, self.scale_by_keep, rng=self.rng)

    def extra_repr(self) -> str:
        """The probability."""
        return f"drop_prob={self.drop_prob}, scale_by_keep={self.scale_by_keep}"
