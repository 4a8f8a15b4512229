"""Special functions NumPy lacks, and stable forms of the exponential family."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.error_function import erf

__all__ = [
    "erf",
    "finite_top",
    "log_sigmoid",
    "log_softmax",
    "logsumexp",
    "sigmoid",
    "softmax",
    "softplus",
]

Array = np.ndarray[Any, Any]
Axis = int | tuple[int, ...] | None


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)), without overflow and with full relative accuracy on both sides.

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    x = _inexact(x)
    positive = x.real >= 0
    small = np.exp(np.where(positive, -x, x))
    return np.where(positive, _one(x), small)[()] / (1 + small)


def log_sigmoid(x: Any) -> Any:
    """log(sigmoid(x)) = min(x, 0) - log(1 + exp(-|x|)).

    >>> log_sigmoid(np.array([-1000.0, 1000.0])).tolist()
    [-1000.0, 0.0]
    """
    x = _inexact(x)
    positive = x.real >= 0
    small = np.log1p(np.exp(np.where(positive, -x, x)))
    return np.where(positive, _zero(x), x)[()] - small


def softplus(x: Any) -> Any:
    """log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)).

    >>> softplus(np.array([-1000.0, 1000.0])).tolist()
    [0.0, 1000.0]
    """
    x = _inexact(x)
    positive = x.real >= 0
    small = np.log1p(np.exp(np.where(positive, -x, x)))
    return np.where(positive, x, _zero(x))[()] + small


def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))) over `axis`, shifted by the largest (real part of an) element.

    Over nothing but -inf it is -inf; an element of +inf makes it +inf. An empty axis gives -inf.

    >>> float(logsumexp(np.array([1000.0, 1000.0])).round(4))
    1000.6931
    """
    x = np.asarray(_inexact(x))
    top = finite_top(x, axis)
    with np.errstate(divide="ignore", over="ignore"):
        total = np.exp(x - top).sum(axis=axis, keepdims=True)
        out = np.log(total) + top
    return (out if keepdims else np.squeeze(out, axis=axis))[()]


def softmax(x: Any, axis: Axis = -1) -> Any:
    """exp(x) / sum(exp(x)) over `axis`.

    -inf gives probability 0. Where it is undefined (nothing but -inf, or a +inf) the result is
    NaN, without a warning.

    >>> softmax(np.array([0.0, -np.inf])).tolist()
    [1.0, 0.0]
    """
    x = np.asarray(_inexact(x))
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        small = np.exp(x - finite_top(x, axis))
        small /= small.sum(axis=axis, keepdims=True)
    return small[()]


def log_softmax(x: Any, axis: Axis = -1) -> Any:
    """x - logsumexp(x) over `axis`, with the same limits as `softmax`.

    >>> log_softmax(np.array([1000.0, 0.0])).tolist()
    [0.0, -1000.0]
    """
    x = np.asarray(_inexact(x))
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        shifted = x - finite_top(x, axis)
        shifted -= np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    return shifted[()]


def _inexact(x: Any) -> Any:
    """NumPy arrays and scalars of floats as they are, all else as float64."""
    if not isinstance(x, (np.ndarray, np.generic)):
        x = np.asarray(x)[()]
    return x if issubclass(x.dtype.type, np.inexact) else x.astype(np.float64)


def _one(x: Any) -> Any:
    return x.dtype.type(1)


def _zero(x: Any) -> Any:
    return x.dtype.type(0)


def finite_top(x: Array, axis: Axis) -> Any:
    """The largest real part over `axis`, which is kept, or the finite number nearest to it.

    >>> finite_top(np.array([[1.0, 2.0], [-np.inf, -np.inf]]), 1).tolist()
    [[2.0], [-1.7976931348623157e+308]]
    """
    top = np.maximum.reduce(x.real, axis=axis, keepdims=True, initial=-np.inf)
    finite = np.isfinite(top)
    if np.count_nonzero(finite) == finite.size:
        return top
    numbers = np.finfo(top.dtype)
    return np.clip(top, numbers.min, numbers.max)
