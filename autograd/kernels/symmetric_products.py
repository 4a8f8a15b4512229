"""Products of two matrices that are known to be symmetric."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels import products
from autograd.kernels.backend import compiled_for
from autograd.kernels.blas import blas_address
from autograd.kernels.blas_operands import GRAINS, SCALES, empty_product, gemm, lines
from autograd.kernels.workers import parallel_parts, thread_count

__all__ = ["symmetric_product"]

Array = np.ndarray[Any, Any]

PANEL = 32
"""Rows of a symmetric product's panels, at least: thinner ones take longer than they save."""


def symmetric_product(a: Array, b: Array) -> Array:
    """`matrix_product` where the result is known to be symmetric, as x x^T is.

    A large one is computed on one side of the diagonal only and copied: x x^T by the BLAS's own
    function for it, others in panels of rows. None goes to matrix units, where entries that mirror
    each other are summed in different orders.

    >>> x = np.arange(4.0).reshape(2, 2)
    >>> symmetric_product(x, x.T).tolist()
    [[1.0, 3.0], [3.0, 13.0]]
    """
    assert a.shape[-2] == b.shape[-1], f"{a.shape} times {b.shape} is not square"
    if a.ndim != 2 or b.ndim != 2 or a.dtype != b.dtype:
        return products.product_without_units(a, b)
    rows, inner = a.shape
    work = rows * rows * inner
    if work < products.WORTHWHILE or inner != len(b) or not compiled_for(a.dtype, work):
        return products.product_without_units(a, b)
    pairs = max(2, thread_count())
    if rows < 2 * pairs * PANEL:
        return products.product_without_units(a, b)
    left, right, letter = lines(a), lines(b), a.dtype.char
    if left is None or right is None:
        return products.product_without_units(a, b)
    if inner >= rows and left[1] != right[1] and _same_memory(left[0], right[0]):
        function = blas_address("ssyrk" if letter == "f" else "dsyrk")
        if function:
            return _by_transpose(function, *left, rows, inner)
    function = gemm(a.dtype)
    if not function:
        return products.product_without_units(a, b)
    from autograd.kernels.compiled_products import multiply_symmetric

    out = empty_product(rows, rows, a)
    grains = -(-rows // GRAINS[0])
    bounds = np.array([GRAINS[0] * (grains * k // (2 * pairs)) for k in range(2 * pairs + 1)])
    bounds[-1] = rows
    parallel_parts(
        multiply_symmetric, (function, *left, *right, bounds, out, SCALES[letter]), pairs
    )
    return out


def _same_memory(a: Array, b: Array) -> bool:
    places = (array.__array_interface__["data"][0] for array in (a, b))
    return a.strides == b.strides and next(places) == next(places)


def _by_transpose(function: int, a: Array, turned: bool, rows: int, inner: int) -> Array:
    """a a^T by the syrk at the address `function`, a part of the sum for each thread."""
    from autograd.kernels.compiled_products import multiply_by_transpose, sum_mirrored

    sums = np.zeros((thread_count(), rows, rows), a.dtype)
    given = function, a, turned, sums, SCALES[a.dtype.char]
    parallel_parts(multiply_by_transpose, given, inner, GRAINS[2], most=len(sums))
    out = empty_product(rows, rows, a)
    sum_mirrored(sums, out)
    return out
