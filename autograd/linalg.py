"""Linear algebra: inverses, solutions, determinants, norms and factorizations."""

from __future__ import annotations

from autograd.ops.factorizations import (
    EighResult,
    QRResult,
    SVDResult,
    cholesky,
    eigh,
    qr,
    svd,
)
from autograd.ops.matrices import SlogdetResult, det, inv, norm, slogdet, solve

__all__ = [
    "EighResult",
    "QRResult",
    "SVDResult",
    "SlogdetResult",
    "cholesky",
    "det",
    "eigh",
    "inv",
    "norm",
    "qr",
    "slogdet",
    "solve",
    "svd",
]
