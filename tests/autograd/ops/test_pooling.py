"""Pooling against loops over windows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import autograd as ag
from autograd.kernels.windows import is_channels_last
from autograd.testing import check_grads

seeds = st.integers(0, 2**20)


def pairs(low, high):
    return st.tuples(st.integers(low, high), st.integers(low, high))


def distinct(shape, seed):
    """Entries that differ by a clear gap, so that no maximum is near a tie."""
    rng = np.random.default_rng(seed)
    return rng.permutation(np.arange(float(np.prod(shape)))).reshape(shape) / 10


def windows(sizes, kernel, stride, padding, dilation):
    """(p, q) and the places inside the image of each window."""
    outs = [
        (size + 2 * p - d * (k - 1) - 1) // s + 1
        for size, k, s, p, d in zip(sizes, kernel, stride, padding, dilation, strict=True)
    ]
    for p, q in np.ndindex(*outs):
        rows = [p * stride[0] - padding[0] + i * dilation[0] for i in range(kernel[0])]
        columns = [q * stride[1] - padding[1] + j * dilation[1] for j in range(kernel[1])]
        inside = [(r, c) for r in rows for c in columns if 0 <= r < sizes[0] and 0 <= c < sizes[1]]
        yield (p, q), inside


@st.composite
def poolings(draw, most_dilation=1):
    kernel, dilation = draw(pairs(1, 3)), draw(pairs(1, most_dilation))
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    sizes = tuple(
        max(1, d * (k - 1) + 1 - 2 * p) + draw(st.integers(0, 4))
        for k, d, p in zip(kernel, dilation, padding, strict=True)
    )
    stride = draw(st.none() | pairs(1, 3))
    return (
        distinct((draw(st.integers(1, 2)), 2, *sizes), draw(seeds)),
        kernel,
        stride,
        padding,
        dilation,
    )


@given(poolings(most_dilation=2), seeds)
def test_max_pool(case, seed):
    x, kernel, stride, padding, dilation = case
    places = list(windows(x.shape[2:], kernel, stride or kernel, padding, dilation))
    assume(all(inside for _, inside in places))
    out, pullback = ag.vjp(lambda x: ag.max_pool2d(x, kernel, stride, padding, dilation), x)
    cotangent = np.random.default_rng(seed).normal(size=out.shape)
    expected = np.zeros_like(x)
    for n, c in np.ndindex(*x.shape[:2]):
        for at, inside in places:
            best = max(inside, key=lambda place: x[n, c, *place])
            assert out[n, c, *at] == x[n, c, *best]
            expected[n, c, *best] += cotangent[n, c, *at]
    np.testing.assert_allclose(pullback(cotangent)[0], expected, rtol=1e-12, atol=1e-12)


@given(poolings(), st.booleans(), seeds)
def test_avg_pool(case, count_include_pad, seed):
    x, kernel, stride, padding, dilation = case

    def f(x):
        return ag.avg_pool2d(x, kernel, stride, padding, count_include_pad)

    out, pullback = ag.vjp(f, x)
    cotangent = np.random.default_rng(seed).normal(size=out.shape)
    expected = np.zeros_like(x)
    for at, inside in windows(x.shape[2:], kernel, stride or kernel, padding, dilation):
        count = np.prod(kernel) if count_include_pad else len(inside)
        total = sum(x[:, :, r, c] for r, c in inside)
        np.testing.assert_allclose(out[:, :, *at], total / count, rtol=1e-12, atol=1e-12)
        for r, c in inside:
            expected[:, :, r, c] += cotangent[:, :, *at] / count
    np.testing.assert_allclose(pullback(cotangent)[0], expected, rtol=1e-12, atol=1e-12)
    # Linear: the derivative is the map itself.
    np.testing.assert_allclose(ag.jvp(f, (x,), (x * x,))[1], f(x * x), rtol=1e-12, atol=1e-12)


@given(pairs(1, 7), pairs(1, 5), seeds)
def test_adaptive_avg_pool(sizes, outs, seed):
    x = distinct((2, 2, *sizes), seed)
    out, pullback = ag.vjp(lambda x: ag.adaptive_avg_pool2d(x, outs), x)
    assert out.shape == (2, 2, *outs)
    cotangent = np.random.default_rng(seed).normal(size=out.shape)
    expected = np.zeros_like(x)
    for p, q in np.ndindex(*outs):
        top, left = p * sizes[0] // outs[0], q * sizes[1] // outs[1]
        bottom, right = -(-(p + 1) * sizes[0] // outs[0]), -(-(q + 1) * sizes[1] // outs[1])
        block = x[:, :, top:bottom, left:right]
        np.testing.assert_allclose(out[:, :, p, q], block.mean(axis=(2, 3)), rtol=1e-12, atol=1e-12)
        share = cotangent[:, :, p, q, None, None] / block[0, 0].size
        expected[:, :, top:bottom, left:right] += share
    np.testing.assert_allclose(pullback(cotangent)[0], expected, rtol=1e-12, atol=1e-12)


def test_second_order_of_the_maximum_follows_its_indices():
    x = distinct((1, 1, 5, 5), 3)

    def f(x):
        return ag.sum(ag.max_pool2d(x, 3, 2, 1) ** 3)

    assert check_grads(f, x, order=2).verdict == "right"
    cube = ag.hvp(f, x, np.ones_like(x))
    hit = ag.grad(lambda x: ag.sum(ag.max_pool2d(x, 3, 2, 1)))(x)
    np.testing.assert_allclose(cube, 6 * x * hit, rtol=1e-12)


def test_the_first_of_equals_has_the_derivative():
    x = np.zeros((1, 1, 4, 4))
    gradient = ag.grad(lambda x: ag.sum(ag.max_pool2d(x, 2)))(x)
    expected = np.zeros((4, 4))
    expected[::2, ::2] = 1.0
    assert np.array_equal(gradient[0, 0], expected)


def test_padding_never_wins_and_nan_always_does():
    below = np.full((1, 1, 2, 2), -5.0)
    assert np.array_equal(ag.max_pool2d(below, 2, 1, 1), np.full((1, 1, 3, 3), -5.0))
    below[0, 0, 0, 1] = np.nan
    assert np.isnan(ag.max_pool2d(below, 2)).all()


POOLS = {
    "max": lambda x: ag.max_pool2d(x, 2),
    "average": lambda x: ag.avg_pool2d(x, 2),
    "adaptive": lambda x: ag.adaptive_avg_pool2d(x, 2),
}


@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
def test_channels_last_stays_channels_last(pool):
    x = np.moveaxis(np.random.default_rng(0).normal(size=(2, 4, 4, 3)), -1, 1)
    out, pullback = ag.vjp(pool, x)
    assert is_channels_last(out)
    np.testing.assert_array_equal(out, pool(np.ascontiguousarray(x)))
    assert is_channels_last(pullback(np.ones_like(out))[0])


@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
def test_no_images(pool):
    out, pullback = ag.vjp(pool, np.ones((0, 2, 4, 4)))
    assert out.shape == (0, 2, 2, 2)
    assert pullback(np.ones(out.shape))[0].shape == (0, 2, 4, 4)


def test_third_derivatives_of_max_pooling():
    x = np.random.default_rng(0).permutation(16.0 * np.arange(32)).reshape(1, 2, 4, 4) / 256
    report = check_grads(lambda x: ag.max_pool2d(x, 2) ** 3, x, order=3)
    assert report.verdict == "right"
