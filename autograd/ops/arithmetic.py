"""Sums, products, powers and what else NumPy's operators do, entry by entry."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from autograd.families.duals import set_dual_operator
from autograd.families.scalar_operator import scalar_operator, unary_operator
from autograd.kernels.arithmetic import arithmetic, product_of, quotient_of
from autograd.kernels.backend import LARGE
from autograd.kernels.entrywise import on_threads
from autograd.kernels.powers import power as power_of
from autograd.kernels.powers import scaled_power
from autograd.kernels.powers import square as squared
from autograd.methods import set_operator, set_unary_operator
from autograd.ops.axes import data_of
from autograd.ops.definitions import ANYWHERE, AWAY_FROM_ZERO, POSITIVE, elementwise
from autograd.registry import Kink

__all__ = [
    "add",
    "divide",
    "floor_divide",
    "multiply",
    "negative",
    "positive",
    "power",
    "reciprocal",
    "remainder",
    "square",
    "subtract",
]

add = elementwise(
    "add",
    arithmetic(np.add),
    (1, 1),
    doc="""x1 + x2, with broadcasting.

    >>> import autograd as ag
    >>> ag.add(ag.Tensor([1.0, 2.0]), 3.0)
    Tensor([4., 5.])
    """,
    numpy=(np.add,),
    operator=operator.add,
    pullback=lambda c, out, x, y: (c, c),
)

subtract = elementwise(
    "subtract",
    arithmetic(np.subtract),
    (1, -1),
    doc="""x1 - x2, with broadcasting.

    >>> import autograd as ag
    >>> ag.subtract(ag.Tensor([1.0, 2.0]), 3.0)
    Tensor([-2., -1.])
    """,
    numpy=(np.subtract,),
    operator=operator.sub,
    pullback=lambda c, out, x, y: (c, -c),
)


def _multiply_pullback(c: Any, out: Any, x: Any, y: Any) -> tuple[Any, Any]:
    if type(c) is not np.ndarray or c.size < LARGE:  # operators begin sooner, numbers' ten times
        return c * y, c * x
    return product_of(c, y), product_of(c, x)


multiply = elementwise(
    "multiply",
    arithmetic(np.multiply),
    (lambda out, x, y: y, lambda out, x, y: x),
    doc="""x1 * x2, with broadcasting.

    >>> import autograd as ag
    >>> ag.multiply(ag.Tensor([1.0, 2.0]), 3.0)
    Tensor([3., 6.])
    """,
    numpy=(np.multiply,),
    operator=operator.mul,
    pullback=_multiply_pullback,
)


def _divide_pullback(c: Any, out: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """In the order in which the partials are multiplied."""
    if type(c) is not np.ndarray or c.size < LARGE:
        return c * (1 / y), c * (-out / y)
    return product_of(c, quotient_of(1, y)), product_of(c, quotient_of(-out, y))


divide = elementwise(
    "divide",
    arithmetic(np.true_divide),
    (lambda out, x, y: 1 / y, lambda out, x, y: -out / y),
    ANYWHERE,
    AWAY_FROM_ZERO,
    doc="""x1 / x2, with broadcasting.

    >>> import autograd as ag
    >>> ag.divide(ag.Tensor([1.0, 2.0]), 4.0)
    Tensor([0.25, 0.5 ])
    """,
    numpy=(np.true_divide,),
    operator=operator.truediv,
    pullback=_divide_pullback,
)

negative = elementwise(
    "negative",
    on_threads(np.negative),
    (-1,),
    doc="""-x.

    >>> import autograd as ag
    >>> ag.negative(ag.Tensor([1.0, 2.0]))
    Tensor([-1., -2.])
    """,
    numpy=(np.negative,),
    operator=operator.neg,
)

positive = elementwise(
    "positive",
    np.positive,
    (1,),
    doc="""+x: a copy.

    >>> import autograd as ag
    >>> ag.positive(ag.Tensor([1.0, 2.0]))
    Tensor([1., 2.])
    """,
    numpy=(np.positive,),
)

square = elementwise(
    "square",
    squared,
    (lambda out, x: 2 * x,),
    doc="""x ** 2.

    >>> import autograd as ag
    >>> ag.square(ag.Tensor([1.0, 3.0]))
    Tensor([1., 9.])
    """,
    numpy=(np.square,),
    operator=np.square,
)

reciprocal = elementwise(
    "reciprocal",
    on_threads(np.reciprocal),
    (lambda out, x: -out * out,),
    AWAY_FROM_ZERO,
    doc="""1 / x.

    >>> import autograd as ag
    >>> ag.reciprocal(ag.Tensor([1.0, 4.0]))
    Tensor([1.  , 0.25])
    """,
    numpy=(np.reciprocal,),
    operator=np.reciprocal,
)


_NUMBERS, _QUICK = (int, float), (0, 0.5, 1)


def _raised(x: Any, y: Any) -> Any:
    """Python's operator for NumPy's scalars, which takes a fifth of the time, and where it is not
    np.power: at 0, 1/2 and 1.
    """
    if type(x) is not np.ndarray or (type(y) in _NUMBERS and y in _QUICK):
        return x**y
    return power_of(x, y)


def _base_partial(out: Any, x: Any, y: Any) -> Any:
    """y x^(y-1), and 0 where the exponent is 0, also at the base 0."""
    if type(y) is int or type(y) is float:  # no array that could widen the dtype of x
        return scaled_power(y, x, y - 1 if y else 1)
    lowered = np.power(x, np.where(data_of(y) == 0, 1, y - 1))
    return y * lowered


def _exponent_partial(out: Any, x: Any, y: Any) -> Any:
    """x^y log x, and 0 at the base 0."""
    return out * np.log(np.where(data_of(x) == 0, 1, x))


power = elementwise(
    "power",
    power_of,
    (_base_partial, _exponent_partial),
    POSITIVE,
    ANYWHERE,
    doc="""x1 ** x2, with broadcasting.

    0 ** 0 is 1 with derivative 0 in the base, and the exponent's derivative at base 0 is 0. A
    negative base needs an integer exponent, as in NumPy; its exponent's derivative is NaN.

    >>> import autograd as ag
    >>> ag.power(ag.Tensor([1.0, 3.0]), 2.0)
    Tensor([1., 9.])
    """,
    numpy=(np.power,),
    kinks=(
        Kink((0.0, 0.0), (0.0, 0.0), "0**0 = 1; derivative 0 in the base where the exponent is 0"),
        Kink((0.0, 2.0), (0.0, 0.0), "the exponent's derivative at base 0 is 0"),
    ),
    operator=_raised,
)

floor_divide = elementwise(
    "floor_divide",
    np.floor_divide,
    (0, 0),
    ANYWHERE,
    {"low": 3.0, "high": 5.0},
    doc="""floor(x1 / x2): constant between its jumps, so its derivative is 0.

    >>> import autograd as ag
    >>> ag.floor_divide(ag.Tensor([5.0, -5.0]), 2.0)
    Tensor([ 2., -3.])
    """,
    numpy=(np.floor_divide,),
    analytic=False,
)

remainder = elementwise(
    "remainder",
    np.remainder,
    (1, lambda out, x, y: -np.floor_divide(x, y)),
    {"low": 5.1, "high": 5.9},
    {"low": 3.0, "high": 5.0},
    doc="""x1 - floor(x1 / x2) * x2, with the sign of x2; the derivative holds between the jumps.

    >>> import autograd as ag
    >>> ag.remainder(ag.Tensor([5.0, -5.0]), 3.0)
    Tensor([2., 1.])
    """,
    numpy=(np.remainder,),
    analytic=False,
)

for _symbol, _operation in (
    ("add", add),
    ("sub", subtract),
    ("mul", multiply),
    ("truediv", divide),
    ("pow", power),
    ("floordiv", floor_divide),
    ("mod", remainder),
):
    set_operator(_symbol, scalar_operator(_operation), _operation.pair)
    set_dual_operator(_symbol, _operation.on_duals)
set_unary_operator("neg", unary_operator(negative))
set_dual_operator("neg", negative.on_duals)
