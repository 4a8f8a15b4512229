"""Operations that choose or cut: absolute values, extremes, steps, where, clip."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.families import Elementwise, Linear
from autograd.kernels import choosing as kernels
from autograd.kernels.choosing import choose, larger, smaller
from autograd.kernels.entrywise import on_threads
from autograd.ops.axes import data_of
from autograd.ops.definitions import AWAY_FROM_ZERO, elementwise
from autograd.registry import Kink, bad, register
from autograd.samples import call, real
from autograd.tensor import Tensor

__all__ = [
    "absolute",
    "ceil",
    "clip",
    "floor",
    "maximum",
    "minimum",
    "rint",
    "round",
    "sign",
    "trunc",
    "where",
]

_LARGEST = 6e4
"""Numbers up to it are finite in every dtype of floats."""

absolute = elementwise(
    "absolute",
    on_threads(np.absolute),
    (lambda out, x: np.sign(x),),
    AWAY_FROM_ZERO,
    doc="""|x|; its derivative at 0 is 0.

    >>> import autograd as ag
    >>> ag.absolute(ag.Tensor([-1.0, 2.0]))
    Tensor([1., 2.])
    """,
    numpy=(np.absolute, np.fabs),
    operator=np.absolute,
    analytic=False,
    kinks=(Kink((0.0,), (0.0,), "abs'(0) = 0"),),
    near=(lambda x: x,),
    pullback=kernels.absolute_pullback,
)

sign = elementwise(
    "sign",
    np.sign,
    (0,),
    AWAY_FROM_ZERO,
    doc="""-1, 0 or 1; its derivative is 0.

    >>> import autograd as ag
    >>> ag.sign(ag.Tensor([-3.0, 0.0, 2.0]))
    Tensor([-1.,  0.,  1.])
    """,
    numpy=(np.sign,),
    analytic=False,
    near=(lambda x: x,),
)


def _step_distance(x: Any) -> Any:
    return np.asarray(x) - np.rint(x)


floor = elementwise(
    "floor",
    np.floor,
    (0,),
    {"low": 0.2, "high": 0.8},
    doc="""The largest integer not above x; its derivative is 0.

    >>> import autograd as ag
    >>> ag.floor(ag.Tensor([-1.5, 1.5]))
    Tensor([-2.,  1.])
    """,
    numpy=(np.floor,),
    analytic=False,
    kinks=(Kink((1.0,), (0.0,), "floor at a jump: 0"),),
    near=(_step_distance,),
)

ceil = elementwise(
    "ceil",
    np.ceil,
    (0,),
    {"low": 0.2, "high": 0.8},
    doc="""The smallest integer not below x; its derivative is 0.

    >>> import autograd as ag
    >>> ag.ceil(ag.Tensor([-1.5, 1.5]))
    Tensor([-1.,  2.])
    """,
    numpy=(np.ceil,),
    analytic=False,
    kinks=(Kink((1.0,), (0.0,), "ceil at a jump: 0"),),
    near=(_step_distance,),
)

trunc = elementwise(
    "trunc",
    np.trunc,
    (0,),
    {"low": 0.2, "high": 0.8},
    doc="""x without its fraction; its derivative is 0.

    >>> import autograd as ag
    >>> ag.trunc(ag.Tensor([-1.5, 1.5]))
    Tensor([-1.,  1.])
    """,
    numpy=(np.trunc,),
    analytic=False,
    kinks=(Kink((1.0,), (0.0,), "trunc at a jump: 0"),),
    near=(_step_distance,),
)


def _half_steps(x: Any, decimals: int = 0) -> Any:
    scaled = np.asarray(x) * 10.0**decimals
    return scaled - np.floor(scaled) - 0.5


_round = Elementwise("round", lambda x, decimals: np.round(x, decimals), (0,), kinks=(_half_steps,))


@register(
    [
        call(real(2, 3, low=0.1, high=0.4)),
        call(real(2, low=11.0, high=14.0), -1),
        call(real(low=0.6, high=0.9)),
    ],
    numpy=(np.round, np.around),
    analytic=False,
    bad=[bad(TypeError, "decimals", np.ones(2), 1.5)],
)
def round(x: Any, decimals: int = 0) -> Any:
    """x to `decimals` decimals, halves to even; its derivative is 0.

    Raises TypeError for decimals that are no int.

    >>> import autograd as ag
    >>> ag.round(ag.Tensor([0.126, 2.5]), 2)
    Tensor([0.13, 2.5 ])
    """
    if isinstance(decimals, bool) or not isinstance(decimals, (int, np.integer)):
        raise TypeError(f"round takes decimals as an int, got {decimals!r}")
    return _round(x, decimals=int(decimals))


rint = elementwise(
    "rint",
    np.rint,
    (0,),
    {"low": 0.6, "high": 0.9},
    doc="""The nearest integer, halves to even; its derivative is 0.

    >>> import autograd as ag
    >>> ag.rint(ag.Tensor([-1.6, 2.5]))
    Tensor([-2.,  2.])
    """,
    numpy=(np.rint,),
    analytic=False,
    kinks=(Kink((0.5,), (0.0,), "rint at a jump: 0"),),
    near=(_half_steps,),
)


def _share(x: Any, y: Any) -> Any:
    return kernels.share(data_of(x), data_of(y))


def _difference(x: Any, y: Any) -> Any:
    return np.asarray(x) - np.asarray(y)


maximum = elementwise(
    "maximum",
    larger,
    (lambda out, x, y: _share(x, y), lambda out, x, y: _share(y, x)),
    {"low": -2.0, "high": -0.1},
    {"low": 0.1, "high": 2.0},
    doc="""The larger of x1 and x2; where they tie, each has derivative 1/2.

    >>> import autograd as ag
    >>> ag.maximum(ag.Tensor([1.0, 5.0]), 3.0)
    Tensor([3., 5.])
    """,
    numpy=(np.maximum,),
    analytic=False,
    kinks=(Kink((1.0, 1.0), (0.5, 0.5), "maximum shares a tie equally"),),
    near=(_difference,),
)

minimum = elementwise(
    "minimum",
    smaller,
    (lambda out, x, y: _share(y, x), lambda out, x, y: _share(x, y)),
    {"low": -2.0, "high": -0.1},
    {"low": 0.1, "high": 2.0},
    doc="""The smaller of x1 and x2; where they tie, each has derivative 1/2.

    >>> import autograd as ag
    >>> ag.minimum(ag.Tensor([1.0, 5.0]), 3.0)
    Tensor([1., 3.])
    """,
    numpy=(np.minimum,),
    analytic=False,
    kinks=(Kink((1.0, 1.0), (0.5, 0.5), "minimum shares a tie equally"),),
    near=(_difference,),
)


_clip = Elementwise(
    "clip",
    kernels.clip,
    (lambda out, x, low, high: kernels.clip_slope(data_of(x), low, high),),
    pullback=kernels.clip_pullback,
    kinks=(lambda x, low, high: x - low, lambda x, low, high: x - high),
)


def _are_plain(x: Any, *bounds: Any) -> bool:
    """Whether the bounds are numbers that fit into any dtype of floats, and x is of one."""
    fit = all(type(bound) in (int, float) and abs(bound) <= _LARGEST for bound in bounds)
    return fit and getattr(x, "dtype", np.dtype(object)).kind == "f"


@register(
    [
        call(real(2, 3, away=(-1.0, 1.0)), -1.0, 1.0),
        call(real(3, away=(0.0,)), 0.0, None),
        call(real(away=(0.5,)), max=0.5),
        call(real(2, 2, low=-1, high=1), real(2, low=1.2, high=2.0), 3.0),
    ],
    numpy=(np.clip,),
    analytic=False,
    kinks=(Kink((0.0, 0.0, 1.0), (0.5, 0.5, 0.0), "clip is minimum(maximum(x, min), max)"),),
    bad=[bad(ValueError, "min and max", np.ones(2))],
    # NumPy 2.0 knows the bounds as a_min and a_max only.
    reference=lambda x, min=None, max=None: np.clip(x, min, max),
)
def clip(x: Any, min: Any = None, max: Any = None) -> Any:
    """minimum(maximum(x, min), max); None leaves a side open.

    Raises ValueError if both bounds are None.

    >>> import autograd as ag
    >>> ag.clip(ag.Tensor([-2.0, 0.5, 2.0]), -1.0, 1.0)
    Tensor([-1. ,  0.5,  1. ])
    """
    if min is None and max is None:
        raise ValueError("clip got None for both min and max; give at least one bound")
    if _are_plain(x, min, max):
        return _clip(x, low=float(min), high=float(max))
    if min is not None:
        x = maximum(x, min)
    return x if max is None else minimum(x, max)


_where: Linear = Linear(
    "where",
    lambda x, y, condition: choose(condition, x, y),
    (
        lambda cotangent, condition: choose(condition, cotangent, 0),
        lambda cotangent, condition: choose(condition, 0, cotangent),
    ),
    analytic=True,
)
_MASK = np.array([[True, False, True], [False, True, True]])


@register(
    [
        call(_MASK, real(2, 3), real(2, 3)),
        call(_MASK, real(3), real()),
        call(_MASK[0], real(2, 1), real(3)),
        call(np.array([0.0, 2.0, 1.0]), real(3), real(3)),
        call(True, real(), real()),
    ],
    numpy=(np.where,),
    bad=[
        bad(TypeError, "tracked", "condition", np.ones(2), np.ones(2)),
        bad(TypeError, "both", np.array([True]), np.ones(1)),
    ],
)
def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """x where `condition` holds, else y, with broadcasting.

    The branch not taken gets an exact zero; a rule that is infinite or NaN there still makes a
    NaN on the way back, so choose its argument by `where` first (the double where). With only
    `condition`, the indices where it holds, as in NumPy.

    Raises TypeError for a condition that is no array of booleans or numbers, or for only one
    of x and y.

    >>> import autograd as ag
    >>> import numpy as np
    >>> ag.where(np.array([True, False]), ag.Tensor([1.0, 2.0]), 0.0)
    Tensor([1., 0.])
    """
    mask = condition.data if isinstance(condition, Tensor) else np.asarray(condition)
    if mask.dtype.kind not in "biuf":
        raise TypeError(
            f"where needs a condition of booleans or numbers, got {type(condition).__name__} "
            f"(dtype {mask.dtype}); tracked or not, x and y come after it"
        )
    if (x is None) != (y is None):
        raise TypeError("where takes both x and y, or neither; one of them is missing")
    if x is None:
        return np.nonzero(mask)
    if mask.dtype.kind != "b":
        mask = mask != 0
    return _where(x, y, condition=mask)
