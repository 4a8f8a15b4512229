"""Factorizations of matrices of integers."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag

INTEGERS = np.array([[2, 1], [1, 3]])


@pytest.mark.parametrize("name", ["cholesky", "qr", "svd", "eigh"])
def test_matrices_of_integers_are_taken_as_floats(name):
    factorize = getattr(ag.linalg, name)
    found, expected = factorize(INTEGERS), factorize(INTEGERS.astype(float))
    if not isinstance(found, tuple):
        found, expected = (found,), (expected,)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == np.float64


@pytest.mark.parametrize("size", [1, 2, 4])
def test_repeated_eigenvalues_have_their_symmetric_functions_derivatives(size: int) -> None:
    def power_sum(a):
        return ag.sum(ag.linalg.eigh(a).eigenvalues ** 3)

    with np.errstate(all="ignore"):
        gradient = ag.grad(power_sum)(2.0 * np.eye(size))
        rate = ag.jvp(power_sum, (2.0 * np.eye(size),), (np.ones((size, size)),))[1]
    # trace(A^3) has the derivative 3 A^2.
    np.testing.assert_allclose(gradient, 12.0 * np.eye(size), atol=1e-12)
    np.testing.assert_allclose(rate, 12.0 * size, atol=1e-12)
