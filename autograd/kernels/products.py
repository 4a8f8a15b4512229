"""Products of two matrices: thin ones by kernels of their own, large ones split over threads."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from autograd.kernels.backend import LARGE, compiled_for
from autograd.kernels.blas import blas_address
from autograd.kernels.split_products import Matrix, split_pays, split_product
from autograd.kernels.workers import (
    parallel_kernel,
    parallel_parts,
    parallel_ranges,
    thread_count,
    threads_are_own,
)

__all__ = ["SCALES", "matrix_product", "symmetric_product"]

Array = np.ndarray[Any, Any]

WORTHWHILE = 1 << 21
"""Multiplications from which a product is not left to NumPy: half of its 40 microseconds is more
than handing over the rest and the matrices' way from core to core, there and back, cost.
"""

MOST_DOTS, FEWEST_TERMS = 16, 256
"""Columns up to which a product is one of long dots, and the length that makes them long."""

MOST_ROWS, FEWEST_COLUMNS = 10, 512
"""Rows up to which a product is one of long rows, and the length that makes them long."""

SMALL_INNER = 32

GRAINS = 4, 16, 16
"""Rows, columns and terms: parts begin at multiples, which the BLAS computes together."""

PANEL = 32
"""Rows of a symmetric product's panels, at least: thinner ones take longer than they save."""

SCALES: Final = {"f": (np.float32(1.0), np.float32(0.0)), "d": (1.0, 0.0)}
"""1 and 0, as the BLAS's functions are given them."""


def matrix_product(a: Array, b: Array, out: Array | None = None) -> Array:
    """np.matmul; a large product of two matrices is split over the library's own threads.

    The longest side is split: rows, columns, or what is summed over, whose parts are added in
    order. A thin matrix with a long one has kernels of its own, and float32 goes to the processor's
    matrix units where that pays. Without compiled kernels, and for anything but two float matrices,
    it is NumPy's. The result is written to `out`, of its shape and dtype and sharing no memory with
    the factors, if that is given.

    >>> matrix_product(np.eye(2), np.ones((2, 1))).tolist()
    [[1.0], [1.0]]
    """
    assert out is None or out.dtype == np.result_type(a, b)
    assert out is None or out.shape[-2:] == (a.shape[-2], b.shape[-1])
    if a.ndim == b.ndim == 2 and a.size * b.shape[1] < LARGE:
        return _in_place_of(out, a.dot(b))
    if out is not None and not out.flags.c_contiguous:
        return _in_place_of(out, _product(a, b, None, units=True))
    return _product(a, b, out, units=True)


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
        return _product(a, b, None, units=False)
    rows, inner = a.shape
    work = rows * rows * inner
    if work < WORTHWHILE or inner != len(b) or not compiled_for(a.dtype, work):
        return _product(a, b, None, units=False)
    pairs = max(2, thread_count())
    if rows < 2 * pairs * PANEL:
        return _product(a, b, None, units=False)
    left, right, letter = _lines(a), _lines(b), a.dtype.char
    if left is None or right is None:
        return _product(a, b, None, units=False)
    if inner >= rows and left[1] != right[1] and _same_memory(left[0], right[0]):
        function = blas_address("ssyrk" if letter == "f" else "dsyrk")
        if function:
            return _by_transpose(function, *left, rows, inner)
    function = blas_address("sgemm" if letter == "f" else "dgemm")
    if not function:
        return _product(a, b, None, units=False)
    from autograd.kernels.compiled_products import multiply_symmetric

    out = _empty(rows, rows, a)
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
    out = _empty(rows, rows, a)
    sum_mirrored(sums, out)
    return out


def _product(a: Array, b: Array, out: Array | None, *, units: bool) -> Array:
    """See `matrix_product`; not on matrix units unless `units`, and `out` is contiguous."""
    if a.ndim != 2 or b.ndim != 2 or a.dtype != b.dtype:
        _settle_threads(a, max(a.size, b.size))
        return _by_numpy(a, b, out)
    (rows, inner), columns = a.shape, b.shape[1]
    work = rows * inner * columns
    if work < WORTHWHILE or inner != b.shape[0] or not compiled_for(a.dtype, work):
        _settle_threads(a, work)
        if inner == 1 == len(b):
            return _in_place_of(out, a * b)  # a product of each with each, which matmul sums
        return _by_numpy(a, b, out)
    if _is_of_dots(a, b):
        return _in_place_of(out, _long_dots(a, b))
    if _is_of_rows(a, b):
        return _in_place_of(out, _long_rows(a, b))
    if units and a.dtype.char == "f" and split_pays(rows, columns, inner):
        left, right = _in_memory(a), _in_memory(b)
        if left is not None and right is not None:
            target = _empty(rows, columns, a) if out is None else out
            if split_product(a, b, left, right, target):
                return target
    if thread_count() == 1:
        return _by_numpy(a, b, out)
    if inner > 8 * max(rows, columns):
        return _in_place_of(out, _sum_of_products(a, b))
    target = _empty(rows, columns, a) if out is None else out
    # Rows are also better where b is small: what follows is split over them too.
    by_rows = rows >= columns or (inner <= SMALL_INNER and rows >= 8 * thread_count())
    _multiply_parts(a, b, target, 0 if by_rows else 1)
    return target


def _empty(rows: int, columns: int, like: Array) -> Array:
    from autograd.kernels.buffers import empty

    return empty((rows, columns), like.dtype)


def _by_numpy(a: Array, b: Array, out: Array | None) -> Array:
    if a.ndim == b.ndim == 2:
        return _in_place_of(out, a.dot(b))  # which takes half of what matmul does to begin
    product: Array = np.matmul(a, b) if out is None else np.matmul(a, b, out)
    return product


def _in_place_of(out: Array | None, product: Array) -> Array:
    if out is None:
        return product
    out[...] = product
    return out


def _settle_threads(a: Array, work: int) -> None:
    """Before the BLAS takes threads of its own for a product: they would be one less the next time,
    and its last bits others.
    """
    if work >= LARGE and not threads_are_own():
        compiled_for(a.dtype, work)


def _is_of_dots(a: Array, b: Array) -> bool:
    """Whether the sums go along rows of a and columns of b as they lie, and are few and long."""
    few = 1 < b.shape[1] <= MOST_DOTS and len(b) >= FEWEST_TERMS
    return few and _plain(a) and _plain(b.T)


def _long_dots(a: Array, b: Array) -> Array:
    from autograd.kernels.compiled_thin_products import long_dots, long_dots_of_terms

    columns, terms = b.T, len(b)
    if len(a) > terms:
        out = np.empty((len(a), len(columns)), a.dtype)
        parallel_kernel(
            long_dots,
            lambda _, first, last: (a[first:last], columns, 0, terms, out[first:last]),
            len(a),
            GRAINS[0],
        )
        return out
    # By terms, as `_long_rows` by columns: a thread finds what it read of a, as the input of a
    # layer, in its cache when the weight's gradient needs it.
    sums = np.zeros((thread_count(), len(a), len(columns)), a.dtype)
    parallel_parts(long_dots_of_terms, (a, columns, sums), terms, GRAINS[1], most=len(sums))
    total: Array = sums[0] if len(sums) == 1 else np.add.reduce(sums, axis=0)
    return total


def _is_of_rows(a: Array, b: Array) -> bool:
    """Whether the result is of few long rows, sums of rows of b as they lie."""
    few = 1 < len(a) <= MOST_ROWS and b.shape[1] >= FEWEST_COLUMNS
    return few and a.dtype.char == "f" and a.dtype.isnative and _plain(b)


def _long_rows(a: Array, b: Array) -> Array:
    from autograd.kernels.buffers import empty
    from autograd.kernels.compiled_thin_products import WIDTH, long_rows

    rows, columns = len(a), b.shape[1]
    out = empty((rows, columns), a.dtype)
    left = np.ascontiguousarray(a)
    parallel_parts(long_rows, (left, b, out), columns, WIDTH)
    return out


def _plain(matrix: Array) -> bool:
    flags = matrix.flags
    return flags.c_contiguous and flags.aligned and matrix.dtype.isnative


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
    most = len(out) if side == 2 else None
    letter = a.dtype.char
    function = blas_address("sgemm" if letter == "f" else "dgemm")
    left, right = _lines(a), _lines(b)
    if not function or left is None or right is None or 1 in sizes[:2]:

        def part(worker: int, first: int, last: int) -> None:
            some = slice(first, last)
            if side == 0:
                np.matmul(a[some], b, out=out[some])
            elif side == 1:
                np.matmul(a, b[:, some], out=out[:, some])
            else:
                np.matmul(a[:, some], b[some], out=out[worker])

        parallel_ranges(part, sizes[side], GRAINS[side], most=most)
        return

    from autograd.kernels.compiled_products import multiply, multiply_terms

    scales = SCALES[letter]
    if side == 2:
        given: tuple[Any, ...] = function, *left, *right, out, scales
        parallel_parts(multiply_terms, given, sizes[2], GRAINS[2], most=most)
    else:
        given = function, *left, *right, out, side == 1, scales
        parallel_parts(multiply, given, sizes[side], GRAINS[side])


def _lines(matrix: Array) -> tuple[Array, bool] | None:
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


def _in_memory(matrix: Array) -> Matrix | None:
    """The same as its address and the entries from one line in memory to the next."""
    found = _lines(matrix)
    if found is None:
        return None
    lines, turned = found
    pitch = max(lines.strides[0] // lines.itemsize, lines.shape[1])
    return lines.__array_interface__["data"][0], pitch, turned
