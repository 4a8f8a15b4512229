"""Affine layers, embeddings, dropout and shapes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
import nn


@given(st.integers(0, 2**20), st.booleans(), st.sampled_from([(3,), (2, 3), (2, 4, 3)]))
def test_linear(seed, bias, shape):
    rng = np.random.default_rng(seed)
    layer = nn.Linear(3, 2, bias, rng=rng).double()
    x = rng.normal(size=shape)
    got = layer(x).data
    for place in np.ndindex(shape[:-1]):
        for o in range(2):
            total = sum(layer.weight.data[o, i] * x[(*place, i)] for i in range(3))
            total += layer.bias.data[o] if bias else 0.0
            assert got[(*place, o)] == pytest.approx(total, rel=1e-12, abs=1e-14)


def test_linear_is_float32_and_seeded():
    first, second = (nn.Linear(3, 2, rng=np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first.weight.data, second.weight.data)
    assert first(np.ones(3, np.float32)).dtype == np.float32
    assert np.abs(first.weight.data).max() <= 1 / np.sqrt(3)
    nn.manual_seed(1)
    third = nn.Linear(3, 2)
    nn.manual_seed(1)
    np.testing.assert_array_equal(third.weight.data, nn.Linear(3, 2).weight.data)


def test_embedding_adds_gradients_of_repeated_rows_and_skips_padding():
    layer = nn.Embedding(4, 2, padding_idx=0).double()
    assert layer.weight.data[0].tolist() == [0.0, 0.0]
    out = layer([[1, 1], [3, 0]])
    out.backward(np.arange(8.0).reshape(2, 2, 2))
    assert layer.weight.grad.data.tolist() == [[0, 0], [2, 4], [0, 0], [4, 5]]
    with pytest.raises(IndexError, match="0 to 3"):
        layer([4])
    with pytest.raises(TypeError, match="integers"):
        layer([0.5])


def test_dropout():
    layer = nn.Dropout(0.25, rng=np.random.default_rng(0))
    x = ag.Tensor(np.ones(10_000, np.float32), requires_grad=True)
    y = layer(x)
    kept = y.data != 0
    assert abs(kept.mean() - 0.75) < 0.02
    np.testing.assert_allclose(y.data[kept], 1 / 0.75, rtol=1e-6)
    ag.sum(y).backward()
    np.testing.assert_array_equal(x.grad.data, y.data)
    assert layer.eval()(x) is x
    assert nn.Dropout(1.0)(x).data.max() == 0.0
    with pytest.raises(ValueError, match="between 0 and 1"):
        nn.Dropout(1.5)


def test_shapes():
    x = np.ones((2, 3, 4))
    assert nn.Flatten()(x).shape == (2, 12)
    assert nn.Flatten(0, 1)(x).shape == (6, 4)
    assert nn.Unflatten(1, (3, 1))(x).shape == (2, 3, 1, 4)
    assert nn.Identity(3, any="thing")(x) is x


@pytest.mark.parametrize(
    ("use", "error", "match"),
    [
        (lambda: nn.Linear(0, 2), ValueError, "in_features"),
        (lambda: nn.Linear(3.0, 2), TypeError, "in_features"),
        (lambda: nn.Linear(3, 2, dtype=int), TypeError, "floats"),
        (lambda: nn.Linear(3, 2)(np.ones((2, 4), np.float32)), ValueError, "Linear"),
        (lambda: nn.Linear(3, 2)(np.ones((2, 3), int)), TypeError, "floats"),
        (lambda: nn.Linear(3, 2, rng=3), TypeError, "Generator"),
    ],
)
def test_bad_input(use, error, match):
    with pytest.raises(error, match=match):
        use()


def test_a_layer_in_a_model_is_named_in_its_errors():
    net = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(3, 1))
    with pytest.raises(ValueError, match=r"layer '2' of Sequential"):
        net(np.ones((1, 3), np.float32))
