"""Products of a float32 matrix with many zeros, as relu leaves them: the side that is not compiled.

Terms that are zero are left out, which changes no sum but the order in which it is computed. It
depends on the values whether that is done, never on the time something takes.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np

from autograd.kernels.blas_operands import GRAINS, empty_product, lines
from autograd.kernels.matrix_units import has_matrix_units
from autograd.kernels.processor import compiled_features
from autograd.kernels.workers import parallel_parts, thread_count

__all__ = ["sparse_product", "sparse_product_pays"]

Array = np.ndarray[Any, Any]

FEWEST_MULTIPLICATIONS, FEWEST_ROWS, FEWEST_COLUMNS, FEWEST_TERMS = 1 << 24, 32, 128, 32
"""From where it is faster than a product of all entries: a panel of columns must be used by as many
rows as make up for its copy.
"""

MOST_OF_ALL = 0.6
"""The share of entries other than zero up to which it is faster."""

LOOKS: Final = 16, 64
"""Lines, and entries of each, that are looked at; what they say is taken for all."""

_NO_BIAS: Final = np.zeros(0, np.float32)


def sparse_product(
    a: Array, b: Array, out: Array | None, bias: Array | None = None, positive: bool = False
) -> Array | None:
    """a b, with `bias` (columns,) added to each row if there is one and then the positive part if
    it is wanted, where a has so many zeros that it is faster to leave them out; None elsewhere.

    Written to `out`, which is contiguous, if that is given.

    >>> sparse_product(np.eye(2), np.ones((2, 2)), None) is None
    True
    """
    (rows, inner), columns = a.shape, b.shape[1]
    if (
        a.dtype.char != "f"
        or rows < FEWEST_ROWS
        or columns < FEWEST_COLUMNS
        or inner < FEWEST_TERMS
        or rows * inner * columns < FEWEST_MULTIPLICATIONS
        or not sparse_product_pays()
    ):
        return None
    left, right = lines(a), lines(b)
    if left is None or right is None or not _seems_sparse(left[0]):
        return None
    from autograd.kernels.buffers import empty
    from autograd.kernels.compiled_sparse_products import ROWS, TERMS, WIDTH, WORD, multiply_sparse

    target = empty_product(rows, columns, a) if out is None else out
    threads, height, depth = thread_count(), min(rows, ROWS), min(inner, TERMS + WORD)
    # Each thread has its own: to read what another core wrote takes as long as to find it again.
    words = empty((threads, -(-depth // WORD), height), np.dtype(np.int64))
    entries = empty((threads, height if left[1] else 0, depth), a.dtype)
    sums = empty((threads, height * WIDTH), a.dtype)
    by_columns = columns > rows and columns >= threads * FEWEST_COLUMNS
    side = int(by_columns)
    end = (_NO_BIAS if bias is None else np.ascontiguousarray(bias)), positive
    given = *left, *right, target, by_columns, *end, words, entries, sums
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


def _seems_sparse(matrix: Array) -> bool:
    (down, across), (height, width) = LOOKS, matrix.shape
    some = matrix[:: -(-height // down), :: -(-width // across)]
    return int(np.count_nonzero(some)) <= MOST_OF_ALL * some.size
