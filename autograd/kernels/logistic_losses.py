"""Binary cross-entropy of logits: fused forward and backward kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels import special
from autograd.kernels.activations import goes_compiled, in_one_pass

__all__ = ["logistic_loss", "logistic_loss_pullback"]

PASSES = 16
"""Sums that cost as much for each entry as NumPy's calls do."""

NANOSECONDS = 2.0
"""About what an entry takes."""


def logistic_loss(x: Any, y: Any, positive: Any = None) -> Any:
    """-(p y log s(x) + (1 - y) log(1 - s(x))) of arrays of one shape, s the sigmoid; factors p
    broadcast to it.

    >>> logistic_loss(np.array([0.0, -1000.0]), np.array([1.0, 1.0])).round(4).tolist()
    [0.6931, 1000.0]
    """
    gains = y if positive is None else y * positive
    if goes_compiled(x, "f", y, passes=PASSES):
        from autograd.kernels.compiled_losses import logistic_losses

        return in_one_pass(logistic_losses, NANOSECONDS, gains, y, x)
    # Each half is accurate where it is small, so confident right answers keep their derivative.
    return -(_shares(gains, special.log_sigmoid(x)) + _shares(1 - y, special.log_sigmoid(-x)))


def _shares(shares: Any, logarithms: Any) -> Any:
    """The products; no share of an infinity is 0."""
    with np.errstate(invalid="ignore"):
        return np.where(shares != 0, shares * logarithms, logarithms.dtype.type(0))


def logistic_loss_pullback(g: Any, x: Any, y: Any, positive: Any = None) -> Any:
    """g ((1 - y) s(x) - p y s(-x)), for a cotangent g of the shape of x.

    >>> logistic_loss_pullback(np.array([2.0]), np.array([0.0]), np.array([1.0])).tolist()
    [-1.0]
    """
    gains = y if positive is None else y * positive
    if goes_compiled(x, "f", y, passes=PASSES) and goes_compiled(x, "f", g, passes=PASSES):
        from autograd.kernels.compiled_losses import logistic_gradients

        return in_one_pass(logistic_gradients, NANOSECONDS, g, gains, y, x)
    return g * ((1 - y) * special.sigmoid(x) - gains * special.sigmoid(-x))
