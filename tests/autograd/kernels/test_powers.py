"""Powers with numbers for exponents are NumPy's, to two units in the last place."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd as ag
from autograd.kernels import arithmetic, entrywise, powers
from autograd.kernels.powers import power, scaled_power, square

Array = np.ndarray[Any, Any]

EXPONENTS = st.one_of(
    st.integers(-9, 9),
    st.integers(-9, 9).map(float),
    st.floats(-4, 4),
    st.sampled_from([1000, -1001, 1e300, math.inf, -math.inf, math.nan, 2**24 + 1, 2**53 + 1]),
)
ENTRIES = hnp.from_dtype(np.dtype(np.float32))


@given(
    hnp.arrays(np.float32, hnp.array_shapes(min_dims=0, max_dims=2), elements=ENTRIES),
    EXPONENTS,
    st.sampled_from("efd"),
)
def test_values_signs_and_dtypes(backend: str, x: Array, exponent: float, dtype: str) -> None:
    with np.errstate(all="ignore"):
        x = x.astype(dtype)
        before = x.copy()
        found, expected = power(x, exponent), np.power(x, exponent)
    assert found.dtype == expected.dtype and found.shape == expected.shape
    assert np.array_equal(x, before, equal_nan=True)
    there = ~np.isnan(expected)
    assert np.array_equal(np.isnan(found), ~there)
    assert np.array_equal(np.signbit(found[there]), np.signbit(expected[there]))
    finite = np.isfinite(expected)
    assert np.array_equal(found[~finite & there], expected[~finite & there])
    found, expected = found[finite], expected[finite]
    near = np.abs(found - expected) <= 2 * np.spacing(np.abs(expected))
    largest = np.abs(expected) > np.finfo(expected.dtype).max * (1 - 4 * np.finfo(dtype).eps)
    assert np.all(near | (np.isinf(found) & largest))


@given(st.floats(-8, 8, width=32).filter(bool), st.integers(-12, 12))
def test_whole_powers_are_those_of_fractions(backend: str, base: float, exponent: int) -> None:
    expected = Fraction(base) ** exponent
    if not 1e-30 < abs(expected) < 1e30:
        return
    for dtype in (np.float32, np.float64):
        found = Fraction(float(power(np.array([base], dtype), exponent)[0]))
        # Of up to three roundings, by half of eps each; of one where NumPy does it.
        assert abs(found / expected - 1) <= 1.501 * float(np.finfo(dtype).eps)


def test_large_arrays(
    threads: int, in_layout: Callable[[Array, str], Array], layouts: tuple[str, ...]
) -> None:
    rng = np.random.default_rng(0)
    with pytest.MonkeyPatch.context() as patch:
        for module in (arithmetic, entrywise, powers):
            patch.setattr(module, "FEWEST", 0)
        patch.setattr(entrywise, "NANOSECONDS", math.inf)
        patch.setattr(powers, "FEWEST_SQUARES", 0)
        patch.setattr(arithmetic, "NANOSECONDS", math.inf)
        for layout in layouts:
            x = in_layout(rng.standard_normal((150, 130)).astype(np.float32), layout)
            assert np.array_equal(square(x), x * x)
            for exponent in (2, 3, 4, 7, -1, -2, -3, 0.5):
                with np.errstate(invalid="ignore"):
                    expected = np.power(x.astype(float), exponent)
                    np.testing.assert_allclose(power(x, exponent), expected, rtol=3e-7)
                    found = scaled_power(1.5, x, exponent)
                np.testing.assert_allclose(found, 1.5 * expected, rtol=3e-7)


@pytest.mark.parametrize("exponent", [1.5, -0.25, 7, -8, 2.0**30])
def test_parts_of_large_arrays(threads: int, exponent: float) -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(0.9, 1.1, (401, 100)) * (
        rng.choice([-1, 1], (401, 100)) ** int(exponent % 1 == 0)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entrywise, "FEWEST", 0)
        patch.setattr(entrywise, "NANOSECONDS", math.inf)
        with np.errstate(over="ignore"):
            found, expected = power(x, exponent), np.power(x, exponent)
        np.testing.assert_allclose(found, expected, rtol=1e-15)
        x[400, 99] = 0.0
        if exponent < 0:
            with pytest.warns(RuntimeWarning, match="divide by zero"):
                assert power(x, exponent)[400, 99] == np.inf


@pytest.mark.parametrize("exponent", [2, 3, 4, -2, -3])
def test_large_arrays_with_what_is_not_finite(backend: str, exponent: int) -> None:
    """Values and warnings are NumPy's; where one is only infinite, there is none."""
    x = np.ones(powers.FEWEST_SQUARES, np.float32)
    x[70] = np.inf
    assert np.array_equal(power(x, exponent), np.power(x, exponent))
    x[70] = np.nan
    assert np.array_equal(power(x, exponent), np.power(x, exponent), equal_nan=True)
    x[70] = 1e20 if exponent > 0 else 0.0
    with pytest.warns(RuntimeWarning, match="overflow" if exponent > 0 else "divide by zero"):
        found = scaled_power(-1.0, x, exponent)
    assert found[70] == -np.inf and np.array_equal(np.delete(found, 70), np.full(len(x) - 1, -1.0))


def test_numpy_warns_of_zeros_and_of_roots() -> None:
    for exponent in (-1, -2, -3):
        with pytest.warns(RuntimeWarning, match="divide by zero"):
            assert power(np.zeros(3), exponent)[0] == math.inf
    with pytest.warns(RuntimeWarning, match="invalid value"):
        power(np.array([-2.0]), 0.5)


@given(st.integers(-7, 7), st.booleans(), st.integers(0, 2**32 - 1))
def test_slopes_of_whole_powers(exponent: int, as_float: bool, seed: int) -> None:
    """Of positive and negative bases, against a complex step."""
    y = float(exponent) if as_float else exponent
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.3, 2.0, 7) * rng.choice([-1.0, 1.0], 7)
    c = rng.standard_normal(7)
    expected = c * ((x + 1e-30j) ** exponent).imag / 1e-30
    variable = ag.Tensor(x, requires_grad=True)
    (variable**y).backward(c)
    np.testing.assert_allclose(variable.grad, expected, rtol=1e-13)
    rate = ag.jvp(lambda t: t**y, (x,), (c,))[1]
    np.testing.assert_allclose(rate, expected, rtol=1e-13)


@pytest.mark.parametrize("size", [5, 20000])
@pytest.mark.parametrize("exponent", [0, 0.5, 1, 0.0, 1.0])
def test_the_operator_is_numpy_s_where_that_is_not_its_power(size: int, exponent: float) -> None:
    x = np.resize(np.array([4.0, 2.0, 0.0, -0.0, np.inf], np.float32), size)
    found = (ag.Tensor(x) ** exponent).data
    expected = x**exponent
    assert found.dtype == expected.dtype and np.array_equal(found, expected)
    assert not np.shares_memory(found, x)
