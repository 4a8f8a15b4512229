"""What a product in compiled code is given: how matrices lie in memory, and which function to call:
NumPy's BLAS's, or one of our own.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np

from autograd.kernels.blas import blas_address
from autograd.kernels.matrix_units import has_matrix_units
from autograd.kernels.processor import compiled_features

__all__ = [
    "DOT_SIDE",
    "GRAINS",
    "SCALES",
    "Lines",
    "dot_product",
    "dots_pay",
    "empty_product",
    "gemm",
    "lines",
    "own_product_pays",
]

Array = np.ndarray[Any, Any]

Lines = tuple[Array, bool]
"""A matrix or its transpose, with contiguous rows, and whether it is the transpose."""

GRAINS: Final = 4, 16, 16
"""Rows, columns and terms: parts begin at multiples, which the BLAS computes together."""

SCALES: Final = {"f": (np.float32(1.0), np.float32(0.0)), "d": (1.0, 0.0)}
"""1 and 0, as the BLAS's functions are given them."""


OWN_FROM = 1 << 19
"""Multiplications from which our own product is faster; copying less takes too much of its time."""

DOT_SIDE: Final = 5
"""Rows of both factors in a tile of dots, where they are used."""

FEWEST_DOT_TERMS = 128
"""Terms of a product of dots at least."""


def gemm(dtype: np.dtype[Any], work: int = OWN_FROM) -> int:
    """The address of the function for matrix products of so many multiplications, 0 if there is
    none.
    """
    if dtype.char != "f":
        return blas_address("dgemm")
    own = work >= OWN_FROM and own_product_pays()
    return _address_of_own_product() if own else blas_address("sgemm")


@cache
def own_product_pays() -> bool:
    """Whether products in float32 by compiled kernels of our own are faster than the BLAS's: with
    vectors of 16, unless matrix units compute the large ones. Measured on a Zen 4 processor.
    """
    return compiled_features().get("avx512f", False) and not has_matrix_units()


def dots_pay(left: Lines, right: Lines, rows: int, terms: int, columns: int) -> bool:
    """Whether a large product whose sums go along rows of both factors, as they lie, is faster as
    one of dots; the rows and columns are those of a thread's part.

    Both are estimated, in multiplications: incomplete tiles count as whole ones, adding up a tile's
    vectors of sums as 72 terms, turning the right factor's panels as 8 rows; and the product of
    dots must be ahead by 2 %. The numbers are fitted to times on a Zen 4 processor.
    """
    if (
        left[1]
        or not right[1]
        or left[0].dtype.char != "f"
        or min(rows, columns) < DOT_SIDE
        or terms < FEWEST_DOT_TERMS
        or not own_product_pays()
    ):
        return False
    dots = (rows + -rows % DOT_SIDE) * (columns + -columns % DOT_SIDE) * (terms + 72)
    others = (rows + 8) * (columns + -columns % 16) * terms
    return 51 * dots < 50 * others


@cache
def dot_product() -> int:
    """The address of a function for products of dots."""
    from autograd.kernels.compiled_dot_products import address_of_dot_product

    return address_of_dot_product()


@cache
def _address_of_own_product() -> int:
    from autograd.kernels.compiled_own_products import address_of_own_product

    return address_of_own_product()


def empty_product(rows: int, columns: int, like: Array) -> Array:
    from autograd.kernels.buffers import empty

    return empty((rows, columns), like.dtype)


def lines(matrix: Array) -> Lines | None:
    """The matrix or its transpose, whichever has rows that are contiguous, and whether it is the
    transpose; None where neither has, or the BLAS could not read them.
    """
    flags = matrix.flags
    if not flags.aligned or not matrix.dtype.isnative:
        return None
    if flags.c_contiguous:
        return matrix, False
    if flags.f_contiguous:
        return matrix.T, True
    (rows, columns), (down, across), size = matrix.shape, matrix.strides, matrix.itemsize
    if across == size and down % size == 0 and down >= size * columns:
        return matrix, False
    if down == size and across % size == 0 and across >= size * rows:
        return matrix.T, True
    return None
