"""Which products leave out zeros."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest import mock

import numpy as np
import pytest

pytest.importorskip("numba")

import autograd as ag
import nn
from autograd.kernels import products, sparse_products
from autograd.kernels.backend import use_kernels
from autograd.kernels.compiled_sparse_products import GROUP
from autograd.kernels.products import affine_product, matrix_product
from autograd.kernels.sparse_products import sparse_product
from autograd.kernels.workers import use_own_threads
from tests.autograd.kernels.test_sparse_products import check, sparse

Array = np.ndarray[Any, Any]


@pytest.fixture(autouse=True)
def _compiled_only(backend: str) -> None:
    if backend == "numpy":
        pytest.skip("there are compiled kernels only")


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether zeros were left out, for each large product; on any processor that could."""
    asked: list[bool] = []
    inside = sparse_product

    def noted(*given: Any) -> Array | None:
        found = inside(*given)
        asked.append(found is not None)
        return found

    use_own_threads()
    monkeypatch.setattr(sparse_products, "sparse_product_pays", lambda: True)
    monkeypatch.setattr(products, "sparse_product", noted)
    return asked


@pytest.fixture
def two_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparse_products, "thread_count", lambda: 2)


def test_where_it_is_used(seen: list[bool], threads: int) -> None:
    """Of large float32 products, those of a left factor with enough zeros."""
    rng = np.random.default_rng(0)
    half, most = sparse(rng, 260, 300, 0.5), sparse(rng, 260, 300, 0.7)
    b, bias = rng.normal(size=(300, 960)).astype(np.float32), np.zeros(960, np.float32) + 0.5
    for a, expected in ((half, True), (most, False), (half.T.copy().T, True)):
        seen.clear()
        check(matrix_product(a, b), a, b)
        check(affine_product(a, b, bias), a, b, bias)
        out = np.empty((260, 960), np.float32)
        assert matrix_product(a, b, out) is out
        check(out, a, b)
        # What has a bias asks again where the BLAS is to do it in one part.
        assert len(seen) in (3, 4) and set(seen) == {expected}
    seen.clear()
    relu = affine_product(half, b, bias, "relu")
    assert np.array_equal(relu, np.maximum(affine_product(half, b, bias), 0))
    assert seen == [True, True]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ((32, 4096, 256), True),
        ((31, 4096, 256), False),
        ((4096, 32, 128), True),
        ((4096, 31, 192), False),
        ((2048, 300, 128), True),
        ((2048, 300, 127), False),
        ((128, 1024, 128), True),
        ((128, 1023, 128), False),  # under 2^24 multiplications
    ],
)
def test_how_large(sizes: tuple[int, int, int], expected: bool) -> None:
    rows, terms, columns = sizes
    a, b = np.zeros((rows, terms), np.float32), np.ones((terms, columns), np.float32)

    def used(left: Array, right: Array, own: bool = True) -> bool:
        with mock.patch.multiple(
            sparse_products,
            sparse_product_pays=lambda: True,
            threads_are_own=lambda: own,
            thread_count=lambda: 2,
        ):
            return sparse_product(left, right, None) is not None

    assert used(a, b) is expected
    assert not used(a.astype(float), b) and not used(a, b.astype(float))
    assert not used(a, b, own=False)  # the BLAS has more threads then


@pytest.mark.parametrize(
    ("rows", "columns", "threads", "expected"),
    [
        (256, 1024, 2, True),
        (1024, 256, 2, False),
        (256, 256, 2, False),
        (40, 1024, 2, True),  # too few rows for two
        (1024, 120, 2, False),  # too few columns
        (64, 1024, 16, True),
        (64, 1000, 16, None),
        (1, 64, 1, True),
    ],
)
def test_which_side_threads_share(
    rows: int, columns: int, threads: int, expected: bool | None
) -> None:
    assert sparse_products._splits_columns(rows, columns, threads) is expected


@pytest.mark.usefixtures("two_threads")
def test_narrow_panels_need_more_zeros(seen: list[bool]) -> None:
    """A part's columns cost as much as the next multiple of a panel's."""
    rng = np.random.default_rng(0)
    for columns, share, expected in (
        (4 * GROUP, 0.5, True),
        (8 * GROUP + 1, 0.5, True),
        (2 * GROUP + 1, 0.5, False),
        (2 * GROUP + 1, 0.3, True),
    ):
        a, b = sparse(rng, 1500, 700, share), rng.normal(size=(700, columns)).astype(np.float32)
        with mock.patch.multiple(sparse_products, FEWEST_COLUMNS=1, PART_COLUMNS=10**6):
            seen.clear()
            check(matrix_product(a, b), a, b)
            assert seen == [expected], (columns, share)


def test_no_pattern_passes_for_many_zeros() -> None:
    """What is looked at is drawn, and does not depend on how a matrix lies in memory."""
    share = sparse_products._share_of_nonzeros
    a = np.ones((1024, 1024), np.float32)
    a[:, ::64] = 0
    assert share(a) > 0.9
    a[:, ::16] = a[::64] = 0
    assert share(a) > 0.85
    half = sparse(np.random.default_rng(0), 700, 300, 0.5)
    assert share(half) == share(np.asfortranarray(half)) and abs(share(half) - 0.5) < 0.1
    for places, size in zip(sparse_products._places(700, 300), (700, 300), strict=True):
        assert places.min() >= 0 and 0.97 * size < places.max() < size


@pytest.mark.usefixtures("two_threads")
def test_the_same_bits_each_time(seen: list[bool]) -> None:
    """The looks at the values are the same too."""
    rng = np.random.default_rng(0)
    a = sparse(rng, 1000, 400, 0.5)
    b = rng.normal(size=(400, 500)).astype(np.float32)
    first = matrix_product(a, b)
    assert all(np.array_equal(first, matrix_product(a, b)) for _ in range(3))
    assert seen == [True] * 4


@pytest.mark.usefixtures("two_threads")
def test_a_layer_behind_relu(seen: list[bool]) -> None:
    """Its value and derivatives are those of float64."""
    rng = np.random.default_rng(0)
    layers = nn.Sequential(
        nn.Linear(300, 512, rng=rng), nn.ReLU(), nn.Linear(512, 448, rng=rng), nn.ReLU()
    )
    x = rng.normal(size=(200, 300)).astype(np.float32)
    weights = rng.normal(size=(200, 448)).astype(np.float32)

    def derivatives(dtype: Any) -> list[Array]:
        module = nn.Sequential(
            nn.Linear(300, 512, dtype=dtype), nn.ReLU(), nn.Linear(512, 448, dtype=dtype), nn.ReLU()
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
    use_own_threads()
    a = sparse(np.random.default_rng(0), 300, 300, 0.5)
    assert (sparse_product(a, a, None) is not None) is expected
    with use_kernels("numba"):
        said = ag.show_config(mode="dicts")["kernels"]["zeros in float32 products"]
    assert said.startswith("left out" if expected else "multiplied")
