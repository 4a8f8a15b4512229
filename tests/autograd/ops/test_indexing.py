"""Copies with entries replaced or added to, against plain loops; dtypes; lists as indices."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag

X = np.arange(6.0).reshape(3, 2)
REPEATED = np.array([0, 2, 0])


def test_add_counts_every_repetition_and_set_takes_the_last():
    values = np.array([[1.0, 2.0], [10.0, 20.0], [100.0, 200.0]])
    added, replaced = X.copy(), X.copy()
    for row, value in zip(REPEATED, values, strict=True):
        added[row] += value
        replaced[row] = value
    x = ag.Tensor(X)
    np.testing.assert_array_equal(x.at[REPEATED].add(values).data, added)
    np.testing.assert_array_equal(x.at[REPEATED].set(values).data, replaced)


def test_only_the_last_of_repeated_values_has_a_derivative():
    _, pullback = ag.vjp(lambda v: ag.index_set(X, REPEATED, v), np.ones((3, 2)))
    cotangent = np.arange(1.0, 7.0).reshape(3, 2)
    np.testing.assert_array_equal(pullback(cotangent)[0], [[0, 0], [5, 6], [1, 2]])


@pytest.mark.parametrize("put", [ag.index_add, ag.index_set])
def test_the_result_has_the_targets_dtype(put):
    single = X.astype(np.float32)
    for values in (np.float64(2.0), 2, np.ones((3, 2), np.float32)):
        assert put(single, REPEATED, values).dtype == np.float32
    assert put(X.astype(int), 0, 5).dtype == int
    assert put(X.astype(int), 0, True).dtype == int
    assert put(X, 0, 1j).dtype == np.complex128
    assert put(X.astype(complex), 0, np.ones(2)).dtype == np.complex128
    with pytest.raises(TypeError, match="float64 into an array of dtype int64"):
        put(X.astype(int), 0, 0.5)


def test_lists_and_empty_lists_are_indices():
    x = ag.Tensor(X, requires_grad=True)
    np.testing.assert_array_equal(x[[2, 0]].data, X[[2, 0]])
    assert x[[]].shape == (0, 2)
    assert x[[], 0].shape == (0,)
    assert x[[True, False, True]].shape == (2, 2)
    assert x[ag.Tensor(np.array([1]))].shape == (1, 2)
    with pytest.raises(IndexError):
        x[np.zeros(0)]
