"""Sigmoid, tanh and what is made of them, against higher precision, value and slope."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.kernels import smooth_activations as smooth

EDGES = [0.0, -0.0, 1e-30, -1e-30, 1e-4, -1e-4, 0.3, -0.3, 0.49, -0.51, 0.62, 0.63, -0.625, 5.0]
EDGES += [
    -5.0,
    19.9,
    20.1,
    40.0,
    -40.0,
    86.0,
    -87.0,
    88.0,
    -90.0,
    103.0,
    -103.5,
    1e4,
    -1e4,
    3e38,
    -3e38,
]
ODD = [np.inf, -np.inf, np.nan]


def wide_sigmoid(x):
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)


def wide_softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def silu_slope(x):
    s = wide_sigmoid(x)
    return s + x * s * wide_sigmoid(-x)


CASES = {
    "tanh": (smooth.tanh, np.tanh, None, None, ()),
    "sigmoid": (
        smooth.sigmoid,
        wide_sigmoid,
        smooth.sigmoid_pullback,
        lambda x: wide_sigmoid(x) * wide_sigmoid(-x),
        (),
    ),
    "silu": (smooth.silu, lambda x: x * wide_sigmoid(x), smooth.silu_pullback, silu_slope, ()),
    "log_sigmoid": (
        smooth.log_sigmoid,
        lambda x: -wide_softplus(-x),
        smooth.log_sigmoid_pullback,
        lambda x: wide_sigmoid(-x),
        (),
    ),
    "softplus": (
        smooth.softplus,
        lambda x: np.where(2.0 * x > 18.0, x, wide_softplus(2.0 * x) / 2.0),
        smooth.softplus_pullback,
        lambda x: np.where(2.0 * x > 18.0, 1.0, wide_sigmoid(2.0 * x)),
        (2.0, 18.0),
    ),
    "elu": (
        smooth.elu,
        lambda x: np.where(x > 0, x, 0.7 * np.expm1(np.minimum(x, 0))),
        smooth.elu_pullback,
        lambda x: np.where(x > 0, 1, 0.7 * np.exp(np.minimum(x, 0))),
        (0.7,),
    ),
    "leaky_relu": (
        smooth.leaky_relu,
        lambda x: np.where(x > 0, x, x * 0.2),
        smooth.leaky_relu_pullback,
        lambda x: np.where(x > 0, 1.0, 0.2),
        (0.2,),
    ),
}


def entries(shape, dtype, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape) * rng.choice([0.1, 1.0, 10.0])
    flat = x.reshape(-1)
    count = min(flat.size, len(EDGES))
    flat[:count] = rng.permutation(EDGES)[:count]
    return x.astype(dtype)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("name", CASES)
@given(
    st.sampled_from([(0,), (1,), (7,), (40,), (3, 5), (2, 3, 4, 5), (9001,)]),
    st.sampled_from(["float32", "float64"]),
    st.integers(0, 2**20),
    st.data(),
)
def test_values_and_slopes(in_layout, layouts, name, shape, dtype, seed, data):
    function, expected, pullback, slope, params = CASES[name]
    x = in_layout(entries(shape, dtype, seed), data.draw(st.sampled_from(layouts)))
    g = in_layout(
        np.random.default_rng(seed).normal(size=shape).astype(dtype),
        data.draw(st.sampled_from(layouts)),
    )
    wide = x.astype(np.longdouble if dtype == "float64" else np.float64)
    tolerance = 1e-6 if dtype == "float32" else 4e-15
    smallest = 5e-43 if dtype == "float32" else 1e-300
    with np.errstate(over="ignore"):  # softplus of 3e38
        out = function(x, *params)
    assert out.dtype == x.dtype
    assert out.shape == x.shape
    values = expected(wide)
    largest = np.finfo(dtype).max
    inside = np.abs(values) < largest
    np.testing.assert_allclose(out[inside], values[inside], rtol=tolerance, atol=smallest)
    if pullback is not None:
        with np.errstate(over="ignore"):
            back = pullback(g, out, x, *params)
        assert back.dtype == x.dtype
        # sigmoid, silu and log_sigmoid take their slope from what has lost small differences to 1
        near = 4 * tolerance * np.maximum(np.abs(wide), 1.0) * np.abs(g)
        slopes = slope(wide) * g
        assert np.all(np.abs(back - slopes)[inside] <= (near + tolerance * np.abs(slopes))[inside])


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_infinities_and_nan(name, dtype):
    function, expected, pullback, slope, params = CASES[name]
    x = np.array(ODD, dtype)
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(function(x, *params), expected(x.astype(float)).astype(dtype))
        if pullback is not None:
            out = function(x, *params)
            slopes = slope(x.astype(float)).astype(dtype)
            back = pullback(np.ones(3, dtype), out, x, *params)
            kept = ~np.isnan(slopes[:2])
            np.testing.assert_array_equal(back[:2][kept], slopes[:2][kept])
            assert np.isnan(back[2]) or name in ("elu", "leaky_relu")


def test_signs_of_zero():
    x = np.array([0.0, -0.0], np.float32)
    np.testing.assert_array_equal(np.signbit(smooth.tanh(x)), [False, True])
    np.testing.assert_array_equal(np.signbit(smooth.leaky_relu(x, 0.1)), [False, True])
