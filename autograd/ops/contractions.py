"""Products that sum over shared axes: matmul, dot, inner, outer, tensordot, kron."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.base import Pair, PushedTangents
from autograd.dispatch import operations
from autograd.families import Multilinear
from autograd.kernels.backend import LARGE
from autograd.kernels.paired_products import paired_products, sum_of_products
from autograd.kernels.products import matrix_product
from autograd.methods import set_operator
from autograd.modes import current_modes
from autograd.node import Node, small
from autograd.ops.axes import as_axes
from autograd.recording import record_plain
from autograd.registry import bad, register
from autograd.samples import call, real
from autograd.tensor import Tensor, wrap

__all__ = ["dot", "inner", "kron", "matmul", "outer", "tensordot"]


def _turned(x: Any) -> Any:
    return operations.swapaxes(x, -1, -2) if isinstance(x, Tensor) else x.swapaxes(-1, -2)


class _MatrixProduct(Multilinear):
    """Two matrices' cotangents are two products, of arrays or recorded in a node each."""

    def pull(
        self,
        node: Node,
        cotangent: Any,
        values: tuple[Any, ...],
        targets: tuple[Any, ...],
        record: bool,
    ) -> Sequence[Any]:
        if cotangent.ndim != 2:
            return super().pull(node, cotangent, values, targets, record)
        out, x, y = values
        to_x, to_y = targets
        if record:
            return (
                _by_turned(cotangent, y) if type(to_x) is Node else None,
                _turned_by(x, cotangent) if type(to_y) is Node else None,
            )
        if type(to_x) is type(to_y) is Node:
            return _both(cotangent, out, x, y)
        return (
            matrix_product(cotangent, y.T) if type(to_x) is Node else None,
            matrix_product(x.T, cotangent) if type(to_y) is Node else None,
        )

    def push(
        self, node: Node, tangents: Sequence[Any], values: tuple[Any, ...], record: bool
    ) -> Any:
        dx, dy = tangents
        if record or dx is None or dy is None or dx.ndim != 2 or dy.ndim != 2:
            return super().push(node, tangents, values, record)
        if current_modes().profile is not None:
            return super().push(node, tangents, values, record)
        _, x, y = values
        return sum_of_products(dx, y, x, dy)

    def pull_pair(
        self, node: Node, arrived: Pair, targets: tuple[Any, ...], tangents: PushedTangents
    ) -> Sequence[Pair | None] | None:
        z, dz = arrived
        if z.ndim != 2:
            return super().pull_pair(node, arrived, targets, tangents)
        _, x, y = node.saved
        dx, dy = (tangents.of(source) if type(source) is Node else None for source in node.inputs)
        to_x, to_y = targets
        x, y = x if type(to_y) is Node else None, y if type(to_x) is Node else None
        values = tangents.wants_value(to_x), tangents.wants_value(to_y)
        towards_x, towards_y, x_change, y_change = paired_products(x, y, z, dx, dy, dz, values)
        return (towards_x, x_change), (towards_y, y_change)


def _both(cotangent: Any, out: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """Both cotangents of a product of two matrices."""
    if cotangent.size * len(y) < LARGE:  # what `matrix_product` would find out twice
        return cotangent.dot(y.T), x.T.dot(cotangent)
    return matrix_product(cotangent, y.T), matrix_product(x.T, cotangent)


def _flops(out: tuple[int, ...], x: tuple[int, ...], _: tuple[int, ...]) -> int:
    return 2 * math.prod(out) * x[-1]


_matmul = _MatrixProduct(
    "matmul",
    matrix_product,
    (
        lambda cotangent, y: operations.matmul(cotangent, _turned(y)),
        lambda cotangent, x: operations.matmul(_turned(x), cotangent),
    ),
    np.matmul,
    analytic=True,
    flops=_flops,
)

# x y^T and x^T y of two matrices: with x y each other's transposes.
_by_turned: Multilinear = Multilinear(
    "matmul(x, y.T)",
    lambda x, y: matrix_product(x, y.T),
    (lambda cotangent, y: _matmul(cotangent, y), lambda cotangent, x: _turned_by(cotangent, x)),
    lambda x, y: np.matmul(x, y.swapaxes(-1, -2)),
    analytic=True,
    flops=_flops,
)

_turned_by: Multilinear = Multilinear(
    "matmul(x.T, y)",
    lambda x, y: matrix_product(x.T, y),
    (lambda cotangent, y: _by_turned(y, cotangent), lambda cotangent, x: _matmul(x, cotangent)),
    lambda x, y: np.matmul(x.swapaxes(-1, -2), y),
    analytic=True,
    flops=lambda out, x, _: 2 * math.prod(out) * x[0],
)


_ARRAYS = (Tensor, np.ndarray)


def _operand(x: Any) -> Any:
    return x if isinstance(x, _ARRAYS) else np.asarray(x)


@register(
    [
        call(real(2, 3), real(3, 4)),
        call(real(3), real(3)),
        call(real(2, 3), real(3)),
        call(real(3), real(3, 2)),
        call(real(4, 2, 3), real(3, 2)),
        call(real(2, 2, 2, 3), real(3, 2)),
        call(real(2, 3), real(4, 3, 2)),
        call(real(2, 1, 2, 3), real(3, 3, 2)),
        call(real(2, 2, 3), real(3)),
        call(real(3), real(2, 3, 2)),
        call(real(0, 2), real(2, 3)),
        call(real(2, 0), real(0, 3)),
    ],
    numpy=(np.matmul,),
    bad=[
        bad(ValueError, r"\(2, 3\).*\(2, 3\)", np.ones((2, 3)), np.ones((2, 3))),
        bad(ValueError, "0-d", np.float64(2.0), np.ones(2)),
    ],
)
def matmul(x: Any, y: Any) -> Any:
    """The matrix product over the last axis of x and the last but one of y; others broadcast.

    A 1-d x is a row, a 1-d y a column, and the axis they were given is dropped. Raises ValueError
    for a 0-d operand or sizes that do not match.

    >>> import autograd as ag
    >>> ag.matmul(ag.Tensor([[1.0, 2.0], [3.0, 4.0]]), ag.Tensor([1.0, 10.0]))
    Tensor([21., 43.])
    """
    modes = current_modes()
    out: Any
    if type(x) is type(y) is np.ndarray and x.ndim == y.ndim == 2 and modes.profile is None:
        try:
            return matrix_product(x, y)
        except (TypeError, ValueError):
            return _matmul(x, y)  # which explains the error
    x_is, y_is = isinstance(x, Tensor), isinstance(y, Tensor)
    if (x_is or type(x) is np.ndarray) and (y_is or type(y) is np.ndarray) and not modes.observed:
        xv, xn = (x._value, x._node) if x_is else (x, None)
        yv, yn = (y._value, y._node) if y_is else (y, None)
        if (x_is or y_is) and xv.ndim == yv.ndim == 2:
            # Two matrices, the commonest case, as `_matmul(x, y)` records them.
            try:
                out = matrix_product(xv, yv)
            except (TypeError, ValueError):
                return _matmul(x, y)
            if (xn is None is yn) or not modes.recording:
                return wrap(out, None)
            kept = (None, None if yn is None else xv, None if xn is None else yv)
            if xn is not None and yn is not None and xv.dtype is yv.dtype:
                return record_plain(_matmul, None, kept, out, modes, 2, _both, xn, yn)
            inputs = (small(xv) if xn is None else xn, small(yv) if yn is None else yn)
            return record_plain(_matmul, inputs, kept, out, modes, 2)
    x, y = _operand(x), _operand(y)
    rows, columns = x.ndim, y.ndim
    if rows == 2 and columns == 2:
        return _matmul(x, y)
    if not rows or not columns:
        raise ValueError(
            f"matmul got operands of shapes {x.shape} and {y.shape}; a 0-d operand has no axis to "
            "sum over, use multiply"
        )
    if x.shape[-1] != y.shape[-2 if columns > 1 else 0]:
        raise ValueError(
            f"matmul got operands of shapes {x.shape} and {y.shape}; x's last axis must be as long "
            f"as y's {'last but one' if columns > 1 else 'only one'}"
        )
    if rows == 1:
        x = operations.reshape(x, (1, x.shape[0]))
    if columns == 1:
        y = operations.reshape(y, (y.shape[0], 1))
    lead = x.shape[:-1]
    if y.ndim == 2 and x.ndim > 2:
        flat = operations.reshape(x, (int(np.prod(lead)), x.shape[-1]))
        out = operations.reshape(_matmul(flat, y), (*lead, y.shape[-1]))
    else:
        out = _matmul(x, y)
    if rows == 1 or columns == 1:
        shape = out.shape if columns > 1 else out.shape[:-1]
        if rows == 1:
            cut = len(shape) - (2 if columns > 1 else 1)
            shape = shape[:cut] + shape[cut + 1 :]
        out = operations.reshape(out, shape)
    return out if isinstance(out, Tensor) or out.ndim else out[()]


set_operator("matmul", matmul, matmul)


def _axes_of(axes: Any, x: Any, y: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if isinstance(axes, (int, np.integer)):
        count = int(axes)
        if not 0 <= count <= min(x.ndim, y.ndim):
            raise ValueError(
                f"tensordot cannot sum over {count} axes of operands of shapes {x.shape} and "
                f"{y.shape}"
            )
        return tuple(range(x.ndim - count, x.ndim)), tuple(range(count))
    try:
        first, second = axes
    except (TypeError, ValueError):
        raise TypeError(
            f"tensordot takes axes as an int or a pair of axes or of lists of axes, got {axes!r}"
        ) from None
    return (
        as_axes(first, x.ndim, "tensordot", "axes[0]"),
        as_axes(second, y.ndim, "tensordot", "axes[1]"),
    )


@register(
    [
        call(real(2, 3, 4), real(3, 4, 2)),
        call(real(2, 3), real(4, 3), (1, 1)),
        call(real(2, 3, 4), real(4, 2, 3), ([0, 2], [1, 0])),
        call(real(2), real(3), 0),
    ],
    numpy=(np.tensordot,),
    bad=[
        bad(ValueError, "tensordot", np.ones((2, 3)), np.ones((2, 3)), 1),
        bad(ValueError, "tensordot", np.ones(2), np.ones(2), 2),
        bad(TypeError, "axes", np.ones(2), np.ones(2), 0.5),
    ],
)
def tensordot(x: Any, y: Any, axes: Any = 2) -> Any:
    """The sum of products over pairs of axes: the last `axes` of x with the first of y, or those
    named in `axes = (axes of x, axes of y)`.

    The result has x's other axes, then y's. Raises ValueError for sizes that do not match.

    >>> import autograd as ag
    >>> ag.tensordot(ag.Tensor([[1.0, 2.0]]), ag.Tensor([[3.0], [4.0]]), axes=1)
    Tensor([[11.]])
    """
    x, y = _operand(x), _operand(y)
    first, second = _axes_of(axes, x, y)
    sizes = [x.shape[i] for i in first]
    if sizes != [y.shape[i] for i in second]:
        raise ValueError(
            f"tensordot got operands of shapes {x.shape} and {y.shape}, whose axes {first} and "
            f"{second} differ in size"
        )
    free_x = tuple(i for i in range(x.ndim) if i not in first)
    free_y = tuple(i for i in range(y.ndim) if i not in second)
    shape_x, shape_y = tuple(x.shape[i] for i in free_x), tuple(y.shape[i] for i in free_y)
    length = int(np.prod(sizes))
    left = operations.reshape(
        operations.transpose(x, free_x + first), (int(np.prod(shape_x)), length)
    )
    right = operations.reshape(
        operations.transpose(y, second + free_y), (length, int(np.prod(shape_y)))
    )
    return operations.reshape(matmul(left, right), shape_x + shape_y)


@register(
    [
        call(real(3), real(3)),
        call(real(2, 3), real(3, 2)),
        call(real(2, 3), real(3)),
        call(real(), real(2, 2)),
        call(real(2, 2, 3), real(2, 3, 2)),
        call(real(2, 3), real(3, 3, 2)),
        call(real(2, 2, 3), real(3)),
    ],
    numpy=(np.dot,),
    bad=[bad(ValueError, r"\(2,\).*\(3,\)", np.ones(2), np.ones(3))],
)
def dot(x: Any, y: Any) -> Any:
    """NumPy's dot: the sum over the last axis of x and the last but one (or only) of y.

    A 0-d operand multiplies. Raises ValueError for sizes that do not match.

    >>> import autograd as ag
    >>> ag.dot(ag.Tensor([1.0, 2.0]), ag.Tensor([3.0, 4.0]))
    Tensor(11.)
    """
    x, y = _operand(x), _operand(y)
    if not x.ndim or not y.ndim:
        return operations.multiply(x, y)
    if x.ndim <= 2 and y.ndim <= 2:
        return matmul(x, y)
    return tensordot(x, y, (-1, -2 if y.ndim > 1 else 0))


@register(
    [
        call(real(3), real(3)),
        call(real(2, 3), real(4, 3)),
        call(real(), real(2)),
    ],
    numpy=(np.inner,),
    bad=[bad(ValueError, r"\(2,\).*\(3,\)", np.ones(2), np.ones(3))],
)
def inner(x: Any, y: Any) -> Any:
    """The sum of products over the last axis of both; a 0-d operand multiplies.

    Raises ValueError for sizes that do not match.

    >>> import autograd as ag
    >>> ag.inner(ag.Tensor([1.0, 2.0]), ag.Tensor([3.0, 4.0]))
    Tensor(11.)
    """
    x, y = _operand(x), _operand(y)
    if not x.ndim or not y.ndim:
        return operations.multiply(x, y)
    return tensordot(x, y, (-1, -1))


@register(
    [call(real(2), real(3)), call(real(2, 2), real(2)), call(real(), real(2))],
    numpy=(np.outer,),
)
def outer(x: Any, y: Any) -> Any:
    """out[i, j] = x[i] y[j] of the flattened operands.

    >>> import autograd as ag
    >>> ag.outer(ag.Tensor([1.0, 2.0]), ag.Tensor([3.0, 4.0]))
    Tensor([[3., 4.],
            [6., 8.]])
    """
    x, y = _operand(x), _operand(y)
    return operations.reshape(x, (x.size, 1)) * operations.reshape(y, (1, y.size))


@register(
    [
        call(real(2, 3), real(2, 2)),
        call(real(2), real(3)),
        call(real(2), real(2, 2)),
        call(real(2, 2), real(3)),
        call(real(), real(2)),
    ],
    numpy=(np.kron,),
)
def kron(x: Any, y: Any) -> Any:
    """The Kronecker product: blocks x[i, j] * y.

    >>> import autograd as ag
    >>> ag.kron(ag.Tensor([1.0, 10.0]), ag.Tensor([1.0, 2.0]))
    Tensor([ 1.,  2., 10., 20.])
    """
    x, y = _operand(x), _operand(y)
    ndim = max(x.ndim, y.ndim)
    shape_x = (1,) * (ndim - x.ndim) + x.shape
    shape_y = (1,) * (ndim - y.ndim) + y.shape
    blocks = operations.reshape(x, tuple(n for size in shape_x for n in (size, 1)))
    inside = operations.reshape(y, tuple(n for size in shape_y for n in (1, size)))
    whole = tuple(a * b for a, b in zip(shape_x, shape_y, strict=True))
    return operations.reshape(blocks * inside, whole)
