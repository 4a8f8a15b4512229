"""Products of two matrices, split over the library's own threads."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.blas import product_address
from autograd.kernels.workers import parallel_kernel, parallel_ranges, thread_count

__all__ = ["matrix_product"]

Array = np.ndarray[Any, Any]

SPLIT_FROM = 1 << 21
"""Multiplications from which a product is worth handing a part to another thread."""

GRAIN = 16

_SCALES = {"f": (np.float32(1.0), np.float32(0.0)), "d": (1.0, 0.0)}


def matrix_product(a: Array, b: Array) -> Array:
    """np.matmul; a large product of two matrices is split over the library's own threads.

    The longest side is split: rows, columns, or what is summed over, whose parts are added in
    order. Anything but two float matrices goes to NumPy.

    >>> matrix_product(np.eye(2), np.ones((2, 1))).tolist()
    [[1.0], [1.0]]
    """
    if thread_count() == 1 or a.ndim != 2 or b.ndim != 2 or a.dtype != b.dtype:
        return np.matmul(a, b)  # type: ignore[no-any-return]
    (rows, inner), columns = a.shape, b.shape[1]
    if rows * inner * columns < SPLIT_FROM or a.dtype.char not in "fd" or inner != b.shape[0]:
        return np.matmul(a, b)  # type: ignore[no-any-return]
    if inner > 8 * max(rows, columns):
        return _sum_of_products(a, b)
    from autograd.kernels.buffers import empty

    out = empty((rows, columns), a.dtype)
    _multiply_parts(a, b, out, 0 if rows >= columns else 1)
    return out


def _sum_of_products(a: Array, b: Array) -> Array:
    """a b as the sum of one product for each thread."""
    parts = np.zeros((thread_count(), len(a), b.shape[1]), a.dtype)
    _multiply_parts(a, b, parts, 2)
    total: Array = parts[0]
    for part in parts[1:]:
        total += part
    return total


def _multiply_parts(a: Array, b: Array, out: Array, side: int) -> None:
    """out = a b, a part of the rows (side 0) or columns (1) for each thread, or (2) out[worker] =
    a product of a part of what is summed over.
    """
    sizes = (a.shape[0], b.shape[1], a.shape[1])
    letter = a.dtype.char
    function = product_address("s" if letter == "f" else "d")
    left, right, target = (_in_memory(m) for m in (a, b, out if side < 2 else out[0]))
    if not function or left is None or right is None or target is None or 1 in sizes[:2]:

        def part(worker: int, first: int, last: int) -> None:
            some = slice(first, last)
            if side == 0:
                np.matmul(a[some], b, out=out[some])
            elif side == 1:
                np.matmul(a, b[:, some], out=out[:, some])
            else:
                np.matmul(a[:, some], b[some], out=out[worker])

        parallel_ranges(part, sizes[side], GRAIN)
        return

    from autograd.kernels.compiled_products import multiply

    def arguments(worker: int, first: int, last: int) -> tuple[Any, ...]:
        own = list(sizes)
        own[side] = last - first
        places = [left[0], right[0], target[0]]
        if side == 0:
            places[0] += first * a.strides[0]
            places[2] += first * out.strides[0]
        elif side == 1:
            places[1] += first * b.strides[1]
            places[2] += first * out.strides[1]
        else:
            places[0] += first * a.strides[1]
            places[1] += first * b.strides[0]
            places[2] += worker * out.strides[0]
        matrices = (places[0], left[1], places[1], right[1], places[2], target[1])
        return function, left[2], right[2], tuple(own), matrices, _SCALES[letter]

    parallel_kernel(multiply, arguments, sizes[side], GRAIN)


def _in_memory(matrix: Array) -> tuple[int, int, bool] | None:
    """The address, the entries from one row to the next, and whether it is columns that lie
    contiguous; None where neither do, or the BLAS could not read them.
    """
    (rows, columns), (down, across) = matrix.shape, matrix.strides
    size = matrix.itemsize
    address = matrix.__array_interface__["data"][0]
    if address % size or not matrix.dtype.isnative:
        return None
    if across == size and down % size == 0 and down >= size * columns:
        return address, down // size, False
    if down == size and across % size == 0 and across >= size * rows:
        return address, across // size, True
    return None
