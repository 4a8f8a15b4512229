"""Both cotangents of a matrix product and their tangents, each thread whole products of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.kernels import products
from autograd.kernels.backend import compiled_for
from autograd.kernels.blas_operands import GRAINS, SCALES, empty_product, gemm, lines
from autograd.kernels.products import matrix_product
from autograd.kernels.split_products import split_pays
from autograd.kernels.workers import parallel_parts, thread_count

__all__ = ["paired_products", "sum_of_products"]

Array = np.ndarray[Any, Any]

NARROW = 16
"""Rows or columns up to which each product is better done in its own way."""

MOST_TOGETHER = 1 << 25
"""Multiplications of two products from which adding the second to the first gains nothing."""

FEWEST, MOST = 1 << 19, 1 << 24
"""Multiplications of one product between which whole products are better than halves of each:
fewer are done before another thread has begun, and halves of more lose nothing.
"""


def paired_products(
    x: Array | None,
    y: Array | None,
    z: Array,
    dx: Array | None,
    dy: Array | None,
    dz: Array | None,
    values: tuple[bool, bool] = (True, True),
) -> tuple[Array | None, Array | None, Array | None, Array | None]:
    """For a product x y whose cotangent is z, with their changes (None where there is none): the
    cotangents of x, unless y is not given, and of y, unless x is not, and what those change by.

    z y^T and x^T z, if `values` asks for it; dz y^T + z dy^T and x^T dz + dx^T z.

    >>> x, y, z = np.eye(2), np.ones((2, 1)), np.array([[3.0], [4.0]])
    >>> to_x, to_y, _, change = paired_products(x, y, z, 2 * x, None, None)
    >>> to_x.tolist(), to_y.tolist(), change.tolist()
    ([[3.0, 3.0], [4.0, 4.0]], [[3.0], [4.0]], [[6.0], [8.0]])
    """
    if (all(values) or (x is not None and y is not None)) and _together(x, y, z, dx, dy, dz):
        return _in_parts(x, y, z, dx, dy, dz, values)
    results: list[Array | None] = [None] * 4
    if y is not None:
        results[0] = matrix_product(z, y.T) if values[0] else None
        results[2] = _sum_of(None if dz is None else (dz, y.T), None if dy is None else (z, dy.T))
    if x is not None:
        results[1] = matrix_product(x.T, z) if values[1] else None
        results[3] = _sum_of(None if dz is None else (x.T, dz), None if dx is None else (dx.T, z))
    return results[0], results[1], results[2], results[3]


def sum_of_products(a: Array, b: Array, c: Array, d: Array) -> Array:
    """a b + c d, of matrices: each thread adds both products in its rows.

    >>> sum_of_products(np.eye(2), np.ones((2, 2)), np.eye(2), np.eye(2)).tolist()
    [[2.0, 1.0], [1.0, 2.0]]
    """
    (rows, inner), columns = a.shape, b.shape[1]
    work = rows * (inner + c.shape[1]) * columns
    together = (
        products.WORTHWHILE <= work < MOST_TOGETHER
        and a.dtype == b.dtype == c.dtype == d.dtype
        and min(rows, columns) > NARROW
        and compiled_for(a.dtype, work)
        and thread_count() > 1
        and not (a.dtype.char == "f" and split_pays(rows, columns, inner))
    )
    factors = [lines(matrix) for matrix in (a, b, c, d)] if together else []
    lying = [factor for factor in factors if factor is not None]
    function = gemm(a.dtype) if len(lying) == 4 else 0
    if function:
        from autograd.kernels.compiled_products import multiply_sum

        out = empty_product(rows, columns, a)
        first, second = (
            (tuple([lines for lines, _ in pair]), tuple([turned for _, turned in pair]))
            for pair in (lying[:2], lying[2:])
        )
        given = function, *first, *second, out, SCALES[out.dtype.char]
        parallel_parts(multiply_sum, given, rows, GRAINS[0])
        return out
    total: Array = matrix_product(a, b) + matrix_product(c, d)
    return total


def _sum_of(first: tuple[Array, Array] | None, second: tuple[Array, Array] | None) -> Array | None:
    if first is None or second is None:
        one = second if first is None else first
        return None if one is None else matrix_product(*one)
    return sum_of_products(*first, *second)


def _together(x: Array | None, y: Array | None, z: Array, *changes: Array | None) -> bool:
    """Whether two threads are better given whole products of these."""
    inner = _inner(x, y)
    (rows, columns), work = z.shape, z.size * inner
    return (
        FEWEST <= work <= MOST
        and min(rows, inner, columns) > 1
        and thread_count() == 2
        and compiled_for(z.dtype, work)
        and all(
            factor is None
            or (type(factor) is np.ndarray and factor.dtype is z.dtype and _is_plain(factor))
            for factor in (x, y, z, *changes)
        )
        and not (z.dtype.char == "f" and split_pays(rows, columns, inner))
        and gemm(z.dtype) != 0
    )


def _inner(x: Array | None, y: Array | None) -> int:
    """What x y sums over, 0 if neither is given."""
    if x is not None:
        return int(x.shape[1])
    return 0 if y is None else len(y)


def _is_plain(matrix: Array) -> bool:
    flags = matrix.flags
    return flags.c_contiguous and flags.aligned and flags.writeable


def _in_parts(
    x: Array | None,
    y: Array | None,
    z: Array,
    dx: Array | None,
    dy: Array | None,
    dz: Array | None,
    values: tuple[bool, bool],
) -> tuple[Array | None, Array | None, Array | None, Array | None]:
    from autograd.kernels.compiled_paired_products import (
        TO_X,
        TO_X_CHANGE,
        TO_Y,
        TO_Y_CHANGE,
        multiply_pairs,
    )

    letter, (rows, columns) = z.dtype.char, z.shape
    inner = _inner(x, y)
    x_changes = y is not None and not dz is dy is None
    y_changes = x is not None and not dz is dx is None
    results: Sequence[Array | None] = (
        None if y is None or not values[0] else np.empty((rows, inner), z.dtype),
        None if x is None or not values[1] else np.empty((inner, columns), z.dtype),
        np.empty((rows, inner), z.dtype) if x_changes else None,
        np.empty((inner, columns), z.dtype) if y_changes else None,
    )
    first, second, shared = TO_X_CHANGE * x_changes, TO_Y_CHANGE * y_changes, 0
    if x is None:
        first, second = TO_X, first
    elif y is None:
        first, second = TO_Y, second
    elif not values[0]:
        shared = TO_Y * values[1]
    elif not values[1]:
        shared = TO_X
    else:
        first, second = first + TO_X, second + TO_Y
    parallel_parts(
        multiply_pairs,
        (
            gemm(z.dtype),
            tuple([z if factor is None else factor for factor in (x, y, z, dx, dy, dz)]),
            (dx is not None, dy is not None, dz is not None),
            tuple([z if result is None else result for result in results]),
            (first, second),
            shared,
            SCALES[letter],
        ),
        2,
    )
    return results[0], results[1], results[2], results[3]
