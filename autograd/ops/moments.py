"""Sums of squares, variances, and what they are the squares of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.base import Pair, PushedTangents
from autograd.dispatch import operations
from autograd.families import Composite
from autograd.kernels.arithmetic import product_of
from autograd.kernels.sums import mean_of_squares, sum_of_squares, sum_over
from autograd.node import Node
from autograd.ops.axes import as_axes, data_of, ndim_of, shape_of
from autograd.ops.reductions import (
    AXIS_ERRORS,
    CALLS,
    check_entries,
    count_over,
    kept_shape,
    mean,
)
from autograd.registry import Kink, bad, register
from autograd.samples import call, real

__all__ = ["std", "var"]

Axes = tuple[int, ...]


def _slopes(cotangent: Any, x: Any, axis: Axes, scale: float) -> Any:
    """scale x, times a cotangent of the sums."""
    spread = cotangent.reshape(kept_shape(x.shape, axis))
    if x.dtype.char == "e":  # whose range a scaled loss may leave on the way
        return np.multiply(x, spread * np.float32(scale)).astype(x.dtype)
    return product_of(x, spread * scale)


@dataclass(frozen=True, eq=False)
class _Squares(Composite):
    """y = sum x^2 or, `averaged`, mean x^2."""

    averaged: bool = False

    def scale(self, x: Any, axis: Axes) -> float:
        """What x is multiplied with in the derivative."""
        return 2.0 / count_over(x.shape, axis) if self.averaged else 2.0

    def pull_pair(
        self, node: Node, arrived: Pair, targets: tuple[Any, ...], tangents: PushedTangents
    ) -> Sequence[Pair | None] | None:
        cotangent, change = arrived
        x, axis = node.saved[1], node.params["axis"]
        scale = self.scale(x, axis)
        moved = None if change is None else _slopes(change, x, axis, scale)
        tangent = tangents.of(targets[0])
        if tangent is not None:
            bend = _slopes(cotangent, tangent, axis, scale)
            moved = bend if moved is None else moved + bend
        return [(_slopes(cotangent, x, axis, scale), moved)]


def _squares(name: str, forward: Any, averaged: bool) -> _Squares:
    def reference(x: Any, axis: Axes, keepdims: bool) -> Any:
        squares = operations.square(x)
        return (operations.mean if averaged else operations.sum)(squares, axis, keepdims)

    def pullback(cotangent: Any, out: Any, x: Any, axis: Axes, keepdims: bool) -> tuple[Any]:
        return (_slopes(cotangent, x, axis, op.scale(x, axis)),)

    def pushforward(tangents: tuple[Any, ...], out: Any, x: Any, axis: Axes, keepdims: bool) -> Any:
        if x.dtype.char == "e":
            products = np.multiply(x, tangents[0], dtype=np.float32)
            total = np.sum(products, axis=axis, keepdims=keepdims)
            return (total * op.scale(x, axis)).astype(x.dtype)
        return sum_over(product_of(x, tangents[0]), axis, keepdims) * op.scale(x, axis)

    op = _Squares(
        name,
        forward,
        reference=reference,
        pullback=pullback,
        pushforward=pushforward,
        analytic=True,
        averaged=averaged,
    )
    return op


_sum_of_squares = _squares("sum_of_squares", sum_of_squares, False)
_mean_of_squares = _squares("mean_of_squares", mean_of_squares, True)


def squares_over(x: Any, axis: Any = None, keepdims: bool = False, averaged: bool = False) -> Any:
    """The sum or the mean of x ** 2 over an axis, several or all."""
    op = _mean_of_squares if averaged else _sum_of_squares
    return op(x, axis=as_axes(axis, ndim_of(x), op.name), keepdims=keepdims)


@register(
    [*CALLS, call(real(3, 2), 0, ddof=1)],
    numpy=(np.var,),
    bad=[*AXIS_ERRORS, bad(ValueError, "ddof", np.ones(1), ddof=1)],
)
def var(x: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Any:
    """The variance sum((x - mean)^2) / (n - ddof) over an axis, several or all.

    Raises ValueError for an axis that x does not have, or n <= ddof.

    >>> import autograd as ag
    >>> ag.var(ag.Tensor([1.0, 3.0]))
    Tensor(1.)
    """
    axes = as_axes(axis, ndim_of(x), "var")
    check_entries(shape_of(x), axes, "var")
    freedom = count_over(shape_of(x), axes) - ddof
    if freedom <= 0:
        raise ValueError(
            f"var of {freedom + ddof} entries with ddof={ddof} has no degrees of freedom; "
            "give fewer ddof or more entries"
        )
    deviation = x - mean(x, axes, True)
    if not ddof:
        return squares_over(deviation, axes, keepdims, averaged=True)
    return squares_over(deviation, axes, keepdims) / freedom


def root(x: Any) -> Any:
    """The square root of sums of squares: derivative 0 where it is 0."""
    data = data_of(x)
    if data.all() if isinstance(data, np.ndarray) else data:
        return operations.sqrt(x)
    positive = data != 0
    safe = operations.where(positive, x, 1.0)
    return operations.where(positive, operations.sqrt(safe), 0.0)


@register(
    [*CALLS[:4], call(real(3, 2), 0, ddof=1)],
    numpy=(np.std,),
    kinks=(Kink((np.ones(2),), (np.zeros(2),), "std of a constant has derivative 0"),),
    bad=[*AXIS_ERRORS, bad(ValueError, "ddof", np.ones(1), ddof=1)],
)
def std(x: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Any:
    """The standard deviation sqrt(var(x)); where x is constant its derivative is 0.

    Raises ValueError for an axis that x does not have, or n <= ddof.

    >>> import autograd as ag
    >>> ag.std(ag.Tensor([1.0, 3.0]))
    Tensor(1.)
    """
    return root(var(x, axis, ddof, keepdims))
