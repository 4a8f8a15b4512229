"""Running sums and products."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.dispatch import operations
from autograd.families import Composite, Linear
from autograd.kernels.scans import (
    running_products,
    running_products_pullback,
    running_products_pushforward,
    running_sums,
)
from autograd.ops.axes import as_axis, ndim_of, shape_of
from autograd.registry import Kink, bad, register
from autograd.samples import call, real
from autograd.tensor import Tensor

__all__ = ["cumprod", "cumsum"]

_CALLS = (
    call(real(4)),
    call(real(2, 3), 0),
    call(real(2, 3), -1),
    call(real(2, 2)),
    call(real(0)),
)
_AXIS_ERROR = bad(ValueError, "out of range", np.ones(2), 1)


def _sums_from_the_end(x: Any, axis: int) -> Any:
    if not isinstance(x, Tensor):
        return running_sums(x, axis, backwards=True)
    return operations.flip(operations.cumsum(operations.flip(x, axis), axis), axis)


_cumsum: Linear = Linear(
    "cumsum",
    running_sums,
    lambda cotangent, axis: _sums_from_the_end(cotangent, axis),
    analytic=True,
)


def _line(x: Any, axis: int | None, name: str) -> tuple[Any, int]:
    if axis is None:
        return operations.ravel(x), 0
    return x, as_axis(axis, ndim_of(x), name)


@register(_CALLS, numpy=(np.cumsum,), bad=[_AXIS_ERROR])
def cumsum(x: Any, axis: int | None = None) -> Any:
    """out[k] = x[0] + ... + x[k] along an axis, of the flattened x if `axis` is None.

    Raises ValueError for an axis that x does not have.

    >>> import autograd as ag
    >>> ag.cumsum(ag.Tensor([1.0, 2.0, 3.0]))
    Tensor([1., 3., 6.])
    """
    x, where = _line(x, axis, "cumsum")
    return _cumsum(x, axis=where)


def _doubling(x: Any, axis: int) -> Any:
    """Each round multiplies by the product that ends `step` places before (Hillis & Steele,
    Data parallel algorithms, 1986): no division, so zeros do no harm.
    """
    lead = (slice(None),) * axis
    step = 1
    while step < shape_of(x)[axis]:
        product = x[(*lead, slice(step, None))] * x[(*lead, slice(None, -step))]
        x = operations.concatenate([x[(*lead, slice(None, step))], product], axis)
        step *= 2
    return x


_cumprod: Composite = Composite(
    "cumprod",
    running_products,
    reference=_doubling,
    pullback=lambda cotangent, out, x, axis: (running_products_pullback(cotangent, out, x, axis),),
    pushforward=lambda tangents, out, x, axis: running_products_pushforward(
        tangents[0], out, x, axis
    ),
    analytic=True,
)


@register(
    [*_CALLS, call(real(2, 5), 1)],
    numpy=(np.cumprod,),
    bad=[_AXIS_ERROR],
    kinks=(
        Kink(
            (np.array([2.0, 0.0, 3.0]),), (np.array([1.0, 8.0, 0.0]),), "cumprod with a zero factor"
        ),
    ),
)
def cumprod(x: Any, axis: int | None = None) -> Any:
    """out[k] = x[0] * ... * x[k] along an axis, of the flattened x if `axis` is None.

    Its derivative is right with zeros among the factors. Raises ValueError for an axis that x
    does not have.

    >>> import autograd as ag
    >>> ag.cumprod(ag.Tensor([1.0, 2.0, 3.0]))
    Tensor([1., 2., 6.])
    """
    x, where = _line(x, axis, "cumprod")
    return _cumprod(x, axis=where)
