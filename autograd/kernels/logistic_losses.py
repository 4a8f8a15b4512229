"""Binary cross-entropy of logits: fused forward and backward kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels import special
from autograd.kernels.backend import compiled_for
from autograd.kernels.buffers import empty
from autograd.kernels.workers import parallel_parts

__all__ = ["logistic_loss", "logistic_loss_pullback"]

Array = np.ndarray[Any, Any]

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
    flat = _flat(x, y) if positive is None else None
    if flat is not None:
        from autograd.kernels.compiled_losses import logistic_losses

        out = empty(x.shape, x.dtype)
        _over_parts(logistic_losses, *flat, out.reshape(-1))
        return out
    gains = y if positive is None else y * positive
    # Each half is accurate where it is small, so confident right answers keep their derivative.
    return -(_shares(gains, special.log_sigmoid(x)) + _shares(1 - y, special.log_sigmoid(-x)))


def _shares(shares: Any, logarithms: Any) -> Any:
    """The products; no share of an infinity is 0."""
    with np.errstate(invalid="ignore"):
        return np.where(shares != 0, shares * logarithms, logarithms.dtype.type(0))


def logistic_loss_pullback(g: Any, x: Any, y: Any, positive: Any = None) -> Any:
    """g ((1 - y) s(x) - p y s(-x)), for a cotangent g that broadcasts to x.

    >>> logistic_loss_pullback(2.0, np.array([0.0]), np.array([1.0])).tolist()
    [-1.0]
    """
    flat = _flat(x, y) if positive is None else None
    if flat is not None:
        from autograd.kernels.compiled_losses import logistic_gradients

        seeds = np.asarray(g, x.dtype)
        if seeds.size != 1:
            seeds = np.broadcast_to(seeds, x.shape)
        dx = empty(x.shape, x.dtype)
        given = np.ascontiguousarray(seeds).reshape(-1), *flat
        _over_parts(logistic_gradients, *given, dx.reshape(-1))
        return dx
    gains = y if positive is None else y * positive
    return g * ((1 - y) * special.sigmoid(x) - gains * special.sigmoid(-x))


def _over_parts(kernel: Any, *arrays: Array) -> None:
    size = arrays[-1].size
    parallel_parts(kernel, arrays, size, nanoseconds=NANOSECONDS * size)


def _flat(x: Any, y: Any) -> tuple[Array, Array] | None:
    """Both as they lie in memory, in rows, if the compiled kernels take them."""
    if type(x) is not np.ndarray or x.dtype.char != "f" or not x.size:
        return None
    if type(y) is not np.ndarray or y.dtype != x.dtype or y.shape != x.shape:
        return None
    if not all(a.flags.c_contiguous and a.flags.aligned for a in (x, y)):
        return None
    if not compiled_for(x.dtype, PASSES * x.size):
        return None
    return x.reshape(-1), y.reshape(-1)
