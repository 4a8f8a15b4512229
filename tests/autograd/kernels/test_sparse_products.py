"""Products that leave out zeros, against sums in float64, and where they are used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numba")

import autograd as ag
import nn
from autograd.kernels import products, sparse_products
from autograd.kernels.backend import use_kernels
from autograd.kernels.compiled_sparse_products import (
    ROWS,
    TERMS,
    WIDTH,
    WORD,
    multiply_sparse,
)
from autograd.kernels.products import affine_product, matrix_product
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
        MOST_OF_ALL=1.0,
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
    matrices = a, b
    factors = []
    for matrix, turn in zip(matrices, turned, strict=True):
        factors += [np.ascontiguousarray(matrix.T if turn else matrix), turn]
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
        np.full((1, -(-depth // WORD), height), -1),
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


def test_long_sums_are_summed_by_parts() -> None:
    """Of numbers of one sign the running sum's rounding would be hundreds of times as large."""
    rng = np.random.default_rng(0)
    a = rng.random((20, 50_000), np.float32)
    a[:, ::2] = 0
    b = rng.random((50_000, 30), np.float32)
    found = product(a, b, None)
    assert abs(found / (a.astype(float) @ b.astype(float)) - 1).max() < 1e-5


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether zeros were left out, for each large product; on any processor that could."""
    asked: list[bool] = []
    inside = sparse_product

    def noted(*given: Any) -> Array | None:
        found = inside(*given)
        asked.append(found is not None)
        return found

    monkeypatch.setattr(sparse_products, "sparse_product_pays", lambda: True)
    monkeypatch.setattr(products, "sparse_product", noted)
    return asked


def test_where_it_is_used(seen: list[bool], threads: int) -> None:
    """Of large float32 products, those of a left factor with enough zeros."""
    rng = np.random.default_rng(0)
    half, most = sparse(rng, 260, 300, 0.5), sparse(rng, 260, 300, 0.7)
    b, bias = rng.normal(size=(300, 240)).astype(np.float32), np.zeros(240, np.float32) + 0.5
    for a, expected in ((half, True), (most, False), (half.T.copy().T, True)):
        seen.clear()
        check(matrix_product(a, b), a, b)
        check(affine_product(a, b, bias), a, b, bias)
        out = np.empty((260, 240), np.float32)
        assert matrix_product(a, b, out) is out
        check(out, a, b)
        assert seen == [expected] * 3
    seen.clear()
    for left, right in (
        (half.astype(float), b.astype(float)),
        (half[:, :31], b[:31]),
        (half[:31], b),
        (half, b[:, :127]),
        (half[:100], b),  # under 2^24 multiplications
    ):
        check(matrix_product(left, right).astype(np.float32), left, right)
    assert not any(seen)
    relu = affine_product(half, b, bias, "relu")
    assert np.array_equal(relu, np.maximum(affine_product(half, b, bias), 0))
    assert seen[-2:] == [True, True]


def test_the_same_bits_each_time(seen: list[bool]) -> None:
    """The looks at the values are the same too."""
    rng = np.random.default_rng(0)
    a = sparse(rng, 1000, 400, 0.55)
    b = rng.normal(size=(400, 500)).astype(np.float32)
    first = matrix_product(a, b)
    assert all(np.array_equal(first, matrix_product(a, b)) for _ in range(3))
    assert seen == [True] * 4


def test_a_layer_behind_relu(seen: list[bool]) -> None:
    """Its value and derivatives are those of float64."""
    rng = np.random.default_rng(0)
    layers = nn.Sequential(
        nn.Linear(300, 400, rng=rng), nn.ReLU(), nn.Linear(400, 390, rng=rng), nn.ReLU()
    )
    x = rng.normal(size=(200, 300)).astype(np.float32)
    weights = rng.normal(size=(200, 390)).astype(np.float32)

    def derivatives(dtype: Any) -> list[Array]:
        module = nn.Sequential(
            nn.Linear(300, 400, dtype=dtype), nn.ReLU(), nn.Linear(400, 390, dtype=dtype), nn.ReLU()
        )
        module.load_state_dict(
            {name: value.astype(dtype) for name, value in layers.state_dict().items()}
        )
        input = ag.Tensor(x.astype(dtype), requires_grad=True)
        output = module(input)
        ag.sum(output * weights.astype(dtype)).backward()
        return [output.numpy(), input.grad, *(p.grad for p in module.parameters())]

    with use_kernels("numba"):
        found, exact = derivatives(np.float32), derivatives(np.float64)
    assert sum(seen) >= 4
    for ours, theirs in zip(found, exact, strict=True):
        ours, theirs = np.asarray(ours), np.asarray(theirs)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-5 * abs(theirs).max())


@pytest.fixture
def asked_again() -> Iterator[None]:
    sparse_products.sparse_product_pays.cache_clear()
    yield
    sparse_products.sparse_product_pays.cache_clear()


@pytest.mark.parametrize(
    ("features", "units", "expected"),
    [
        ({"avx512f": True}, False, True),
        ({"avx2": True, "fma": True}, False, True),
        ({"avx512f": True, "avx2": True, "fma": True}, True, False),
        ({"avx2": True}, False, False),
        ({}, False, False),
    ],
)
def test_on_which_processors(
    features: dict[str, bool], units: bool, expected: bool, asked_again: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(sparse_products, "has_matrix_units", lambda: units)
    monkeypatch.setattr(sparse_products, "compiled_features", lambda: features)
    assert sparse_products.sparse_product_pays() is expected
    a = sparse(np.random.default_rng(0), 300, 300, 0.5)
    assert (sparse_product(a, a, None) is not None) is expected
    with use_kernels("numba"):
        said = ag.show_config(mode="dicts")["kernels"]["zeros in float32 products"]
    assert said.startswith("left out" if expected else "multiplied")
