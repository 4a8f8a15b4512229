"""Larger arrays from smaller ones have memory of their own."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag


@pytest.mark.parametrize("shape", [(4,), (1, 3), (300, 1), (130, 150)])
@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("axis", [None, 0, -1])
def test_what_is_repeated_is_a_copy(shape, count, axis):
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    for order in "CF":
        given = np.array(x, order=order)
        found = ag.repeat(given, count, axis)
        assert np.array_equal(found, np.repeat(x, count, axis))
        assert found.flags.writeable and not np.shares_memory(found, given)
        kept = ag.repeat(ag.Tensor(given, requires_grad=True), count, axis).detach().data
        assert not np.shares_memory(kept, given)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_gradients_of_large_repetitions(axis):
    x = np.random.default_rng(0).standard_normal((40, 30, 50))
    variable = ag.Tensor(x, requires_grad=True)
    out = ag.repeat(variable, 3, axis)
    c = np.random.default_rng(1).standard_normal(out.shape)
    out.backward(c)
    expected = sum(np.take(c, np.arange(k, c.shape[axis], 3), axis) for k in range(3))
    np.testing.assert_allclose(variable.grad.data, expected, rtol=1e-13)
    rate = ag.jvp(lambda t: ag.repeat(t, 3, axis), (x,), (x,))[1]
    np.testing.assert_array_equal(rate, np.repeat(x, 3, axis))


@pytest.mark.parametrize("shape", [(3, 4), (130, 150), (2, 1, 5), (7,)])
@pytest.mark.parametrize("width", [0, 2, ((1, 0),)])
def test_zeros_around(shape, width):
    x = np.random.default_rng(0).standard_normal(shape)
    expected = np.pad(x, width)
    for given in (x, np.asfortranarray(x), x.astype(np.float32), x > 0):
        found = ag.pad(given, width)
        assert found.dtype == given.dtype and np.array_equal(found, np.pad(given, width))
        assert found.shape == expected.shape and not np.shares_memory(found, given)
