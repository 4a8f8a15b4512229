"""Sums, means and products along axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.dispatch import operations
from autograd.families import Composite, Linear
from autograd.families.composed import pullback_of
from autograd.kernels.arithmetic import product_of
from autograd.kernels.scans import product_over, products_of_others
from autograd.kernels.softmaxes import rows_of, softmax, softmax_of_rows
from autograd.kernels.sums import sum_over
from autograd.ops.axes import as_axes, data_of, ndim_of, shape_of
from autograd.registry import Kink, bad, register
from autograd.samples import call, real
from autograd.tensor import Tensor

__all__ = ["logsumexp", "mean", "prod", "sum"]

Axes = tuple[int, ...]

FEW = 1 << 10
"""Entries up to which a copy is made sooner than NumPy's read-only view that repeats them."""

CALLS = (
    call(real(2, 3)),
    call(real(2, 3), 0),
    call(real(2, 3, 2), (0, -1)),
    call(real(2, 3), 1, keepdims=True),
    call(real()),
)
AXIS_ERRORS = (
    bad(ValueError, "axis 2 is out of range", np.ones((2, 2)), axis=2),
    bad(ValueError, "twice", np.ones((2, 2)), axis=(0, 0)),
)


def kept_shape(shape: tuple[int, ...], axis: Axes) -> tuple[int, ...]:
    """`shape` with the reduced axes of size 1."""
    return tuple(1 if i in axis else size for i, size in enumerate(shape))


def expanded(reduced: Any, in_shape: tuple[int, ...], axis: Axes) -> Any:
    """What was reduced over `axis` repeated to the shape it came from."""
    if not isinstance(reduced, Tensor) and math.prod(in_shape) <= FEW:
        out = np.empty(in_shape, reduced.dtype)
        out[...] = reduced.reshape(kept_shape(in_shape, axis))
        return out
    return operations.broadcast_to(
        operations.reshape(reduced, kept_shape(in_shape, axis)), in_shape
    )


def _later(axis: Axes) -> Axes:
    """The same axes of an array with one more, the first."""
    return tuple(i + 1 for i in axis)


_sum: Linear = Linear(
    "sum",
    lambda x, axis, keepdims: sum_over(x, axis, keepdims),
    lambda cotangent, in_shape, axis, keepdims: expanded(cotangent, in_shape, axis),
    lambda x, whole, axis, keepdims: np.sum(x, axis=_later(axis), keepdims=keepdims),
    analytic=True,
)


@register([*CALLS, call(real(0, 2), 0), call(real(0))], numpy=(np.sum,), bad=AXIS_ERRORS)
def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum over an axis, several (a tuple) or all (None).

    Raises ValueError for an axis that x does not have.

    >>> import autograd as ag
    >>> ag.sum(ag.Tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    Tensor([4., 6.])
    """
    return _sum(x, axis=as_axes(axis, ndim_of(x), "sum"), keepdims=keepdims)


def count_over(shape: tuple[int, ...], axis: Axes) -> int:
    count = 1
    for i in axis:
        count *= shape[i]
    return count


def _mean_of(x: Any, axis: Axes, keepdims: bool) -> Any:
    if type(x) is not np.ndarray or x.dtype.char not in "fd":
        return np.mean(x, axis=axis, keepdims=keepdims)
    return sum_over(x, axis, keepdims) / count_over(x.shape, axis)


_mean: Linear = Linear(
    "mean",
    _mean_of,
    lambda cotangent, in_shape, axis, keepdims: expanded(
        cotangent / count_over(in_shape, axis), in_shape, axis
    ),
    lambda x, whole, axis, keepdims: np.mean(x, axis=_later(axis), keepdims=keepdims),
    analytic=True,
)


@register(
    CALLS,
    numpy=(np.mean,),
    bad=[*AXIS_ERRORS, bad(ValueError, "no entries", np.ones((0, 2)), axis=0)],
)
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean over an axis, several (a tuple) or all (None).

    Raises ValueError for an axis that x does not have, or a mean of no entries.

    >>> import autograd as ag
    >>> ag.mean(ag.Tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    Tensor([2., 3.])
    """
    axes = as_axes(axis, ndim_of(x), "mean")
    check_entries(shape_of(x), axes, "mean")
    return _mean(x, axis=axes, keepdims=keepdims)


def check_entries(shape: tuple[int, ...], axes: Axes, name: str) -> None:
    """Raise ValueError where nothing is reduced to something."""
    if 0 not in shape:
        return
    if 0 not in tuple(size for i, size in enumerate(shape) if i not in axes) and not count_over(
        shape, axes
    ):
        raise ValueError(f"{name} over axes {axes} of shape {shape} has no entries")


def _tree_product(x: Any, axis: Axes, keepdims: bool) -> Any:
    """Products of halves until one entry is left: exact derivatives with zeros among them."""
    shape = shape_of(x)
    kept = tuple(i for i in range(len(shape)) if i not in axis)
    flat = operations.reshape(
        operations.transpose(x, kept + axis), (*(shape[i] for i in kept), count_over(shape, axis))
    )
    if flat.shape[-1] == 0:
        return operations.broadcast_to(1.0 + sum(flat, -1), shape_of(flat)[:-1])
    while flat.shape[-1] > 1:
        half = flat.shape[-1] // 2
        paired = flat[..., :half] * flat[..., half : 2 * half]
        if flat.shape[-1] % 2:
            paired = operations.concatenate([paired, flat[..., 2 * half :]], -1)
        flat = paired
    out_shape = kept_shape(shape, axis) if keepdims else tuple(shape[i] for i in kept)
    return operations.reshape(flat, out_shape)


def _slopes_of_product(x: Any, axis: Axes) -> Any:
    """For each entry the product of those that it is multiplied with.

    Where products from either end leave the range of float64, by the tree, whose own may not.
    """
    wide = _products_of_others(x, axis)
    slopes = wide.astype(x.dtype)
    if np.isfinite(wide).all() and wide.all():
        return slopes
    unsure, zeros = ~np.isfinite(wide), x == 0
    unsure |= (wide == 0) & (zeros.sum(axis=axis, keepdims=True) == zeros)
    if unsure.any():
        ones = np.ones(kept_shape(x.shape, axis), x.dtype)
        (other,) = pullback_of(lambda t: _tree_product(t, axis, True), [x], ones, [True], False)
        np.copyto(slopes, other, where=unsure)
    return slopes


def _products_of_others(x: Any, axis: Axes) -> Any:
    if len(axis) == 1:
        return products_of_others(x, axis[0])
    last = tuple(range(-len(axis), 0))
    moved = np.moveaxis(x, axis, last)
    kept = x.ndim - len(axis)
    rows = moved.reshape((*moved.shape[:kept], count_over(x.shape, axis)))
    return np.moveaxis(products_of_others(rows, kept).reshape(moved.shape), last, axis)


_prod: Composite = Composite(
    "prod",
    product_over,
    reference=_tree_product,
    pullback=lambda cotangent, out, x, axis, keepdims: (
        product_of(_slopes_of_product(x, axis), cotangent.reshape(kept_shape(x.shape, axis))),
    ),
    pushforward=lambda tangents, out, x, axis, keepdims: sum_over(
        product_of(_slopes_of_product(x, axis), tangents[0]), axis, keepdims
    ),
    analytic=True,
)


@register(
    [*CALLS, call(real(2, 5), 1), call(real(0))],
    numpy=(np.prod,),
    bad=AXIS_ERRORS,
    kinks=(
        Kink((np.array([2.0, 0.0, 3.0]),), (np.array([0.0, 6.0, 0.0]),), "prod with a zero"),
        Kink((np.array([2.0, 0.0, 0.0]),), (np.zeros(3),), "prod with two zeros"),
    ),
)
def prod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The product over an axis, several (a tuple) or all; right with zeros among the factors.

    d prod / dx_i is the product of the others. Raises ValueError for an axis that x does not have.

    >>> import autograd as ag
    >>> ag.prod(ag.Tensor([2.0, 3.0, 4.0]))
    Tensor(24.)
    """
    return _prod(x, axis=as_axes(axis, ndim_of(x), "prod"), keepdims=keepdims)


def _left(shape: tuple[int, ...], axis: Axes) -> tuple[int, ...]:
    return tuple(size for i, size in enumerate(shape) if i not in axis)


def _shift(x: Any, axis: Axes) -> Any:
    """The largest real part, a constant that keeps exp in range; 0 where there is no finite one."""
    data = np.real(data_of(x))
    if not data.size:
        return np.zeros(kept_shape(data.shape, axis), data.dtype)
    largest = np.max(data, axis=axis, keepdims=True)
    return np.where(np.isfinite(largest), largest, 0).astype(data.dtype)


def _logsumexp_reference(x: Any, axis: Axes, keepdims: bool) -> Any:
    shift = _shift(x, axis)
    out = operations.log(sum(operations.exp(x - shift), axis, keepdims=True)) + shift
    return out if keepdims else operations.reshape(out, _left(shape_of(x), axis))


def _logsumexp_forward(x: Any, axis: Axes, keepdims: bool) -> Any:
    x = np.asarray(x)
    rows = rows_of(axis[0], x) if len(axis) == 1 else None
    if rows is not None:
        found = softmax_of_rows(rows[0])
        out = (found.tops + found.logs).astype(x.dtype)
        return out.reshape(kept_shape(x.shape, axis) if keepdims else _left(x.shape, axis))
    with np.errstate(divide="ignore"):
        return _logsumexp_reference(x if x.dtype.kind in "fc" else x.astype(float), axis, keepdims)


def _logsumexp_pullback(cotangent: Any, out: Any, x: Any, axis: Axes, keepdims: bool) -> tuple[Any]:
    shape = shape_of(x)
    if len(axis) == 1 and rows_of(axis[0], x) is not None and np.isfinite(out).all():
        return (product_of(softmax(x, axis[0]), cotangent.reshape(kept_shape(shape, axis))),)
    return (expanded(cotangent, shape, axis) * np.exp(x - expanded(out, shape, axis)),)


_logsumexp: Composite = Composite(
    "logsumexp",
    _logsumexp_forward,
    reference=_logsumexp_reference,
    pullback=_logsumexp_pullback,
    analytic=True,
)


@register(
    [*CALLS, call(real(2, 2, low=-300.0, high=300.0), 1)],
    bad=AXIS_ERRORS,
    reference=lambda x, axis=None, keepdims=False: (
        np.log(np.sum(np.exp(np.asarray(x, np.longdouble)), axis=axis, keepdims=keepdims)).astype(
            float
        )
        if np.size(x)
        else np.float64(-np.inf)
    ),
)
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))) over an axis, several or all, without overflow; its gradient is softmax.

    Raises ValueError for an axis that x does not have. Source: Blanchard, Higham & Higham,
    Accurately computing the log-sum-exp and softmax functions, 2021.

    >>> import autograd as ag
    >>> ag.logsumexp(ag.Tensor([1000.0, 1000.0]))
    Tensor(1000.69314718)
    """
    return _logsumexp(x, axis=as_axes(axis, ndim_of(x), "logsumexp"), keepdims=keepdims)
