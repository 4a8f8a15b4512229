"""Convolutions against loops over windows, and their derivatives of every order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.kernels.windows import is_channels_last
from autograd.node import Node
from autograd.testing import check_grads

seeds = st.integers(0, 2**20)


def plain(x, w, b, stride, padding, dilation, groups):
    """Cross-correlation by its definition; sizes are pairs, padding pairs of pairs."""
    x = np.pad(x, [(0, 0), (0, 0), *padding])
    out = [
        (x.shape[2 + i] - dilation[i] * (w.shape[2 + i] - 1) - 1) // stride[i] + 1 for i in (0, 1)
    ]
    y = np.zeros((x.shape[0], w.shape[0], *out))
    width, each = w.shape[1], w.shape[0] // groups
    for n, o, p, q in np.ndindex(*y.shape):
        first = o // each * width
        for c, i, j in np.ndindex(*w.shape[1:]):
            row, column = p * stride[0] + i * dilation[0], q * stride[1] + j * dilation[1]
            y[n, o, p, q] += w[o, c, i, j] * x[n, first + c, row, column]
    return y if b is None else y + b[:, None, None]


def plain_transpose(x, w, b, stride, padding, extra, groups, dilation):
    """Every entry of x spreads the kernel around its place; then the padding is cut off."""
    extents = [dilation[i] * (w.shape[2 + i] - 1) + 1 for i in (0, 1)]
    full = [(x.shape[2 + i] - 1) * stride[i] + extents[i] + extra[i] for i in (0, 1)]
    each = x.shape[1] // groups
    y = np.zeros((x.shape[0], w.shape[1] * groups, *full))
    for n, c, p, q in np.ndindex(*x.shape):
        first = c // each * w.shape[1]
        for o, i, j in np.ndindex(*w.shape[1:]):
            row, column = p * stride[0] + i * dilation[0], q * stride[1] + j * dilation[1]
            y[n, first + o, row, column] += x[n, c, p, q] * w[c, o, i, j]
    y = y[:, :, padding[0] : full[0] - padding[0], padding[1] : full[1] - padding[1]]
    return y if b is None else y + b[:, None, None]


def pairs(low, high):
    return st.tuples(st.integers(low, high), st.integers(low, high))


@st.composite
def convolutions(draw):
    """(x, w, b) and the sizes of a convolution that has an output."""
    rng = np.random.default_rng(draw(seeds))
    groups, kernel, dilation = draw(st.integers(1, 2)), draw(pairs(1, 3)), draw(pairs(1, 2))
    padding = draw(st.tuples(pairs(0, 2), pairs(0, 2)))
    least = [
        max(1, d * (k - 1) + 1 - sum(p)) for d, k, p in zip(dilation, kernel, padding, strict=True)
    ]
    sizes = [size + draw(st.integers(0, 3)) for size in least]
    channels, outputs = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    x = rng.normal(size=(draw(st.integers(1, 2)), channels, *sizes))
    w = rng.normal(size=(outputs, channels // groups, *kernel))
    b = rng.normal(size=outputs) if draw(st.booleans()) else None
    return (x, w, b), draw(pairs(1, 3)), padding, dilation, groups


@given(convolutions())
def test_conv2d(case):
    (x, w, b), *sizes = case
    out = ag.conv2d(x, w, b, *sizes)
    np.testing.assert_allclose(out, plain(x, w, b, *sizes), rtol=1e-10, atol=1e-10)

    def f(x, w, *bias):
        return ag.conv2d(x, w, *(bias or (None,)), *sizes)

    operands = (x, w) if b is None else (x, w, b)
    assert check_grads(f, *operands).verdict == "right"


@given(convolutions())
def test_conv1d_is_a_row_of_conv2d(case):
    (x, w, b), stride, padding, dilation, groups = case
    x, w = x[:, :, 0], w[:, :, 0]
    out = ag.conv1d(x, w, b, stride[1], padding[1:], dilation[1], groups)
    expected = plain(
        x[:, :, None],
        w[:, :, None],
        b,
        (1, stride[1]),
        ((0, 0), padding[1]),
        (1, dilation[1]),
        groups,
    )
    np.testing.assert_allclose(out, expected[:, :, 0], rtol=1e-10, atol=1e-10)


@given(convolutions())
def test_all_derivatives_of_the_trilinear_form(case):
    """T(x, w, g) is linear in each: dT/dx.x = dT/dw.w = T, mixed second derivatives give T too."""
    (x, w, _), *sizes = case
    g = np.random.default_rng(0).normal(size=ag.conv2d(x, w, None, *sizes).shape)

    def form(x, w):
        return ag.sum(ag.conv2d(x, w, None, *sizes) * g)

    expected = np.sum(plain(x, w, None, *sizes) * g)
    dx, dw = ag.grad(form, (0, 1))(x, w)
    assert np.sum(dx * x) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert np.sum(dw * w) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    mixed = ag.grad(lambda w: ag.sum(ag.grad(form)(x, w) * x))(w)
    np.testing.assert_allclose(mixed, dw, rtol=1e-9, atol=1e-9)
    # Quadratic in w at third order: forward over reverse over reverse.
    _, none = ag.jvp(ag.grad(lambda w: ag.sum(ag.grad(form, 1)(x, w) * w)), (w,), (w,))
    np.testing.assert_allclose(none, np.zeros_like(w), atol=1e-9)


@st.composite
def transposes(draw):
    rng = np.random.default_rng(draw(seeds))
    groups, kernel = draw(st.integers(1, 2)), draw(pairs(1, 3))
    stride, dilation, padding = draw(pairs(1, 3)), draw(pairs(1, 3)), draw(pairs(0, 2))
    extra = tuple(
        draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation, strict=True)
    )
    # Large enough that the padding leaves something even without the output padding.
    sizes = [
        1 + max(0, -(-(2 * p - d * (k - 1)) // s)) + draw(st.integers(0, 2))
        for s, p, d, k in zip(stride, padding, dilation, kernel, strict=True)
    ]
    channels = groups * draw(st.integers(1, 2))
    x = rng.normal(size=(draw(st.integers(1, 2)), channels, *sizes))
    w = rng.normal(size=(channels, draw(st.integers(1, 2)), *kernel))
    b = rng.normal(size=w.shape[1] * groups) if draw(st.booleans()) else None
    return (x, w, b), stride, padding, extra, groups, dilation


@given(transposes())
def test_conv_transpose2d(case):
    (x, w, b), *sizes = case
    out = ag.conv_transpose2d(x, w, b, *sizes)
    expected = plain_transpose(x, w, b, *sizes)
    np.testing.assert_allclose(out, expected, rtol=1e-10, atol=1e-10)

    def f(x, w):
        return ag.conv_transpose2d(x, w, b, *sizes)

    assert check_grads(f, x, w).verdict == "right"


@given(st.integers(1, 5), st.integers(1, 3), st.integers(3, 6))
def test_same_padding_keeps_the_size(kernel, dilation, size):
    x, w = np.ones((1, 1, size, size)), np.ones((1, 1, kernel, kernel))
    out = ag.conv2d(x, w, padding="same", dilation=dilation)
    room = dilation * (kernel - 1)
    padding = ((room // 2, room - room // 2),) * 2
    np.testing.assert_allclose(out, plain(x, w, None, (1, 1), padding, (dilation,) * 2, 1))
    assert out.shape == x.shape


def test_valid_is_no_padding():
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(1, 1, 5, 5)), rng.normal(size=(1, 1, 2, 2))
    assert np.array_equal(ag.conv2d(x, w, padding="valid"), ag.conv2d(x, w))


def test_no_images():
    out, pullback = ag.vjp(
        lambda x, w: ag.conv2d(x, w), np.ones((0, 1, 4, 4)), np.ones((2, 1, 3, 3))
    )
    dx, dw = pullback(np.ones(out.shape))
    assert out.shape == (0, 2, 2, 2) and dx.shape == (0, 1, 4, 4)
    assert np.array_equal(dw, np.zeros((2, 1, 3, 3)))


def test_channels_last_stays_channels_last_in_all_sweeps():
    rng = np.random.default_rng(0)
    x = np.moveaxis(rng.normal(size=(2, 6, 6, 3)), -1, 1)
    w, b = rng.normal(size=(4, 3, 3, 3)), rng.normal(size=4)
    out, pullback = ag.vjp(lambda x: ag.conv2d(x, w, b, padding=1), x)
    assert is_channels_last(out)
    assert is_channels_last(pullback(np.ones_like(out))[0])


def operations_above(tensor: Any) -> list[str]:
    """The names of the operations that made a Tensor, from the last one back."""
    found, node = [], tensor.node
    while node.op is not None and node.inputs:
        found.append(node.op.name)
        (node,) = [source for source in node.inputs if isinstance(source, Node)]
    return found


def test_a_convolution_records_its_kernel_and_its_bias():
    x = ag.Tensor(np.ones((1, 1, 4, 4)), requires_grad=True)
    w, b = np.ones((1, 1, 2, 2)), np.ones(1)
    assert operations_above(ag.conv2d(x, w)) == ["conv"]
    assert operations_above(ag.conv2d(x, w, b)) == ["conv"]
    assert operations_above(ag.conv_transpose2d(x, w)) == ["conv_input_gradient"]


@pytest.mark.parametrize("extra", [1, 2])
def test_output_padding_must_be_smaller_than_a_step(extra):
    with pytest.raises(ValueError, match="output_padding"):
        ag.conv_transpose2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)), output_padding=extra)
