from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.kernels.newton_schulz import MUON_COEFFICIENTS, orthogonalise

CONVERGENT = (15 / 8, -10 / 8, 3 / 8)

Array = np.ndarray[Any, Any]


@given(
    st.integers(1, 6),
    st.integers(1, 6),
    st.sampled_from([(), (2,), (2, 3)]),
    st.integers(0, 2**32 - 1),
)
def test_each_singular_value_takes_the_polynomial(
    rows: int, columns: int, batch: tuple[int, ...], seed: int
) -> None:
    matrix = np.random.default_rng(seed).normal(size=(*batch, rows, columns))
    matrix.flags.writeable = False
    u, s, vh = np.linalg.svd(matrix, full_matrices=False)
    s = s / np.linalg.norm(s, axis=-1, keepdims=True)
    a, b, c = MUON_COEFFICIENTS
    for _ in range(3):
        s = a * s + b * s**3 + c * s**5
    result = orthogonalise(matrix, steps=3, eps=0.0)
    np.testing.assert_allclose(result, (u * s[..., None, :]) @ vh, atol=1e-9)


@given(st.integers(1, 5), st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_a_convergent_polynomial_gives_the_polar_factor(rows: int, columns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    left = np.linalg.qr(rng.normal(size=(rows, rows)))[0]
    right = np.linalg.qr(rng.normal(size=(columns, columns)))[0]
    small = min(rows, columns)
    left, right = left[:, :small], right[:, :small]
    matrix = left * rng.uniform(0.5, 2.0, small) @ right.T
    result = orthogonalise(matrix, steps=30, coefficients=CONVERGENT)
    np.testing.assert_allclose(result, left @ right.T, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(40, 20), (20, 40), (3, 8, 8)])
def test_muon_coefficients_bring_singular_values_near_one(
    dtype: str, shape: tuple[int, ...]
) -> None:
    matrix = np.random.default_rng(0).normal(size=shape).astype(dtype)
    result = orthogonalise(matrix, steps=8)
    assert result.dtype == dtype and result.flags.c_contiguous
    values = np.linalg.svd(result.astype(float), compute_uv=False)
    assert values.min() > 0.6 and values.max() < 1.3


def test_zeros_stay_zeros() -> None:
    assert not orthogonalise(np.zeros((3, 2))).any()
    assert orthogonalise(np.zeros((0, 2))).shape == (0, 2)


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match="matrix"):
        orthogonalise(np.ones(3))
    with pytest.raises(TypeError, match="int64"):
        orthogonalise(np.ones((2, 2), np.int64))
    with pytest.raises(ValueError, match="steps"):
        orthogonalise(np.ones((2, 2)), steps=-1)
    with pytest.raises(ValueError, match="three numbers"):
        orthogonalise(np.ones((2, 2)), coefficients=(1.0, 2.0))
