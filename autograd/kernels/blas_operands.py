"""What NumPy's BLAS is given: how matrices lie in memory, and its functions' addresses."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from autograd.kernels.blas import blas_address

__all__ = ["GRAINS", "SCALES", "empty_product", "gemm", "lines"]

Array = np.ndarray[Any, Any]

GRAINS: Final = 4, 16, 16
"""Rows, columns and terms: parts begin at multiples, which the BLAS computes together."""

SCALES: Final = {"f": (np.float32(1.0), np.float32(0.0)), "d": (1.0, 0.0)}
"""1 and 0, as the BLAS's functions are given them."""


def gemm(dtype: np.dtype[Any]) -> int:
    """The address of the BLAS's function for matrix products, 0 if it is not found."""
    return blas_address("sgemm" if dtype.char == "f" else "dgemm")


def empty_product(rows: int, columns: int, like: Array) -> Array:
    from autograd.kernels.buffers import empty

    return empty((rows, columns), like.dtype)


def lines(matrix: Array) -> tuple[Array, bool] | None:
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
