"""Dropout: what it keeps, what it scales, and that it draws once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.testing import strategies


@given(strategies.arrays(low=0.5), st.floats(0.0, 0.9), st.integers(0, 999))
def test_entries_are_dropped_or_scaled(x, p, seed):
    out, pullback = ag.vjp(lambda x: ag.dropout(x, p, rng=seed), x)
    kept = out != 0
    np.testing.assert_allclose(out, np.where(kept, x / (1 - p), 0.0), rtol=1e-12)
    np.testing.assert_allclose(
        pullback(np.ones(x.shape))[0], np.where(kept, 1 / (1 - p), 0.0), rtol=1e-12
    )


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_how_many_are_kept(p):
    count = 100_000
    out = ag.dropout(np.ones(count), p, rng=0)
    spread = np.sqrt(p * (1 - p) * count)
    assert abs(np.count_nonzero(out) - (1 - p) * count) < 5 * spread
    assert abs(out.mean() - 1) < 5 * spread / count / (1 - p)


@given(st.floats(0.0, 1.0), st.integers(0, 999))
def test_evaluation_changes_nothing_and_draws_nothing(p, seed):
    rng = np.random.default_rng(seed)
    x = ag.Tensor([1.0, 2.0], requires_grad=True)
    assert np.array_equal(ag.dropout(x, p, False, rng=rng).data, x.data)
    assert rng.random() == np.random.default_rng(seed).random()


def test_a_generator_moves_on_and_a_seed_does_not():
    x = np.ones(64)
    assert np.array_equal(ag.dropout(x, rng=7), ag.dropout(x, rng=7))
    rng = np.random.default_rng(7)
    assert not np.array_equal(ag.dropout(x, rng=rng), ag.dropout(x, rng=rng))


def test_every_sweep_uses_the_mask_of_the_forward_pass():
    x = ag.Tensor(np.linspace(1.0, 2.0, 64), requires_grad=True)
    y = ag.dropout(x, 0.5, rng=np.random.default_rng(0))
    mask = y.data / x.data
    tangent = np.linspace(-1.0, 1.0, 64)
    assert np.array_equal(y.jvp({x: tangent}).data, mask * tangent)
    total = ag.sum(y * y)
    (first,) = ag.pullback([total], [x], [ag.Tensor(1.0)], create_graph=True)
    np.testing.assert_allclose(first.data, 2 * mask**2 * x.data, rtol=1e-12)
    (second,) = ag.pullback([ag.sum(first)], [x], [ag.Tensor(1.0)])
    np.testing.assert_allclose(second.data, 2 * mask**2, rtol=1e-12)


def test_everything_dropped():
    out, gradient = ag.value_and_grad(lambda x: ag.sum(ag.dropout(x, 1.0, rng=0)))(np.ones(5))
    assert out == 0.0 and np.array_equal(gradient, np.zeros(5))


@pytest.mark.parametrize("p", [-0.1, 1.1, np.nan])
def test_p_outside_the_unit_interval(p):
    with pytest.raises(ValueError, match="probability"):
        ag.dropout(np.ones(2), p, rng=0)


def test_float16_stays_float16():
    assert ag.dropout(np.ones(4, np.float16), 0.3, rng=0).dtype == np.float16
