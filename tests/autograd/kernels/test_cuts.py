"""Kernels that are given parts of vectors: each entry once, and errors in a part."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numba")
pytest.importorskip("threadpoolctl")

from autograd.kernels.compilation import compiled
from autograd.kernels.workers import parallel_cuts


@compiled
def add_cuts(x: Any, counts: Any, lengths: Any, offset: Any, limit: Any) -> None:
    """counts += x + offset; each entry of `lengths` is how many entries its part has."""
    for i in range(len(x)):
        counts[i] += x[i] + offset
        lengths[i] = len(x)
        if x[i] > limit:
            raise ValueError("no")


@given(size=st.integers(0, 40), grain=st.integers(1, 9))
def test_every_entry_once_where_vectors_are_cut(threads: int, size: int, grain: int) -> None:
    whole = np.arange(size + 2.0)
    whole.flags.writeable = False
    counts, lengths = np.zeros(size + 2), np.zeros(size + 2, np.int64)
    for k in range(3):
        vectors = whole[1:-1], counts[1:-1], lengths[1:-1]
        parallel_cuts(add_cuts, vectors, (k, 1e9), grain, np.inf)
    np.testing.assert_array_equal(counts[1:-1], 3 * whole[1:-1] + 3)
    assert counts[[0, -1]].tolist() == [0, 0] and lengths[[0, -1]].tolist() == [0, 0]
    bounds = even_bounds(size, grain, threads)
    expected = np.repeat(np.diff(bounds), np.diff(bounds))
    assert np.array_equal(lengths[1:-1], expected)


def even_bounds(size: int, grain: int, threads: int) -> list[int]:
    """As even as multiples of the grain can be, the later parts the larger ones."""
    units = -(-size // grain)
    parts = max(1, min(threads, units))
    return [min(size, grain * (units * k // parts)) for k in range(parts + 1)]


def test_cuts_for_little_work_and_errors_in_them(threads: int) -> None:
    x, counts, lengths = np.arange(64.0), np.zeros(64), np.zeros(64, np.int64)
    parallel_cuts(add_cuts, (x, counts, lengths), (0, 99.0), 1, 10.0)
    assert np.all(lengths == 64)
    with pytest.raises(MemoryError if threads > 1 else ValueError):
        parallel_cuts(add_cuts, (x, counts, lengths), (0, 62.0), 1, np.inf)
