"""Limiting gradients before a step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.storage import mark_changed


def _gradients(parameters: Any, who: str) -> list[np.ndarray]:
    items: Iterable[Any] = [parameters] if isinstance(parameters, Tensor) else parameters
    arrays = []
    for parameter in items:
        if not isinstance(parameter, Tensor):
            raise TypeError(f"{who} takes parameters, got {type(parameter).__name__}")
        if parameter.grad is not None:
            arrays.append(parameter.grad.data)
    return arrays


def clip_grad_norm_(
    parameters: Any,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> float:
    """Scale all gradients in place to a common norm of at most `max_norm`; gives the norm before.

    The norm is of all gradients as one vector: sum(|g|^p)^(1/p), or max |g| for p = inf; they are
    scaled by max_norm / (norm + 1e-6) if that is below 1, as in PyTorch. Source: Pascanu, Mikolov &
    Bengio, On the difficulty of training recurrent neural networks, 2013. Raises ValueError for a
    bound or p that is not positive, RuntimeError for a norm that is not finite if
    `error_if_nonfinite`.

    >>> import nn, optim
    >>> p = nn.Parameter([0.0, 0.0])
    >>> p.grad = [3.0, 4.0]
    >>> optim.clip_grad_norm_([p], 1.0)
    5.0
    >>> p.grad.data.round(3)
    array([0.6, 0.8])
    """
    if not max_norm >= 0 or not norm_type > 0:
        raise ValueError(
            f"clip_grad_norm_ needs max_norm >= 0 and norm_type > 0, got {max_norm} and {norm_type}"
        )
    arrays = _gradients(parameters, "clip_grad_norm_")
    if norm_type == float("inf"):
        norm = max((float(np.abs(array).max(initial=0)) for array in arrays), default=0.0)
    elif norm_type == 2.0:
        # vdot sums without an array of squares; its float32 sums are good to about 1e-6.
        norm = float(np.sqrt(sum(float(np.vdot(array, array)) for array in arrays)))
    else:
        total = sum(float(np.sum(np.abs(array, dtype=float) ** norm_type)) for array in arrays)
        norm = total ** (1.0 / norm_type)
    if error_if_nonfinite and not np.isfinite(norm):
        raise RuntimeError(
            f"clip_grad_norm_: the gradients' norm is {norm}; find where it arose with "
            "ag.detect_anomaly()"
        )
    scale = max_norm / (norm + 1e-6)
    if scale < 1.0:
        for array in arrays:
            array *= scale
            mark_changed(array)
    return norm


def clip_grad_value_(parameters: Any, clip_value: float) -> None:
    """Limit each entry of the gradients to [-clip_value, clip_value], in place.

    Raises ValueError for a negative bound.

    >>> import nn, optim
    >>> p = nn.Parameter([0.0, 0.0])
    >>> p.grad = [3.0, -0.5]
    >>> optim.clip_grad_value_([p], 1.0)
    >>> p.grad.data
    array([ 1. , -0.5])
    """
    if not clip_value >= 0:
        raise ValueError(f"clip_grad_value_ needs clip_value >= 0, got {clip_value}")
    for array in _gradients(parameters, "clip_grad_value_"):
        np.clip(array, -clip_value, clip_value, out=array)
        mark_changed(array)
