"""Inverses, solutions, determinants and norms: `ag.linalg`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from autograd.dispatch import operations
from autograd.families import Linearised
from autograd.ops.axes import as_axes, data_of
from autograd.ops.moments import root, squares_over
from autograd.registry import Kink, bad, register
from autograd.samples import call, real
from autograd.tensor import Tensor

__all__ = ["SlogdetResult", "det", "inv", "norm", "slogdet", "solve"]


def well_conditioned(x: Any) -> Any:
    """A sample far from singular: a multiple of the identity added."""
    size = min(x.shape[-2:])
    return x + 5.0 * np.eye(x.shape[-2], x.shape[-1])[: x.shape[-2]] if size else x


def _negative_determinant(x: Any) -> Any:
    return well_conditioned(x)[::-1]


def square(x: Any, name: str) -> Any:
    """`x` if it is a matrix, or a stack of them, with as many rows as columns."""
    x = x if isinstance(x, (Tensor, np.ndarray)) else np.asarray(x)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ValueError(
            f"{name} needs square matrices (..., n, n), got an array of shape {x.shape}"
        )
    if x.dtype.kind in "iub":
        x = operations.astype(x, float)
    return x


def matrix_transpose(x: Any) -> Any:
    return operations.swapaxes(x, -1, -2)


_MATRICES = (
    call(real(3, 3, transform=well_conditioned)),
    call(real(2, 2, 2, transform=well_conditioned)),
    call(real(1, 1, low=0.5)),
    call(real(2, 2, transform=_negative_determinant)),
)
_NOT_SQUARE = bad(ValueError, r"square.*\(2, 3\)", np.ones((2, 3)))

_inv: Linearised = Linearised(
    "inv",
    np.linalg.inv,
    jvp=lambda out, x, dx: -operations.matmul(operations.matmul(out, dx), out),
    analytic=True,
)


@register(
    _MATRICES,
    numpy=(np.linalg.inv,),
    namespace="linalg",
    bad=[_NOT_SQUARE, bad(np.linalg.LinAlgError, "ingular", np.zeros((2, 2)))],
)
def inv(x: Any) -> Any:
    """The inverse of a matrix (..., n, n): d(X^-1) = -X^-1 dX X^-1.

    Raises ValueError unless x is square, `numpy.linalg.LinAlgError` if it is singular. Source:
    Giles, An extended collection of matrix derivative results, 2008, section 2.2.3.

    >>> import autograd as ag
    >>> ag.linalg.inv(ag.Tensor([[2.0, 0.0], [0.0, 4.0]]))
    Tensor([[0.5 , 0.  ],
            [0.  , 0.25]])
    """
    return _inv(square(x, "inv"))


_solve: Linearised = Linearised(
    "solve",
    np.linalg.solve,
    jvp=lambda out, a, b, da, db: _solve(a, db - operations.matmul(da, out)),
    transposes=(None, lambda cotangent, out, a, b: _solve(matrix_transpose(a), cotangent)),
    analytic=True,
)


@register(
    [
        call(real(3, 3, transform=well_conditioned), real(3)),
        call(real(3, 3, transform=well_conditioned), real(3, 2)),
        call(real(2, 2, 2, transform=well_conditioned), real(2, 2, 1)),
        call(real(2, 2, 2, transform=well_conditioned), real(2, 3)),
        call(real(2, 2, 2, transform=well_conditioned), real(2)),
    ],
    numpy=(np.linalg.solve,),
    namespace="linalg",
    bad=[
        bad(ValueError, "square", np.ones((2, 3)), np.ones(2)),
        bad(ValueError, "rows", np.eye(2), np.ones(3)),
    ],
)
def solve(a: Any, b: Any) -> Any:
    """The x of a x = b, for matrices a (..., n, n) and b (n,) or (..., n, k).

    da x + a dx = db, so dx = solve(a, db - da x). Raises ValueError for shapes that do not fit,
    `numpy.linalg.LinAlgError` for a singular a. Source: Giles, 2008, section 2.3.1.

    >>> import autograd as ag
    >>> ag.linalg.solve(ag.Tensor([[2.0, 0.0], [0.0, 4.0]]), ag.Tensor([2.0, 2.0]))
    Tensor([1. , 0.5])
    """
    a = square(a, "solve")
    b = b if isinstance(b, (Tensor, np.ndarray)) else np.asarray(b)
    if b.dtype.kind in "iub":
        b = operations.astype(b, float)
    if b.ndim == 0 or b.shape[0 if b.ndim == 1 else -2] != a.shape[-1]:
        raise ValueError(
            f"solve needs b with as many rows as a has, got a of shape {a.shape} and b of shape "
            f"{b.shape}; a stack of vectors is (..., n, 1)"
        )
    if b.ndim > 1:
        return _solve(a, b)
    column = operations.reshape(b, (b.shape[0], 1))
    return operations.squeeze(_solve(a, column), -1)


def _trace(x: Any) -> Any:
    return operations.trace(x, 0, -2, -1)


_det: Linearised = Linearised(
    "det",
    np.linalg.det,
    jvp=lambda out, x, dx: out * _trace(solve(x, dx)),
    analytic=True,
)


@register(
    [*_MATRICES, call(real(2, 2, transform=well_conditioned))],
    numpy=(np.linalg.det,),
    namespace="linalg",
    bad=[_NOT_SQUARE],
)
def det(x: Any) -> Any:
    """The determinant of a matrix (..., n, n): d det = det tr(X^-1 dX).

    Differentiating at a singular matrix raises `numpy.linalg.LinAlgError`. Raises ValueError
    unless x is square. Source: Giles, 2008, section 2.2.4.

    >>> import autograd as ag
    >>> ag.linalg.det(ag.Tensor([[2.0, 1.0], [0.0, 4.0]]))
    Tensor(8.)
    """
    return _det(square(x, "det"))


class SlogdetResult(NamedTuple):
    """Sign and logarithm of the absolute value of a determinant."""

    sign: Any
    logabsdet: Any


def _slogdet_forward(x: Any) -> tuple[Any, Any]:
    sign, logarithm = np.linalg.slogdet(x)
    if np.iscomplexobj(x):
        # For complex steps: the analytic continuation of log|det|.
        determinant = np.linalg.det(x)
        return np.sign(determinant.real), np.log(determinant * np.sign(determinant.real))
    return sign, logarithm


_slogdet: Linearised = Linearised(
    "slogdet",
    _slogdet_forward,
    jvp=lambda out, x, dx: (operations.multiply(out[0], 0.0), _trace(solve(x, dx))),
    analytic=True,
)


@register(
    _MATRICES,
    numpy=(np.linalg.slogdet,),
    namespace="linalg",
    bad=[_NOT_SQUARE],
)
def slogdet(x: Any) -> SlogdetResult:
    """The determinant's sign and the logarithm of its absolute value: d logabsdet = tr(X^-1 dX).

    The sign has derivative 0; differentiating at a singular matrix raises
    `numpy.linalg.LinAlgError`. Raises ValueError unless x is square. Source: Giles, 2008,
    section 2.2.4.

    >>> import autograd as ag
    >>> ag.linalg.slogdet(ag.Tensor([[1.0, 0.0], [0.0, 1.0]]))
    SlogdetResult(sign=Tensor(1.), logabsdet=Tensor(0.))
    """
    return SlogdetResult(*_slogdet(square(x, "slogdet")))


def _vector_norm(x: Any, order: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    if order is None or order == 2:
        return root(squares_over(x, axes, keepdims))
    if order == np.inf:
        return operations.max(operations.absolute(x), axes, keepdims)
    if order == -np.inf:
        return operations.min(operations.absolute(x), axes, keepdims)
    if order == 0:
        return operations.sum(operations.sign(operations.absolute(x)), axes, keepdims)
    if order == 1:
        return operations.sum(operations.absolute(x), axes, keepdims)
    nonzero = data_of(x) != 0
    size = operations.absolute(operations.where(nonzero, x, 1.0))
    powers = operations.where(nonzero, operations.power(size, order), 0.0 if order > 0 else np.inf)
    total = operations.sum(powers, axes, keepdims)
    positive = (data_of(total) > 0) & np.isfinite(data_of(total))
    safe = operations.where(positive, total, 1.0)
    return operations.where(positive, operations.power(safe, 1.0 / order), 0.0)


def _matrix_norm(x: Any, order: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    rows, columns = axes
    if order == "fro":
        return root(squares_over(x, axes, keepdims))
    if order in ("nuc", 2, -2):
        moved = operations.moveaxis(x, axes, (-2, -1))
        values = operations.singular_values(moved)
        reduce = {"nuc": operations.sum, 2: operations.max, -2: operations.min}[order]
        out = reduce(values, -1)
        return operations.expand_dims(out, tuple(sorted(axes))) if keepdims else out
    summed, chosen = (rows, columns) if order in (1, -1) else (columns, rows)
    totals = operations.sum(operations.absolute(x), summed, True)
    largest = operations.max if order in (1, np.inf) else operations.min
    out = largest(totals, chosen, True)
    return out if keepdims else operations.squeeze(out, axes)


_APART = {"away": (0.0,)}


def _uneven(x: Any) -> Any:
    """A positive sample whose rows' and columns' sums lie apart."""
    rows, columns = x.shape
    return x / 8.0 + 1.0 + np.arange(rows)[:, None] + 2.0 * np.arange(columns)


def _uneven_stack(x: Any) -> Any:
    """The same for matrices over the first and the last of three axes."""
    rows, _, columns = x.shape
    uneven = np.arange(rows)[:, None, None] * 3.0 + 2.0 * np.arange(columns)
    return x / 8.0 + uneven + np.eye(rows, columns)[:, None, :]


@register(
    [
        call(real(3)),
        call(real(2, 3)),
        call(real(2, 3), None, 1),
        call(real(2, 3), None, 0, True),
        call(real(4, **_APART), 1),
        call(real(4, **_APART), 3),
        call(real(2, 3, **_APART), 2.5, 1),
        call(real(3, low=0.5, distinct=True), np.inf),
        call(real(3, low=0.5, distinct=True), -np.inf),
        call(real(2, 3), "fro"),
        call(real(2, 3, transform=_uneven), 1),
        call(real(2, 3, transform=_uneven), np.inf),
        call(real(2, 2, 3), "fro", (1, 2), True),
        call(real(2, 3), 2),
        call(real(3, 2), "nuc"),
        call(real(4, **_APART), 0),
        call(real(2, 3, **_APART), 0, 1, True),
        call(real(3, low=0.5), -1.5),
        call(real(2, 3, 2, transform=_uneven_stack), 1, (0, 2)),
        call(real(2, 3, 2, transform=_uneven_stack), -1, (2, 0), True),
        call(real(2, 3, 2, transform=_uneven_stack), np.inf, (-1, 0)),
        call(real(2, 3, transform=_uneven), -np.inf),
        call(real(2, 3, 2, transform=_uneven_stack), 2, (0, 2), True),
        call(real(2, 3, 2, transform=_uneven_stack), -2, (2, 0)),
        call(real(2, 3, 2, transform=_uneven_stack), "nuc", (0, -1), True),
    ],
    numpy=(np.linalg.norm,),
    analytic=False,
    kinks=(Kink((np.zeros(2),), (np.zeros(2),), "norm at 0 has derivative 0"),),
    bad=[
        bad(ValueError, "ord", np.ones((2, 2)), "no such norm"),
        bad(ValueError, "axis 3 is out of range", np.ones(2), axis=3),
        bad(ValueError, "one or two axes", np.ones((2, 2, 2)), 2),
    ],
)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """A norm of a vector or a matrix; its derivative at 0 is 0.

    `ord` None is sqrt(sum |x|^2) over all or the given axes. Over one axis (or a 1-d x), a number
    p is sum(|x|^p)^(1/p), with inf and -inf the largest and smallest |x|, 0 the count of nonzeros.
    Over two axes (or a 2-d x): 'fro', 'nuc' (sum of singular values), 1 and -1 (largest and
    smallest sum of a column), inf and -inf (of a row), 2 and -2 (singular value).

    Raises ValueError for another `ord`, or a number of axes it is not defined for.

    >>> import autograd as ag
    >>> ag.norm(ag.Tensor([3.0, 4.0]))
    Tensor(5.)
    """
    x = x if isinstance(x, (Tensor, np.ndarray)) else np.asarray(x)
    if x.dtype.kind in "iub":
        x = operations.astype(x, float)
    axes = as_axes(axis, x.ndim, "norm")
    if ord is None:
        return _vector_norm(x, None, axes, keepdims)
    if len(axes) == 1:
        if isinstance(ord, str):
            raise ValueError(f"norm: ord {ord!r} is for matrices, the axes are {axes}")
        return _vector_norm(x, ord, axes, keepdims)
    if len(axes) != 2:
        raise ValueError(
            f"norm with ord {ord!r} is over one or two axes, got {len(axes)} of an array of shape "
            f"{x.shape}; give axis, or ord=None"
        )
    if ord not in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf):
        raise ValueError(
            f"norm of a matrix takes ord 'fro', 'nuc', 1, -1, 2, -2, inf or -inf, got {ord!r}"
        )
    return _matrix_norm(x, ord, axes, keepdims)


operations.norm = norm
