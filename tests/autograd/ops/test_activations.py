"""What a ReLU cuts off is gone, also where it is not finite."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd.kernels.backend import use_kernels

X = np.array([-1.0, 2.0, 0.0, np.nan, np.inf, -np.inf, 3.0])
CHANGE = np.array([np.nan, 2.0, np.inf, 1.0, -1.0, -np.inf, np.nan])
PASSED = np.array([0.0, 2.0, 0.0, 0.0, -1.0, 0.0, np.nan])


@pytest.mark.parametrize("kernels", ["numpy", "auto", "numba"])
@pytest.mark.parametrize("times", [1, 3000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_in_every_sweep(kernels, times, dtype):
    x, change, passed = (np.tile(a, times).astype(dtype) for a in (X, CHANGE, PASSED))
    with use_kernels(kernels):
        t = ag.Tensor(x, requires_grad=True)
        y = ag.relu(t)
        found = [
            ag.pullback(y, t, change),
            ag.pullback(y, t, change, create_graph=True),
            ag.pushforward(y, t, change),
            ag.pushforward(y, t, change, create_graph=True),
            ag.Tensor(ag.jvp(ag.relu, (x,), (change,))[1]),
        ]
        for derivative in found:
            np.testing.assert_array_equal(derivative.numpy(), passed)
            assert derivative.dtype == dtype


def test_a_gradient_that_a_jvp_goes_through():
    """Its cotangent and that one's tangent are cut off alike."""
    x = np.array([-1.0, 2.0])

    def slopes(x):
        return ag.grad(lambda x: ag.sum(ag.sqrt(ag.relu(x))))(x)

    found, tangent = ag.jvp(slopes, (x,), (np.ones(2),))
    np.testing.assert_allclose(found, [0.0, 0.5 / np.sqrt(2.0)])
    np.testing.assert_allclose(tangent, [0.0, -0.25 / np.sqrt(8.0)])


@pytest.mark.parametrize("sizes", [(3, 4, 5), (64, 512, 512)])
def test_behind_a_linear_layer(sizes):
    rows, inner, columns = sizes
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(rows, inner)), rng.normal(size=(columns, inner))
    x, w = ag.Tensor(x.astype(np.float32), True), ag.Tensor(w.astype(np.float32))
    y = ag.linear(x, w, ag.Tensor(np.zeros(columns, np.float32)), activation="relu")
    change = np.where(y.numpy() > 0, 1, np.nan).astype(np.float32)
    expected = (y.numpy() > 0) @ w.numpy()
    z = y * ag.Tensor(change, requires_grad=True)  # so that the cotangent of y is recorded
    for create_graph in (False, True):
        found = ag.pullback(z, x, np.ones_like(change), create_graph=create_graph)
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-4, atol=1e-3)


def positive(x):
    return np.asarray(x.detach() if isinstance(x, ag.Tensor) else x) > 0


@pytest.mark.parametrize("times", [1, 9000])
def test_a_mask_may_be_the_slope_of_ones_own_operation(times):
    x, change = (np.tile(a, times) for a in ([-1.0, 2.0, -3.0], [np.inf, 3.0, np.nan]))
    one = ag.op.elementwise("one", lambda x: np.maximum(x, 0), (lambda out, x: positive(x),))
    two = ag.op.elementwise(
        "two", lambda x, y: y + np.maximum(x, 0), (lambda out, x, y: positive(x), 1)
    )
    second = ag.op.elementwise(
        "second", lambda x, y: 2 * x + np.maximum(y, 0), (2, lambda out, x, y: positive(y))
    )
    expected = np.tile([0.0, 3.0, 0.0], times)
    for create_graph in (False, True):
        t, zero = ag.Tensor(x, requires_grad=True), ag.Tensor(np.zeros_like(x), requires_grad=True)
        for y in (one(t), two(t, zero)):
            found = ag.pullback(y, t, change, create_graph=create_graph)
            np.testing.assert_array_equal(found.numpy(), expected)
            pushed = ag.pushforward(y, t, change, create_graph=create_graph)
            np.testing.assert_array_equal(pushed.numpy(), expected)
        pushed = ag.pushforward(
            second(zero, t), [zero, t], [np.ones_like(x), change], create_graph=create_graph
        )
        np.testing.assert_array_equal(pushed.numpy(), 2 + expected)
        both = ag.pushforward(two(t, t), t, np.where(x > 0, change, 0), create_graph=create_graph)
        np.testing.assert_array_equal(both.numpy(), 2 * expected)
    np.testing.assert_array_equal(ag.jvp(one, (x,), (change,))[1], expected)
