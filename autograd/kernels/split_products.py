"""Products of float32 matrices on the processor's matrix units: the side that is not compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.matrix_units import matrix_units_are_on
from autograd.kernels.workers import parallel_kernel, scratch, thread_count

__all__ = ["split_pays", "split_product"]

Array = np.ndarray[Any, Any]

Matrix = tuple[int, int, bool]
"""Address, entries from one line in memory to the next, and whether lines are columns."""

LARGEST, SMALLEST = 3.38e38, 1e-24
"""Between these must be the largest magnitudes in both factors, and their product: what is above
might become infinite as bfloat16 or in a sum of parts' products; what is below has parts, or
products of parts, that underflow and count as zero.
"""

TERMS_AT_ONCE = 512
"""Of a sum: a block of results is then added to what is in memory."""

STEPS_AT_ONCE = 1 << 7
"""Of DEPTH terms of BLOCK lines of the shared side: 3/4 MiB of parts, used for every panel."""

PANELS_AT_ONCE = 4
"""Of the other side, where lines in memory are 128 bytes for each."""

FEWEST_MULTIPLICATIONS, FEWEST_TERMS, FEWEST_USES = 1 << 24, 64, 40
"""From where the matrix units are faster than the BLAS. What is split, by all threads together,
must be used so many times on average.
"""

MOST_RESULTS = 1 << 17
"""Of a product whose terms are split over threads, each of which has all results in its cache."""


def split_pays(rows: int, columns: int, inner: int) -> bool:
    """Whether a float32 product of this size goes to the matrix units, if there are any.

    >>> split_pays(8, 8, 1 << 20)
    False
    """
    if rows * columns * inner < FEWEST_MULTIPLICATIONS or inner < FEWEST_TERMS:
        return False
    split = rows + columns
    if not _by_terms(rows, columns, inner):
        split += (thread_count() - 1) * min(rows, columns)  # which each thread does for itself
    return rows * columns >= FEWEST_USES * split and matrix_units_are_on()


def _by_terms(rows: int, columns: int, inner: int) -> bool:
    """Whether each thread has some of the terms of all results, not all terms of some."""
    return inner >= 2 * max(rows, columns) and rows * columns <= MOST_RESULTS


def split_product(a: Array, b: Array, left: Matrix, right: Matrix, out: Array) -> bool:
    """out = a b, if the magnitudes of both allow it; False if they do not, and out is undefined.

    `left` and `right` say where a and b are in memory.
    """
    from autograd.kernels.compiled_split_products import BLOCK, DEPTH, STEP, multiply_parts

    (rows, inner), columns = a.shape, b.shape[1]
    threads = thread_count()
    by_terms = threads > 1 and _by_terms(rows, columns, inner)
    totals = np.empty((threads, *out.shape), out.dtype) if by_terms else out
    peaks = np.zeros((threads, 2), np.uint32)
    used = [False] * threads

    def multiply(worker: int, first: int, last: int) -> tuple[Any, ...]:
        begin, terms = (first, last - first) if by_terms else (0, inner)
        shared, other = (
            (left[0] + begin * a.strides[1], 4 * left[1], rows, not left[2], True),
            (right[0] + begin * b.strides[0], 4 * right[1], columns, right[2], False),
        )
        if rows > columns:
            shared, other = other, shared
        units, others = (-(-side[2] // BLOCK) for side in (shared, other))
        depth = min(TERMS_AT_ONCE // DEPTH, -(-terms // DEPTH))
        units_at_once = min(max(1, STEPS_AT_ONCE // depth), units)
        parts = scratch(f"parts {worker}", (units_at_once * depth * STEP,), np.uint16)
        panels_at_once = 1 if other[3] else PANELS_AT_ONCE
        panels = scratch(f"panels {worker}", (panels_at_once * depth * STEP,), np.uint16)
        used[worker] = True
        own = (0, others) if by_terms else (first, last)
        results = totals[worker] if by_terms else out
        sizes = terms, depth, units_at_once, *own, panels_at_once
        return shared, other, *sizes, parts, panels, results, peaks[worker]

    count, grain = (inner, DEPTH) if by_terms else (-(-max(rows, columns) // BLOCK), 1)
    parallel_kernel(multiply_parts, multiply, count, grain, most=threads)
    first, second = peaks.max(0).view(np.float32).tolist()
    if not _in_range(first, second, inner):
        return False
    if by_terms:
        np.sum(totals[: sum(used)], axis=0, out=out)
    return True


def _in_range(first: float, second: float, inner: int) -> bool:
    """Whether parts and their sums are exact, for the largest magnitudes in either factor."""
    if not (first < LARGEST and second < LARGEST and first * second * inner < LARGEST):
        return False
    smallest = min(first, second, first * second)
    return not smallest or smallest >= SMALLEST
