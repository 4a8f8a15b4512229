"""Softmax and its logarithm along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.dispatch import operations
from autograd.families import Linearised
from autograd.kernels import softmaxes
from autograd.ops.axes import as_axis
from autograd.registry import bad, register
from autograd.samples import call, real
from autograd.tensor import Tensor

__all__ = ["log_softmax", "softmax"]


_ARRAYS = (Tensor, np.ndarray)


def _softmax_change(out: Any, change: Any, axis: int) -> Any:
    """diag(out) - out out^T applied to a change: the Jacobian is symmetric."""
    if not isinstance(out, Tensor) and not isinstance(change, Tensor):
        return softmaxes.softmax_change(out, change, axis)
    weighted = out * change
    return weighted - out * operations.sum(weighted, axis, True)


_softmax: Linearised = Linearised(
    "softmax",
    lambda x, axis: softmaxes.softmax(x, axis),
    jvp=lambda out, x, dx, axis: _softmax_change(out, dx, axis),
    transposes=(lambda cotangent, out, x, axis: _softmax_change(out, cotangent, axis),),
    analytic=False,
)


def _log_softmax_pullback(cotangent: Any, out: Any, axis: int) -> Any:
    if not isinstance(out, Tensor) and not isinstance(cotangent, Tensor):
        return softmaxes.log_softmax_pullback(cotangent, out, axis)
    return cotangent - operations.exp(out) * operations.sum(cotangent, axis, True)


_log_softmax: Linearised = Linearised(
    "log_softmax",
    lambda x, axis: softmaxes.log_softmax(x, axis),
    jvp=lambda out, x, dx, axis: dx - operations.sum(operations.exp(out) * dx, axis, True),
    transposes=(lambda cotangent, out, x, axis: _log_softmax_pullback(cotangent, out, axis),),
    analytic=False,
)


def floats(x: Any, name: str) -> Any:
    """A Tensor or array of floats; integers are an error, since layers have no use for them."""
    x = x if isinstance(x, _ARRAYS) else np.asarray(x)
    if x.dtype.kind not in "fc":
        raise TypeError(f"{name} takes floats, got dtype {x.dtype}; convert with astype(float)")
    return x


_CALLS = (
    call(real(2, 3)),
    call(real(2, 3), 0),
    call(real(2, 3, 2), 1),
    call(real(2, 1)),
)
_ERRORS = (
    bad(ValueError, "axis 2 is out of range", np.ones((2, 2)), 2),
    bad(TypeError, "floats", np.ones(2, int)),
)


def _softmax_reference(x: Any, axis: int = -1) -> Any:
    powers = np.exp(x)
    return powers / powers.sum(axis=axis, keepdims=True)


@register(_CALLS, analytic=False, bad=_ERRORS, reference=_softmax_reference)
def softmax(x: Any, axis: int = -1) -> Any:
    """exp(x) / sum(exp(x)) along an axis, without overflow.

    Raises ValueError for an axis that x does not have, TypeError for integers. Source: Bridle,
    Probabilistic interpretation of feedforward classification network outputs, 1990.

    >>> import autograd as ag
    >>> ag.softmax(ag.Tensor([1000.0, 1000.0]))
    Tensor([0.5, 0.5])
    """
    x = floats(x, "softmax")
    return _softmax(x, axis=as_axis(axis, x.ndim, "softmax"))


@register(
    _CALLS,
    analytic=False,
    bad=_ERRORS,
    reference=lambda x, axis=-1: np.log(_softmax_reference(x, axis)),
)
def log_softmax(x: Any, axis: int = -1) -> Any:
    """x - log(sum(exp(x))) along an axis, without overflow or underflow.

    Raises ValueError for an axis that x does not have, TypeError for integers.

    >>> import autograd as ag
    >>> ag.log_softmax(ag.Tensor([0.0, 1000.0]))
    Tensor([-1000.,     0.])
    """
    x = floats(x, "log_softmax")
    return _log_softmax(x, axis=as_axis(axis, x.ndim, "log_softmax"))
