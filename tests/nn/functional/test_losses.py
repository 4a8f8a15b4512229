"""Losses of single examples and images, dtypes, gradients, and negative log-likelihood."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
import nn.functional as F

REDUCTIONS = st.sampled_from(["mean", "sum", "none"])


@given(st.integers(0, 2**20), REDUCTIONS, st.booleans(), st.sampled_from([(), (2,), (2, 2)]))
def test_nll_is_cross_entropy_without_the_softmax(seed, reduction, weighted, places):
    rng = np.random.default_rng(seed)
    logp, target = rng.normal(size=(4, 3, *places)), rng.integers(0, 3, (4, *places))
    weight = rng.uniform(0.5, 2, 3) if weighted else None
    target[0] = -100
    losses, shares = np.zeros(target.shape), np.zeros(target.shape)
    for place in np.ndindex(target.shape):
        y = target[place]
        if y != -100:
            shares[place] = 1.0 if weight is None else weight[y]
            losses[place] = -shares[place] * logp[(place[0], y, *place[1:])]
    totals = {"none": losses, "sum": losses.sum(), "mean": losses.sum() / shares.sum()}
    got = F.nll_loss(logp, target, weight, reduction=reduction)
    np.testing.assert_allclose(got, totals[reduction], rtol=1e-10, atol=1e-12)
    both = F.cross_entropy(logp, target, weight, reduction=reduction)
    apart = F.nll_loss(F.log_softmax(logp, 1), target, weight, reduction=reduction)
    np.testing.assert_allclose(both, apart, rtol=1e-10, atol=1e-12)


def test_an_ignored_place_has_no_gradient_even_of_infinity():
    x = ag.Tensor(np.array([[-np.inf, -np.inf], [-1.0, -2.0]]), requires_grad=True)
    loss = F.nll_loss(x, [-100, 1])
    loss.backward()
    assert loss.item() == 2.0
    assert x.grad.data.tolist() == [[0.0, 0.0], [0.0, -1.0]]


def test_nothing_to_count_is_nan():
    assert np.isnan(F.cross_entropy(np.zeros((2, 3)), [-100, -100]))
    assert np.isnan(F.nll_loss(np.zeros((2, 3)), [-100, -100]))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(
    "loss", [F.cross_entropy, F.nll_loss, F.multiclass_hinge, F.multi_margin_loss]
)
def test_one_example_is_a_batch_of_one(loss, reduction):
    scores = np.array([0.5, -1.0, 2.0])
    alone = loss(scores, 1, reduction=reduction)
    assert np.shape(alone) == ()
    batch = loss(scores[None], [1], reduction=reduction)
    np.testing.assert_allclose(alone, np.reshape(batch, ()), rtol=1e-12)


def test_hinge_of_many_small_scores_is_the_number_of_wrong_classes():
    scores = np.random.default_rng(0).normal(size=(50, 10)) * 1e-3
    loss = F.multiclass_hinge(scores, np.random.default_rng(1).integers(0, 10, 50))
    assert loss == pytest.approx(9.0, abs=5e-3)


def test_float32_stays_float32():
    x = np.ones((2, 3), np.float32)
    y = np.array([0, 1])
    weight = np.array([1.0, 2.0, 3.0])
    assert F.cross_entropy(x, y, weight).dtype == np.float32
    assert F.nll_loss(x, y, weight).dtype == np.float32
    assert F.multi_margin_loss(x, y, weight=weight).dtype == np.float32
    assert F.multiclass_hinge(x, y).dtype == np.float32
    assert F.mse_loss(x, x.astype(int)).dtype == np.float32
    assert F.l1_loss(x, x.tolist()).dtype == np.float32
    bce = F.binary_cross_entropy_with_logits(x, x > 0, weight=weight, pos_weight=weight)
    assert bce.dtype == np.float32


def test_gradients_of_regressions():
    x = ag.Tensor(np.array([1.0, -2.0]), requires_grad=True)
    F.mse_loss(x, np.zeros(2), reduction="sum").backward()
    assert x.grad.data.tolist() == [2.0, -4.0]
    x.zero_grad()
    F.l1_loss(x, np.zeros(2)).backward()
    assert x.grad.data.tolist() == [0.5, -0.5]


@pytest.mark.parametrize(
    ("use", "error", "match"),
    [
        (lambda: F.nll_loss(np.ones((2, 3)), [0]), ValueError, r"\(1,\)"),
        (lambda: F.nll_loss(np.ones((2, 3)), [0, 3]), ValueError, "3 is not a class"),
        (lambda: F.nll_loss(np.ones((2, 3)), [0.0, 1.0]), TypeError, "integers"),
        (lambda: F.nll_loss(np.ones((2, 3)), [0, 1], np.ones(2)), ValueError, "weight"),
        (lambda: F.cross_entropy(np.ones((2, 3)), [0, 1], np.ones(2)), ValueError, "weight"),
        (lambda: F.l1_loss(np.ones(2), np.ones(3)), ValueError, "same shape"),
        (
            lambda: F.binary_cross_entropy_with_logits(np.ones(2), np.ones(2), np.ones(3)),
            ValueError,
            "weight of shape",
        ),
        (lambda: F.mse_loss(np.ones(2), np.ones(2), reduction="all"), ValueError, "reduction"),
        (lambda: F.mse_loss(np.ones(2, int), np.ones(2)), TypeError, "floats"),
        (lambda: F.mse_loss(np.ones(2), "no"), TypeError, "str"),
    ],
)
def test_bad_input(use, error, match):
    with pytest.raises(error, match=match):
        use()
