"""Losses against their definitions, one example and one class at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.testing import check_grads

IGNORED = -100
REDUCTIONS = ("mean", "sum", "none")
seeds = st.integers(0, 2**20)
reductions = st.sampled_from(REDUCTIONS)


def reduce(losses, reduction, divisor=None):
    losses = np.asarray(losses)
    if reduction == "none":
        return losses
    total = losses.sum()
    return total / (losses.size if divisor is None else divisor) if reduction == "mean" else total


def plain_cross_entropy(logits, target, weight, reduction, smoothing):
    """The definition with probabilities as targets, or indices made into such."""
    losses, shares = np.zeros((logits.shape[0], *logits.shape[2:])), 0.0
    by_index = target.dtype.kind == "i"
    for n, *place in np.ndindex(losses.shape):
        z = logits[n, :, *place]
        log_p = z - math.log(sum(math.exp(v) for v in z))
        if by_index:
            label = target[n, *place]
            if label == IGNORED:
                continue
            wanted = np.eye(len(z))[label]
            shares += weight[label]
        else:
            wanted = target[n, :, *place]
            shares += 1.0
        wanted = (1 - smoothing) * wanted + smoothing / len(z)
        losses[n, *place] = -sum(
            weight[c] * wanted[c] * log_p[c] for c in range(len(z)) if wanted[c]
        )
    return reduce(losses, reduction, shares)


@st.composite
def classifications(draw):
    rng = np.random.default_rng(draw(seeds))
    classes = draw(st.integers(2, 4))
    places = draw(st.sampled_from([(), (2,), (2, 3)]))
    batch = draw(st.integers(1, 3))
    # further apart, 1 - p would have lost digits that the check counts on
    logits = np.clip(rng.normal(size=(batch, classes, *places)) * 3, -3, 3)
    if draw(st.booleans()):
        target = rng.integers(0, classes, (batch, *places))
        if draw(st.booleans()):
            ignored = rng.random(target.shape) < 0.3
            ignored.flat[0] = False
            target[ignored] = IGNORED
    else:
        target = rng.dirichlet(np.ones(classes), (batch, *places))
        target = np.moveaxis(target, -1, 1)
    weight = rng.uniform(0.5, 2.0, classes) if draw(st.booleans()) else None
    return logits, target, weight, draw(reductions), draw(st.sampled_from([0.0, 0.1, 1.0]))


@given(classifications())
def test_cross_entropy(case):
    logits, target, weight, reduction, smoothing = case
    ones = np.ones(logits.shape[1]) if weight is None else weight
    expected = plain_cross_entropy(logits, target, ones, reduction, smoothing)
    options = {"weight": weight, "reduction": reduction, "label_smoothing": smoothing}

    def loss(z):
        return ag.cross_entropy(z, target, **options)

    np.testing.assert_allclose(loss(logits), expected, rtol=1e-11, atol=1e-12)
    if logits.shape[1] > 1:
        assert check_grads(loss, logits, order=2).verdict == "right"
    # The kernels' pullback and the reference's, which recorded sweeps replay.
    cotangent = np.ones(np.shape(expected))
    fast = ag.vjp(loss, logits)[1](cotangent)[0]
    x = ag.Tensor(logits, requires_grad=True)
    (slow,) = ag.pullback([loss(x)], [x], [ag.Tensor(cotangent)], create_graph=True)
    np.testing.assert_allclose(fast, slow.data, rtol=1e-10, atol=1e-12)
    if logits.shape[1] == 1:  # a constant, whose derivative is 0 up to rounding
        np.testing.assert_allclose(fast, 0.0, atol=1e-15)


@given(seeds, reductions)
def test_one_example_without_a_batch(seed, reduction):
    rng = np.random.default_rng(seed)
    logits, label = rng.normal(size=4), int(rng.integers(4))
    expected = ag.cross_entropy(logits[None], np.array([label]), reduction=reduction)
    result = ag.cross_entropy(logits, label, reduction=reduction)
    assert np.shape(result) == ()
    np.testing.assert_allclose(result, np.squeeze(expected))


def test_the_gradient_is_softmax_minus_one_hot():
    logits = np.array([[1.0, 2.0, 4.0], [0.0, 0.0, 0.0]])
    target = np.array([2, 1])
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    gradient = ag.grad(lambda z: ag.cross_entropy(z, target))(logits)
    np.testing.assert_allclose(gradient, (p - np.eye(3)[target]) / 2, rtol=1e-12)


def test_confident_and_hopeless_logits():
    value, gradient = ag.value_and_grad(lambda z: ag.cross_entropy(z, np.array([0, 1])))(
        np.array([[1e4, 0.0], [1e4, 0.0]])
    )
    assert value == 5000.0
    assert np.array_equal(gradient, [[0.0, 0.0], [0.5, -0.5]])


def test_nothing_but_ignored_targets():
    value, gradient = ag.value_and_grad(lambda z: ag.cross_entropy(z, np.full(2, IGNORED)))(
        np.ones((2, 3))
    )
    assert np.isnan(value)
    assert np.array_equal(gradient, np.zeros((2, 3)))


def test_another_ignored_index():
    logits = np.arange(6.0).reshape(2, 3) ** 2
    kept = ag.cross_entropy(logits[:1], np.array([2]))
    assert ag.cross_entropy(logits, np.array([2, 0]), ignore_index=0) == pytest.approx(kept)


@given(seeds, reductions)
def test_mse(seed, reduction):
    x, y = np.random.default_rng(seed).normal(size=(2, 2, 3))
    np.testing.assert_allclose(
        ag.mse_loss(x, y, reduction), reduce((x - y) ** 2, reduction), rtol=1e-12
    )
    share = 2 * (x - y) / (x.size if reduction == "mean" else 1)
    _, pullback = ag.vjp(lambda a, b: ag.mse_loss(a, b, reduction), x, y)
    dx, dy = pullback(np.ones(x.shape if reduction == "none" else ()))
    np.testing.assert_allclose(dx, share, rtol=1e-12)
    np.testing.assert_allclose(dy, -share, rtol=1e-12)


def plain_binary(z, y, weight, p):
    loss = y * p * math.log1p(math.exp(-z)) + (1 - y) * math.log1p(math.exp(z))
    return weight * loss


@given(seeds, reductions, st.booleans(), st.booleans())
def test_binary_cross_entropy(seed, reduction, weighted, positive):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, 3)) * 5, rng.random((2, 3))
    weight = rng.uniform(0.5, 2.0, 3) if weighted else None
    p = rng.uniform(0.5, 2.0, (2, 1)) if positive else None
    each = np.vectorize(plain_binary)(
        x, y, 1.0 if weight is None else weight, 1.0 if p is None else p
    )

    def loss(x, y):
        return ag.binary_cross_entropy_with_logits(x, y, weight, reduction, p)

    np.testing.assert_allclose(loss(x, y), reduce(each, reduction), rtol=1e-12)
    assert check_grads(loss, x, y, order=2).verdict == "right"


@pytest.mark.parametrize("z", [25.0, 40.0, 700.0])
@pytest.mark.parametrize("target", [0.0, 1.0])
def test_binary_cross_entropy_keeps_its_tails(z, target):
    # Where a prediction is right and sure, loss and slope are both exp(-z), not 0.
    sure = z if target else -z
    loss, slope = ag.value_and_grad(
        lambda x: ag.binary_cross_entropy_with_logits(x, np.float64(target))
    )(np.float64(sure))
    assert loss == pytest.approx(math.exp(-z), rel=1e-9)
    assert abs(slope) == pytest.approx(math.exp(-z), rel=1e-9)
    wrong = ag.binary_cross_entropy_with_logits(np.float64(-sure), np.float64(target))
    assert wrong == pytest.approx(z)


@pytest.mark.parametrize("argument", ["weight", "pos_weight"])
@pytest.mark.parametrize("shape", [(3,), (2, 1, 2)])
def test_weights_that_do_not_fit(argument, shape):
    x = np.ones((1, 2))
    with pytest.raises(ValueError, match=f"{argument} of shape"):
        ag.binary_cross_entropy_with_logits(x, x, **{argument: np.ones(shape)})


def test_tracked_class_weights_are_refused():
    weight = ag.Tensor(np.ones(3), requires_grad=True)
    with pytest.raises(ag.TrackedTensorError, match="detach"):
        ag.cross_entropy(np.ones((2, 3)), np.array([0, 1]), weight=weight)


def test_float32_constants_do_not_widen():
    x, y = np.ones((2, 3), np.float32), np.array([2, 0])
    wide = np.ones(3)
    assert ag.cross_entropy(x, y, weight=wide, label_smoothing=0.1).dtype == np.float32
    assert ag.cross_entropy(x, np.ones((2, 3)) / 3, weight=wide).dtype == np.float32
    out = ag.binary_cross_entropy_with_logits(x, np.ones((2, 3)), wide, "mean", wide)
    assert out.dtype == np.float32


def plain_margins(scores, target, margin, power):
    """The sum over the wrong classes of max(0, s_j - s_y + margin)^power, row by row."""
    return np.array(
        [
            sum(max(0.0, s - row[y] + margin) ** power for j, s in enumerate(row) if j != y)
            for row, y in zip(scores, target, strict=True)
        ]
    )


@given(seeds, st.integers(1, 4), st.floats(0.1, 3.0), reductions)
def test_both_forms_of_the_hinge(seed, classes, margin, reduction):
    rng = np.random.default_rng(seed)
    scores, target = rng.normal(size=(3, classes)), rng.integers(0, classes, 3)
    weight = rng.uniform(0.5, 2.0, classes)
    hinge = plain_margins(scores, target, margin, 1)
    np.testing.assert_allclose(
        ag.multiclass_hinge(scores, target, margin, reduction), reduce(hinge, reduction), atol=1e-12
    )
    for p in (1, 2):
        losses = weight[target] * plain_margins(scores, target, margin, p) / classes
        out = ag.multi_margin_loss(scores, target, p, margin, weight, reduction)
        np.testing.assert_allclose(out, reduce(losses, reduction), rtol=1e-11, atol=1e-12)


@given(seeds)
def test_the_gradient_of_the_hinge_counts_violations(seed):
    rng = np.random.default_rng(seed)
    scores, target = rng.normal(size=(3, 4)), rng.integers(0, 4, 3)
    expected = np.zeros_like(scores)
    for n, y in enumerate(target):
        violated = scores[n] - scores[n, y] + 1 > 0
        violated[y] = False
        expected[n, violated] = 1
        expected[n, y] = -violated.sum()
    gradient = ag.grad(lambda s: ag.multiclass_hinge(s, target, reduction="sum"))(scores)
    assert np.array_equal(gradient, expected)
