"""Normalization layers against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from tests import loops

SEEDS = st.integers(0, 2**20)


def filled(layer, rng):
    """The layer in float64 with random weights."""
    layer.double()
    for p in layer.parameters():
        p.data[...] = rng.normal(size=p.shape)
    return layer


@given(SEEDS, st.booleans(), st.sampled_from([0.1, 0.4]))
def test_batch_norm(seed, images, momentum):
    rng = np.random.default_rng(seed)
    kind, shape = (nn.BatchNorm2d, (3, 2, 2, 3)) if images else (nn.BatchNorm1d, (4, 2))
    layer = filled(kind(2, momentum=momentum), rng)
    x = rng.normal(size=shape)
    y = layer(x).data
    for c in range(2):
        values = x[:, c].ravel()
        expected = loops.standardise(values, 1e-5) * layer.weight.data[c] + layer.bias.data[c]
        np.testing.assert_allclose(y[:, c].ravel(), expected, rtol=1e-9, atol=1e-12)
        assert layer.running_mean[c] == pytest.approx(momentum * values.mean())
        unbiased = values.var() * values.size / (values.size - 1)
        assert layer.running_var[c] == pytest.approx(1 - momentum + momentum * unbiased)
    assert layer.num_batches_tracked == 1
    layer.eval()
    before = layer.state_dict()
    y = layer(x).data
    for c in range(2):
        scale = layer.weight.data[c] / np.sqrt(before["running_var"][c] + 1e-5)
        expected = (x[:, c] - before["running_mean"][c]) * scale + layer.bias.data[c]
        np.testing.assert_allclose(y[:, c], expected, rtol=1e-9, atol=1e-12)
    assert all(np.array_equal(v, before[k]) for k, v in layer.state_dict().items())


def test_batch_norm_without_momentum_keeps_the_plain_mean():
    layer = nn.BatchNorm1d(1, momentum=None).double()
    for values in ([[1.0], [3.0]], [[5.0], [7.0]]):
        layer(np.array(values))
    assert layer.running_mean.tolist() == [4.0]
    assert layer.running_var.tolist() == pytest.approx([2.0])


@given(SEEDS)
def test_layer_norm(seed):
    rng = np.random.default_rng(seed)
    layer = filled(nn.LayerNorm((2, 3)), rng)
    x = rng.normal(size=(4, 2, 3))
    y = layer(x).data
    for row, got in zip(x, y, strict=True):
        standard = loops.standardise(row.ravel(), 1e-5).reshape(2, 3)
        np.testing.assert_allclose(got, standard * layer.weight.data + layer.bias.data, rtol=1e-9)


@given(SEEDS, st.sampled_from([1, 2, 4]))
def test_group_norm(seed, groups):
    rng = np.random.default_rng(seed)
    layer = filled(nn.GroupNorm(groups, 4), rng)
    x = rng.normal(size=(2, 4, 3))
    y = layer(x).data
    for image, got in zip(x, y, strict=True):
        parts = [loops.standardise(part.ravel(), 1e-5) for part in np.split(image, groups)]
        standard = np.concatenate(parts).reshape(4, 3)
        expected = standard * layer.weight.data[:, None] + layer.bias.data[:, None]
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("use", "match"),
    [
        (lambda: nn.BatchNorm1d(2)(np.ones((3, 4), np.float32)), "BatchNorm1d"),
        (lambda: nn.BatchNorm2d(2)(np.ones((3, 2), np.float32)), "BatchNorm2d"),
        (lambda: nn.BatchNorm1d(2)(np.ones((1, 2), np.float32)), "more than 1 value"),
        (lambda: nn.LayerNorm(3)(np.ones((2, 4), np.float32)), "LayerNorm"),
        (lambda: nn.GroupNorm(2, 3), "divide"),
        (lambda: nn.GroupNorm(2, 4)(np.ones((2, 3), np.float32)), "GroupNorm"),
    ],
)
def test_bad_input(use, match):
    with pytest.raises(ValueError, match=match):
        use()
