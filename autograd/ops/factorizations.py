"""Matrix factorizations: Cholesky, QR, eigenvectors of symmetric matrices, singular values."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from autograd.dispatch import operations
from autograd.families import Linearised
from autograd.ops.axes import shape_of
from autograd.ops.matrices import inv, matrix_transpose, solve, square
from autograd.registry import bad, register
from autograd.samples import call, real
from autograd.tensor import Tensor

__all__ = ["EighResult", "QRResult", "SVDResult", "cholesky", "eigh", "qr", "svd"]


def _positive_definite(x: Any) -> Any:
    return x @ x.swapaxes(-1, -2) + 2.0 * np.eye(x.shape[-1])


def _spread_symmetric(x: Any) -> Any:
    """A symmetric sample whose eigenvalues lie apart."""
    return (x + x.swapaxes(-1, -2)) / 4.0 + np.diag(3.0 * np.arange(x.shape[-1]))


def _spread(x: Any) -> Any:
    """A sample whose singular values lie apart."""
    rows, columns = x.shape[-2:]
    return x / 4.0 + np.eye(rows, columns) * 3.0 * np.arange(1, columns + 1)


def _symmetric(x: Any) -> Any:
    return (x + matrix_transpose(x)) / 2.0


def _mm(*matrices: Any) -> Any:
    product = matrices[0]
    for matrix in matrices[1:]:
        product = operations.matmul(product, matrix)
    return product


def _lower_half(x: Any) -> Any:
    """The lower triangle with half the diagonal."""
    size = shape_of(x)[-1]
    return x * (np.tril(np.ones((size, size)), -1) + 0.5 * np.eye(size)).astype(x.dtype)


def _cholesky_jvp(out: Any, x: Any, dx: Any) -> Any:
    inner = _mm(inv(out), dx, matrix_transpose(inv(out)))
    return _mm(out, _lower_half(inner))


_cholesky: Linearised = Linearised(
    "cholesky", np.linalg.cholesky, jvp=_cholesky_jvp, analytic=False
)


@register(
    [
        call(real(3, 3, transform=_positive_definite)),
        call(real(3, 2, 2, transform=_positive_definite)),
        call(real(1, 3, 2, 2, transform=_positive_definite)),
        call(real(1, 1, transform=_positive_definite)),
    ],
    numpy=(np.linalg.cholesky,),
    analytic=False,
    namespace="linalg",
    bad=[
        bad(ValueError, "square", np.ones((2, 3))),
        bad(np.linalg.LinAlgError, "ositive definite", -np.eye(2)),
    ],
)
def cholesky(x: Any) -> Any:
    """The lower triangular L with L L^T = x, of the symmetric part (x + x^T)/2 of x (..., n, n).

    dL = L phi(L^-1 dx L^-T), where phi keeps the lower triangle and half the diagonal. Raises
    ValueError unless x is square, `numpy.linalg.LinAlgError` unless it is positive definite.
    Source: Murray, Differentiation of the Cholesky decomposition, 2016.

    >>> import autograd as ag
    >>> ag.linalg.cholesky(ag.Tensor([[4.0, 2.0], [2.0, 10.0]]))
    Tensor([[2., 0.],
            [1., 3.]])
    """
    return _cholesky(_symmetric(square(x, "cholesky")))


class QRResult(NamedTuple):
    """Orthonormal columns Q and an upper triangle R."""

    Q: Any
    R: Any


def _qr_jvp(out: Any, x: Any, dx: Any) -> tuple[Any, Any]:
    q, r = out
    change = matrix_transpose(solve(matrix_transpose(r), matrix_transpose(dx)))
    inner = _mm(matrix_transpose(q), change)
    skew = operations.tril(inner, -1)
    skew = skew - matrix_transpose(skew)
    dq = _mm(q, skew) + change - _mm(q, inner)
    return dq, _mm(inner - skew, r)


_qr: Linearised = Linearised("qr", lambda x: tuple(np.linalg.qr(x)), jvp=_qr_jvp, analytic=False)


@register(
    [
        call(real(3, 3, transform=_spread)),
        call(real(4, 2, transform=_spread)),
        call(real(2, 3, 2, transform=_spread)),
    ],
    numpy=(np.linalg.qr,),
    analytic=False,
    namespace="linalg",
    bad=[
        bad(ValueError, "rows", np.ones((2, 3))),
        bad(ValueError, "matrices", np.ones(3)),
    ],
)
def qr(x: Any) -> QRResult:
    """x = Q R for x (..., m, n) with m >= n, Q (..., m, n) orthonormal, R (..., n, n).

    Holds where x has full rank. Raises ValueError if m < n, or x has fewer than two axes.
    Source: Walter & Lehmann, Algorithmic differentiation of linear algebra functions with
    application in optimum experimental design, 2010.

    >>> import autograd as ag
    >>> q, r = ag.linalg.qr(ag.Tensor([[3.0, 1.0], [4.0, 2.0]]))
    >>> ag.absolute(r)[0, 0]
    Tensor(5.)
    """
    x = _matrices(x, "qr")
    if x.shape[-2] < x.shape[-1]:
        raise ValueError(
            f"qr needs at least as many rows as columns, got shape {x.shape}; factorize x.mT"
        )
    return QRResult(*_qr(x))


def _matrices(x: Any, name: str) -> Any:
    x = x if isinstance(x, (Tensor, np.ndarray)) else np.asarray(x)
    if x.ndim < 2:
        raise ValueError(f"{name} needs matrices (..., m, n), got an array of shape {x.shape}")
    return operations.astype(x, float) if x.dtype.kind in "iub" else x


class EighResult(NamedTuple):
    """Eigenvalues in ascending order, and eigenvectors as columns."""

    eigenvalues: Any
    eigenvectors: Any


def _reciprocal_gaps(values: Any) -> Any:
    """1 / (values[j] - values[i]), and 0 on the diagonal."""
    size = shape_of(values)[-1]
    gaps = operations.expand_dims(values, -2) - operations.expand_dims(values, -1)
    eye = np.eye(size, dtype=np.bool_)
    return operations.where(eye, 0.0, 1.0 / operations.where(eye, 1.0, gaps))


def _eigh_jvp(out: Any, x: Any, dx: Any) -> tuple[Any, Any]:
    values, vectors = out
    inner = _mm(matrix_transpose(vectors), dx, vectors)
    return operations.diagonal(inner, 0, -2, -1), _mm(vectors, _reciprocal_gaps(values) * inner)


_eigh: Linearised = Linearised(
    "eigh", lambda x: tuple(np.linalg.eigh(x)), jvp=_eigh_jvp, analytic=False
)


@register(
    [
        call(real(3, 3, transform=_spread_symmetric)),
        call(real(2, 2, 2, transform=_spread_symmetric)),
        call(real(1, 1)),
    ],
    numpy=(np.linalg.eigh,),
    analytic=False,
    namespace="linalg",
    bad=[bad(ValueError, "square", np.ones((2, 3)))],
)
def eigh(x: Any) -> EighResult:
    """Eigenvalues and eigenvectors of the symmetric part (x + x^T)/2 of x (..., n, n).

    dw_i = v_i^T dx v_i and dV = V (F * (V^T dx V)) with F_ij = 1/(w_j - w_i) off the diagonal.
    Where eigenvalues repeat, the eigenvectors' derivative is inf or NaN, and the eigenvalues'
    holds for symmetric functions of the repeated ones. Raises ValueError unless x is square.
    Source: Giles, 2008, section 3.1.

    >>> import autograd as ag
    >>> ag.linalg.eigh(ag.Tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    Tensor([1., 2.])
    """
    return EighResult(*_eigh(_symmetric(square(x, "eigh"))))


class SVDResult(NamedTuple):
    """Left singular vectors, singular values in descending order, right vectors transposed."""

    U: Any
    S: Any
    Vh: Any


def _svd_jvp(out: Any, x: Any, dx: Any) -> tuple[Any, Any, Any]:
    u, s, vh = out
    v = matrix_transpose(vh)
    inner = _mm(matrix_transpose(u), dx, v)
    ds = operations.diagonal(inner, 0, -2, -1)
    row, column = operations.expand_dims(s, -2), operations.expand_dims(s, -1)
    gaps = _reciprocal_gaps(operations.square(s))
    turned = matrix_transpose(inner)
    du = _mm(u, gaps * (inner * row + column * turned))
    dv = _mm(v, gaps * (column * inner + turned * row))
    beside_u = _mm(dx, v) / row
    du = du + beside_u - _mm(u, matrix_transpose(u), beside_u)
    beside_v = _mm(matrix_transpose(dx), u) / row
    dv = dv + beside_v - _mm(v, vh, beside_v)
    return du, ds, matrix_transpose(dv)


_svd: Linearised = Linearised(
    "svd", lambda x: tuple(np.linalg.svd(x, full_matrices=False)), jvp=_svd_jvp, analytic=False
)


def _values_jvp(out: Any, x: Any, dx: Any) -> Any:
    u, _, vh = svd(x)
    inner = _mm(matrix_transpose(u), dx, matrix_transpose(vh))
    return operations.diagonal(inner, 0, -2, -1)


_singular_values: Linearised = Linearised(
    "singular_values",
    lambda x: np.linalg.svd(x, compute_uv=False),
    jvp=_values_jvp,
    analytic=False,
)


@register(
    [
        call(real(3, 3, transform=_spread)),
        call(real(4, 2, transform=_spread)),
        call(real(2, 4, transform=_spread)),
        call(real(2, 2, 2, transform=_spread)),
        call(real(3, 2, transform=_spread), compute_uv=False),
        call(real(2, 3, 2, transform=_spread), compute_uv=False),
    ],
    numpy=(np.linalg.svd,),
    analytic=False,
    namespace="linalg",
    bad=[
        bad(ValueError, "full_matrices", np.ones((3, 2)), full_matrices=True),
        bad(ValueError, "matrices", np.ones(3)),
    ],
    reference=lambda x, compute_uv=True: np.linalg.svd(
        x, full_matrices=False, compute_uv=compute_uv
    ),
)
def svd(x: Any, full_matrices: bool = False, compute_uv: bool = True) -> Any:
    """x = U diag(S) Vh for x (..., m, n), with k = min(m, n) singular values.

    U is (..., m, k), S (..., k), Vh (..., k, n); with `compute_uv=False` only S. The vectors'
    derivatives hold where singular values differ and are not 0, else they are inf or NaN. Unlike
    NumPy's, `full_matrices` is False: the other vectors are not determined by x, and asking for
    them raises ValueError, as do fewer than two axes.
    Source: Townsend, Differentiating the singular value decomposition, 2016.

    >>> import autograd as ag
    >>> ag.linalg.svd(ag.Tensor([[2.0, 0.0], [0.0, 3.0]])).S
    Tensor([3., 2.])
    """
    x = _matrices(x, "svd")
    if not compute_uv:
        return _singular_values(x)
    if full_matrices and x.shape[-1] != x.shape[-2]:
        raise ValueError(
            f"svd of shape {x.shape} with full_matrices=True is not differentiable: the vectors "
            "added are arbitrary; use full_matrices=False"
        )
    return SVDResult(*_svd(x))


operations.singular_values = _singular_values
