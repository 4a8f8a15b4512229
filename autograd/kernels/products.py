"""Products of two matrices: thin ones by kernels of their own, large ones split over threads."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from autograd.kernels.activations import activate_in_place
from autograd.kernels.backend import LARGE, compiled_for
from autograd.kernels.batched_products import batched_product
from autograd.kernels.blas_operands import (
    DOT_SIDE,
    GRAINS,
    SCALES,
    Lines,
    dot_product,
    dots_pay,
    empty_product,
    gemm,
    lines,
    own_product_pays,
)
from autograd.kernels.sparse_products import sparse_product
from autograd.kernels.split_products import Matrix, split_pays, split_product
from autograd.kernels.workers import (
    parallel_kernel,
    parallel_parts,
    parallel_ranges,
    thread_count,
    threads_are_own,
)

__all__ = ["affine_product", "matrix_product", "product_without_units"]

Array = np.ndarray[Any, Any]

WORTHWHILE = 1 << 21
"""Multiplications from which a product is not left to NumPy: half of its 40 microseconds is more
than handing over the rest and the matrices' way from core to core, there and back, cost.
"""

WORTHWHILE_OF_VECTORS = 1 << 22
"""The same for a vector times a matrix, whose parts reach threads through Python."""

FEWEST_TERMS = 256
"""The length from which few columns make a product one of long dots."""

MOST_ROWS, FEWEST_COLUMNS = 10, 512
"""Rows up to which a product is one of long rows, and the length that makes them long."""

SMALL_INNER = 32

LARGEST_OUTER = 1 << 18
"""Entries of a column times a row from which NumPy's own product is quicker than the BLAS's."""

ROWS, COLUMNS, TERMS = range(3)
"""What of a product is split over threads."""


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
    if a.ndim == b.ndim == 2:
        work = a.size * b.shape[1]
        if work < LARGE or (work < WORTHWHILE and a.shape[1] != 1 and threads_are_own()):
            return a.dot(b) if out is None else _in_place_of(out, a.dot(b))
    assert out is None or out.dtype == np.result_type(a, b)
    assert out is None or out.shape[-2:] == (a.shape[-2], b.shape[-1])
    if out is not None and not out.flags.c_contiguous:
        return _in_place_of(out, _product(a, b, None, units=True))
    return _product(a, b, out, units=True)


def affine_product(a: Array, b: Array, bias: Array | None, activation: str | None = None) -> Array:
    """a b + bias for `bias` (columns,), and the relu or gelu of that.

    Each thread that computes a part of a large product adds to that part.

    >>> affine_product(np.eye(2), np.ones((2, 2)), np.array([1.0, -2.0]), "relu").tolist()
    [[2.0, 0.0], [2.0, 0.0]]
    """
    if bias is not None and (out := _affine_parts(a, b, bias, activation == "relu")) is not None:
        activate_in_place(out, None if activation == "relu" else activation)
        return out
    out = matrix_product(a, b)
    if bias is not None:
        out = np.add(out, bias, out=out) if bias.dtype == out.dtype else out + bias
    activate_in_place(out, activation)
    return out


def _affine_parts(a: Array, b: Array, bias: Array, positive: bool) -> Array | None:
    """a b + bias, or the positive part of it, split over threads; None where the product is not."""
    (rows, inner), columns = a.shape, b.shape[1]
    work = rows * inner * columns
    if (
        work < WORTHWHILE
        or not a.dtype == b.dtype == bias.dtype
        or not bias.dtype.isnative
        or not compiled_for(a.dtype, work)
        or _is_of_dots(a, b)
        or _is_of_rows(a, b)
    ):
        return None
    if (out := sparse_product(a, b, None, bias, positive)) is not None:
        return out
    if (a.dtype.char == "f" and split_pays(rows, columns, inner)) or _is_for_numpy(a):
        return None
    left, right = lines(a), lines(b)
    side, function, grain = _way(a, b, left, right)
    if side == TERMS or not function or left is None or right is None:
        return None
    from autograd.kernels.compiled_products import multiply_affine

    out = empty_product(rows, columns, a)
    given = function, *left, *right, out, side == COLUMNS, SCALES[a.dtype.char]
    end = np.ascontiguousarray(bias), positive
    parallel_parts(multiply_affine, (*given, *end), (rows, columns)[side], grain)
    return out


def product_without_units(a: Array, b: Array) -> Array:
    """`matrix_product`, but never on matrix units.

    >>> product_without_units(np.eye(2), np.ones((2, 1))).tolist()
    [[1.0], [1.0]]
    """
    return _product(a, b, None, units=False)


def _product(a: Array, b: Array, out: Array | None, *, units: bool) -> Array:
    """See `matrix_product`; not on matrix units unless `units`, and `out` is contiguous."""
    if a.ndim != 2 or b.ndim != 2 or a.dtype != b.dtype:
        _settle_threads(a, max(a.size, b.size))
        together = batched_product(a, b)
        return _by_numpy(a, b, out) if together is None else _in_place_of(out, together)
    (rows, inner), columns = a.shape, b.shape[1]
    work = rows * inner * columns
    worthwhile = WORTHWHILE if min(rows, columns) > 1 else WORTHWHILE_OF_VECTORS
    if work < worthwhile or inner != b.shape[0] or not compiled_for(a.dtype, work):
        _settle_threads(a, work)
        if inner == 1 == len(b) and work >= LARGEST_OUTER:
            return _in_place_of(out, a * b)  # a product of each with each, which the BLAS sums
        return _by_numpy(a, b, out)
    if _is_of_dots(a, b):
        return _in_place_of(out, _long_dots(a, b))
    if _is_of_rows(a, b):
        return _in_place_of(out, _long_rows(a, b))
    if (sparse := sparse_product(a, b, out)) is not None:
        return sparse
    if units and a.dtype.char == "f" and split_pays(rows, columns, inner):
        left, right = _in_memory(a), _in_memory(b)
        if left is not None and right is not None:
            target = empty_product(rows, columns, a) if out is None else out
            if split_product(a, b, left, right, target):
                return target
    if _is_for_numpy(a):
        return _by_numpy(a, b, out)
    return _of_parts(a, b, out)


def _of_parts(a: Array, b: Array, out: Array | None) -> Array:
    """a b, a part for each thread."""
    left, right = lines(a), lines(b)
    way = _way(a, b, left, right)
    if way[0] == TERMS:
        parts = np.zeros((thread_count(), len(a), b.shape[1]), a.dtype)
        _multiply_parts(a, b, left, right, parts, way)
        total: Array = parts[0]
        for part in parts[1:]:
            total += part
        return _in_place_of(out, total)
    target = empty_product(len(a), b.shape[1], a) if out is None else out
    _multiply_parts(a, b, left, right, target, way)
    return target


def _is_for_numpy(a: Array) -> bool:
    """Whether nothing would be split, and the product is the BLAS's anyway."""
    own = a.dtype.char == "f" and threads_are_own() and own_product_pays()
    return thread_count() == 1 and not own


def _way(a: Array, b: Array, left: Lines | None, right: Lines | None) -> tuple[int, int, int]:
    """What of a product is split over threads, the address of the function that computes a part of
    it, 0 if that is NumPy, and of how many rows, columns or terms a part is a multiple.
    """
    (rows, inner), columns = a.shape, b.shape[1]
    if left is not None and right is not None:
        side, threads = COLUMNS if columns >= rows else ROWS, thread_count()
        part = rows, inner, -(-columns // threads)
        if side == ROWS:
            part = -(-rows // threads), inner, columns
        if dots_pay(left, right, *part):
            return side, dot_product(), DOT_SIDE
    side = _side_to_split(rows, inner, columns)
    return side, gemm(a.dtype), GRAINS[side]


def _side_to_split(rows: int, inner: int, columns: int) -> int:
    if inner > 8 * max(rows, columns):
        return TERMS
    # Rows are also better where b is small: what follows is split over them too.
    by_rows = rows >= columns or (inner <= SMALL_INNER and rows >= 8 * thread_count())
    return ROWS if by_rows else COLUMNS


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
    few = 1 < b.shape[1] <= _most_dots() and len(b) >= FEWEST_TERMS
    return few and _plain(a) and _plain(b.T)


@cache
def _most_dots() -> int:
    from autograd.kernels.compiled_thin_products import MOST_DOTS

    return MOST_DOTS


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


def _multiply_parts(
    a: Array,
    b: Array,
    left: Lines | None,
    right: Lines | None,
    out: Array,
    way: tuple[int, int, int],
) -> None:
    """out = a b, a part of what `way` says for each thread; or out[worker] = a product of a part of
    the terms that are summed. The factors are given as they are and as they lie.
    """
    side, function, grain = way
    sizes = (a.shape[0], b.shape[1], a.shape[1])
    most = len(out) if side == TERMS else None
    if not function or left is None or right is None or 1 in sizes[:2]:

        def part(worker: int, first: int, last: int) -> None:
            some = slice(first, last)
            if side == ROWS:
                np.matmul(a[some], b, out=out[some])
            elif side == COLUMNS:
                np.matmul(a, b[:, some], out=out[:, some])
            else:
                np.matmul(a[:, some], b[some], out=out[worker])

        parallel_ranges(part, sizes[side], grain, most=most)
        return

    from autograd.kernels.compiled_products import multiply, multiply_terms

    scales = SCALES[a.dtype.char]
    if side == TERMS:
        given: tuple[Any, ...] = function, *left, *right, out, scales
        parallel_parts(multiply_terms, given, sizes[2], grain, most=most)
    else:
        given = function, *left, *right, out, side == COLUMNS, scales
        parallel_parts(multiply, given, sizes[side], grain)


def _in_memory(matrix: Array) -> Matrix | None:
    """The same as its address and the entries from one line in memory to the next."""
    found = lines(matrix)
    if found is None:
        return None
    lying, turned = found
    pitch = max(lying.strides[0] // lying.itemsize, lying.shape[1])
    return lying.__array_interface__["data"][0], pitch, turned
