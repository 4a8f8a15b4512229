from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.kernels.newton_schulz import MUON_COEFFICIENTS, orthogonalise

CONVERGENT = (15 / 8, -10 / 8, 3 / 8)

Array = np.ndarray[Any, Any]


def by_singular_values(matrix: Array, steps: int, eps: float = 0.0) -> Array:
    """The polynomial of each singular value, in double precision."""
    u, s, vh = np.linalg.svd(matrix.astype(float), full_matrices=False)
    s = s / (np.linalg.norm(s, axis=-1, keepdims=True) + eps)
    a, b, c = MUON_COEFFICIENTS
    for _ in range(steps):
        s = a * s + b * s**3 + c * s**5
    result: Array = (u * s[..., None, :]) @ vh
    return result


@given(
    st.integers(1, 12),
    st.integers(1, 12),
    st.sampled_from([(), (2,), (2, 3)]),
    st.integers(0, 8),
    st.integers(0, 2**32 - 1),
)
def test_each_singular_value_takes_the_polynomial(
    rows: int, columns: int, batch: tuple[int, ...], steps: int, seed: int
) -> None:
    matrix = np.random.default_rng(seed).normal(size=(*batch, rows, columns))
    matrix.flags.writeable = False
    result = orthogonalise(matrix, steps=steps, eps=0.0)
    assert result.flags.c_contiguous and not np.shares_memory(result, matrix)
    np.testing.assert_allclose(result, by_singular_values(matrix, steps), atol=1e-9)
    scratch = matrix.copy()
    np.testing.assert_array_equal(
        orthogonalise(scratch, steps=steps, eps=0.0, overwrite=True), result
    )


@pytest.mark.parametrize("shape", [(130, 300), (300, 130), (2, 20, 50)])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("steps", [1, 3, 5])
def test_the_result_may_lie_where_the_matrix_was(
    shape: tuple[int, ...], order: Any, steps: int
) -> None:
    matrix = np.random.default_rng(0).normal(size=shape).astype(np.float32, order=order)
    expected = orthogonalise(matrix, steps)
    result = orthogonalise(matrix, steps, overwrite=True)
    np.testing.assert_array_equal(result, expected)
    assert result.flags.c_contiguous
    if order == "C":  # one run of steps on a Gram matrix needs what it would write over
        assert np.shares_memory(result, matrix) == (steps == 5)


@given(
    st.integers(1, 40),
    st.sampled_from([1.0, 1.5, 1.6, 4.0, 10.0]),
    st.integers(1, 40),
    st.floats(0.0, 8.0),
    st.integers(1, 6),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_single_precision_is_accurate_whatever_the_singular_values(
    rows: int, longer: float, rank: int, decades: float, steps: int, tall: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    rank, columns = min(rank, rows), round(longer * rows)
    left = np.linalg.qr(rng.normal(size=(rows, rank)))[0]
    right = np.linalg.qr(rng.normal(size=(columns, rank)))[0]
    matrix = (left * np.logspace(0.0, -decades, rank) @ right.T).astype(np.float32)
    if tall:
        matrix = matrix.T
    expected = by_singular_values(matrix, steps, eps=1e-7)
    error = np.linalg.norm(orthogonalise(matrix, steps=steps) - expected)
    assert error < 1e-3 * np.linalg.norm(expected)


@pytest.mark.parametrize("equal", [0.0, 0.9, 1.0])
@pytest.mark.parametrize("shape", [(150, 260), (260, 150), (256, 2304)])
def test_large_matrices_are_accurate(shape: tuple[int, int], equal: float) -> None:
    rng = np.random.default_rng(0)
    matrix = (equal + rng.normal(size=shape) * (1 - 0.99 * equal)).astype(np.float32)
    expected = by_singular_values(matrix, 5, eps=1e-7)
    error = np.linalg.norm(orthogonalise(matrix) - expected)
    assert error < 1e-3 * np.linalg.norm(expected)


@pytest.mark.parametrize("shape", [(64, 216), (216, 64), (64, 80), (2, 20, 50)])
def test_bits_do_not_depend_on_the_run_and_little_on_the_memory_order(
    shape: tuple[int, ...],
) -> None:
    matrix = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    result = orthogonalise(matrix)
    assert np.array_equal(result, orthogonalise(matrix.copy()))
    other = matrix.swapaxes(-1, -2).copy().swapaxes(-1, -2)
    np.testing.assert_allclose(orthogonalise(other), result, atol=1e-4)
    flipped = orthogonalise(matrix.swapaxes(-1, -2)).swapaxes(-1, -2)
    np.testing.assert_allclose(flipped, result, atol=1e-4)


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
    assert orthogonalise(np.zeros((2, 0))).shape == (2, 0)
    assert orthogonalise(np.zeros((0, 2, 5))).shape == (0, 2, 5)


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match="matrix"):
        orthogonalise(np.ones(3))
    with pytest.raises(TypeError, match="int64"):
        orthogonalise(np.ones((2, 2), np.int64))
    with pytest.raises(ValueError, match="steps"):
        orthogonalise(np.ones((2, 2)), steps=-1)
    with pytest.raises(ValueError, match="three numbers"):
        orthogonalise(np.ones((2, 2)), coefficients=(1.0, 2.0))
