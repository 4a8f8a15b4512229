"""Functions without a layer, or whose layer says little: against loops and NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
import nn.functional as F

WIDTHS = st.integers(0, 2)


@given(WIDTHS, WIDTHS, WIDTHS, WIDTHS, st.sampled_from(["constant", "reflect", "replicate"]))
def test_pad(left, right, top, bottom, mode):
    x = np.arange(12.0).reshape(1, 3, 4)
    names = {"constant": "constant", "reflect": "reflect", "replicate": "edge"}
    widths = ((0, 0), (top, bottom), (left, right))
    expected = np.pad(x, widths, mode=names[mode])
    np.testing.assert_array_equal(F.pad(x, (left, right, top, bottom), mode), expected)


@given(WIDTHS, WIDTHS)
def test_circular_padding_goes_round(before, after):
    x = ag.Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    out = F.pad(x, (before, after), "circular")
    columns = [(i - before) % 3 for i in range(3 + before + after)]
    np.testing.assert_array_equal(out.data, x.data[:, columns])
    ag.sum(out).backward()
    np.testing.assert_array_equal(x.grad.data, [[columns.count(i) for i in range(3)]] * 2)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
def test_normalize(p):
    x = np.array([[3.0, -4.0, 0.0], [0.0, 0.0, 0.0]])
    length = sum(abs(v) ** p for v in x[0]) ** (1 / p)
    got = F.normalize(x, p=p)
    np.testing.assert_allclose(got[0], x[0] / length, rtol=1e-12)
    assert got[1].tolist() == [0.0, 0.0, 0.0]


def test_one_hot():
    got = F.one_hot(np.array([[0, 2]]), 4)
    assert got.tolist() == [[[1, 0, 0, 0], [0, 0, 1, 0]]]
    assert got.dtype == np.int64


def test_flatten_and_unflatten_undo_each_other():
    x = np.arange(24.0).reshape(2, 3, 4)
    flat = F.flatten(x, 1)
    assert flat.shape == (2, 12)
    np.testing.assert_array_equal(F.unflatten(flat, 1, (3, -1)), x)
    assert F.flatten(np.float64(2.0)).shape == (1,)


def test_dropout_draws_from_the_generator_given():
    x = np.ones(50)
    first, second = (F.dropout(x, 0.5, rng=np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert set(first.tolist()) == {0.0, 2.0}
    assert F.dropout(x, 0.5, training=False) is x


@pytest.mark.parametrize(
    ("use", "error", "match"),
    [
        (lambda: F.pad(np.ones(2), (1,)), ValueError, "two widths"),
        (lambda: F.pad(np.ones(2), (1, -1)), ValueError, "pad must be at least 0"),
        (lambda: F.pad(np.ones(2), (1, 1), "mirror"), ValueError, "mode"),
        (lambda: F.pad(np.ones((1, 2)), (2, 0), "reflect"), ValueError, "reflect"),
        (lambda: F.pad(np.ones((1, 2)), (3, 0), "circular"), ValueError, "circular"),
        (lambda: F.one_hot([3], 3), ValueError, "0 to 2"),
        (lambda: F.one_hot(np.zeros(0, int)), ValueError, "num_classes"),
        (lambda: F.flatten(np.ones((2, 2)), 2), ValueError, "start_dim"),
        (lambda: F.flatten(np.ones((2, 2)), 1, 0), ValueError, "comes after"),
        (lambda: F.unflatten(np.ones((2, 6)), 1, (4, -1)), ValueError, "cannot be split"),
        (lambda: F.linear(np.ones(2), np.ones((3, 3))), ValueError, r"\(3, 3\)"),
        (lambda: F.linear(np.ones(2), np.ones((3, 2)), np.ones(2)), ValueError, "bias"),
        (lambda: F.dropout(np.ones(2), "half"), TypeError, "number"),
        (lambda: F.embedding([0], np.ones((2, 2)), 2), ValueError, "padding_idx"),
    ],
)
def test_bad_input(use, error, match):
    with pytest.raises(error, match=match):
        use()
