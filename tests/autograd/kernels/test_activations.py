"""Activation kernels against the standard library's functions, entry by entry."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.kernels.activations import (
    gelu,
    gelu_pullback,
    relu,
    relu_pullback,
    relu_pullback_in_place,
    tanh_pullback,
)

Array = np.ndarray[Any, Any]

shapes = st.sampled_from([(0,), (1,), (7,), (3, 5), (2, 3, 4, 5), (9001,)])
dtypes = st.sampled_from(["float32", "float64"])
seeds = st.integers(0, 2**32 - 1)
EDGES = [
    0.0,
    -0.0,
    1e-30,
    -1e-30,
    5.0,
    -5.0,
    40.0,
    -40.0,
    1e30,
    -1e30,
    math.inf,
    -math.inf,
    math.nan,
]


def cumulative(value: float) -> float:
    return 0.5 * math.erfc(-value / math.sqrt(2.0))


def exact_gelu(value: float) -> float:
    return 0.0 if value == -math.inf else value * cumulative(value)


def exact_slope(value: float) -> float:
    bell = math.exp(-0.5 * value * value) / math.sqrt(2.0 * math.pi)
    return cumulative(value) + (0.0 if math.isinf(value) else value * bell)


def entries(shape: tuple[int, ...], dtype: str, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape) * 3.0
    flat = x.reshape(-1)
    count = min(flat.size, len(EDGES))
    flat[:count] = rng.permutation(EDGES)[:count]
    return x.astype(dtype)


@given(shapes, dtypes, seeds, st.data())
def test_gelu_and_its_slope(
    layouts: tuple[str, ...],
    in_layout: Callable[[Array, str], Array],
    shape: tuple[int, ...],
    dtype: str,
    seed: int,
    data: st.DataObject,
) -> None:
    x = in_layout(entries(shape, dtype, seed), data.draw(st.sampled_from(layouts)))
    g = in_layout(
        np.random.default_rng(seed).normal(size=shape).astype(dtype),
        data.draw(st.sampled_from(layouts)),
    )
    tolerance = 1e-6 if dtype == "float32" else 1e-14
    out = gelu(x)
    assert out.dtype == x.dtype and out.shape == x.shape
    with np.errstate(invalid="ignore"):
        expected = np.vectorize(exact_gelu, otypes=[float])(x.astype(float))
        np.testing.assert_allclose(out, expected, rtol=tolerance, atol=tolerance)
    back = gelu_pullback(g, out, x)
    slopes = np.vectorize(exact_slope, otypes=[float])(x.astype(float)) * g
    np.testing.assert_allclose(back, slopes, rtol=tolerance, atol=2 * tolerance)
    assert back.dtype == x.dtype


@given(shapes, dtypes, seeds, st.data())
def test_relu_and_its_mask(
    layouts: tuple[str, ...],
    in_layout: Callable[[Array, str], Array],
    shape: tuple[int, ...],
    dtype: str,
    seed: int,
    data: st.DataObject,
) -> None:
    x = in_layout(entries(shape, dtype, seed), data.draw(st.sampled_from(layouts)))
    values = np.random.default_rng(seed).normal(size=shape).astype(dtype)
    values.reshape(-1)[::3] = data.draw(st.sampled_from([math.nan, math.inf, -math.inf, 1.0]))
    g = in_layout(values, data.draw(st.sampled_from(layouts)))
    out = relu(x)
    for value, found in zip(x.ravel().tolist(), out.ravel().tolist(), strict=True):
        assert found == max(value, 0.0) if value == value else found != found
    back = relu_pullback(g, out, x)
    expected = [s if value > 0 else 0 for value, s in zip(out.ravel(), g.ravel(), strict=True)]
    np.testing.assert_array_equal(back.ravel(), expected)
    written = g.copy(order=data.draw(st.sampled_from("CF")))
    assert relu_pullback_in_place(written, out) is written
    np.testing.assert_array_equal(written, back)


@pytest.mark.parametrize("size", [3, 40_000])
def test_gelu_far_from_zero_is_the_positive_part(size: int) -> None:
    for value in (14.0, 20.0, 100.0, 1e30, 3e38, math.inf):
        x, one = np.full(size, value, np.float32), np.ones(size, np.float32)
        np.testing.assert_array_equal(gelu(x), x)
        np.testing.assert_array_equal(gelu_pullback(one, x, x), one)
        if value > 14:  # there NumPy's function still has e^-98
            np.testing.assert_array_equal(gelu(-x), 0 * one)
            np.testing.assert_array_equal(gelu_pullback(one, x, -x), 0 * one)


@given(shapes, dtypes, seeds, st.data())
def test_the_slope_of_tanh(
    layouts: tuple[str, ...],
    in_layout: Callable[[Array, str], Array],
    shape: tuple[int, ...],
    dtype: str,
    seed: int,
    data: st.DataObject,
) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(scale=2.0, size=shape)
    out = in_layout(np.tanh(x).astype(dtype), data.draw(st.sampled_from(layouts)))
    g = rng.normal(size=shape).astype(dtype)
    back = tanh_pullback(in_layout(g, data.draw(st.sampled_from(layouts))), out, None)
    tolerance = 3e-7 if dtype == "float32" else 1e-15
    # Of the slope itself: rounding of values near 1 is not made good.
    np.testing.assert_allclose(back, g / np.cosh(x) ** 2, rtol=0, atol=tolerance * 8)
    assert back.dtype == out.dtype
    assert np.shape(back) == shape


def test_a_tangent_of_more_columns_is_spread_over_the_slope() -> None:
    out = np.full((300, 100), 0.5, np.float32)
    g = np.ones((3, 300, 100), np.float32)
    assert np.array_equal(tanh_pullback(g, out, None), np.full(g.shape, 0.75, np.float32))


@pytest.mark.parametrize("function", [gelu, relu])
def test_a_large_result_keeps_the_memory_order(function: Callable[[Array], Array]) -> None:
    x = np.ones((40, 30, 20, 16), np.float32).transpose(0, 3, 1, 2)
    assert function(x).strides == x.strides
