"""Diagonals and triangles of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.dispatch import operations
from autograd.ops.axes import as_axis, data_of, ndim_of, shape_of
from autograd.ops.indexing import gather, index_set
from autograd.registry import bad, register
from autograd.samples import call, real

__all__ = ["diag", "diagonal", "trace", "tril", "triu"]

_TOO_FLAT = bad(ValueError, "two", np.ones(3))


def _places(rows: int, columns: int, offset: int) -> tuple[Any, Any]:
    first = np.arange(max(min(rows, columns - offset, rows + offset, columns), 0))
    return (first, first + offset) if offset >= 0 else (first - offset, first)


@register(
    [
        call(real(3, 3)),
        call(real(2, 4), 1),
        call(real(4, 3), -2),
        call(real(2, 3, 4), -1, 0, 2),
        call(real(2, 2), 5),
    ],
    numpy=(np.diagonal,),
    bad=[_TOO_FLAT, bad(ValueError, "differ", np.ones((2, 2)), 0, 1, 1)],
)
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """out[..., k] = x[..., k, k + offset] over two axes, put last.

    Raises ValueError for fewer than two axes, or the same one twice.

    >>> import autograd as ag
    >>> ag.diagonal(ag.Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([1., 4.])
    """
    ndim = ndim_of(x)
    if ndim < 2:
        raise ValueError(f"diagonal needs an array of at least two axes, got shape {shape_of(x)}")
    first = as_axis(axis1, ndim, "diagonal", "axis1")
    second = as_axis(axis2, ndim, "diagonal", "axis2")
    if first == second:
        raise ValueError(f"diagonal: axis1 and axis2 must differ, got {axis1} and {axis2}")
    moved = operations.moveaxis(x, (first, second), (-2, -1))
    rows, columns = shape_of(moved)[-2:]
    return gather(moved, (..., *_places(rows, columns, offset)), distinct=True)


@register(
    [call(real(3, 3)), call(real(2, 4), 1), call(real(2, 3, 3), 0, 1, 2)],
    numpy=(np.trace,),
    bad=[_TOO_FLAT],
)
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The sum along a diagonal. Raises ValueError for fewer than two axes.

    >>> import autograd as ag
    >>> ag.trace(ag.Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor(5.)
    """
    return operations.sum(diagonal(x, offset, axis1, axis2), -1)


@register(
    [
        call(real(3)),
        call(real(2), 1),
        call(real(3), -1),
        call(real(2, 3), -1),
        call(real(3, 3)),
    ],
    numpy=(np.diag,),
    bad=[bad(ValueError, "1-d or 2-d", np.ones((2, 2, 2)))],
)
def diag(x: Any, k: int = 0) -> Any:
    """A matrix with the vector x on its k-th diagonal, or the k-th diagonal of a matrix x.

    Raises ValueError for an x of other dimensions.

    >>> import autograd as ag
    >>> ag.diag(ag.Tensor([1.0, 2.0]))
    Tensor([[1., 0.],
            [0., 2.]])
    """
    ndim = ndim_of(x)
    if ndim == 2:
        return diagonal(x, k)
    if ndim != 1:
        raise ValueError(f"diag takes a 1-d or 2-d array, got shape {shape_of(x)}")
    size = shape_of(x)[0] + abs(k)
    zeros = np.zeros((size, size), data_of(x).dtype if hasattr(x, "dtype") else np.result_type(x))
    return index_set(zeros, _places(size, size, k), x)


def _triangle(x: Any, k: int, name: str, lower: bool) -> Any:
    shape = shape_of(x)
    if len(shape) < 2:
        raise ValueError(f"{name} needs an array of at least two axes, got shape {shape}")
    below = np.tri(shape[-2], shape[-1], k if lower else k - 1, dtype=np.bool_)
    zero = np.zeros((), data_of(x).dtype if hasattr(x, "dtype") else None)
    return operations.where(below if lower else ~below, x, zero)


@register(
    [call(real(3, 3)), call(real(2, 2, 3), 1), call(real(3, 2), -1)],
    numpy=(np.triu,),
    bad=[_TOO_FLAT],
)
def triu(x: Any, k: int = 0) -> Any:
    """x with zeros below its k-th diagonal, in the last two axes.

    Raises ValueError for fewer than two axes.

    >>> import autograd as ag
    >>> ag.triu(ag.Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([[1., 2.],
            [0., 4.]])
    """
    return _triangle(x, k, "triu", lower=False)


@register(
    [call(real(3, 3)), call(real(2, 2, 3), 1), call(real(3, 2), -1)],
    numpy=(np.tril,),
    bad=[_TOO_FLAT],
)
def tril(x: Any, k: int = 0) -> Any:
    """x with zeros above its k-th diagonal, in the last two axes.

    Raises ValueError for fewer than two axes.

    >>> import autograd as ag
    >>> ag.tril(ag.Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([[1., 0.],
            [3., 4.]])
    """
    return _triangle(x, k, "tril", lower=True)
