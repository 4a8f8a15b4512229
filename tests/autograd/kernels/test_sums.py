"""Sums over the last axes of large arrays, against exact ones."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.kernels import sums as kernels
from autograd.kernels import workers
from autograd.kernels.sums import (
    FEW,
    FEWEST,
    FEWEST_SQUARES,
    SHORT,
    mean_of_squares,
    sum_of_squares,
    sum_over,
)

Array = np.ndarray[Any, Any]

shapes = st.one_of(
    st.tuples(st.integers(1, 3), st.integers(FEWEST, FEWEST + 9000)),
    st.tuples(st.integers(FEWEST // 40, FEWEST // 15), st.integers(15, 60)),
    st.tuples(st.integers(1, 5), st.integers(60, 130), st.integers(250, 310)),
    st.tuples(st.integers(FEWEST - 2, FEWEST + 8193)),
    st.tuples(st.integers(1, 9000), st.integers(1, 7), st.integers(1, 4)),
)


@given(
    seed=st.integers(0, 2**32 - 1),
    shape=shapes,
    dtype=st.sampled_from([np.float32, np.float64]),
    summed=st.integers(0, 3),
    keepdims=st.booleans(),
)
def test_sums(
    backend: str, threads: int, seed: int, shape: tuple[int, ...], dtype: Any, summed: int,
    keepdims: bool,
) -> None:  # fmt: skip
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape).astype(dtype)
    axes = tuple(range(len(shape)))[max(0, len(shape) - summed) :] if summed else ()
    found = sum_over(x, axes, keepdims)
    wide = x.astype(np.longdouble)
    exact, size = (np.add.reduce(v, axis=axes, keepdims=keepdims) for v in (wide, abs(wide)))
    assert np.shape(found) == np.shape(exact) and np.asarray(found).dtype == dtype
    assert np.all(abs(found - exact) <= 40 * np.finfo(dtype).eps * size)
    assert type(found) is type(np.add.reduce(x, axis=axes, keepdims=keepdims))


@pytest.mark.parametrize("axes", [(0,), (0, 2), (1,), (2, 1), (1, 2), (0, 1, 2)])
def test_every_choice_of_axes_and_layout(
    backend: str,
    axes: tuple[int, ...],
    layouts: tuple[str, ...],
    in_layout: Callable[[Array, str], Array],
) -> None:
    x = np.random.default_rng(0).normal(size=(30, 40, 70))
    expected = x.astype(np.longdouble).sum(axis=axes)
    for layout in layouts:
        np.testing.assert_allclose(
            np.asarray(sum_over(in_layout(x, layout), axes, False), float),
            np.asarray(expected, float),
            rtol=1e-11,
            atol=1e-11,
        )


@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.one_of(
        st.tuples(st.integers(400, 3000), st.integers(1, 80)),
        st.tuples(st.integers(1, 300), st.integers(250, 310)),
        st.tuples(st.integers(1, 20), st.integers(FEWEST // 16, FEWEST // 12)),
        st.tuples(st.integers(1, 60), st.integers(20, 50), st.integers(1, 9), st.integers(1, 9)),
    ),
    dtype=st.sampled_from([np.float32, np.float64]),
    summed=st.integers(1, 3),
    keepdims=st.booleans(),
)
def test_sums_over_first_axes(
    backend: str, threads: int, seed: int, shape: tuple[int, ...], dtype: Any, summed: int,
    keepdims: bool,
) -> None:  # fmt: skip
    x = np.random.default_rng(seed).normal(size=shape).astype(dtype)
    axes = tuple(range(min(summed, len(shape))))
    found = sum_over(x, axes, keepdims)
    wide = x.astype(np.longdouble)
    exact, size = (np.add.reduce(v, axis=axes, keepdims=keepdims) for v in (wide, abs(wide)))
    assert np.shape(found) == np.shape(exact) and np.asarray(found).dtype == dtype
    assert np.all(abs(found - exact) <= 40 * np.finfo(dtype).eps * size)


@pytest.mark.parametrize("shape", [(3001, 3), (1300, 70), (5, 20001), (129, 4097)])
def test_sums_of_columns_do_not_depend_on_threads(threads: int, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "NANOSECONDS", np.inf)
        found = sum_over(x, (0,), False)
        workers.set_num_threads(1)
        alone = sum_over(x, (0,), False)
    workers.set_num_threads(threads)
    assert np.array_equal(found, alone)


def test_many_rows_are_summed_by_parts(backend: str) -> None:
    """NumPy adds one row after the other, with an error of 1e-3."""
    x = np.full((1 << 20, 3), 0.1, np.float32)
    exact = math.fsum([float(x[0, 0])] * len(x))
    error = abs(sum_over(x, (0,), False) / exact - 1).max()
    assert error < (1e-5 if backend == "numba" else 1e-1)


def test_columns_that_are_not_finite_are_numpy_s(backend: str) -> None:
    x = np.zeros((1000, 5), np.float32)
    x[3, 1], x[700, 2] = np.inf, np.nan
    assert np.array_equal(sum_over(x, (0,), False), [0, np.inf, np.nan, 0, 0], equal_nan=True)
    x[3:5, 4] = 3e38
    with pytest.warns(RuntimeWarning, match="overflow"):
        assert sum_over(x, (0,), False)[4] == np.inf


@pytest.mark.parametrize("columns", range(2, 20))
def test_short_rows_are_summed_as_numpy_does(backend: str, columns: int) -> None:
    x = np.random.default_rng(0).normal(size=(5000, columns)).astype(np.float32)
    found, expected = sum_over(x, (1,), False), np.add.reduce(x, axis=1)
    assert (
        np.array_equal(found, expected)
        if columns < SHORT
        else np.allclose(found, expected, atol=1e-5)
    )


@pytest.mark.parametrize("columns", [FEWEST, 16 * FEWEST])
def test_long_sums_are_summed_by_parts(backend: str, columns: int) -> None:
    x = np.full((2, columns), 0.1, np.float32)
    exact = math.fsum([float(x[0, 0])] * columns)
    assert abs(sum_over(x, (1,), False) / exact - 1).max() < 1e-6


@pytest.mark.parametrize(
    ("special", "warning"),
    [
        ([np.inf], None),
        ([np.nan], None),
        ([np.inf, -np.inf], "invalid"),
        ([3e38, 3e38], "overflow"),
    ],
)
def test_numpy_says_what_is_not_finite(
    backend: str, special: list[float], warning: str | None
) -> None:
    x = np.zeros((2, FEWEST), np.float32)
    x[1, : len(special)] = special
    if warning is None:
        found = sum_over(x, (1,), False)
    else:
        with pytest.warns(RuntimeWarning, match=warning):
            found = sum_over(x, (1,), False)
    with np.errstate(all="ignore"):
        assert np.array_equal(found, np.add.reduce(x, axis=1), equal_nan=True)


def test_operations_have_it(backend: str) -> None:
    """Sum and mean, and their derivatives."""
    x = np.random.default_rng(0).normal(size=(300, 400))
    for operation, share in ((ag.sum, 1.0), (ag.mean, 1 / 400)):
        value, gradient = ag.value_and_grad(lambda t: ag.sum(operation(t, 1) ** 2))(x)  # noqa: B023
        rows = x.sum(axis=1) * share
        np.testing.assert_allclose(value, (rows**2).sum(), rtol=1e-12)
        np.testing.assert_allclose(
            gradient, np.repeat(2 * share * rows[:, None], 400, axis=1), rtol=1e-10
        )


@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.one_of(
        shapes,
        st.tuples(st.integers(FEW - 2, FEW + 2)),
        st.tuples(st.integers(1, 3), st.integers(FEWEST_SQUARES // 3, FEWEST_SQUARES)),
        st.lists(st.integers(1, 4), max_size=3).map(tuple),
    ),
    dtype=st.sampled_from("efd"),
    summed=st.integers(0, 3),
    keepdims=st.booleans(),
)
def test_sums_of_squares(
    backend: str, threads: int, seed: int, shape: tuple[int, ...], dtype: str, summed: int,
    keepdims: bool,
) -> None:  # fmt: skip
    x = np.random.default_rng(seed).normal(size=shape).astype(dtype) / 8
    axes = tuple(range(len(shape)))[max(0, len(shape) - summed) :] if summed else ()
    exact = np.add.reduce(x.astype(np.longdouble) ** 2, axis=axes, keepdims=keepdims)
    entries = math.prod(shape[k] for k in axes)
    for found, expected in (
        (sum_of_squares(x, axes, keepdims), exact),
        (mean_of_squares(x, axes, keepdims), exact / entries),
    ):
        assert np.shape(found) == np.shape(expected) and np.asarray(found).dtype == dtype
        tolerance = 40 * np.finfo(dtype).eps
        if dtype == "e":  # NumPy's own, and what lies below its normal numbers
            tolerance *= 8
            np.testing.assert_allclose(found, expected.astype(float), rtol=tolerance, atol=1e-4)
        else:
            np.testing.assert_allclose(found, expected.astype(float), rtol=tolerance)


@pytest.mark.parametrize("columns", [100, FEW, FEWEST])
@pytest.mark.parametrize("special", [3e30, np.inf, np.nan])
def test_squares_that_are_not_finite(backend: str, columns: int, special: float) -> None:
    x = np.ones((1, columns), np.float32)
    x[0, 7] = special
    if special == 3e30:
        with pytest.warns(RuntimeWarning, match="overflow"):
            found = sum_of_squares(x, (0, 1), False)
    else:
        found = sum_of_squares(x, (0, 1), False)
    assert np.isnan(found) if np.isnan(special) else found == np.inf


def test_small_squares_are_told(backend: str) -> None:
    for size in (5, FEW, FEWEST):
        x = np.full((1, size), 1e-200)
        with np.errstate(under="raise"), pytest.raises(FloatingPointError):
            sum_of_squares(x, (0, 1), False)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            sum_of_squares(np.full((1, size), 1e200), (0, 1), False)
        assert len(told) == 1 and "overflow" in str(told[0].message)


def test_squares_of_what_has_no_kernel(backend: str) -> None:
    for x in (np.arange(6), np.arange(6.0)[::-1], np.arange(3) + 1j, np.float64(3.0)):
        axes = tuple(range(np.ndim(x)))
        assert sum_of_squares(x, axes, False) == np.sum(np.square(x))
        assert mean_of_squares(x, axes, False) == np.mean(np.square(x))
