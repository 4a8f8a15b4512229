"""Approximate orthogonalisation of matrices by a quintic Newton-Schulz iteration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.kernels.products import matrix_product
from autograd.kernels.symmetric_products import symmetric_product

__all__ = ["MUON_COEFFICIENTS", "orthogonalise"]

Array = np.ndarray[Any, Any]

MUON_COEFFICIENTS = (3.4445, -4.7750, 2.0315)

LARGEST_GROWTH = 3e3
"""Of rounding errors, by the steps on one Gram matrix: three, with the default coefficients. Single
precision then leaves relative errors of 1e-5 for most matrices, and up to 5e-4 for one of nearly
equal entries. Five at once would be a fifth faster, and leave up to 4e-3.
"""


def orthogonalise(
    matrix: Array,
    steps: int = 5,
    coefficients: Sequence[float] = MUON_COEFFICIENTS,
    eps: float = 1e-7,
    *,
    overwrite: bool = False,
) -> Array:
    """X <- a X + b (X X^T) X + c (X X^T)^2 X, from X = matrix / (its Frobenius norm + eps).

    Each singular value s of X becomes a s + b s^3 + c s^5 at every step; with the default
    coefficients five steps bring all but the smallest to about 0.7 ... 1.2, so that the result
    approximates U V^T of the singular value decomposition. Leading axes are a batch. The smaller
    of the two Gram matrices is used. Half precision is computed in single. With `overwrite` the
    result may be put into `matrix`. Raises ValueError for fewer than two axes, negative `steps` or
    other than three coefficients, TypeError unless `matrix` holds floats.

    If one side is more than 1.5 times the other, several steps (up to three, with the default
    coefficients) are taken on the small Gram matrix G = X X^T alone: P = a I + b G + c G^2, then
    Q <- P Q and G <- P G P from Q = I, and X <- Q X at their end. That is the same in exact
    arithmetic. Rounding errors of G grow by a^2 a step where singular values are small; there are
    so few steps on one G that they stay below 1e-3 of the result in single precision.
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
    work = np.dtype(np.float32) if matrix.dtype == np.float16 else matrix.dtype
    x = matrix.astype(work, copy=False)
    if not steps:
        norm = np.linalg.norm(x, axis=(-2, -1), keepdims=True)
        return np.ascontiguousarray(x / (norm + eps), matrix.dtype)
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.swapaxes(-1, -2)
    scale: Array | None = None
    runs = _runs(steps, x.shape[-2], x.shape[-1], a)
    given = x
    for number, count in enumerate(runs):
        gram = symmetric_product(x, x.swapaxes(-1, -2))
        if scale is None:
            # Scaling the small matrices spares a pass over X; the trace is its squared norm.
            squares = _diagonal(gram).sum(-1, dtype=np.promote_types(work, np.float64))
            scale = (1.0 / (np.sqrt(squares) + eps)).astype(work)[..., None, None]
            gram *= scale * scale
            factor = _factor(gram, count, a, b, c)
            factor *= scale
        else:
            factor = _factor(gram, count, a, b, c)
        del gram
        out = given if overwrite and 0 < number == len(runs) - 1 else None
        if tall:
            left, right = x.swapaxes(-1, -2), factor.swapaxes(-1, -2)
            x = matrix_product(left, right, None if out is None else out.swapaxes(-1, -2))
            x = x.swapaxes(-1, -2)
        else:
            x = matrix_product(factor, x, out)
    if tall:
        x = x.swapaxes(-1, -2)
    return np.ascontiguousarray(x, matrix.dtype)


def _runs(steps: int, rows: int, columns: int, a: float) -> list[int]:
    """How many steps are taken on each Gram matrix, before X is multiplied and gives the next.

    k steps on one take 4 rows^2 columns + (8 k - 6) rows^3 operations, each on its own
    k (4 rows^2 columns + 2 rows^3), which is less up to columns = 1.5 rows whatever k.
    """
    longest = 1
    if 2 * columns > 3 * rows:
        while longest < steps and abs(a) ** (2 * longest + 2) <= LARGEST_GROWTH:
            longest += 1
    number = -(-steps // longest)
    return [steps * (run + 1) // number - steps * run // number for run in range(number)]


def _factor(gram: Array, steps: int, a: float, b: float, c: float) -> Array:
    """The Q by which `steps` steps multiply the X whose Gram matrix is given."""
    factor: Array | None = None
    for left in reversed(range(steps)):
        inner = gram * c
        _diagonal(inner)[...] += b
        step = symmetric_product(inner, gram)
        _diagonal(step)[...] += a
        factor = step if factor is None else symmetric_product(step, factor)
        if left:
            # In this order: P (P G) and P^2 G lose the symmetry that keeps errors small.
            gram = symmetric_product(symmetric_product(step, gram), step)
    assert factor is not None
    return factor


def _diagonal(matrix: Array) -> Array:
    """A view that can be written to."""
    view: Array = np.einsum("...ii->...i", matrix)
    return view
