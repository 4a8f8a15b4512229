"""Softmax and its logarithm against SciPy, their Jacobians and their limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

import autograd as ag
from autograd.testing import strategies

ORACLES = {ag.softmax: special.softmax, ag.log_softmax: special.log_softmax}
functions = st.sampled_from(sorted(ORACLES, key=lambda f: f.__name__))


@given(functions, strategies.arrays(strategies.shapes(min_dims=1, min_side=1)), st.data())
def test_values_are_scipys_along_every_axis(function, x, data):
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    scaled = x * data.draw(st.sampled_from([1.0, 100.0]))
    expected = ORACLES[function](scaled, axis=axis)
    np.testing.assert_allclose(function(scaled, axis), expected, rtol=1e-12, atol=1e-12)


@given(strategies.arrays(st.tuples(st.integers(1, 4))))
def test_jacobians_are_the_textbook_ones(x):
    p = special.softmax(x)
    identity = np.eye(len(x))
    np.testing.assert_allclose(
        ag.jacobian(ag.softmax)(x), np.diag(p) - np.outer(p, p), rtol=1e-12, atol=1e-14
    )
    np.testing.assert_allclose(
        ag.jacobian(ag.log_softmax)(x), identity - p[None, :], rtol=1e-12, atol=1e-14
    )


@given(strategies.arrays(st.tuples(st.integers(1, 4))), st.data())
def test_the_hessian_of_one_log_probability(x, data):
    # Whichever class it is: minus the covariance of the probabilities.
    index = data.draw(st.integers(0, len(x) - 1))
    p = special.softmax(x)
    hessian = ag.hessian(lambda z: ag.log_softmax(z)[index])(x)
    np.testing.assert_allclose(hessian, np.outer(p, p) - np.diag(p), rtol=1e-10, atol=1e-12)


@given(functions, strategies.arrays((2, 3)), st.floats(-1e3, 1e3))
def test_a_shift_changes_nothing(function, x, shift):
    np.testing.assert_allclose(function(x + shift), function(x), rtol=1e-9, atol=1e-10)
    gradient = ag.grad(lambda s: ag.sum(function(x + s) ** 2))(0.0)
    assert abs(gradient) < 1e-10


def test_extreme_and_excluded_entries():
    x = np.array([-np.inf, 0.0, 1000.0])
    assert np.array_equal(ag.softmax(x), [0.0, 0.0, 1.0])
    assert np.array_equal(ag.log_softmax(x), [-np.inf, -1000.0, 0.0])
    assert np.array_equal(ag.grad(lambda z: ag.log_softmax(z)[1])(x), [0.0, 1.0, -1.0])


@pytest.mark.parametrize("function", ORACLES)
@pytest.mark.parametrize(("shape", "axis"), [((0, 3), 1), ((2, 0), 1), ((0, 3), 0)])
def test_empty(function, shape, axis):
    out, pullback = ag.vjp(lambda x: function(x, axis), np.ones(shape))
    assert out.shape == shape
    assert pullback(np.ones(shape))[0].shape == shape


@pytest.mark.parametrize("function", ORACLES)
def test_zero_dimensions_have_no_axis(function):
    with pytest.raises(ValueError, match="0-d"):
        function(np.float64(1.0))
