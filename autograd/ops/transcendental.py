"""Exponentials, logarithms, roots, circular and hyperbolic functions, entry by entry.

Derivatives: Abramowitz & Stegun, Handbook of Mathematical Functions, chapters 4 and 7.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.activations import tanh_pullback
from autograd.kernels.arithmetic import quotient_of
from autograd.kernels.entrywise import on_threads
from autograd.kernels.error_function import erf as erf_values
from autograd.kernels.smooth_activations import tanh as tanh_values
from autograd.ops.arithmetic import square
from autograd.ops.axes import data_of
from autograd.ops.definitions import (
    ANYWHERE,
    AWAY_FROM_ZERO,
    INSIDE_UNIT,
    POSITIVE,
    elementwise,
)
from autograd.registry import Kink

__all__ = [
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "cbrt",
    "cos",
    "cosh",
    "erf",
    "exp",
    "exp2",
    "expm1",
    "hypot",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
]

_LN2 = float(np.log(2.0))
_LN10 = float(np.log(10.0))
_TWO_OVER_ROOT_PI = float(2.0 / np.sqrt(np.pi))


_sin, _cos, _sinh, _cosh = (on_threads(ufunc) for ufunc in (np.sin, np.cos, np.sinh, np.cosh))


def _reciprocal(x: Any) -> Any:
    return quotient_of(1, x) if type(x) is np.ndarray else 1 / x


def _example(call: str, result: str) -> str:
    return f"\n\n    >>> import autograd as ag\n    >>> ag.{call}\n    {result}\n    "


exp = elementwise(
    "exp",
    on_threads(np.exp),
    (lambda out, x: out,),
    doc="e ** x." + _example("exp(ag.Tensor([0.0, 1.0]))", "Tensor([1.        , 2.71828183])"),
    numpy=(np.exp,),
    operator=np.exp,
)

exp2 = elementwise(
    "exp2",
    on_threads(np.exp2),
    (lambda out, x: out * _LN2,),
    doc="2 ** x." + _example("exp2(ag.Tensor([0.0, 3.0]))", "Tensor([1., 8.])"),
    numpy=(np.exp2,),
    operator=np.exp2,
)

expm1 = elementwise(
    "expm1",
    on_threads(np.expm1),
    (lambda out, x: out + 1,),
    doc="e ** x - 1, accurate near 0."
    + _example("expm1(ag.Tensor([0.0, 1.0]))", "Tensor([0.        , 1.71828183])"),
    numpy=(np.expm1,),
    operator=np.expm1,
)

log = elementwise(
    "log",
    on_threads(np.log),
    (lambda out, x: _reciprocal(x),),
    POSITIVE,
    doc="The natural logarithm." + _example("log(ag.Tensor([1.0]))", "Tensor([0.])"),
    numpy=(np.log,),
    operator=np.log,
)

log2 = elementwise(
    "log2",
    on_threads(np.log2),
    (lambda out, x: 1 / (x * _LN2),),
    POSITIVE,
    doc="The logarithm to base 2." + _example("log2(ag.Tensor([1.0, 8.0]))", "Tensor([0., 3.])"),
    numpy=(np.log2,),
    operator=np.log2,
)

log10 = elementwise(
    "log10",
    on_threads(np.log10),
    (lambda out, x: 1 / (x * _LN10),),
    POSITIVE,
    doc="The logarithm to base 10."
    + _example("log10(ag.Tensor([1.0, 100.0]))", "Tensor([0., 2.])"),
    numpy=(np.log10,),
    operator=np.log10,
)

log1p = elementwise(
    "log1p",
    on_threads(np.log1p),
    (lambda out, x: 1 / (1 + x),),
    {"low": -0.7, "high": 2.0},
    doc="log(1 + x), accurate near 0." + _example("log1p(ag.Tensor([0.0]))", "Tensor([0.])"),
    numpy=(np.log1p,),
    operator=np.log1p,
)

sqrt = elementwise(
    "sqrt",
    on_threads(np.sqrt),
    (lambda out, x: 0.5 / out,),
    POSITIVE,
    doc="The square root; its derivative at 0 is infinite."
    + _example("sqrt(ag.Tensor([4.0, 9.0]))", "Tensor([2., 3.])"),
    numpy=(np.sqrt,),
    operator=np.sqrt,
    kinks=(Kink((0.0,), (np.inf,), "sqrt'(0) = inf"),),
    near=(lambda x: x,),
)

cbrt = elementwise(
    "cbrt",
    on_threads(np.cbrt),
    (lambda out, x: 1 / (3 * out * out),),
    AWAY_FROM_ZERO,
    doc="The real cube root; its derivative at 0 is infinite."
    + _example("cbrt(ag.Tensor([8.0, -27.0]))", "Tensor([ 2., -3.])"),
    numpy=(np.cbrt,),
    operator=np.cbrt,
    analytic=False,
    kinks=(Kink((0.0,), (np.inf,), "cbrt'(0) = inf"),),
    near=(lambda x: x,),
)

sin = elementwise(
    "sin",
    _sin,
    (lambda out, x: _cos(x),),
    doc="The sine of x in radians." + _example("sin(ag.Tensor([0.0]))", "Tensor([0.])"),
    numpy=(np.sin,),
    operator=np.sin,
)

cos = elementwise(
    "cos",
    _cos,
    (lambda out, x: -_sin(x),),
    doc="The cosine of x in radians." + _example("cos(ag.Tensor([0.0]))", "Tensor([1.])"),
    numpy=(np.cos,),
    operator=np.cos,
)

tan = elementwise(
    "tan",
    on_threads(np.tan),
    (lambda out, x: 1 + out * out,),
    {"low": -1.2, "high": 1.2},
    doc="The tangent of x in radians." + _example("tan(ag.Tensor([0.0]))", "Tensor([0.])"),
    numpy=(np.tan,),
    operator=np.tan,
)

arcsin = elementwise(
    "arcsin",
    on_threads(np.arcsin),
    (lambda out, x: 1 / np.sqrt(1 - x * x),),
    INSIDE_UNIT,
    doc="The inverse sine, in radians, for x in [-1, 1]."
    + _example("arcsin(ag.Tensor([1.0]))", "Tensor([1.57079633])"),
    numpy=(np.arcsin,),
    operator=np.arcsin,
)

arccos = elementwise(
    "arccos",
    on_threads(np.arccos),
    (lambda out, x: -1 / np.sqrt(1 - x * x),),
    INSIDE_UNIT,
    doc="The inverse cosine, in radians, for x in [-1, 1]."
    + _example("arccos(ag.Tensor([0.0]))", "Tensor([1.57079633])"),
    numpy=(np.arccos,),
    operator=np.arccos,
)

arctan = elementwise(
    "arctan",
    on_threads(np.arctan),
    (lambda out, x: 1 / (1 + x * x),),
    doc="The inverse tangent, in radians."
    + _example("arctan(ag.Tensor([1.0]))", "Tensor([0.78539816])"),
    numpy=(np.arctan,),
    operator=np.arctan,
)

sinh = elementwise(
    "sinh",
    _sinh,
    (lambda out, x: _cosh(x),),
    doc="The hyperbolic sine." + _example("sinh(ag.Tensor([0.0]))", "Tensor([0.])"),
    numpy=(np.sinh,),
    operator=np.sinh,
)

cosh = elementwise(
    "cosh",
    _cosh,
    (lambda out, x: _sinh(x),),
    doc="The hyperbolic cosine." + _example("cosh(ag.Tensor([0.0]))", "Tensor([1.])"),
    numpy=(np.cosh,),
    operator=np.cosh,
)

tanh = elementwise(
    "tanh",
    tanh_values,
    (lambda out, x: 1 - square(out),),
    doc="The hyperbolic tangent."
    + _example("tanh(ag.Tensor([0.0, 1.0]))", "Tensor([0.        , 0.76159416])"),
    numpy=(np.tanh,),
    pullback=tanh_pullback,
    operator=np.tanh,
)

arcsinh = elementwise(
    "arcsinh",
    on_threads(np.arcsinh),
    (lambda out, x: 1 / np.sqrt(x * x + 1),),
    doc="The inverse hyperbolic sine." + _example("arcsinh(ag.Tensor([0.0]))", "Tensor([0.])"),
    numpy=(np.arcsinh,),
    operator=np.arcsinh,
)

arccosh = elementwise(
    "arccosh",
    on_threads(np.arccosh),
    (lambda out, x: 1 / (np.sqrt(x - 1) * np.sqrt(x + 1)),),
    {"low": 1.3, "high": 4.0},
    doc="The inverse hyperbolic cosine, for x >= 1."
    + _example("arccosh(ag.Tensor([1.0]))", "Tensor([0.])"),
    numpy=(np.arccosh,),
    operator=np.arccosh,
)

arctanh = elementwise(
    "arctanh",
    on_threads(np.arctanh),
    (lambda out, x: 1 / (1 - x * x),),
    INSIDE_UNIT,
    doc="The inverse hyperbolic tangent, for x in (-1, 1)."
    + _example("arctanh(ag.Tensor([0.0]))", "Tensor([0.])"),
    numpy=(np.arctanh,),
    operator=np.arctanh,
)

erf = elementwise(
    "erf",
    erf_values,
    (lambda out, x: _TWO_OVER_ROOT_PI * np.exp(-x * x),),
    doc="The error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x, to 2 ulp."
    + _example("erf(ag.Tensor([0.0, 1.0]))", "Tensor([0.        , 0.84270079])"),
    analytic=False,
)


def _hypot_partial(out: Any, leg: Any) -> Any:
    """leg / out, and 0 at the origin."""
    origin = data_of(out) == 0
    return leg / np.where(origin, 1, out)


hypot = elementwise(
    "hypot",
    np.hypot,
    (lambda out, x, y: _hypot_partial(out, x), lambda out, x, y: _hypot_partial(out, y)),
    AWAY_FROM_ZERO,
    AWAY_FROM_ZERO,
    doc="sqrt(x1**2 + x2**2) without overflow; its derivative at the origin is 0."
    + _example("hypot(ag.Tensor([3.0]), 4.0)", "Tensor([5.])"),
    numpy=(np.hypot,),
    analytic=False,
    kinks=(Kink((0.0, 0.0), (0.0, 0.0), "hypot at the origin: 0"),),
    near=(lambda x, y: np.hypot(x, y),),
)


def _squared_radius(x: Any, y: Any) -> Any:
    squared = x * x + y * y
    return np.where(data_of(squared) == 0, 1, squared)


arctan2 = elementwise(
    "arctan2",
    np.arctan2,
    (
        lambda out, y, x: x / _squared_radius(x, y),
        lambda out, y, x: -y / _squared_radius(x, y),
    ),
    AWAY_FROM_ZERO,
    AWAY_FROM_ZERO,
    doc="The angle of the point (x2, x1), in radians; its derivative at the origin is 0."
    + _example("arctan2(ag.Tensor([1.0]), 1.0)", "Tensor([0.78539816])"),
    numpy=(np.arctan2,),
    analytic=False,
    kinks=(Kink((0.0, 0.0), (0.0, 0.0), "arctan2 at the origin: 0"),),
    near=(lambda y, x: np.hypot(x, y),),
)

logaddexp = elementwise(
    "logaddexp",
    np.logaddexp,
    (
        lambda out, x, y: np.exp(x - _finite(out)),
        lambda out, x, y: np.exp(y - _finite(out)),
    ),
    ANYWHERE,
    ANYWHERE,
    doc="log(exp(x1) + exp(x2)) without overflow."
    + _example("logaddexp(ag.Tensor([0.0]), 0.0)", "Tensor([0.69314718])"),
    numpy=(np.logaddexp,),
    analytic=False,
)


def _finite(out: Any) -> Any:
    """Both operands -inf give weights 0, not NaN."""
    empty = data_of(out) == -np.inf
    return np.where(empty, 0, out) if np.any(empty) else out
