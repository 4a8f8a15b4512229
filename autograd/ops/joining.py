"""Putting arrays together and taking them apart."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from autograd.dispatch import operations
from autograd.families import Linear
from autograd.kernels import joining as kernels
from autograd.ops.axes import as_axis, constant, ndim_of, shape_of
from autograd.ops.indexing import gather
from autograd.registry import bad, register
from autograd.samples import call, many, real
from autograd.tensor import Tensor

__all__ = ["concatenate", "split", "stack"]


def _part(start: int, stop: int, axis: int) -> tuple[slice, ...]:
    return (*(slice(None),) * axis, slice(start, stop))


def _separated(cotangent: Any, in_shape: tuple[tuple[int, ...], ...], axis: int) -> tuple[Any, ...]:
    ends = list(accumulate((shape[axis] for shape in in_shape), initial=0))
    if type(cotangent) is np.ndarray:
        return kernels.separate(cotangent, ends, axis)
    return tuple(gather(cotangent, _part(a, b, axis)) for a, b in pairwise(ends))


_concatenate: Linear = Linear(
    "concatenate",
    lambda *arrays, axis: kernels.join(arrays, axis),
    lambda cotangent, in_shape, axis: _separated(
        cotangent, in_shape if isinstance(in_shape[0], tuple) else (in_shape,), axis
    ),
    analytic=True,
)

_stack: Linear = Linear(
    "stack",
    lambda *arrays, axis: np.stack(arrays, axis),
    lambda cotangent, axis: tuple(
        gather(cotangent, (*(slice(None),) * axis, i)) for i in range(cotangent.shape[axis])
    ),
    analytic=True,
)


def _list_of(arrays: Any, name: str) -> list[Any]:
    if ndim_of(arrays) == 0 if isinstance(arrays, (Tensor, np.ndarray)) else False:
        raise TypeError(f"{name} takes a sequence of arrays, got a 0-d {type(arrays).__name__}")
    try:
        items = list(arrays)
    except TypeError:
        raise TypeError(
            f"{name} takes a sequence of arrays, got {type(arrays).__name__}; write {name}([a, b])"
        ) from None
    if not items:
        raise ValueError(f"{name} needs at least one array, got an empty sequence")
    return [item if isinstance(item, Tensor) else np.asarray(item) for item in items]


@register(
    [
        call(many(real(2, 3), real(1, 3))),
        call(many(real(2, 1), real(2, 0), real(2, 2)), 1),
        call(many(real(3), real(2)), -1),
        call(many(real(2, 2), real(3)), None),
        call(many(real(2))),
    ],
    numpy=(np.concatenate,),
    bad=[
        bad(ValueError, "concatenate", [np.ones((2, 3)), np.ones((2, 4))]),
        bad(ValueError, "0-d", [np.float64(1.0), np.float64(2.0)]),
        bad(TypeError, "sequence", 3.0),
    ],
)
def concatenate(arrays: Any, axis: int | None = 0) -> Any:
    """Arrays one after the other along an axis that exists; None flattens them first.

    Raises ValueError if their other sizes differ, TypeError for something else than a sequence.

    >>> import autograd as ag
    >>> ag.concatenate([ag.Tensor([1.0]), ag.Tensor([2.0, 3.0])])
    Tensor([1., 2., 3.])
    """
    items = _list_of(arrays, "concatenate")
    if axis is None:
        items, axis = [operations.ravel(item) for item in items], 0
    if ndim_of(items[0]) == 0:
        raise ValueError("concatenate got 0-d arrays, which have no axis; use stack")
    return _concatenate(*items, axis=as_axis(axis, ndim_of(items[0]), "concatenate"))


@register(
    [
        call(many(real(2, 3), real(2, 3))),
        call(many(real(2), real(2), real(2)), 1),
        call(many(real(), real())),
        call(many(real(2, 3)), -2),
    ],
    numpy=(np.stack,),
    bad=[bad(ValueError, "same shape", [np.ones(2), np.ones(3)])],
)
def stack(arrays: Any, axis: int = 0) -> Any:
    """Arrays of one shape along a new axis; 0-d Tensors become a vector.

    Raises ValueError if the shapes differ, TypeError for something else than a sequence.

    >>> import autograd as ag
    >>> ag.stack([ag.Tensor(1.0), ag.Tensor(2.0)])
    Tensor([1., 2.])
    """
    items = _list_of(arrays, "stack")
    shapes = {shape_of(item) for item in items}
    if len(shapes) > 1:
        raise ValueError(f"stack needs arrays of the same shape, got {sorted(shapes)}")
    return _stack(*items, axis=as_axis(axis, ndim_of(items[0]) + 1, "stack"))


_split: Linear = Linear(
    "split",
    lambda x, points, axis: tuple(np.split(x, points, axis)),
    lambda cotangents, points, axis: operations.concatenate(cotangents, axis),
    analytic=True,
)


@register(
    [
        call(real(4, 2), 2),
        call(real(2, 5), [1, 3], 1),
        call(real(3), 3, -1),
        call(real(3), [1]),
    ],
    numpy=(np.split,),
    bad=[
        bad(ValueError, "equal", np.ones(3), 2),
        bad(ValueError, "0-d", np.float64(1.0), 1),
    ],
)
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """x cut along an axis: into that many equal parts, or before each of the given indices.

    Raises ValueError if it has no equal parts of that number, or no axes.

    >>> import autograd as ag
    >>> ag.split(ag.Tensor([1.0, 2.0, 3.0]), [1])
    [Tensor([1.]), Tensor([2., 3.])]
    """
    shape = shape_of(x)
    if not shape:
        raise ValueError("split got a 0-d array, which has no axis to cut")
    where = as_axis(axis, len(shape), "split")
    points = constant(indices_or_sections, "split", "indices_or_sections")
    if points.dtype.kind not in "iu" and points.size:
        raise TypeError(f"split takes integers, got {indices_or_sections!r}")
    if points.ndim == 0:
        count = int(points)
        if count < 1 or shape[where] % count:
            raise ValueError(
                f"split cannot cut axis {where} of shape {shape} into {count} equal parts; "
                "give the indices to cut at"
            )
        points = np.arange(1, count) * (shape[where] // count)
    return list(_split(x, points=tuple(int(p) for p in points), axis=where))
