"""Pooling layers against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import nn
from tests import loops

PAIR = st.tuples(st.integers(1, 3), st.integers(1, 3))
SIDES = st.tuples(st.integers(0, 1), st.integers(0, 1))


@given(st.integers(0, 2**20), PAIR, PAIR, SIDES)
def test_max_and_average(seed, kernel, stride, padding):
    assume(all(2 * p <= k for p, k in zip(padding, kernel, strict=True)))
    x = np.random.default_rng(seed).normal(size=(2, 2, 5, 4))
    np.testing.assert_array_equal(
        nn.MaxPool2d(kernel, stride, padding)(x), loops.pool(x, kernel, stride, padding, max)
    )
    np.testing.assert_allclose(
        nn.AvgPool2d(kernel, stride, padding, count_include_pad=False)(x),
        loops.pool(x, kernel, stride, padding, np.mean),
    )
    area = kernel[0] * kernel[1]
    np.testing.assert_allclose(
        nn.AvgPool2d(kernel, stride, padding)(x),
        loops.pool(x, kernel, stride, padding, lambda inside: sum(inside) / area),
    )


@given(st.integers(0, 2**20), st.integers(1, 6), st.integers(1, 6))
def test_adaptive(seed, rows, columns):
    x = np.random.default_rng(seed).normal(size=(1, 2, 6, 5))
    got = nn.AdaptiveAvgPool2d((rows, columns))(x)
    for p, q in np.ndindex(rows, columns):
        top, bottom = p * 6 // rows, -(-(p + 1) * 6 // rows)
        left, right = q * 5 // columns, -(-(q + 1) * 5 // columns)
        window = x[:, :, top:bottom, left:right]
        np.testing.assert_allclose(got[:, :, p, q], window.mean(axis=(2, 3)))


@pytest.mark.parametrize(
    ("use", "error", "match"),
    [
        (lambda: nn.MaxPool2d(2)(np.ones((2, 2), np.float32)), ValueError, "shape"),
        (lambda: nn.MaxPool2d(2, padding=2)(np.ones((1, 1, 4, 4))), ValueError, "padding"),
        (lambda: nn.MaxPool2d(5)(np.ones((1, 1, 4, 4))), ValueError, "fit|kernel"),
        (lambda: nn.AvgPool2d(0), ValueError, "kernel_size"),
    ],
)
def test_bad_input(use, error, match):
    with pytest.raises(error, match=match):
        use()
