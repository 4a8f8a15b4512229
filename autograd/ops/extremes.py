"""The largest and the smallest entry along axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.base import Pair, PushedTangents
from autograd.dispatch import operations
from autograd.families import CallableOp
from autograd.families.multilinear import linear_pairs
from autograd.kernels import extremes as kernels
from autograd.node import Node
from autograd.ops.axes import as_axes, data_of, ndim_of, shape_of
from autograd.ops.reductions import AXIS_ERRORS, check_entries, kept_shape
from autograd.registry import Kink, bad, register
from autograd.samples import call, real

__all__ = ["max", "min"]

Axes = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class _Extreme(CallableOp):
    """y = x[where x is extreme]; entries that tie share its derivative.

    Which entries those are is found out again by the sweeps that ask.
    """

    def save(
        self,
        out: Any,
        values: Sequence[Any],
        nodes: Sequence[Node | None],
        extra: tuple[Any, ...],
    ) -> tuple[Any, ...]:
        return (out, values[0])

    def pull(
        self,
        node: Node,
        cotangent: Any,
        values: tuple[Any, ...],
        targets: tuple[Any, ...],
        record: bool,
    ) -> Sequence[Any]:
        x, extremes, axis = _found(node, values)
        seeds: Any = operations.reshape(cotangent, extremes.shape)
        if record:
            return (_shared(seeds, kernels.shares(x, extremes, axis)),)
        return (kernels.share_out(seeds, x, extremes, axis),)

    def pull_pair(
        self, node: Node, arrived: Pair, targets: tuple[Any, ...], tangents: PushedTangents
    ) -> Sequence[Pair | None] | None:
        return linear_pairs(self, node, arrived, targets)

    def push(
        self, node: Node, tangents: Sequence[Any], values: tuple[Any, ...], record: bool
    ) -> Any:
        shares = kernels.shares(*_found(node, values))
        return operations.sum(_shared(tangents[0], shares), **node.params)


def _shared(values: Any, shares: Any) -> Any:
    """values * shares, and 0 where those are, also for infinities."""
    return operations.where(shares == 0, shares, values * shares)


def _found(node: Node, values: tuple[Any, ...]) -> tuple[Any, Any, Axes]:
    """x, its extremes with the reduced axes kept, and those axes."""
    axis = node.params["axis"]
    x = np.asarray(data_of(values[1]))
    return x, np.asarray(data_of(values[0])).reshape(kept_shape(x.shape, axis)), axis


def _reduction(name: str, reduce: Any) -> _Extreme:
    return _Extreme(
        name,
        lambda x, axis, keepdims: reduce(x, axis, keepdims),
        analytic=False,
    )


_max = _reduction("max", kernels.largest)
_min = _reduction("min", kernels.smallest)
_DISTINCT = (
    call(real(2, 3, distinct=True)),
    call(real(2, 3, distinct=True), 0),
    call(real(2, 3, 2, distinct=True), (0, -1), keepdims=True),
    call(real()),
)
_NO_ENTRIES = bad(ValueError, "no entries", np.ones(0))


@register(
    _DISTINCT,
    numpy=(np.max, np.amax),
    analytic=False,
    bad=[*AXIS_ERRORS, _NO_ENTRIES],
    kinks=(Kink((np.array([1.0, 1.0]),), (np.array([0.5, 0.5]),), "max shares among ties"),),
)
def max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest entry over an axis, several or all; entries that tie share its derivative.

    Raises ValueError for an axis that x does not have, or a maximum of no entries.

    >>> import autograd as ag
    >>> ag.max(ag.Tensor([1.0, 3.0, 2.0]))
    Tensor(3.)
    """
    axes = as_axes(axis, ndim_of(x), "max")
    check_entries(shape_of(x), axes, "max")
    return _max(x, axis=axes, keepdims=keepdims)


@register(
    _DISTINCT,
    numpy=(np.min, np.amin),
    analytic=False,
    bad=[*AXIS_ERRORS, _NO_ENTRIES],
    kinks=(Kink((np.array([1.0, 1.0]),), (np.array([0.5, 0.5]),), "min shares among ties"),),
)
def min(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest entry over an axis, several or all; entries that tie share its derivative.

    Raises ValueError for an axis that x does not have, or a minimum of no entries.

    >>> import autograd as ag
    >>> ag.min(ag.Tensor([1.0, 3.0, 2.0]))
    Tensor(1.)
    """
    axes = as_axes(axis, ndim_of(x), "min")
    check_entries(shape_of(x), axes, "min")
    return _min(x, axis=axes, keepdims=keepdims)
