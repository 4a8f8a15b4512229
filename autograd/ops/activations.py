"""Activation functions, entry by entry."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.families import Elementwise
from autograd.kernels import activations as kernels
from autograd.kernels import smooth_activations as smooth
from autograd.ops.axes import data_of
from autograd.ops.definitions import AWAY_FROM_ZERO, elementwise
from autograd.ops.transcendental import erf as erf_op
from autograd.registry import Kink, bad, register
from autograd.samples import call, real

__all__ = [
    "elu",
    "gelu",
    "leaky_relu",
    "log_sigmoid",
    "relu",
    "sigmoid",
    "silu",
    "softplus",
]

_ROOT_HALF = float(np.sqrt(0.5))
_ROOT_TWO_OVER_PI = float(np.sqrt(2.0 / np.pi))
_NORMAL_DENSITY_AT_0 = float(1.0 / np.sqrt(2.0 * np.pi))
_CUBIC = 0.044715


def _away_from_zero(*shape: int) -> Any:
    return real(*shape, **AWAY_FROM_ZERO)


def _positive(x: Any) -> Any:
    """The mask x > 0, of booleans: times a cotangent it keeps the cotangent's dtype."""
    return data_of(x) > 0


relu = elementwise(
    "relu",
    kernels.relu,
    (lambda out, x: _positive(out),),
    AWAY_FROM_ZERO,
    doc="""max(x, 0); its derivative at 0 is 0.

    >>> import autograd as ag
    >>> ag.relu(ag.Tensor([-1.0, 2.0]))
    Tensor([0., 2.])
    """,
    analytic=False,
    kinks=(Kink((0.0,), (0.0,), "relu'(0) = 0"),),
    near=(lambda x: x,),
    reference=lambda x: np.where(x > 0, x, 0),
    pullback=kernels.relu_pullback,
)

sigmoid = elementwise(
    "sigmoid",
    smooth.sigmoid,
    (lambda out, x: out * (1 - out),),
    doc="""1 / (1 + exp(-x)) without overflow.

    >>> import autograd as ag
    >>> ag.sigmoid(ag.Tensor([0.0, 100.0]))
    Tensor([0.5, 1. ])
    """,
    analytic=False,
    reference=lambda x: 1 / (1 + np.exp(-x)),
    pullback=smooth.sigmoid_pullback,
)

log_sigmoid = elementwise(
    "log_sigmoid",
    smooth.log_sigmoid,
    (lambda out, x: -np.expm1(out),),
    doc="""log(sigmoid(x)) without overflow.

    >>> import autograd as ag
    >>> ag.log_sigmoid(ag.Tensor([0.0]))
    Tensor([-0.69314718])
    """,
    analytic=False,
    reference=lambda x: -np.logaddexp(0, -x),
    pullback=smooth.log_sigmoid_pullback,
)

silu = elementwise(
    "silu",
    smooth.silu,
    (lambda out, x: _silu_slope(x),),
    doc="""x * sigmoid(x) (Elfwing, Uchibe & Doya, 2018).

    >>> import autograd as ag
    >>> ag.silu(ag.Tensor([0.0, 1.0]))
    Tensor([0.        , 0.73105858])
    """,
    analytic=False,
    reference=lambda x: x / (1 + np.exp(-x)),
    pullback=smooth.silu_pullback,
)


def _silu_slope(x: Any) -> Any:
    s = sigmoid(x)
    return s * (1 + x * (1 - s))


_leaky_relu = Elementwise(
    "leaky_relu",
    smooth.leaky_relu,
    (lambda out, x, negative_slope: _slopes(x, negative_slope),),
    pullback=smooth.leaky_relu_pullback,
    kinks=(lambda x, negative_slope: x,),
)


def _slopes(x: Any, slope: float) -> Any:
    values = data_of(x)
    kind = values.dtype.type
    return np.where(values > 0, kind(1), kind(slope))


def _check_number(name: str, argument: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name} takes {argument} as a number, got {type(value).__name__}")
    return float(value)


@register(
    [call(_away_from_zero(2, 3)), call(_away_from_zero(3), 0.2), call(_away_from_zero())],
    analytic=False,
    kinks=(Kink((0.0,), (0.01,), "leaky_relu at 0 takes the left slope"),),
    bad=[bad(TypeError, "negative_slope", np.ones(2), "steep")],
    reference=lambda x, negative_slope=0.01: np.maximum(x, 0) + negative_slope * np.minimum(x, 0),
)
def leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    """x where x > 0, else negative_slope * x; at 0 the left slope.

    >>> import autograd as ag
    >>> ag.leaky_relu(ag.Tensor([-1.0, 2.0]), 0.1)
    Tensor([-0.1,  2. ])
    """
    slope = _check_number("leaky_relu", "negative_slope", negative_slope)
    return _leaky_relu(x, negative_slope=slope)


_elu = Elementwise(
    "elu",
    smooth.elu,
    (lambda out, x, alpha: _elu_slope_at(x, alpha),),
    pullback=smooth.elu_pullback,
    kinks=(lambda x, alpha: x,),
)


def _elu_slope_at(x: Any, alpha: float) -> Any:
    return np.where(data_of(x) > 0, 1, alpha * np.exp(np.minimum(x, 0.0)))


@register(
    [call(_away_from_zero(2, 3)), call(_away_from_zero(3), 0.5), call(_away_from_zero())],
    analytic=False,
    kinks=(Kink((0.0, 2.0), (2.0, None), "elu at 0 takes the left slope"),),
    bad=[bad(TypeError, "alpha", np.ones(2), None)],
    reference=lambda x, alpha=1.0: np.maximum(x, 0) + np.minimum(0, alpha * (np.exp(x) - 1)),
)
def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where x > 0, else alpha * (exp(x) - 1) (Clevert et al., 2016); at 0 the left slope.

    >>> import autograd as ag
    >>> ag.elu(ag.Tensor([-1.0, 2.0]))
    Tensor([-0.63212056,  2.        ])
    """
    return _elu(x, alpha=_check_number("elu", "alpha", alpha))


_softplus = Elementwise(
    "softplus",
    smooth.softplus,
    (lambda out, x, beta, threshold: _softplus_slope(x, beta, threshold),),
    pullback=smooth.softplus_pullback,
)


def _softplus_slope(x: Any, beta: float, threshold: float) -> Any:
    scaled = x * beta
    return np.where(data_of(scaled) > threshold, 1, sigmoid(scaled))


@register(
    [
        call(real(2, 3)),
        call(real(3), 2.0),
        call(real()),
        call(real(3, low=25.0, high=30.0)),
        call(real(3, low=1.5, high=2.0), 2.0, 1.0),
    ],
    analytic=False,
    bad=[bad(ValueError, "beta", np.ones(2), 0.0)],
    reference=lambda x, beta=1.0, threshold=20.0: np.where(
        beta * x > threshold, x, np.logaddexp(0, beta * x) / beta
    ),
)
def softplus(x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """log(1 + exp(beta * x)) / beta without overflow; x itself where beta * x > threshold.

    >>> import autograd as ag
    >>> ag.softplus(ag.Tensor([0.0, 100.0]))
    Tensor([  0.69314718, 100.        ])
    """
    scale = _check_number("softplus", "beta", beta)
    if scale <= 0:
        raise ValueError(f"softplus needs beta > 0, got {beta}")
    limit = _check_number("softplus", "threshold", threshold)
    return _softplus(x, beta=scale, threshold=limit)


def _gelu_tanh_values(x: Any) -> Any:
    return 0.5 * x * (1 + np.tanh(_ROOT_TWO_OVER_PI * (x + _CUBIC * x * x * x)))


def _gelu_tanh_slope(x: Any) -> Any:
    t = np.tanh(_ROOT_TWO_OVER_PI * (x + _CUBIC * x * x * x))
    inner = _ROOT_TWO_OVER_PI * (1 + 3 * _CUBIC * x * x)
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner


def _gelu_slope(x: Any) -> Any:
    """Phi(x) + x phi(x)."""
    return 0.5 * (1 + erf_op(x * _ROOT_HALF)) + x * (_NORMAL_DENSITY_AT_0 * np.exp(-0.5 * x * x))


_gelu = Elementwise(
    "gelu",
    kernels.gelu,
    (lambda out, x: _gelu_slope(x),),
    pullback=kernels.gelu_pullback,
)
_gelu_tanh = Elementwise(
    "gelu_tanh", _gelu_tanh_values, (lambda out, x: _gelu_tanh_slope(x),), analytic=True
)


@register(
    [
        call(real(2, 3)),
        call(real(3), "tanh"),
        call(real()),
        call(real(0, 2), approximate="tanh"),
    ],
    analytic=False,
    bad=[bad(ValueError, "approximate", np.ones(2), "fast")],
)
def gelu(x: Any, approximate: str = "none") -> Any:
    """x * Phi(x), Phi the normal distribution function (Hendrycks & Gimpel, 2016).

    With approximate='tanh': 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).

    Raises ValueError for another approximation.

    >>> import autograd as ag
    >>> ag.gelu(ag.Tensor([0.0, 1.0]))
    Tensor([0.        , 0.84134475])
    """
    if approximate not in ("none", "tanh"):
        raise ValueError(f"gelu takes approximate='none' or 'tanh', got {approximate!r}")
    return _gelu(x) if approximate == "none" else _gelu_tanh(x)
