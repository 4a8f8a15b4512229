"""Entries taken by arrays of indices along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.dispatch import operations
from autograd.ops.axes import as_axis, constant, ndim_of, shape_of
from autograd.ops.indexing import gather
from autograd.registry import bad, register
from autograd.samples import call, real

__all__ = ["take", "take_along_axis"]

_ROWS = np.array([0, 2, 0])


@register(
    [
        call(real(3, 4), np.array([[0, 2], [1, 1]])),
        call(real(3, 4), _ROWS, 0),
        call(real(3, 4), 1, -1),
        call(real(2, 3, 2), _ROWS, 1),
    ],
    numpy=(np.take,),
    bad=[
        bad(IndexError, "out of bounds", np.ones(3), 5),
        bad(TypeError, "integers", np.ones(3), 0.5),
    ],
)
def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """The entries `indices` along an axis, of the flattened x if `axis` is None.

    The result's shape is x's with that axis replaced by the shape of `indices`. Raises
    IndexError for an index out of bounds, TypeError for indices that are no integers.

    >>> import autograd as ag
    >>> ag.take(ag.Tensor([1.0, 2.0, 3.0]), [2, 0])
    Tensor([3., 1.])
    """
    array = constant(indices, "take", "indices")
    if array.dtype.kind not in "iu":
        if array.size:
            raise TypeError(f"take needs indices that are integers, got dtype {array.dtype}")
        array = array.astype(np.intp)
    if axis is None:
        return gather(operations.ravel(x), array)
    where = as_axis(axis, ndim_of(x), "take")
    return gather(x, (*(slice(None),) * where, array))


def along_axis(indices: Any, axis: int) -> tuple[Any, ...]:
    """The index of `take_along_axis`, made of open grids but for `axis`."""
    ndim = indices.ndim
    return tuple(
        indices
        if i == axis
        else np.arange(size).reshape([-1 if i == j else 1 for j in range(ndim)])
        for i, size in enumerate(indices.shape)
    )


@register(
    [
        call(real(3, 2), np.array([[0, 2], [1, 1]]), 0),
        call(real(3, 2), np.array([[0], [1], [1]]), -1),
        call(real(4), np.array([3, 3]), None),
        call(real(1, 3), np.array([[0, 2], [1, 1]]), 1),
        call(real(2, 3), np.array([[2, 0]]), 1),
        call(real(2, 1, 3), np.array([[[0], [2], [1], [1]]]), 2),
    ],
    numpy=(np.take_along_axis,),
    bad=[
        bad(ValueError, "dimensions", np.ones((2, 2)), np.zeros(2, int), 0),
        bad(TypeError, "integers", np.ones(2), np.zeros(2), 0),
    ],
)
def take_along_axis(x: Any, indices: Any, axis: int | None = -1) -> Any:
    """out[i, k] = x[i, indices[i, k]] along an axis, as argsort and argmax give indices.

    Axes other than `axis` broadcast. With axis None, x is flattened. Raises ValueError unless x
    and `indices` have the same number of dimensions, TypeError for indices that are no integers.

    >>> import autograd as ag
    >>> import numpy as np
    >>> ag.take_along_axis(ag.Tensor([[1.0, 2.0], [3.0, 4.0]]), np.array([[1], [0]]), axis=1)
    Tensor([[2.],
            [3.]])
    """
    array = constant(indices, "take_along_axis", "indices")
    if array.dtype.kind not in "iu":
        raise TypeError(f"take_along_axis needs indices that are integers, got {array.dtype}")
    if axis is None:
        x, axis = operations.ravel(x), 0
    shape = shape_of(x)
    if len(shape) != array.ndim:
        raise ValueError(
            f"take_along_axis needs indices with as many dimensions as x, got shapes "
            f"{array.shape} and {shape}"
        )
    where = as_axis(axis, len(shape), "take_along_axis")
    full = np.broadcast_shapes(
        array.shape, tuple(1 if i == where else size for i, size in enumerate(shape))
    )
    array = np.broadcast_to(array, full)
    if any(shape[i] == 1 and full[i] != 1 for i in range(len(shape)) if i != where):
        x = operations.broadcast_to(
            x, tuple(size if i == where else full[i] for i, size in enumerate(shape))
        )
    return gather(x, along_axis(array, where))
