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
