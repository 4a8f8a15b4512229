"""Embedding against a loop over the indices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.testing import strategies


@given(
    strategies.shapes(max_dims=2),
    st.integers(1, 4),
    st.integers(0, 3),
    st.integers(0, 999),
    st.data(),
)
def test_rows_and_the_sum_of_their_cotangents(shape, rows, features, seed, data):
    rng = np.random.default_rng(seed)
    indices, table = rng.integers(0, rows, shape), rng.normal(size=(rows, features))
    padding = data.draw(st.none() | st.integers(-rows, rows - 1))
    out, pullback = ag.vjp(lambda w: ag.embedding(indices, w, padding), table)
    cotangent = rng.normal(size=out.shape)
    expected = np.zeros_like(table)
    for place in np.ndindex(*shape):
        row = indices[place]
        assert np.array_equal(out[place], table[row])
        if padding is None or row != padding % rows:
            expected[row] += cotangent[place]
    assert out.shape == (*shape, features)
    np.testing.assert_allclose(pullback(cotangent)[0], expected, rtol=1e-12, atol=1e-12)
    # Forward mode leaves the padding row out too.
    tangent = rng.normal(size=table.shape)
    _, pushed = ag.jvp(lambda w: ag.embedding(indices, w, padding), (table,), (tangent,))
    assert np.sum(pushed * cotangent) == pytest.approx(np.sum(expected * tangent), abs=1e-10)


def test_second_order_through_repeated_rows():
    indices = np.array([1, 1, 0])

    def f(w):
        return ag.sum(ag.embedding(indices, w) ** 3)

    table = np.array([[2.0], [3.0], [5.0]])
    hessian = ag.hessian(f)(table).reshape(3, 3)
    np.testing.assert_allclose(hessian, np.diag([6 * 2.0, 2 * 6 * 3.0, 0.0]))


@pytest.mark.parametrize("padding", [-4, 3])
def test_padding_outside_the_table(padding):
    with pytest.raises(ValueError, match=f"padding_idx {padding} is not a row"):
        ag.embedding(np.array([0]), np.ones((3, 2)), padding)


@pytest.mark.parametrize("index", [-1, 3])
def test_indices_outside_the_table(index):
    with pytest.raises(IndexError, match="from 0 to 2"):
        ag.embedding(np.array([0, index]), np.ones((3, 2)))
