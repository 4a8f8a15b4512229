"""Convolutional layers against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
import nn
from tests import loops

SMALL = st.integers(1, 2)
PAIR = st.tuples(SMALL, SMALL)


@given(
    st.integers(0, 2**20),
    SMALL,
    SMALL,
    SMALL,
    PAIR,
    PAIR,
    st.tuples(*[st.integers(0, 2)] * 2),
    PAIR,
)
def test_conv2d(seed, inputs, outputs, groups, kernel, stride, padding, dilation):
    rng = np.random.default_rng(seed)
    layer = nn.Conv2d(
        inputs * groups, outputs * groups, kernel, stride, padding, dilation, groups, rng=rng
    ).double()
    x = rng.normal(size=(2, inputs * groups, 4, 5))
    expected = loops.convolve(
        x, layer.weight.data, layer.bias.data, stride, padding, dilation, groups
    )
    np.testing.assert_allclose(layer(x).data, expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(layer(x[0]).data, expected[0], rtol=1e-9, atol=1e-12)


@given(st.integers(0, 2**20), st.integers(1, 3), SMALL, st.integers(0, 2), SMALL)
def test_conv1d(seed, kernel, stride, padding, dilation):
    rng = np.random.default_rng(seed)
    layer = nn.Conv1d(2, 3, kernel, stride, padding, dilation, rng=rng).double()
    x = rng.normal(size=(2, 2, 6))
    expected = loops.convolve(
        x[:, :, None],
        layer.weight.data[:, :, None],
        layer.bias.data,
        (1, stride),
        (0, padding),
        (1, dilation),
        1,
    )
    np.testing.assert_allclose(layer(x).data, expected[:, :, 0], rtol=1e-9, atol=1e-12)


@given(st.integers(0, 2**20), SMALL, PAIR, PAIR, st.integers(0, 1), SMALL)
def test_conv_transpose2d_is_the_transpose(seed, groups, kernel, stride, padding, dilation):
    """<y, conv(x)> = <conv_transpose(y), x> for a convolution with the same weights."""
    rng = np.random.default_rng(seed)
    layer = nn.ConvTranspose2d(
        2 * groups, groups, kernel, stride, padding, 0, groups, False, dilation, rng=rng
    ).double()
    y = rng.normal(size=(1, 2 * groups, 4, 4))
    if any(
        (4 - 1) * s - 2 * padding + dilation * (k - 1) < 0
        for s, k in zip(stride, kernel, strict=True)
    ):
        return
    image = layer(y).data
    x = rng.normal(size=image.shape)
    forth = loops.convolve(
        x, layer.weight.data, None, stride, (padding,) * 2, (dilation,) * 2, groups
    )
    assert np.vdot(forth, y) == pytest.approx(np.vdot(x, image), rel=1e-9, abs=1e-11)


def test_gradients_reach_weight_and_bias():
    layer = nn.Conv2d(1, 2, 2, rng=np.random.default_rng(0)).double()
    x = np.arange(9.0).reshape(1, 1, 3, 3)
    ag.sum(layer(x)).backward()
    assert layer.bias.grad.data.tolist() == [4.0, 4.0]
    expected = [[x[0, 0, i : i + 2, j : j + 2].sum() for j in range(2)] for i in range(2)]
    np.testing.assert_array_equal(layer.weight.grad.data[0, 0], expected)


def test_same_padding_keeps_the_size():
    assert nn.Conv2d(1, 1, (2, 3), padding="same")(np.ones((1, 1, 5, 4), np.float32)).shape == (
        1,
        1,
        5,
        4,
    )


@pytest.mark.parametrize(
    ("use", "error", "match"),
    [
        (lambda: nn.Conv2d(3, 2, 3, groups=2), ValueError, "groups"),
        (lambda: nn.Conv2d(3, 2, 0), ValueError, "kernel_size"),
        (lambda: nn.Conv2d(3, 2, 1.5), TypeError, "kernel_size"),
        (lambda: nn.Conv2d(3, 2, 3, padding="around"), ValueError, "padding"),
        (lambda: nn.Conv2d(3, 2, 3)(np.ones((1, 2, 5, 5), np.float32)), ValueError, "Conv2d.*3"),
        (lambda: nn.Conv2d(3, 2, 3)(np.ones((1, 3, 2, 2), np.float32)), ValueError, "kernel"),
        (lambda: nn.Conv2d(3, 2, 3)(np.ones((1, 3, 5, 5), int)), TypeError, "floats"),
        (lambda: nn.ConvTranspose2d(1, 1, 2, output_padding=1), ValueError, "output_padding"),
    ],
)
def test_bad_input(use, error, match):
    with pytest.raises(error, match=match):
        use()
