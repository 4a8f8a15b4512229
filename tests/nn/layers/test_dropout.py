"""Dropout of whole samples: what it keeps, how often, and that derivatives see the same mask."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
import nn

SEEDS = st.integers(0, 2**20)


@given(
    SEEDS,
    st.floats(0.0, 1.0),
    st.booleans(),
    st.sampled_from([(6,), (6, 2), (6, 2, 3, 2)]),
    st.sampled_from([np.float32, np.float64]),
)
def test_a_sample_is_kept_whole_or_dropped_whole(seed, drop_prob, scale, shape, dtype):
    layer = nn.DropPath(drop_prob, scale, rng=np.random.default_rng(seed))
    x = ag.Tensor(np.random.default_rng(seed).uniform(1, 2, shape).astype(dtype), True)
    y = layer(x)
    assert y.dtype == dtype
    factor = 1 / (1 - drop_prob) if scale and drop_prob < 1 else 1.0
    cotangent = np.random.default_rng(seed + 1).normal(size=shape).astype(dtype)
    tangent = y.jvp({x: cotangent}).data if y is not x else cotangent
    y.backward(cotangent)
    for sample, out, seed_in, gradient, pushed in zip(
        x.data, y.data, cotangent, x.grad.data, tangent, strict=True
    ):
        kept = bool(out.any())
        rtol = 4 * np.finfo(dtype).eps
        np.testing.assert_allclose(out, sample * factor if kept else 0 * sample, rtol)
        np.testing.assert_allclose(gradient, seed_in * factor if kept else 0 * seed_in, rtol)
        np.testing.assert_array_equal(gradient, pushed)


@pytest.mark.parametrize("drop_prob", [0.1, 0.5, 0.8])
def test_how_many_samples_are_kept(drop_prob):
    count = 20_000
    y = nn.DropPath(drop_prob, rng=np.random.default_rng(0))(np.ones((count, 1)))
    spread = np.sqrt(drop_prob * (1 - drop_prob) * count)
    assert abs(np.count_nonzero(y) - (1 - drop_prob) * count) < 5 * spread


def test_evaluation_and_probability_zero_change_and_draw_nothing():
    rng = np.random.default_rng(3)
    x = ag.Tensor(np.ones((4, 2)), requires_grad=True)
    assert nn.DropPath(0.9, rng=rng).eval()(x) is x
    assert nn.DropPath(0.0, rng=rng)(x) is x
    assert nn.functional.drop_path(x, 0.9, rng=rng) is x
    assert rng.random() == np.random.default_rng(3).random()


def test_masks_follow_the_seed_and_the_probability_can_change():
    layer = nn.DropPath()
    x = np.ones((64, 1), np.float32)
    layer.drop_prob = 0.5
    drawn = []
    for seed in (1, 1, 2):
        nn.manual_seed(seed)
        drawn.append(layer(x))
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])
    assert not np.array_equal(drawn[2], layer(x))


@pytest.mark.parametrize(
    ("use", "error", "match"),
    [
        (lambda: nn.DropPath(1.5), ValueError, "drop_prob must be between 0 and 1"),
        (lambda: nn.DropPath("half"), TypeError, "drop_prob must be a number"),
        (lambda: nn.DropPath(0.5, rng=3), TypeError, "Generator"),
        (lambda: nn.DropPath(0.5)(np.float64(2.0)), ValueError, "first axis"),
        (lambda: nn.DropPath(0.5)(np.ones(2, int)), TypeError, "floats"),
    ],
)
def test_bad_input(use, error, match):
    with pytest.raises(error, match=match):
        use()
