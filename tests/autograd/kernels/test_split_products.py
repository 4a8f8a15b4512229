"""Products on the processor's matrix units, from parts of their factors."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.kernels import products, split_products
from autograd.kernels.backend import use_kernels
from autograd.kernels.matrix_units import matrix_units_are_on, use_matrix_units
from autograd.kernels.products import matrix_product

Array = np.ndarray

pytestmark = pytest.mark.skipif(
    find_spec("numba") is None or not matrix_units_are_on(),
    reason="needs Numba, and a processor with matrix units",
)

EPS = 2.0**-24


@pytest.fixture(autouse=True, scope="module")
def backend() -> Iterator[None]:
    """Compiled kernels only, and small products too."""
    with pytest.MonkeyPatch.context() as patch, use_kernels("numba"):
        patch.setattr(products, "LARGE", 0)
        patch.setattr(products, "WORTHWHILE", 0)
        patch.setattr(split_products, "FEWEST_MULTIPLICATIONS", 0)
        patch.setattr(split_products, "FEWEST_USES", 0)
        patch.setattr(split_products, "FEWEST_TERMS", 1)
        patch.setattr(products, "_is_of_dots", lambda *_: False)
        patch.setattr(products, "_is_of_rows", lambda *_: False)
        yield


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What `split_product` returned."""
    returned: list[bool] = []
    original = split_products.split_product

    def spy(*arguments: object) -> bool:
        returned.append(original(*arguments))  # type: ignore[arg-type]
        return returned[-1]

    monkeypatch.setattr(products, "split_product", spy)
    return returned


def laid_out(matrix: Array, layout: str) -> Array:
    """The same matrix, otherwise in memory."""
    if layout == "rows":
        return matrix
    if layout == "columns":
        return matrix.copy(order="F")
    wide = np.full((matrix.shape[0] + 3, matrix.shape[1] + 5), np.nan, np.float32)
    if layout == "part of columns":
        wide = wide.copy(order="F")
    part = wide[1:-2, 2:-3]
    part[...] = matrix
    return part


LAYOUTS = ("rows", "columns", "part", "part of columns")


@st.composite
def factors(draw: st.DrawFn) -> tuple[Array, Array]:
    rows, inner, columns = (draw(st.integers(1, most)) for most in (140, 700, 140))
    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    a, b = rng.standard_normal((rows, inner)), rng.standard_normal((inner, columns))
    # Single numbers of any magnitude that keeps all of its bits.
    scale = 2.0 ** draw(st.integers(-40, 40))
    a[rng.random(a.shape) < 0.1] *= scale
    layouts = draw(st.tuples(*[st.sampled_from(LAYOUTS)] * 2))
    return laid_out(a.astype(np.float32), layouts[0]), laid_out(b.astype(np.float32), layouts[1])


def bound(a: Array, b: Array) -> Array:
    """Of errors: of a float32 sum in any order, with six roundings for a term."""
    terms = np.abs(a).astype(np.float64) @ np.abs(b).astype(np.float64)
    return (6 * a.shape[1] + 4) * EPS * terms


@given(factors())  # some of them split by terms
def test_it_is_the_product_to_the_rounding_of_float32(pair: tuple[Array, Array]) -> None:
    a, b = pair
    exact = a.astype(np.float64) @ b.astype(np.float64)
    found = matrix_product(a, b)
    assert found.dtype == np.float32
    assert np.all(np.abs(found - exact) <= bound(a, b))
    # What is seen of errors is far below what is possible.
    terms = np.abs(a).astype(np.float64) @ np.abs(b).astype(np.float64)
    assert np.sqrt(np.mean(((found - exact) / terms) ** 2)) <= 2 * EPS


@pytest.mark.parametrize("by_terms", [False, True])
@given(pair=factors(), threads=st.integers(1, 5))
def test_bits_depend_on_the_number_of_threads_only_where_they_share_terms(
    by_terms: bool, pair: tuple[Array, Array], threads: int
) -> None:
    before = ag.get_num_threads()
    found = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(split_products, "_by_terms", lambda *_: by_terms)  # of any size
        try:
            for count in (threads, threads, 1):
                ag.set_num_threads(count)
                found.append(matrix_product(*pair))
        finally:
            ag.set_num_threads(before)
    assert np.array_equal(*found[:2])
    if not by_terms:
        assert np.array_equal(*found[1:])
    a, b = pair
    exact = a.astype(np.float64) @ b.astype(np.float64)
    for result in found:
        assert np.all(np.abs(result - exact) <= bound(a, b))


@given(st.integers(0, 1 << 32), st.integers(-60, 120))
def test_each_number_is_the_exact_sum_of_its_parts(seed: int, exponent: int) -> None:
    """A product with the unit matrix gives each number back, all 24 bits of it."""
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1.0, 1.0], (70, 64))
    numbers = (signs * rng.uniform(1, 2, (70, 64)) * 2.0**exponent).astype(np.float32)
    for unit in (np.eye(64, dtype=np.float32), -2 * np.eye(64, dtype=np.float32)):
        assert np.array_equal(matrix_product(numbers, unit), numbers * unit[0, 0])
        assert np.array_equal(matrix_product(unit, numbers.T), numbers.T * unit[0, 0])


@pytest.mark.parametrize("first", [1, 16, 17, 33])
@pytest.mark.parametrize("last", [1, 15, 32, 50])
@pytest.mark.parametrize("inner", [1, 31, 32, 33, 512, 513, 1100])
def test_sizes_around_those_of_tiles(first: int, last: int, inner: int) -> None:
    """Small whole numbers: every sum is exact."""
    rng = np.random.default_rng(first + last)
    a = rng.integers(-3, 4, (first, inner)).astype(np.float32)
    b = rng.integers(-3, 4, (inner, last)).astype(np.float32)
    exact = a.astype(np.int64) @ b.astype(np.int64)
    for left, right in itertools.product(LAYOUTS, LAYOUTS):
        assert np.array_equal(matrix_product(laid_out(a, left), laid_out(b, right)), exact)


def test_more_shared_lines_than_fit_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split_products, "STEPS_AT_ONCE", 4)
    monkeypatch.setattr(split_products, "TERMS_AT_ONCE", 64)
    rng = np.random.default_rng(0)
    for rows, inner, columns in ((170, 200, 190), (190, 200, 170), (33, 64, 200), (70, 900, 90)):
        a = rng.integers(-3, 4, (rows, inner)).astype(np.float32)
        b = rng.integers(-3, 4, (inner, columns)).astype(np.float32)
        assert np.array_equal(matrix_product(a, b), a.astype(np.int64) @ b.astype(np.int64))


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 3.4e38, -3.4e38])
@pytest.mark.parametrize("place", [(0, 0), (69, 49), (40, 17)])
def test_numbers_that_have_no_parts_are_left_to_the_blas(
    side: int, value: float, place: tuple[int, int], used: list[bool]
) -> None:
    rng = np.random.default_rng(0)
    pair = [rng.standard_normal((70, 50)), rng.standard_normal((50, 70))]
    pair = [matrix.astype(np.float32) for matrix in pair]
    pair[side][place if side == 0 else place[::-1]] = value
    with np.errstate(all="ignore"):
        found = matrix_product(*pair)
        exact = np.matmul(*(matrix.astype(np.float64) for matrix in pair))
        expected = exact.astype(np.float32)
    assert used == [False]
    finite = np.isfinite(expected)
    assert np.array_equal(finite, np.isfinite(found))
    assert np.array_equal(found[~finite], expected[~finite], equal_nan=True)
    assert np.allclose(found[finite], expected[finite], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("first", "second", "fits"),
    [
        (0.9e-24, 1e10, False),
        (1e10, 0.9e-24, False),
        (1.1e-24, 1e10, True),
        (1e10, 1.1e-24, True),
        (0.9e-12, 1e-12, False),  # products of terms would be too small
        (1.1e-12, 1e-12, True),
        (1e-20, 1e-18, False),
        (1e18, 6.6e18, True),
        (1e18, 7e18, False),  # a sum of products of parts might be too large
        (1e25, 1e20, False),
        (3.37e38, 1e-10, True),
        (3.39e38, 1e-10, False),  # a part might become infinite
        (1e-10, 3.397e38, False),
    ],
)
def test_what_might_over_or_underflow_is_left_to_the_blas(
    first: float, second: float, fits: bool, used: list[bool]
) -> None:
    rng = np.random.default_rng(0)
    pair = [rng.uniform(0.5, 1, (70, 50)), rng.uniform(0.5, 1, (50, 70))]
    for matrix, largest in zip(pair, (first, second), strict=True):
        matrix.flat[0] = 1.0
        matrix *= largest
    pair = [matrix.astype(np.float32) for matrix in pair]
    exact = np.matmul(*(matrix.astype(np.float64) for matrix in pair))
    with np.errstate(over="ignore", under="ignore"):
        found = matrix_product(*pair)
        expected = exact.astype(np.float32)
    assert used == [fits]
    assert np.array_equal(np.isinf(found), np.isinf(expected))
    assert np.allclose(found, expected, rtol=1e-5, atol=0)


@pytest.mark.parametrize("inner", [512, 3072, 40000])
def test_long_sums_of_one_sign_are_as_exact_as_those_of_the_blas(inner: int) -> None:
    rng = np.random.default_rng(0)
    for a, b in (
        (rng.random((40, inner)), rng.random((inner, 40))),
        (1 + rng.random((40, inner)) / 1000, 1 + rng.random((inner, 40)) / 1000),
    ):
        first, second = a.astype(np.float32), b.astype(np.float32)
        exact = first.astype(np.float64) @ second.astype(np.float64)
        relative = matrix_product(first, second) / exact - 1
        assert np.sqrt(np.mean(relative**2)) <= 5 * EPS


def test_what_is_not_used_raises_no_floating_point_error(used: list[bool]) -> None:
    a, b = np.ones((256, 1024), np.float32), np.ones((1024, 256), np.float32)
    a[0], b[0], b[1000] = 0, 4, 4
    a[0, 0], a[0, 1000] = 3e38, -3e38
    with np.errstate(all="raise"):
        matrix_product(a, b)
    assert used == [False]


def test_zeros_have_parts(used: list[bool]) -> None:
    zeros, ones = np.zeros((70, 50), np.float32), np.ones((50, 70), np.float32)
    assert not matrix_product(zeros, ones).any()
    assert used == [True]


def test_they_take_large_float32_only(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    monkeypatch.setattr(products, "split_product", lambda *given: bool(calls.append(given)))

    def goes_there(
        rows: int, inner: int, columns: int, dtype: str = "f4", threads: int = 2
    ) -> bool:
        calls.clear()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(split_products, "FEWEST_MULTIPLICATIONS", 1 << 24)
            patch.setattr(split_products, "FEWEST_USES", 40)
            patch.setattr(split_products, "FEWEST_TERMS", 64)
            patch.setattr(split_products, "thread_count", lambda: threads)
            matrix_product(np.ones((rows, inner), dtype), np.ones((inner, columns), dtype))
        return bool(calls)

    assert goes_there(256, 256, 256)
    assert goes_there(200, 600, 512)
    assert not goes_there(255, 256, 256)
    assert not goes_there(256, 256, 256, "f8")
    assert goes_there(100, 3072, 100)
    assert not goes_there(79, 5000, 79)
    assert not goes_there(200, 600, 512, threads=32)
    assert not goes_there(1000, 1000, 40)
    assert not goes_there(2048, 32, 2048)
    with use_matrix_units(False):
        assert not goes_there(256, 256, 256)


def test_user_threads_do_not_share_memory() -> None:
    rng = np.random.default_rng(0)
    factors_of = [
        (rng.integers(-3, 4, (rows, 300)), rng.integers(-3, 4, (300, 60)))
        for rows in (50, 90, 130, 170)
    ]
    cases = [(a.astype(np.float32), b.astype(np.float32), a @ b) for a, b in factors_of]
    wrong: list[int] = []

    def work(number: int) -> None:
        a, b, exact = cases[number]
        right = all(np.array_equal(matrix_product(a, b), exact) for _ in range(50))
        wrong.extend([] if right else [number])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(cases))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_symmetric_products_stay_symmetric() -> None:
    """On the matrix units entries that mirror each other differ in their last bits."""
    rng = np.random.default_rng(0)
    for shape in ((120, 3000), (500, 1000), (40, 70)):
        x = rng.standard_normal(shape, np.float32)
        gram = products.symmetric_product(x, x.T)
        assert np.array_equal(gram, gram.T)
