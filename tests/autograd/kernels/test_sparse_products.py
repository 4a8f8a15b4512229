"""Products that leave out zeros, against sums in float64."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numba")

from autograd.kernels import sparse_products
from autograd.kernels.compiled_sparse_products import (
    EVEN,
    GROUP,
    ROWS,
    TERMS,
    WIDTH,
    WORD,
    multiply_sparse,
)
from autograd.kernels.sparse_products import sparse_product
from autograd.kernels.vector_maps import LANES

Array = np.ndarray[Any, Any]

NO_BIAS = np.zeros(0, np.float32)

rows_of = st.integers(1, 40) | st.sampled_from([ROWS - 1, ROWS, ROWS + 1, 2 * ROWS + 3])
terms_of = st.integers(LANES, 2 * WORD + 9) | st.sampled_from(
    [2 * WORD, TERMS - 1, TERMS, TERMS + 1, TERMS + WORD - 1, TERMS + WORD, 2 * TERMS + 5]
)
columns_of = st.integers(1, 70) | st.sampled_from([WIDTH - 1, WIDTH, WIDTH + 1, 2 * WIDTH + 17])
sizes_of = st.tuples(rows_of, terms_of, columns_of)
turns_of = st.tuples(st.booleans(), st.booleans())
seeds = st.integers(0, 2**32 - 1)


def sparse(rng: np.random.Generator, rows: int, columns: int, share: float) -> Array:
    """Normal numbers, of which such a share is not zero, and zeros of both signs."""
    a = rng.normal(size=(rows, columns)).astype(np.float32)
    left_out = rng.random(a.shape) >= share
    a[left_out] = np.where(rng.random(a.shape) < 0.5, 0.0, -0.0)[left_out]
    return a


def lying(matrix: Array, turned: bool, wider: int) -> Array:
    """The same values in lines, or columns, that are longer by `wider`, between NaN."""
    lines = matrix.T if turned else matrix
    memory = np.full((lines.shape[0] + 1, lines.shape[1] + wider), np.nan, np.float32)
    memory[:-1, : lines.shape[1]] = lines
    view = memory[:-1, : lines.shape[1]]
    return view.T if turned else view


def check(found: Array, a: Array, b: Array, bias: Array | float = 0.0) -> None:
    left, right = a.astype(float), b.astype(float)
    exact = left @ right + bias
    size = abs(left) @ abs(right) + abs(bias)
    assert found.dtype == np.float32 and found.shape == exact.shape
    assert np.all(abs(found - exact) <= 20 * np.finfo(np.float32).eps * size)


@pytest.fixture(autouse=True)
def _compiled_only(backend: str) -> None:
    if backend == "numpy":
        pytest.skip("there are compiled kernels only")


def small_too() -> AbstractContextManager[Any]:
    """Products of any size with the fewest terms, however few zeros."""
    return mock.patch.multiple(
        sparse_products,
        FEWEST_MULTIPLICATIONS=1,
        FEWEST_ROWS=1,
        FEWEST_COLUMNS=1,
        FEWEST_TERMS=LANES,
        PART_ROWS=0,
        PART_COLUMNS=0,
        MOST_OF_ALL=np.inf,
        threads_are_own=lambda: True,
        sparse_product_pays=lambda: True,
    )


def product(a: Array, b: Array, *others: Any) -> Array:
    """`sparse_product` whatever the factors."""
    with small_too():
        found = sparse_product(a, b, *others)
    assert found is not None
    return found


@given(
    seed=seeds,
    sizes=sizes_of,
    share=st.floats(0, 1),
    turned=turns_of,
    wider=st.integers(0, 3),
    biased=st.booleans(),
    positive=st.booleans(),
    given_out=st.booleans(),
)
def test_values(
    threads: int, seed: int, sizes: tuple[int, int, int], share: float,
    turned: tuple[bool, bool], wider: int, biased: bool, positive: bool, given_out: bool,
) -> None:  # fmt: skip
    rows, terms, columns = sizes
    rng = np.random.default_rng(seed)
    a, b = sparse(rng, rows, terms, share), rng.normal(size=(terms, columns)).astype(np.float32)
    bias = rng.normal(size=columns).astype(np.float32) if biased else None
    out = np.full((rows, columns), np.nan, np.float32) if given_out else None
    found = product(
        lying(a, turned[0], wider), lying(b, turned[1], wider), out, bias, positive and biased
    )
    assert out is None or found is out
    if positive and biased:
        whole = product(a, b, None, bias)
        check(whole, a, b, bias if bias is not None else 0.0)
        assert np.array_equal(found, np.maximum(whole, 0))
    else:
        check(found, a, b, 0.0 if bias is None else bias)


@given(seed=seeds, sizes=sizes_of, turned=turns_of, by_columns=st.booleans(), share=st.floats(0, 1))
def test_a_part_has_the_bits_of_the_whole(
    seed: int, sizes: tuple[int, int, int], turned: tuple[bool, bool], by_columns: bool,
    share: float,
) -> None:  # fmt: skip
    """And nothing else of the result is written."""
    rows, terms, columns = sizes
    rng = np.random.default_rng(seed)
    a, b = sparse(rng, rows, terms, 0.5), rng.normal(size=(terms, columns)).astype(np.float32)
    factors: list[Any] = []
    kept = []
    for matrix, turn in zip((a, b), turned, strict=True):
        kept.append(np.ascontiguousarray(matrix.T if turn else matrix))
        factors += [(kept[-1].ctypes.data, kept[-1].strides[0]), turn]
    factors.append(terms)
    scratch = scratch_for(rows, terms, turned[0])
    whole = np.full((rows, columns), np.nan, np.float32)
    end = columns if by_columns else rows
    multiply_sparse(*factors, whole, by_columns, NO_BIAS, False, *scratch, 0, 0, end)
    check(whole, a, b)
    framed = np.full((rows + 2, columns), np.nan, np.float32)
    part = framed[1:-1]
    bounds = sorted((int(share * end), end // 2))
    multiply_sparse(*factors, part, by_columns, NO_BIAS, False, *scratch, 0, *bounds)
    inside = np.zeros((rows, columns), bool)
    (inside.T if by_columns else inside)[slice(*bounds)] = True
    assert np.array_equal(part[inside], whole[inside]) and np.isnan(part[~inside]).all()
    assert np.isnan(framed[[0, -1]]).all()


def scratch_for(rows: int, terms: int, turned: bool) -> tuple[Array, Array, Array]:
    height, depth = min(rows, ROWS), min(terms, TERMS + WORD)
    return (
        np.full((1, -(-depth // EVEN), height), -1),
        np.full((1, height if turned else 0, depth), np.nan, np.float32),
        np.full((1, height * WIDTH), np.nan, np.float32),
    )


@given(
    seed=seeds,
    sizes=st.tuples(st.integers(1, 9), terms_of, columns_of),
    turned=turns_of,
    special=st.lists(st.sampled_from([np.inf, -np.inf, np.nan]), min_size=1, max_size=4),
    on_the_left=st.booleans(),
)
def test_what_is_undefined_stays_so(
    seed: int, sizes: tuple[int, int, int], turned: tuple[bool, bool],
    special: list[float], on_the_left: bool,
) -> None:  # fmt: skip
    """Zero times infinity is NaN, and NaN is not zero."""
    rows, terms, columns = sizes
    rng = np.random.default_rng(seed)
    a, b = sparse(rng, rows, terms, 0.4), rng.normal(size=(terms, columns)).astype(np.float32)
    target = a if on_the_left else b
    target.flat[rng.integers(0, target.size, len(special))] = special
    found = product(lying(a, turned[0], 0), lying(b, turned[1], 0), None)
    with np.errstate(invalid="ignore"):
        expected = a.astype(float) @ b.astype(float)
    finite = np.isfinite(expected)
    assert np.array_equal(found[~finite], expected[~finite].astype(np.float32), equal_nan=True)
    assert np.isfinite(found[finite]).all()


@pytest.mark.parametrize("turned", [False, True])
def test_every_place_of_an_infinity(turned: bool) -> None:
    """In the right factor, met by zeros only."""
    rows, terms, columns = 3, WORD + 5, WIDTH + GROUP + 1
    rng = np.random.default_rng(0)
    a = sparse(rng, rows, terms, 0.5)
    b = rng.normal(size=(terms, columns)).astype(np.float32)
    for t, c in [*((t, t % columns) for t in range(terms)), *((1, c) for c in range(columns))]:
        left, right = a.copy(), b.copy()
        left[:, t] = 0, -0.0, 2
        right[t, c] = np.inf
        found = product(left, lying(right, turned, 0), None)
        assert np.isnan(found[:2, c]).all() and found[2, c] == np.inf
        others = np.delete(found, c, axis=1)
        check(others, left, np.delete(right, c, axis=1))


@pytest.mark.parametrize("rows", [20, ROWS + 5])
def test_long_sums_are_summed_by_parts(rows: int) -> None:
    """Of numbers of one sign the running sum's rounding is many times as large."""
    rng = np.random.default_rng(0)
    a = rng.random((rows, 50_000), np.float32)
    a[:, ::2] = 0
    b = rng.random((50_000, GROUP + 3), np.float32)
    exact = a[:20].astype(float) @ b.astype(float)
    running = np.zeros_like(exact, np.float32)
    for column, row in zip(a[:20].T, b, strict=True):
        running += np.outer(column, row)
    assert abs(product(a, b, None)[:20] / exact - 1).max() < 1e-6
    assert abs(running / exact - 1).max() > 4e-6
