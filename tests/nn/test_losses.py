"""Losses against their formulas, example by example."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn

SEEDS = st.integers(0, 2**20)
REDUCTIONS = st.sampled_from(["mean", "sum", "none"])


def reduced(losses, reduction, weights=None):
    losses = np.asarray(losses)
    if reduction == "none":
        return losses
    total = losses.sum()
    if reduction == "sum":
        return total
    return total / (losses.size if weights is None else np.sum(weights))


@given(SEEDS, REDUCTIONS, st.sampled_from([0.0, 0.3]), st.booleans(), st.booleans())
def test_cross_entropy_of_classes(seed, reduction, smoothing, weighted, ignoring):
    rng = np.random.default_rng(seed)
    logits, target = rng.normal(size=(4, 3)) * 2, rng.integers(0, 3, 4)
    weight = rng.uniform(0.5, 2, 3) if weighted else np.ones(3)
    if ignoring:
        target[0] = -100
    losses, weights = [], []
    for row, y in zip(logits, target, strict=True):
        if y == -100:
            losses.append(0.0)
            weights.append(0.0)
            continue
        logp = row - np.log(sum(np.exp(v) for v in row))
        smooth = sum(weight[c] * -logp[c] for c in range(3)) / 3
        losses.append((1 - smoothing) * weight[y] * -logp[y] + smoothing * smooth)
        weights.append(weight[y])
    loss = nn.CrossEntropyLoss(
        weight if weighted else None, reduction=reduction, label_smoothing=smoothing
    )
    expected = reduced(losses, reduction, weights)
    np.testing.assert_allclose(loss(logits, target), expected, rtol=1e-10)


@given(SEEDS, REDUCTIONS)
def test_cross_entropy_of_probabilities(seed, reduction):
    rng = np.random.default_rng(seed)
    logits, target = rng.normal(size=(4, 3)), rng.dirichlet(np.ones(3), 4)
    logp = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    losses = [
        -sum(t * p for t, p in zip(*rows, strict=True)) for rows in zip(target, logp, strict=True)
    ]
    got = nn.CrossEntropyLoss(reduction=reduction)(logits, target)
    np.testing.assert_allclose(got, reduced(losses, reduction), rtol=1e-10)


@given(SEEDS, REDUCTIONS, st.sampled_from([0.5, 1.0]), st.sampled_from([1, 2]))
def test_hinges(seed, reduction, margin, p):
    rng = np.random.default_rng(seed)
    scores, target = rng.normal(size=(4, 3)), rng.integers(0, 3, 4)
    violations = [
        [max(0.0, row[j] - row[y] + margin) for j in range(3) if j != y]
        for row, y in zip(scores, target, strict=True)
    ]
    np.testing.assert_allclose(
        nn.MultiClassHingeLoss(margin, reduction=reduction)(scores, target),
        reduced([sum(v) for v in violations], reduction),
        rtol=1e-12,
        atol=1e-14,
    )
    np.testing.assert_allclose(
        nn.MultiMarginLoss(p, margin, reduction=reduction)(scores, target),
        reduced([sum(x**p for x in v) / 3 for v in violations], reduction),
        rtol=1e-12,
        atol=1e-14,
    )


@given(SEEDS, REDUCTIONS)
def test_regressions_and_binary(seed, reduction):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(3, 2)), rng.uniform(size=(3, 2))
    scale = rng.uniform(0.5, 2, 2)
    np.testing.assert_allclose(
        nn.MSELoss(reduction=reduction)(x, y), reduced((x - y) ** 2, reduction)
    )
    np.testing.assert_allclose(
        nn.L1Loss(reduction=reduction)(x, y), reduced(np.abs(x - y), reduction)
    )
    s = 1 / (1 + np.exp(-x))
    losses = -(scale * y * np.log(s) + (1 - y) * np.log(1 - s))
    got = nn.BCEWithLogitsLoss(reduction=reduction, pos_weight=scale)(x, y)
    np.testing.assert_allclose(got, reduced(losses, reduction), rtol=1e-10)


def test_large_logits_do_not_overflow():
    assert nn.CrossEntropyLoss()(np.array([[1e4, 0.0]]), [1]) == 1e4
    assert nn.BCEWithLogitsLoss()(np.array([-1e4]), np.array([1.0])) == 1e4


def test_class_weights_are_buffers():
    loss = nn.CrossEntropyLoss([1.0, 2.0])
    assert list(loss.state_dict()) == ["weight"]
    assert loss.weight.dtype == np.float32


@pytest.mark.parametrize(
    ("use", "error", "match"),
    [
        (lambda: nn.CrossEntropyLoss(reduction="all"), ValueError, "reduction"),
        (lambda: nn.CrossEntropyLoss(label_smoothing=2.0), ValueError, "label_smoothing"),
        (lambda: nn.CrossEntropyLoss()(np.ones((2, 3)), [0, 3]), ValueError, "3 is not a class"),
        (lambda: nn.CrossEntropyLoss()(np.ones((2, 3), int), [0, 1]), TypeError, "floats"),
        (lambda: nn.MSELoss()(np.ones(2), np.ones((2, 1))), ValueError, "same shape"),
        (lambda: nn.MultiMarginLoss(3), ValueError, "p"),
    ],
)
def test_bad_input(use, error, match):
    with pytest.raises(error, match=match):
        use()
