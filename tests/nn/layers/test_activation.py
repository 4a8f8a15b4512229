"""Activations against their formulas, number by number."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
import nn


def logistic(x):
    return 1 / (1 + math.exp(-x))


def tanh_gelu(x):
    return 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


FORMULAS = [
    (nn.ReLU(), lambda x: max(x, 0.0)),
    (nn.LeakyReLU(), lambda x: x if x > 0 else 0.01 * x),
    (nn.LeakyReLU(0.3), lambda x: x if x > 0 else 0.3 * x),
    (nn.ELU(), lambda x: x if x > 0 else math.expm1(x)),
    (nn.ELU(alpha=0.5), lambda x: x if x > 0 else 0.5 * math.expm1(x)),
    (nn.GELU(), lambda x: x * 0.5 * math.erfc(-x / math.sqrt(2))),
    (nn.GELU("tanh"), tanh_gelu),
    (nn.SiLU(), lambda x: x * logistic(x)),
    (nn.Sigmoid(), logistic),
    (nn.LogSigmoid(), lambda x: -math.log1p(math.exp(-x))),
    (nn.Tanh(), math.tanh),
    (nn.Softplus(), lambda x: math.log1p(math.exp(x))),
    (nn.Softplus(2.0, 1.0), lambda x: x if 2 * x > 1 else math.log1p(math.exp(2 * x)) / 2),
]


@pytest.mark.parametrize(("layer", "formula"), FORMULAS, ids=[repr(layer) for layer, _ in FORMULAS])
@given(st.lists(st.floats(-15, 15), min_size=1, max_size=6))
def test_values(layer, formula, numbers):
    expected = [formula(number) for number in numbers]
    np.testing.assert_allclose(layer(np.array(numbers)), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("layer", [layer for layer, _ in FORMULAS], ids=repr)
def test_dtype_and_kind_are_kept(layer):
    x = np.linspace(-2, 2, 6, dtype=np.float32).reshape(2, 3)
    assert isinstance(layer(x), np.ndarray)
    assert layer(x).dtype == np.float32
    assert layer(ag.Tensor(x)).shape == (2, 3)
    assert list(layer.state_dict()) == []


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_softmax(dim):
    x = np.random.default_rng(0).normal(size=(3, 4)) * 3
    columns = x if dim == 0 else x.T
    shares = np.array([[math.exp(v) / sum(map(math.exp, c)) for v in c] for c in columns.T])
    expected = shares.T if dim == 0 else shares
    np.testing.assert_allclose(nn.Softmax(dim)(x), expected, rtol=1e-12)
    np.testing.assert_allclose(nn.LogSoftmax(dim=dim)(x), np.log(expected), rtol=1e-12)


def test_large_inputs_do_not_overflow():
    x = np.array([-1e4, 1e4])
    assert nn.Sigmoid()(x).tolist() == [0.0, 1.0]
    assert nn.LogSigmoid()(x).tolist() == [-1e4, 0.0]
    assert nn.Softplus()(x).tolist() == [0.0, 1e4]
    assert nn.Softmax(0)(x).tolist() == [0.0, 1.0]
    assert nn.LogSoftmax(0)(x).tolist() == [-2e4, 0.0]


def test_repr():
    assert repr(nn.ReLU()) == "ReLU()"
    assert repr(nn.LeakyReLU()) == "LeakyReLU(negative_slope=0.01)"
    assert repr(nn.ELU()) == "ELU(alpha=1.0)"
    assert repr(nn.GELU()) == "GELU(approximate='none')"
    assert repr(nn.Softplus()) == "Softplus(beta=1.0, threshold=20.0)"
    assert repr(nn.Softmax(dim=1)) == "Softmax(dim=1)"


@pytest.mark.parametrize(
    ("use", "error", "match"),
    [
        (lambda: nn.GELU("sigmoid"), ValueError, "approximate"),
        (lambda: nn.functional.gelu(np.ones(2), "sigmoid"), ValueError, "approximate"),
        (lambda: nn.ReLU()(np.ones(2, int)), TypeError, "floats"),
        (lambda: nn.Softmax(2)(np.ones((2, 2))), ValueError, "axis"),
    ],
)
def test_bad_input(use, error, match):
    with pytest.raises(error, match=match):
        use()
