"""NumPy's functions on Tensors are the operations of ag; nothing becomes an object array."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag


def leaf(value=(1.0, 2.0, 3.0)):
    return ag.Tensor(np.array(value), requires_grad=True)


@pytest.mark.parametrize(
    "call",
    [
        np.exp,
        lambda t: np.concatenate([t, t]),
        lambda t: np.stack([t, np.ones(3)]),
        lambda t: np.ones(3) + t,
        lambda t: np.ones((2, 3)) @ t,
        lambda t: np.float64(2.0) * t,
        lambda t: 2.0**t,
        lambda t: np.where(np.array([True, False, True]), t, 0.0),
        lambda t: np.sum(t, axis=0, keepdims=True),
        lambda t: np.mean(t),
        lambda t: np.einsum("i,i->", t, t),
        lambda t: np.add.reduce(t),
        lambda t: np.linalg.norm(t),
        lambda t: np.clip(t, 1.5, 2.5),
        lambda t: np.clip(t, a_min=1.5, a_max=2.5),
        lambda t: np.reshape(t, (3, 1)),
        lambda t: np.transpose(t),
        lambda t: np.multiply.outer(t, t),
        lambda t: np.subtract(5.0, t),
        lambda t: np.maximum(t, 2.0),
        lambda t: np.add.accumulate(t),
    ],
)
def test_same_value_and_recorded(call):
    t = leaf()
    result = call(t)
    assert isinstance(result, ag.Tensor)
    assert result.requires_grad
    np.testing.assert_allclose(result.data, call(t.data), rtol=1e-14)


@pytest.mark.parametrize(
    "call",
    [
        np.argmax,
        np.isfinite,
        lambda t: np.allclose(t, t),
        lambda t: np.less(t, 2.0),
        np.zeros_like,
        np.ones_like,
        np.shape,
        lambda t: np.array_equal(t, t),
        np.argsort,
        lambda t: np.isclose(t, [1.0, 2.0, 4.0]),
        lambda t: np.any(t > 1.0),
        np.unique,
    ],
)
def test_functions_without_a_derivative_work_on_the_data(call):
    t = leaf()
    result = call(t)
    assert not isinstance(result, ag.Tensor)
    np.testing.assert_array_equal(result, call(t.data))


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda t: np.exp(t, out=np.ones(3)), "out="),
        (lambda t: np.add.at(t, [0], 1.0), r"\.at"),
        (lambda t: np.ones(3).__iadd__(t), "a \\+ t"),
        (lambda t: np.sum(t, out=np.ones(())), "out="),
        (lambda t: np.convolve(t, t), "convolve"),
        (lambda t: np.fmod(t, t), "fmod"),
        (lambda t: np.logaddexp.reduce(t), "logaddexp"),
        (lambda t: np.linalg.matrix_rank(t), "matrix_rank"),
        (lambda t: np.exp(t, where=np.array([True, False, True])), "where"),
    ],
)
def test_what_would_drop_a_derivative_raises(call, match):
    with pytest.raises(TypeError, match=match):
        call(leaf())


def test_arrays_stay_arrays():
    for result in (ag.exp(np.ones(3)), ag.exp(1.0), ag.add([1.0], 2.0)):
        assert not isinstance(result, ag.Tensor)


def test_object_operands_are_refused():
    with pytest.raises(TypeError, match=r"dtype object|expected a Tensor"):
        leaf() + object()
    with pytest.raises(TypeError, match="stack"):
        ag.exp([leaf(), leaf()])
