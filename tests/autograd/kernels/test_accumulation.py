"""Sums of large arrays are NumPy's, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.kernels import accumulation
from autograd.kernels.accumulation import accumulate, on_threads, sum_of
from autograd.kernels.backend import compiled_for
from autograd.kernels.buffers import alone_in_pool
from autograd.kernels.workers import get_num_threads, set_num_threads, use_own_threads

Array = np.ndarray[Any, Any]

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


@pytest.mark.parametrize("ufunc", [np.add, np.subtract, np.multiply, np.true_divide])
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
    with pytest.MonkeyPatch.context() as patch:
        if at_once:
            patch.setattr(accumulation, "NANOSECONDS", np.inf)
        whole = b.astype({"f": np.int32, "d": np.int64}[dtype])  # entries as large
        for left, right in ((a, b), (a, 2.0), (2.0, b), (a, b.astype("d")), (a, whole | 1)):
            found, expected = on_threads(ufunc)(left, right), ufunc(left, right)
            assert found.dtype == expected.dtype
            np.testing.assert_array_equal(found, expected)


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
    for result in (x + y, x - y, x * y, x / y, ag.add(x, y)):
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


def test_gaps_in_memory_stay_as_they_are() -> None:
    wide = np.zeros((200, 400))
    accumulate(wide[:, ::2], np.ones((200, 400))[:, ::2])
    assert np.all(wide[:, ::2] == 1) and np.all(wide[:, 1::2] == 0)


def test_an_array_is_added_to_itself() -> None:
    a = np.arange(40000.0)
    accumulate(a, a)
    assert np.array_equal(a, 2 * np.arange(40000.0))
