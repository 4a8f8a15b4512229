"""Operations that move entries without changing them: reshape, transpose, broadcast, cast."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd.dispatch import operations
from autograd.families import Linear
from autograd.kernels.layouts import reshaped
from autograd.ops.axes import as_axes, as_axis, as_shape, ndim_of, shape_of
from autograd.registry import bad, register
from autograd.samples import call, real

__all__ = [
    "astype",
    "broadcast_to",
    "copy",
    "expand_dims",
    "moveaxis",
    "ravel",
    "reshape",
    "squeeze",
    "swapaxes",
    "transpose",
]

_reshape: Linear = Linear(
    "reshape",
    reshaped,
    lambda cotangent, in_shape, shape: operations.reshape(cotangent, in_shape),
    lambda x, whole, shape: np.reshape(x, whole),
    analytic=True,
)


@register(
    [
        call(real(2, 3), (3, 2)),
        call(real(2, 3), -1),
        call(real(), (1, 1)),
        call(real(0, 2), (2, 0)),
    ],
    numpy=(np.reshape,),
    bad=[bad(ValueError, "reshape", np.ones(3), (2, 2)), bad(TypeError, "ints", np.ones(3), 1.5)],
)
def reshape(x: Any, shape: Any) -> Any:
    """The entries of x in C order in another shape; one size may be -1 and is inferred.

    Raises ValueError if the sizes do not fit, TypeError for a shape of other than ints.

    >>> import autograd as ag
    >>> ag.reshape(ag.Tensor([1.0, 2.0, 3.0, 4.0]), (2, -1))
    Tensor([[1., 2.],
            [3., 4.]])
    """
    return _reshape(x, shape=as_shape(shape, "reshape"))


@register(
    [call(real(2, 3)), call(real()), call(real(0, 2))],
    numpy=(np.ravel,),
)
def ravel(x: Any) -> Any:
    """x with one axis, in C order.

    >>> import autograd as ag
    >>> ag.ravel(ag.Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([1., 2., 3., 4.])
    """
    return _reshape(x, shape=(-1,)) if np.size(x) else _reshape(x, shape=(0,))


@lru_cache(maxsize=1 << 8)
def _inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(axes.index(axis) for axis in range(len(axes)))


_transpose: Linear = Linear(
    "transpose",
    lambda x, axes: x.transpose(axes) if type(x) is np.ndarray else np.transpose(x, axes),
    lambda cotangent, axes: cotangent.transpose(_inverse(axes)),
    lambda x, whole, axes: np.transpose(x, (0, *(axis + 1 for axis in axes))),
    analytic=True,
)


@register(
    [
        call(real(2, 3)),
        call(real(2, 3, 4), (1, 2, 0)),
        call(real(2, 3, 2), (-1, 0, 1)),
        call(real()),
        call(real(0, 2)),
    ],
    numpy=(np.transpose, np.permute_dims),
    bad=[bad(ValueError, "axes", np.ones((2, 3)), (0, 0)), bad(ValueError, "axes", np.ones(2), 1)],
)
def transpose(x: Any, axes: Any = None) -> Any:
    """x with its axes permuted: axis i of the result is axis axes[i] of x; None reverses them.

    Raises ValueError unless `axes` names each axis once.

    >>> import autograd as ag
    >>> ag.transpose(ag.Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([[1., 3.],
            [2., 4.]])
    """
    ndim = ndim_of(x)
    chosen = as_axes(axes, ndim, "transpose", "axes") if axes is not None else range(ndim)[::-1]
    if len(chosen) != ndim:
        raise ValueError(f"transpose: axes {axes!r} must name each of the {ndim} axes once")
    return _transpose(x, axes=tuple(chosen))


@register(
    [call(real(2, 3, 2), 0, 2), call(real(2, 3), -1, -2), call(real(2), 0, 0)],
    numpy=(np.swapaxes,),
    bad=[bad(ValueError, "axis2", np.ones(2), 0, 1)],
)
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """x with two axes exchanged.

    Raises ValueError for an axis that x does not have.

    >>> import autograd as ag
    >>> ag.swapaxes(ag.Tensor([[1.0, 2.0]]), 0, 1).shape
    (2, 1)
    """
    ndim = ndim_of(x)
    axes = list(range(ndim))
    first = as_axis(axis1, ndim, "swapaxes", "axis1")
    second = as_axis(axis2, ndim, "swapaxes", "axis2")
    axes[first], axes[second] = second, first
    return _transpose(x, axes=tuple(axes))


@register(
    [call(real(2, 3, 4), 0, -1), call(real(2, 3, 2), (0, 1), (2, 0)), call(real(2), 0, 0)],
    numpy=(np.moveaxis,),
    bad=[bad(ValueError, "as many", np.ones((2, 2)), (0, 1), 0)],
)
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """x with the axes `source` moved to the positions `destination`; the others keep their order.

    Raises ValueError for axes that x does not have, or different numbers of them.

    >>> import autograd as ag
    >>> ag.moveaxis(ag.Tensor([[[1.0, 2.0]]]), -1, 0).shape
    (2, 1, 1)
    """
    ndim = ndim_of(x)
    origins = as_axes(source, ndim, "moveaxis", "source")
    targets = as_axes(destination, ndim, "moveaxis", "destination")
    if len(origins) != len(targets):
        raise ValueError(
            f"moveaxis takes as many destinations as sources, got {source!r} and {destination!r}"
        )
    order = [axis for axis in range(ndim) if axis not in origins]
    for target, origin in sorted(zip(targets, origins, strict=True)):
        order.insert(target, origin)
    return _transpose(x, axes=tuple(order))


@register(
    [call(real(1, 3, 1)), call(real(1, 3, 1), 0), call(real(2, 1), (-1,)), call(real())],
    numpy=(np.squeeze,),
    bad=[bad(ValueError, "size 1", np.ones((2, 1)), 0)],
)
def squeeze(x: Any, axis: Any = None) -> Any:
    """x without its axes of size 1, all of them or those named.

    Raises ValueError for a named axis of another size.

    >>> import autograd as ag
    >>> ag.squeeze(ag.Tensor([[1.0], [2.0]]))
    Tensor([1., 2.])
    """
    shape = shape_of(x)
    if axis is None:
        axes: tuple[int, ...] = tuple(i for i, size in enumerate(shape) if size == 1)
    else:
        axes = as_axes(axis, len(shape), "squeeze")
    for i in axes:
        if shape[i] != 1:
            raise ValueError(
                f"squeeze drops axes of size 1; axis {i} of shape {shape} has size {shape[i]}"
            )
    return _reshape(x, shape=tuple(size for i, size in enumerate(shape) if i not in axes))


@register(
    [
        call(real(2, 3), 1),
        call(real(2, 3), -1),
        call(real(2, 3), -2),
        call(real(2), (0, -1)),
        call(real(), 0),
    ],
    numpy=(np.expand_dims,),
    bad=[bad(ValueError, "axis", np.ones(2), 3)],
)
def expand_dims(x: Any, axis: Any) -> Any:
    """x with axes of size 1 inserted, so that they are at the positions `axis` of the result.

    Raises ValueError for a position out of range.

    >>> import autograd as ag
    >>> ag.expand_dims(ag.Tensor([1.0, 2.0]), 1).shape
    (2, 1)
    """
    shape = list(shape_of(x))
    count = len(axis) if isinstance(axis, (tuple, list)) else 1
    for position in sorted(as_axes(axis, len(shape) + count, "expand_dims")):
        shape.insert(position, 1)
    return _reshape(x, shape=tuple(shape))


_broadcast_to: Linear = Linear(
    "broadcast_to",
    lambda x, shape: np.broadcast_to(x, shape),
    lambda cotangent, shape: cotangent,  # the sweep sums over what was repeated
    lambda x, whole, shape: np.broadcast_to(
        x.reshape(len(x), *(1,) * (len(whole) - x.ndim), *x.shape[1:]), whole
    ),
    analytic=True,
)


@register(
    [
        call(real(3), (2, 3)),
        call(real(2, 1), (4, 2, 3)),
        call(real(), (2,)),
        call(real(2), (2,)),
        call(real(1, 2), (0, 2)),
    ],
    numpy=(np.broadcast_to,),
    bad=[bad(ValueError, "broadcast", np.ones(2), (3,))],
)
def broadcast_to(x: Any, shape: Any) -> Any:
    """x repeated along new axes and axes of size 1 to `shape`, as a read-only view.

    Raises ValueError if x does not broadcast to it.

    >>> import autograd as ag
    >>> ag.broadcast_to(ag.Tensor([1.0, 2.0]), (2, 2))
    Tensor([[1., 2.],
            [1., 2.]])
    """
    return _broadcast_to(x, shape=as_shape(shape, "broadcast_to"))


_astype: Linear = Linear(
    "astype",
    lambda x, dtype: np.asarray(x).astype(dtype),
    lambda cotangent, dtype: cotangent,
    lambda x, whole, dtype: x.astype(dtype),
    analytic=False,
)


@register(
    [call(real(2, 3), np.float64), call(real(), "float64")],
    analytic=False,
    bad=[bad(TypeError, "dtype", np.ones(2), "no such type")],
    reference=lambda x, dtype: np.asarray(x).astype(dtype),
)
def astype(x: Any, dtype: DTypeLike) -> Any:
    """x cast to another dtype; its cotangent is cast back. Integers and booleans are constants.

    Raises TypeError for a dtype that NumPy does not know.

    >>> import autograd as ag
    >>> ag.astype(ag.Tensor([1.0, 2.0]), "float32").dtype
    dtype('float32')
    """
    try:
        wanted = np.dtype(dtype)
    except TypeError:
        raise TypeError(f"astype got {dtype!r}, which is no dtype") from None
    return _astype(x, dtype=wanted)


_copy: Linear = Linear(
    "copy",
    lambda x: np.array(x, copy=True),
    lambda cotangent: cotangent,
    lambda x, whole: x,
    analytic=True,
)


@register([call(real(2, 3)), call(real()), call(real(0, 2))], numpy=(np.copy,))
def copy(x: Any) -> Any:
    """A copy of x in memory of its own, still part of the graph.

    >>> import autograd as ag
    >>> ag.copy(ag.Tensor([1.0, 2.0]))
    Tensor([1., 2.])
    """
    return _copy(x)
