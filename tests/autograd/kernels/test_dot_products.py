"""Products of float32 whose sums go along rows of both factors, against sums in float64."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numba")

from autograd.kernels import blas_operands, products, workers
from autograd.kernels.backend import use_kernels
from autograd.kernels.blas_operands import DOT_SIDE, dot_product, dots_pay, lines
from autograd.kernels.compiled_dot_products import SIDE, address_of_dot_product
from autograd.kernels.compiled_products import multiply, multiply_terms
from autograd.kernels.vector_maps import LANES
from tests.autograd.kernels.test_own_products import (
    SCALES,
    check,
    check_whole_and_part,
    factor,
    frame_is_whole,
    framed,
)

Array = np.ndarray[Any, Any]

sides = st.integers(0, 40) | st.sampled_from([49, 50, 51, 104])
terms_of = st.integers(LANES, 70) | st.sampled_from([511, 512, 1030, 4095, 4097, 4112, 8200])


@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.tuples(sides, terms_of, sides),
    wider=st.integers(0, 3),
    by_columns=st.booleans(),
    share=st.floats(0, 1),
)
def test_rows_and_columns(
    seed: int, sizes: tuple[int, int, int], wider: int, by_columns: bool, share: float
) -> None:
    """Of parts of rows or columns nothing else is written, and the bits are those of the whole."""
    rows, terms, columns = sizes
    rng = np.random.default_rng(seed)
    a, left = factor(rng, rows, terms, False, wider)
    b, right = factor(rng, terms, columns, True, wider)
    given = address_of_dot_product(), left, False, right, True
    check_whole_and_part(given, a, b, by_columns, share)


@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.tuples(sides, st.integers(2 * LANES, 90) | st.just(9000), sides),
    share=st.floats(0, 1),
)
def test_parts_of_sums(seed: int, sizes: tuple[int, int, int], share: float) -> None:
    rows, terms, columns = sizes
    rng = np.random.default_rng(seed)
    a, left = factor(rng, rows, terms, False, 0)
    b, right = factor(rng, terms, columns, True, 0)
    middle = LANES + int(share * (terms - 2 * LANES))
    parts = framed(2, rows, columns)
    for k, (first, last) in enumerate(((0, middle), (middle, terms))):
        given = address_of_dot_product(), left, False, right, True, parts, SCALES
        multiply_terms(*given, k, first, last)
        check(parts[k], a[:, first:last], b[first:last])
    assert frame_is_whole(parts)


@pytest.mark.parametrize("terms", [3000, 100_000, 256 * 256 * LANES + 1])
def test_long_sums_are_summed_by_parts(terms: int) -> None:
    """Of numbers of one sign the running sum's rounding would be hundreds of times as large. The
    last part may be of one term.
    """
    rng = np.random.default_rng(0)
    for a in (rng.random((6, terms), np.float32), np.full((6, terms), 0.1, np.float32)):
        b = a[:, ::-1].copy()
        out = np.empty((6, 6), np.float32)
        multiply(address_of_dot_product(), a, False, b, True, out, False, SCALES, 0, 0, 6)
        exact = a.astype(float) @ b.astype(float).T
        assert abs(out / exact - 1).max() < 1e-6


@pytest.mark.parametrize("terms", [48, 51, 4096 + 20])
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_infinities_stay_in_their_sums(terms: int, value: float) -> None:
    """Also those next to a last vector's terms, which are read with it."""
    for place in {0, terms - 1, terms - LANES, terms - LANES + 1, terms // LANES * LANES - 1}:
        a, b = np.ones((7, terms), np.float32), np.full((8, terms), 2, np.float32)
        a[2, place] = value
        b[3, place] = 0.5
        out = np.empty((7, 8), np.float32)
        multiply(address_of_dot_product(), a, False, b, True, out, False, SCALES, 0, 0, 7)
        np.testing.assert_array_equal(out, a @ b.T)
        out = np.empty((8, 7), np.float32)
        multiply(address_of_dot_product(), b, False, a, True, out, False, SCALES, 0, 0, 8)
        np.testing.assert_array_equal(out, b @ a.T)


@pytest.fixture
def ours() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blas_operands, "own_product_pays", lambda: True)
        patch.setattr(products, "own_product_pays", lambda: True)
        yield


def test_where_they_pay(ours: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """For few rows, or columns that are no whole vectors, of long sums along rows in memory."""

    def pay(rows: int, terms: int, columns: int, turned: Any = (False, True)) -> bool:
        left, right = np.empty((rows, terms), "f"), np.empty((columns, terms), "f")
        a, b = left, right.T
        if turned[0]:
            a = np.asfortranarray(left)
        if not turned[1]:
            b = np.ascontiguousarray(right.T)
        factors = lines(a), lines(b)
        assert factors[0] is not None and factors[1] is not None
        return dots_pay(factors[0], factors[1], rows, terms, columns)

    assert pay(100, 3072, 50) and pay(32, 3072, 512) and pay(60, 2000, 333)
    assert not pay(256, 3072, 512) and not pay(64, 784, 64)  # whole vectors, of many rows
    assert not pay(100, 100, 50)  # short sums
    assert not pay(4, 3072, 333) and not pay(100, 3072, 4)
    for turned in ((True, True), (False, False), (True, False)):
        assert not pay(100, 3072, 50, turned)
    double = np.empty((100, 3072)), np.empty((50, 3072)).T
    assert not dots_pay((double[0], False), (double[1].T, True), 100, 3072, 50)
    monkeypatch.setattr(blas_operands, "own_product_pays", lambda: False)
    assert not pay(100, 3072, 50)


@pytest.mark.parametrize("positive", [True, False])
@pytest.mark.parametrize(("rows", "columns"), [(101, 97), (52, 103), (102, 102)])
def test_whole_products(ours: None, threads: int, positive: bool, rows: int, columns: int) -> None:
    """Parts are of whole tiles, with a bias and the positive part too; of the columns where there
    are as many as rows, so that a thread reads the weights that it updates.
    """
    rng = np.random.default_rng(0)
    a = rng.standard_normal((rows, 800), np.float32)
    b = rng.standard_normal((columns, 800), np.float32)
    bias = rng.standard_normal(columns, np.float32)
    ends: list[tuple[int, int, int]] = []
    by_columns: list[bool] = []
    with use_kernels("numba"), pytest.MonkeyPatch.context() as patch:
        if workers.thread_count() != threads:
            pytest.skip("threads are not the library's own")
        real = products.parallel_parts

        def parts(kernel: Any, given: Any, count: int, grain: int = 1, **rest: Any) -> None:
            ends.append((given[0], count, grain))
            by_columns.append(given[6])
            real(kernel, given, count, grain, **rest)

        patch.setattr(products, "parallel_parts", parts)
        found = products.affine_product(a, b.T, bias, "relu" if positive else None)
        product = products.matrix_product(a, b.T)
    expected = a.astype(float) @ b.T.astype(float)
    np.testing.assert_allclose(product, expected, atol=1e-4)
    expected += bias
    np.testing.assert_allclose(found, np.maximum(expected, 0) if positive else expected, atol=1e-4)
    assert ends == [(dot_product(), max(rows, columns), DOT_SIDE)] * 2
    assert by_columns == [columns >= rows] * 2
    assert DOT_SIDE == SIDE or LANES == 8
