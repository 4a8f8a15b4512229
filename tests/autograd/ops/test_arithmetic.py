"""Powers have NumPy's values and dtypes."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag


@pytest.mark.parametrize("exponent", [2, 2.0, np.float32(2), np.array([2.0]), 3, 0.5])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int32, np.int64])
@pytest.mark.parametrize("shape", [(), (3,), (300, 300)])
def test_powers(shape, dtype, exponent):
    x = np.random.default_rng(0).uniform(0, 5, shape).astype(dtype)
    for found, expected in (
        (ag.power(x, exponent), np.power(x, exponent)),
        ((ag.Tensor(x) ** exponent).data, x**exponent),
    ):
        assert np.asarray(found).dtype == expected.dtype
        precise = np.finfo(expected.dtype).eps if expected.dtype.kind == "f" else 0
        np.testing.assert_allclose(found, expected, rtol=4 * precise)
