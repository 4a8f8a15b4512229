"""Running sums and products, from either end, products and their derivatives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.kernels.backend import compiled_for, read_only
from autograd.kernels.buffers import empty
from autograd.kernels.workers import parallel_parts

__all__ = [
    "product_over",
    "products_of_others",
    "running_products",
    "running_products_pullback",
    "running_products_pushforward",
    "running_sums",
]

Array = np.ndarray[Any, Any]

_multiply: Any = np.multiply

NANOSECONDS = 1.2
"""About what an entry takes one thread: each sum or product waits for the one before."""

PASSES = 8
"""About as many sums take as long as what NumPy does of each entry."""

NANOSECONDS_SIDE_BY_SIDE = 0.2
"""The same of a product where none waits."""

SHORT = 4
"""Factors of a row up to which NumPy is quicker."""

_EXPONENTS = {4: (23, 127), 8: (52, 1023)}
"""Where a float's exponent is among its bits, and that of 1, by bytes."""


def running_sums(x: Any, axis: int, backwards: bool = False) -> Any:
    """x[0] + ... + x[k] along an axis, or `backwards` x[k] + ... + x[-1].

    >>> running_sums(np.array([1.0, 2.0, 3.0]), 0).tolist()
    [1.0, 3.0, 6.0]
    >>> running_sums(np.array([1.0, 2.0, 3.0]), 0, backwards=True).tolist()
    [6.0, 5.0, 3.0]
    """
    out = _scanned("running_sums", axis, x, params=(backwards,))
    if out is not None:
        ends = np.take(out, 0 if backwards else -1, axis)
        if np.isfinite(ends).all():  # from where on a sum is not, and NumPy may say so
            return out
    if backwards:
        return np.flip(np.cumsum(np.flip(x, axis), axis), axis)
    return np.cumsum(x, axis)


def running_products(x: Any, axis: int) -> Any:
    """x[0] * ... * x[k] along an axis.

    >>> running_products(np.array([2.0, 3.0, 4.0]), 0).tolist()
    [2.0, 6.0, 24.0]
    """
    out = _scanned("running_products", axis, x)
    if out is not None and np.isfinite(np.take(out, -1, axis)).all():
        return out
    return np.cumprod(x, axis)


def running_products_pullback(c: Any, out: Any, x: Any, axis: int) -> Any:
    """out[k-1] s[k], where s[k] = c[k] + x[k+1] s[k+1]: no division, so zeros do no harm.

    >>> running_products_pullback(np.ones(2), np.array([2.0, 0.0]), np.array([2.0, 0.0]), 0)
    array([1., 2.])
    """
    found = _scanned("running_products_back", axis, c, out, x)
    if found is not None:
        return found
    c, out, x = (np.moveaxis(array, axis, 0) for array in (c, out, x))
    dx = c.copy()
    dx[::-1] = _recurrence(np.concatenate([x[:1], x[:0:-1]]), c[::-1])
    dx[1:] *= out[:-1]
    return np.moveaxis(dx, 0, axis)


def running_products_pushforward(dx: Any, out: Any, x: Any, axis: int) -> Any:
    """d[k] = out[k-1] dx[k] + x[k] d[k-1].

    >>> running_products_pushforward(np.ones(2), np.array([2.0, 0.0]), np.array([2.0, 0.0]), 0)
    array([1., 2.])
    """
    found = _scanned("running_products_ahead", axis, dx, out, x)
    if found is not None:
        return found
    dx, out, x = (np.moveaxis(array, axis, 0) for array in (dx, out, x))
    terms = dx.copy()
    terms[1:] *= out[:-1]
    return np.moveaxis(_recurrence(x, terms), 0, axis)


def product_over(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    """np.multiply.reduce; over the last axes of a large array in float64, and right also where the
    product of some of the factors leaves its range.

    >>> product_over(np.array([[2.0, 3.0]]), (1,), False).tolist()
    [6.0]
    """
    found = _products_of_rows(x, axis)
    if found is None:
        return _multiply.reduce(x, axis=axis, keepdims=keepdims)
    return found.reshape(*found.shape, *(1,) * len(axis)) if keepdims else found


def _products_of_rows(x: Any, axis: tuple[int, ...]) -> Array | None:
    """None where NumPy is to multiply all in the dtype of x."""
    first = np.ndim(x) - len(axis)
    if (
        type(x) is not np.ndarray
        or not x.flags.c_contiguous
        or not 0 < first <= min(axis, default=0)
        or x.size < SHORT * math.prod(x.shape[:first])
        or not compiled_for(x.dtype, x.size)
        or np.geterr()["under"] != "ignore"
    ):
        return None
    from autograd.kernels.compiled_scans import products_of_rows

    rows = read_only(x.reshape(math.prod(x.shape[:first]), -1))
    out, left = np.empty(len(rows)), np.empty(len(rows), np.bool_)
    kind = np.dtype(f"i{x.itemsize}").type
    scale, ones = map(kind, _EXPONENTS[x.itemsize])
    parallel_parts(
        products_of_rows,
        (rows, rows.view(kind), scale, ones, out, left),
        len(rows),
        nanoseconds=NANOSECONDS_SIDE_BY_SIDE * x.size,
    )
    left |= np.isnan(out)
    if left.any():
        out[left] = _multiply.reduce(rows[left], axis=1, dtype=out.dtype)
    endless = np.isinf(out)
    if endless.any():  # of finite factors these overflow in any order, and NumPy says so
        sizes = np.maximum(np.abs(rows[endless & ~left]), 1)
        _multiply.reduce(sizes, axis=1, dtype=out.dtype)
    return out.astype(x.dtype).reshape(x.shape[:first])


def products_of_others(x: Any, axis: int) -> Any:
    """For each entry the product of all others along an axis, in float64, whose range takes longer
    to leave.

    >>> products_of_others(np.array([2.0, 0.0, 4.0]), 0).tolist()
    [0.0, 8.0, 0.0]
    """
    found = _scanned("products_of_others", axis, x, dtype=np.dtype(np.float64))
    if found is not None:
        return found
    x = np.moveaxis(x, axis, 0)
    dtype = np.result_type(x, np.float64)
    out = np.ones(x.shape, dtype)
    np.cumprod(x[:-1], 0, dtype, out=out[1:])
    out[:-1] *= np.cumprod(x[:0:-1], 0, dtype)[::-1]
    return np.moveaxis(out, 0, axis)


def _recurrence(factors: Any, terms: Any) -> Any:
    """s[k] = terms[k] + factors[k] s[k-1] along the first axis: each round joins stretches that are
    twice as long (Hillis & Steele, Data parallel algorithms, 1986). Where products of factors leave
    the range of the dtype, one after the other.
    """
    products, sums = factors.copy(), terms.copy()
    step = 1
    while step < len(sums):
        sums[step:] += products[step:] * sums[:-step]
        products[step:] *= products[:-step].copy()
        step *= 2
    if not np.isfinite(sums).all():
        sums[:1] = terms[:1]
        for k in range(1, len(sums)):
            sums[k] = terms[k] + factors[k] * sums[k - 1]
    return sums


def _scanned(
    kernel: str,
    axis: int,
    *arrays: Any,
    params: tuple[Any, ...] = (),
    dtype: np.dtype[Any] | None = None,
) -> Array | None:
    """What a kernel makes of large arrays of one shape and dtype, in that or another dtype; None
    where NumPy is to do it.
    """
    x = arrays[-1]
    if type(x) is not np.ndarray or not x.ndim or not x.size:
        return None
    if not compiled_for(x.dtype, PASSES * x.size):
        return None
    if not all(type(array) is np.ndarray and array.dtype == x.dtype for array in arrays):
        return None
    from autograd.kernels import compiled_scans

    shape = math.prod(x.shape[:axis]), x.shape[axis], math.prod(x.shape[axis + 1 :])
    out = empty(x.shape, dtype or x.dtype)
    given = [read_only(np.ascontiguousarray(array).reshape(shape)) for array in arrays]
    parallel_parts(
        getattr(compiled_scans, kernel),
        (*given, *params, out.reshape(shape)),
        shape[0],
        nanoseconds=NANOSECONDS * x.size,
    )
    return out
