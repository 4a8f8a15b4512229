"""Products of a float32 matrix with many zeros, as relu leaves them: the side that is not compiled.

Terms that are zero are left out, which changes no sum but the order in which it is computed. It
depends on the left factor's values whether that is done, never on the time something takes.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any, Final

import numpy as np

from autograd.kernels.backend import read_only
from autograd.kernels.blas_operands import GRAINS, empty_product, lines
from autograd.kernels.matrix_units import has_matrix_units
from autograd.kernels.processor import compiled_features
from autograd.kernels.workers import parallel_parts, thread_count, threads_are_own

__all__ = ["sparse_product", "sparse_product_pays"]

Array = np.ndarray[Any, Any]

FEWEST_MULTIPLICATIONS, FEWEST_ROWS, FEWEST_COLUMNS, FEWEST_TERMS = 1 << 24, 32, 128, 32
"""From where it may be faster than a product of all entries: a panel of columns must be used by as
many rows as make up for its copy.
"""

PART_ROWS, PART_COLUMNS = 32, 64
"""The same of a thread's part: of its rows or its columns, whichever are split."""

MOST_OF_ALL = 0.6
"""The share of entries other than zero up to which it is faster, if panels are whole."""

LOOKS = 1 << 9
"""Entries that are looked at; what they say is taken for all."""

_NO_BIAS: Final = np.zeros(0, np.float32)


def sparse_product(
    a: Array, b: Array, out: Array | None, bias: Array | None = None, positive: bool = False
) -> Array | None:
    """a b where a has so many zeros that it is faster to leave them out; None elsewhere.

    With `bias` (columns,) that is added to each row, and then, if it is wanted, the positive part
    taken. Written to `out`, which is contiguous, if that is given.

    >>> sparse_product(np.eye(2), np.ones((2, 2)), None) is None
    True
    """
    assert bias is not None or not positive
    (rows, inner), columns = a.shape, b.shape[1]
    if (
        a.dtype.char != "f"
        or b.dtype.char != "f"
        or rows < FEWEST_ROWS
        or columns < FEWEST_COLUMNS
        or inner < FEWEST_TERMS
        or rows * inner * columns < FEWEST_MULTIPLICATIONS
        or not sparse_product_pays()
        or not threads_are_own()
    ):
        return None
    threads = thread_count()
    left, right, by_columns = lines(a), lines(b), _splits_columns(rows, columns, threads)
    if left is None or right is None or by_columns is None:
        return None
    share = _share_of_nonzeros(a)
    if share > MOST_OF_ALL:
        return None
    from autograd.kernels.buffers import empty
    from autograd.kernels.compiled_sparse_products import (
        EVEN,
        GROUP,
        ROWS,
        TERMS,
        WIDTH,
        WORD,
        multiply_sparse,
    )

    own = -(-columns // threads) if by_columns else columns
    if share * (-(-own // GROUP) * GROUP) > MOST_OF_ALL * own:
        return None
    target = empty_product(rows, columns, a) if out is None else out
    height, depth = min(rows, ROWS), min(inner, TERMS + WORD)
    # Each thread has its own: to read what another core wrote takes as long as to find it again.
    words = empty((threads, -(-depth // EVEN), height), np.dtype(np.int64))
    entries = empty((threads, height if left[1] else 0, depth), a.dtype)
    sums = empty((threads, height * WIDTH), a.dtype)
    ends = read_only(_NO_BIAS if bias is None else np.ascontiguousarray(bias))
    factors = _place(left[0]), left[1], _place(right[0]), right[1], inner
    given = *factors, target, by_columns, ends, positive, words, entries, sums
    side = int(by_columns)
    parallel_parts(multiply_sparse, given, (rows, columns)[side], GRAINS[side], most=threads)
    return target


@cache
def sparse_product_pays() -> bool:
    """Whether the processor has vectors with which this is faster (of 16 floats or of 8, measured
    on Zen 4), and no matrix units, next to which it was not measured.
    """
    features = compiled_features()
    narrow = features.get("avx2", False) and features.get("fma", False)
    return (narrow or features.get("avx512f", False)) and not has_matrix_units()


def _splits_columns(rows: int, columns: int, threads: int) -> bool | None:
    """Whether threads share the columns, or the rows; None if their parts would be too small."""
    wide, tall = columns >= threads * PART_COLUMNS, rows >= threads * PART_ROWS
    if wide and tall:
        return columns > rows
    return wide if wide or tall else None


def _share_of_nonzeros(matrix: Array) -> float:
    """About what share of the entries is not zero."""
    return np.count_nonzero(matrix[_places(*matrix.shape)]) / LOOKS


@lru_cache(maxsize=64)
def _places(rows: int, columns: int) -> tuple[Array, Array]:
    """Where to look: drawn, so that no pattern is met, but always the same."""
    rng = np.random.default_rng(0)
    return rng.integers(rows, size=LOOKS), rng.integers(columns, size=LOOKS)


def _place(matrix: Array) -> tuple[int, int]:
    """Its address, and the bytes between rows."""
    # The distance to a row that is not there may be any.
    pitch = max(matrix.strides[0], matrix.itemsize * matrix.shape[1])
    return matrix.__array_interface__["data"][0], pitch
