"""Sums of large arrays are NumPy's, bit for bit."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.kernels import arithmetic as kernels
from autograd.kernels.arithmetic import accumulate, arithmetic, product_of, sum_of
from autograd.kernels.backend import compiled_for
from autograd.kernels.buffers import alone_in_pool
from autograd.kernels.layouts import in_order_of
from autograd.kernels.workers import get_num_threads, set_num_threads, use_own_threads

Array = np.ndarray[Any, Any]


@pytest.fixture(autouse=True, scope="module")
def all_sizes(backend: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "FEWEST", 0)
        patch.setattr(kernels, "FEWEST_TURNED", 0)
        yield


SHAPES = [(), (0, 3), (7,), (3, 5), (2, 3, 60, 61), (40000,), (1, 5, 80, 81)]


@given(st.sampled_from(SHAPES), st.sampled_from("efdD"), st.sampled_from("efdD"), st.data())
def test_sums(
    in_layout: Callable[[Array, str], Array],
    layouts: tuple[str, ...],
    shape: tuple[int, ...],
    first: str,
    second: str,
    data: st.DataObject,
) -> None:
    rng = np.random.default_rng(sum(shape))
    a, b = rng.normal(size=shape).astype(first), rng.normal(size=shape).astype(second)
    if shape:
        a, b = (in_layout(array, data.draw(st.sampled_from(layouts))) for array in (a, b))
    total = sum_of(a, b)
    assert total.dtype == (a + b).dtype and np.array_equal(total, a + b)
    assert not np.shares_memory(total, a) and not np.shares_memory(total, b)
    assert type(total) is type(a + b)
    if first == second and shape:
        own = a.copy(order="K")
        accumulate(own, b)
        assert np.array_equal(own, a + b)


UFUNCS = [np.add, np.subtract, np.multiply, np.true_divide]


@pytest.mark.parametrize("ufunc", UFUNCS)
@given(st.sampled_from(SHAPES), st.sampled_from("fd"), st.booleans(), st.data())
def test_other_functions_of_two(
    in_layout: Callable[[Array, str], Array],
    layouts: tuple[str, ...],
    ufunc: np.ufunc,
    shape: tuple[int, ...],
    dtype: str,
    at_once: bool,
    data: st.DataObject,
) -> None:
    use_own_threads()
    rng = np.random.default_rng(sum(shape))
    a, b = rng.normal(size=(2, *shape)).astype(dtype)
    if shape:
        a, b = (in_layout(array, data.draw(st.sampled_from(layouts))) for array in (a, b))
    before = a.copy(), b.copy()
    with pytest.MonkeyPatch.context() as patch:
        if at_once:
            patch.setattr(kernels, "NANOSECONDS", np.inf)
        whole = b.astype({"f": np.int32, "d": np.int64}[dtype])  # entries as large
        others = b, 2.0, -3, b.astype("d"), whole | 1, np.array([0.3], dtype), np.float64(0.1), True
        for other in others:
            for left, right in ((a, other), (other, a)):
                found, expected = arithmetic(ufunc)(left, right), ufunc(left, right)
                assert found.dtype == expected.dtype
                np.testing.assert_array_equal(found, expected)
    assert np.array_equal(a, before[0]) and np.array_equal(b, before[1])


@pytest.mark.parametrize("ufunc", UFUNCS)
@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=4),
    st.integers(0, 2**32 - 1),
    st.sampled_from("fd"),
    st.data(),
)
def test_broadcasting(
    threads: int,
    in_layout: Callable[[Array, str], Array],
    layouts: tuple[str, ...],
    ufunc: np.ufunc,
    shape: list[int],
    seed: int,
    dtype: str,
    data: st.DataObject,
) -> None:
    ones = data.draw(st.tuples(*(st.booleans() for _ in shape)))
    missing = data.draw(st.integers(0, len(shape)))
    smaller = tuple(1 if one else size for one, size in zip(ones, shape, strict=True))[missing:]
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=shape).astype(dtype), rng.normal(size=smaller).astype(dtype)
    a = in_layout(a, data.draw(st.sampled_from(layouts)))
    if smaller:
        b = in_layout(b, data.draw(st.sampled_from(layouts)))
    before = b.copy()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "NANOSECONDS", np.inf)
        patch.setattr(kernels, "GRAIN", 4)
        patch.setattr(kernels, "NARROW", data.draw(st.sampled_from([1, 3, 16])))
        for left, right in ((a, b), (b, a)):
            found, expected = arithmetic(ufunc)(left, right), ufunc(left, right)
            assert found.dtype == expected.dtype
            np.testing.assert_array_equal(found, expected)
    assert np.array_equal(b, before)


@pytest.mark.parametrize("other", ["same", "row", "column", "number"])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("ufunc", UFUNCS)
def test_warnings_are_numpy_s(ufunc: np.ufunc, turned: bool, other: str) -> None:
    a = np.full((300, 300), 3e38, np.float32)
    a[7, 9], a[8, 2] = np.nan, 0
    b = np.full_like(a, -3e38 if ufunc is np.subtract else 3e38)
    if ufunc is np.true_divide:
        a[1], b[...] = (0, 0) if turned else (1, 1e-30)
    pair: tuple[Any, Any] = {
        "same": (a, b),
        "row": (a, b[0]),
        "column": (a, b[:, :1]),
        "number": (a, b[0, 0]),
    }[other]
    left, right = reversed(pair) if turned else pair
    told: list[set[str]] = []
    results = []
    for function in (ufunc, arithmetic(ufunc)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            results.append(function(left, right))
        told.append({str(warning.message).split(" encountered")[0] for warning in caught})
        with np.errstate(all="raise"), pytest.raises(FloatingPointError):
            function(left, right)
        with np.errstate(all="ignore"):
            results.append(function(left, right))
    assert told[0] == told[1] != set()
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


def test_results_too_small_are_told_to_those_who_ask() -> None:
    tiny = np.full(70000, 1e-30, np.float32)
    with np.errstate(under="raise"), pytest.raises(FloatingPointError):
        product_of(tiny, tiny)


def test_a_row_whose_strides_are_the_matrix_s_is_repeated() -> None:
    a, b = np.arange(40000.0).reshape(200, 200), np.arange(200.0).reshape(1, 200)
    assert a.strides == b.strides
    np.testing.assert_array_equal(sum_of(a, b), a + b)
    np.testing.assert_array_equal(sum_of(b, a), a + b)


@pytest.mark.parametrize("tracked", [True, False])
def test_large_tensors_are_added_in_the_pool(tracked: bool) -> None:
    a, b = np.ones((2, 1 << 17), np.float32)
    if not compiled_for(a.dtype, a.size):
        pytest.skip("NumPy adds them")
    x, y = (ag.Tensor(array, requires_grad=tracked) for array in (a, b))
    for result in (x + y, x - y, x * y, x / y, ag.add(x, y), x * 2.0, x + y[:1]):
        assert alone_in_pool(result.data)


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = get_num_threads()
    use_own_threads()
    set_num_threads(2)
    yield
    set_num_threads(before)


def test_errors_of_numbers_are_what_numpy_was_told(two_threads: None) -> None:
    large = np.full((1 << 19,), 3e38, np.float32)
    large[: 1 << 18] = 0  # the other thread's part overflows
    for half in (large, large[::-1]):
        with np.errstate(over="ignore"):
            assert np.isinf(sum_of(half, half)).sum() == 1 << 18
        with np.errstate(over="raise"), pytest.raises(FloatingPointError):
            sum_of(half, half)
        with pytest.warns(RuntimeWarning, match="overflow"):
            sum_of(half, half)


def test_subclasses_keep_their_own_operators() -> None:
    a = np.ones((300, 300))
    masked = np.ma.array(np.ones(300), mask=np.arange(300) < 3)
    for other in (masked, masked[:1], masked[:, None]):
        for left, right in ((a, other), (other, a)):
            found = sum_of(left, right)
            assert isinstance(found, np.ma.MaskedArray)
            np.testing.assert_array_equal(found.mask, (left + right).mask)


def test_sums_backwards_in_memory() -> None:
    a = np.zeros(6)[::-1]
    with np.errstate(all="ignore"):
        accumulate(a, np.ones(6)[::-1])
    assert np.all(a == 1)


def test_gaps_in_memory_stay_as_they_are() -> None:
    wide = np.zeros((200, 400))
    accumulate(wide[:, ::2], np.ones((200, 400))[:, ::2])
    assert np.all(wide[:, ::2] == 1) and np.all(wide[:, 1::2] == 0)


def test_an_array_is_added_to_itself() -> None:
    a = np.arange(40000.0)
    accumulate(a, a)
    assert np.array_equal(a, 2 * np.arange(40000.0))


@pytest.mark.parametrize("special", [np.inf, np.nan, 2.0])
@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_one_entry_of_any_value(special: float, shape: tuple[int, ...]) -> None:
    x = np.ones((900, 900), np.float32)
    other = np.full(shape, special, np.float32)
    for found in (sum_of(x, other), sum_of(other, x)):
        assert np.array_equal(found, x + other, equal_nan=True)


def test_only_other_orders_are_turned(monkeypatch: pytest.MonkeyPatch) -> None:
    """No copy is made of what repeats, goes backwards, or differs in axes of size 1 only."""
    turned = []
    monkeypatch.setattr(kernels, "in_order_of", lambda a, b: turned.append(1) or in_order_of(a, b))
    x = np.random.default_rng(0).standard_normal((1, 300, 400)).astype(np.float32)
    alike = [
        np.broadcast_to(np.float32(3), x.shape),
        np.broadcast_to(x[:, :1], x.shape),
        np.random.default_rng(1).standard_normal((300, 1, 400)).astype("f").transpose(1, 0, 2),
        x[:, ::-1],
    ]
    for b in alike:
        for found in (sum_of(x, b), sum_of(b, x)):
            assert np.array_equal(found, x + b)
        own = x.copy()
        accumulate(own, b)
        assert np.array_equal(own, x + b)
    assert not turned
    other = np.asfortranarray(x)
    assert np.array_equal(sum_of(x, other), x + x)
    if compiled_for(x.dtype, x.size):
        assert turned
