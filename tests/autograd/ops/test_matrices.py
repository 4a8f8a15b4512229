"""Norms with zeros among the entries, and matrices of integers."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag

INTEGERS = np.array([[2, 1], [1, 3]])


@pytest.mark.parametrize("order", [None, 0, 0.5, 1, 2, 3, np.inf, -1, -2, -np.inf])
@pytest.mark.parametrize("x", [[0.0, 0.0], [0.0, 3.0], [1.0, -3.0]])
def test_norms_of_vectors_with_zeros(order, x):
    with np.errstate(divide="ignore"):
        expected = np.linalg.norm(np.array(x), order)
    np.testing.assert_allclose(ag.norm(np.array(x), order), expected, rtol=1e-14)


def test_powers_have_derivative_zero_at_zero_entries():
    slope = ag.grad(lambda x: ag.norm(x, 3))(np.array([0.0, 2.0, -2.0]))
    np.testing.assert_allclose(slope, [0.0, 0.5 ** (2 / 3), -(0.5 ** (2 / 3))], rtol=1e-14)
    np.testing.assert_array_equal(ag.grad(lambda x: ag.norm(x, 3))(np.zeros(2)), [0.0, 0.0])


@pytest.mark.parametrize("name", ["inv", "det", "norm", "slogdet"])
def test_matrices_of_integers_are_taken_as_floats(name):
    ours = getattr(ag.linalg, name)
    results = [ours(array) for array in (INTEGERS, INTEGERS.astype(float))]
    for a, b in zip(*map(np.atleast_1d, map(np.concatenate, _flat(results))), strict=True):
        assert a == b


def _flat(results):
    leaves = [result if isinstance(result, tuple) else (result,) for result in results]
    return [[np.ravel(leaf) for leaf in result] for result in leaves]


def test_solve_takes_integers():
    expected = np.linalg.solve(INTEGERS, [1, 2])
    np.testing.assert_allclose(ag.linalg.solve(INTEGERS, np.array([1, 2])), expected, rtol=1e-14)
    np.testing.assert_allclose(
        ag.linalg.solve(ag.Tensor(INTEGERS.astype(float)), np.array([1, 2])).data, expected
    )
