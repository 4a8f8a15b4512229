"""Approximate orthogonalisation of matrices by a quintic Newton-Schulz iteration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.kernels.products import matrix_product

__all__ = ["MUON_COEFFICIENTS", "orthogonalise"]

Array = np.ndarray[Any, Any]

MUON_COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonalise(
    matrix: Array,
    steps: int = 5,
    coefficients: Sequence[float] = MUON_COEFFICIENTS,
    eps: float = 1e-7,
) -> Array:
    """X <- a X + b (X X^T) X + c (X X^T)^2 X, from X = matrix / (its Frobenius norm + eps).

    Each singular value s of X becomes a s + b s^3 + c s^5 at every step; with the default
    coefficients five steps bring all but the smallest to about 0.7 ... 1.2, so that the result
    approximates U V^T of the singular value decomposition. Leading axes are a batch. The smaller
    of the two Gram matrices is used. Half precision is computed in single.
    Source: K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024.

    >>> x = orthogonalise(np.diag([3.0, 1.0]), steps=20, coefficients=(15/8, -10/8, 3/8))
    >>> x.round(6).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    if matrix.ndim < 2:
        raise ValueError(f"orthogonalise needs a matrix, not an array of shape {matrix.shape}")
    if matrix.dtype.kind != "f":
        raise TypeError(f"orthogonalise needs floats, not {matrix.dtype}")
    if steps < 0:
        raise ValueError(f"steps={steps} must not be negative")
    if len(coefficients) != 3:
        raise ValueError(f"coefficients={coefficients!r} must be three numbers (a, b, c)")
    a, b, c = (float(value) for value in coefficients)
    work = np.float32 if matrix.dtype == np.float16 else matrix.dtype
    x = matrix.astype(work)
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = np.ascontiguousarray(x.swapaxes(-1, -2))
    x /= np.linalg.norm(x, axis=(-2, -1), keepdims=True) + eps
    for _ in range(steps):
        gram = matrix_product(x, x.swapaxes(-1, -2))
        quintic = matrix_product(gram, gram)
        quintic *= c
        gram *= b
        quintic += gram
        update = matrix_product(quintic, x)
        x *= a
        x += update
    if tall:
        x = x.swapaxes(-1, -2)
    return np.ascontiguousarray(x, matrix.dtype)
