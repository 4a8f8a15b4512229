"""Dropout."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.dispatch import operations
from autograd.ops.softmaxes import floats
from autograd.registry import bad, register
from autograd.samples import call, real

__all__ = ["dropout"]


@register(
    [
        call(real(2, 3), 0.4, rng=3),
        call(real(2, 3), 0.4, False, rng=3),
        call(real(2), 0.0, rng=3),
        call(real(2), 1.0, rng=3),
    ],
    bad=[
        bad(ValueError, "p=1.5", np.ones(2), 1.5, rng=0),
        bad(TypeError, "rng", np.ones(2), 0.5, rng=None),
    ],
)
def dropout(x: Any, p: float = 0.5, training: bool = True, *, rng: Any) -> Any:
    """Each entry 0 with probability p, else x / (1 - p); x itself unless `training`.

    `rng` is a `numpy.random.Generator`, or a seed for one. Raises ValueError for a p outside
    [0, 1]. Source: Srivastava et al., Dropout, 2014.

    >>> import autograd as ag
    >>> ag.dropout(ag.Tensor([1.0, 1.0, 1.0, 1.0]), 0.5, rng=0)
    Tensor([2., 2., 2., 0.])
    """
    x = floats(x, "dropout")
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: p={p} must be a probability from 0 to 1")
    if rng is None or isinstance(rng, (bool, float, str)):
        raise TypeError(f"dropout needs rng=numpy.random.Generator or an int as seed, got {rng!r}")
    if not training or p == 0:
        return x
    generator = np.random.default_rng(rng)
    kept = generator.random(x.shape, np.float32) >= p
    return operations.multiply(x, kept * x.dtype.type(1 / (1 - p) if p < 1 else 0))
