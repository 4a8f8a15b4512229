"""Optimizers' updates over flat arrays, each in one pass over the memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled

__all__ = ["adapt", "descend", "descend_with_momentum"]

Array = np.ndarray[Any, Any]


@compiled
def descend(p: Array, g: Array, lr: Any, decay: Any, sign: Any) -> None:
    for i in range(p.size):
        p[i] -= lr * (sign * g[i] + decay * p[i])


@compiled
def descend_with_momentum(
    p: Array,
    g: Array,
    v: Array,
    lr: Any,
    momentum: Any,
    share: Any,
    decay: Any,
    sign: Any,
    nesterov: bool,
) -> None:
    if nesterov:
        for i in range(p.size):
            change = sign * g[i] + decay * p[i]
            v[i] = momentum * v[i] + share * change
            p[i] -= lr * (change + momentum * v[i])
    else:
        for i in range(p.size):
            v[i] = momentum * v[i] + share * (sign * g[i] + decay * p[i])
            p[i] -= lr * v[i]


@compiled
def adapt(
    p: Array,
    g: Array,
    m: Array,
    s: Array,
    step: Any,
    beta1: Any,
    share1: Any,
    beta2: Any,
    share2: Any,
    eps: Any,
    inverse_correction: Any,
    shrink: Any,
    decay: Any,
    sign: Any,
) -> None:
    """Adam's moments and step; `shrink` is AdamW's decay, `decay` Adam's."""
    for i in range(p.size):
        change = sign * g[i] + decay * p[i]
        m[i] = beta1 * m[i] + share1 * change
        s[i] = beta2 * s[i] + share2 * (change * change)
        p[i] = shrink * p[i] - step * m[i] / (np.sqrt(s[i]) * inverse_correction + eps)
