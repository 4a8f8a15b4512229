"""Reading entries by index, and copies with entries replaced or added to."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.dispatch import operations
from autograd.families import Linear
from autograd.kernels.buffers import empty
from autograd.kernels.indexed_rows import add_at, read_at
from autograd.ops.axes import constant
from autograd.registry import Kink, bad, register
from autograd.samples import call, real
from autograd.tensor import Tensor

__all__ = ["At", "at", "getitem", "index_add", "index_set"]


def _read_index(index: Any) -> Any:
    """An index with Tensors and lists in it as arrays."""
    if type(index) is tuple:
        return tuple(_read_index(item) for item in index)
    if isinstance(index, (Tensor, list)):
        array = constant(index, "indexing", "the index")
        if array.size == 0 and isinstance(index, list):
            return array.astype(np.intp)
        return array
    return index


def _repeats(index: Any) -> bool:
    """Whether an index may read an entry twice: only integer arrays can."""
    items = index if type(index) is tuple else (index,)
    return any(isinstance(item, np.ndarray) and item.dtype.kind != "b" for item in items)


def _zeros(shape: tuple[int, ...], values: Any) -> Any:
    """Zeros of the dtype of `values`, in their memory order if that can be told."""
    if type(values) is not np.ndarray or values.ndim != len(shape):
        return np.zeros(shape, np.result_type(values))
    order = sorted(range(values.ndim), key=lambda axis: -abs(values.strides[axis]))
    packed = empty(tuple(shape[axis] for axis in order), values.dtype)  # used before, if large
    packed.fill(0)
    return packed.transpose(np.argsort(order))


def _scattered(values: Any, index: Any, shape: tuple[int, ...], distinct: bool) -> Any:
    out = _zeros(shape, values)
    if distinct or not _repeats(index):
        out[index] = values
    else:
        add_at(out, index, values)
    return out


def _along(index: Any) -> Any:
    """The same index of every array along a first axis, or None if it has no such form."""
    if not isinstance(index, tuple):
        return (slice(None), index)
    if len(index) > 1 and any(isinstance(item, (np.ndarray, bool)) for item in index):
        # NumPy puts the axes that arrays index first, unless the arrays are next to each other.
        return None
    return (slice(None), *index)


_gather: Linear = Linear(
    "getitem",
    lambda x, index, distinct: read_at(x, index),
    lambda cotangent, in_shape, index, distinct: _scatter(
        cotangent, index=index, shape=in_shape, distinct=distinct
    ),
    lambda x, whole, index, distinct: None if (i := _along(index)) is None else x[i],
    analytic=True,
)

_scatter: Linear = Linear(
    "scatter_add",
    _scattered,
    lambda cotangent, index, shape, distinct: _gather(cotangent, index=index, distinct=distinct),
    lambda x, whole, index, shape, distinct: (
        None if (i := _along(index)) is None else _scattered(x, i, whole, distinct)
    ),
    analytic=True,
)


def gather(x: Any, index: Any, *, distinct: bool = False) -> Any:
    """`x[index]`; `distinct` promises that no entry is read twice."""
    if not isinstance(x, (Tensor, np.ndarray)):
        x = np.asarray(x)
    return _gather(x, index=index, distinct=distinct)


_ROWS = np.array([0, 2, 0])


@register(
    [
        call(real(3, 4), 1),
        call(real(3, 4), (slice(None, None, -1), slice(1, 3))),
        call(real(3, 4), (..., 0, None)),
        call(real(3, 4), _ROWS),
        call(real(3, 4), (_ROWS, np.array([1, 1, 1]))),
        call(real(2, 3, 4), (np.array([0, 1]), slice(None), np.array([3, -1]))),
        call(real(2, 3), np.array([[True, False, True], [False, False, True]])),
        call(real(), ()),
        call(real(0, 2), slice(None)),
    ],
    bad=[bad(IndexError, "out of bounds", np.ones(3), 5)],
    reference=lambda x, index: np.asarray(x)[index],
)
def getitem(x: Any, index: Any) -> Any:
    """x[index], with NumPy's basic, integer-array and boolean indexing.

    Raises IndexError for an index out of bounds, RuntimeError for a tracked Tensor as index.

    >>> import autograd as ag
    >>> ag.getitem(ag.Tensor([1.0, 2.0, 3.0]), [0, 0, 2])
    Tensor([1., 1., 3.])
    """
    return gather(x, _read_index(index))


def _added(x: Any, values: Any, index: Any) -> Any:
    out = np.array(x, copy=True)
    add_at(out, index, values)
    return out


_add: Linear = Linear(
    "index_add",
    _added,
    (
        lambda cotangent, index: cotangent,
        lambda cotangent, index: _gather(cotangent, index=index, distinct=False),
    ),
    analytic=True,
)


def _replaced(x: Any, values: Any, index: Any, last: Any) -> Any:
    out = np.array(x, copy=True)
    out[index] = values
    return out


_set: Linear = Linear(
    "index_set",
    _replaced,
    (
        lambda cotangent, index, last: _set(cotangent, np.float32(0), index=index, last=last),
        lambda cotangent, in_shape, index, last: operations.where(
            last, _gather(cotangent, index=index, distinct=False), 0.0
        ),
    ),
    analytic=True,
)


def _check_target(x: Any, values: Any, index: Any, name: str) -> tuple[Any, Any, tuple[int, ...]]:
    """x, the values in x's dtype, and the shape that the index selects."""
    x = x if isinstance(x, (Tensor, np.ndarray)) else np.asarray(x)
    values = values if isinstance(values, (Tensor, np.ndarray)) else np.asarray(values)
    if x.dtype.kind in "iub" and values.dtype.kind in "fc":
        raise TypeError(
            f"{name} cannot put {values.dtype} into an array of dtype {x.dtype}; "
            "make the array a float one first"
        )
    selected = np.empty(x.shape, np.bool_)[index].shape
    try:
        fits = np.broadcast_shapes(values.shape, selected) == selected
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"{name}: values of shape {values.shape} do not broadcast to the selected entries, "
            f"whose shape is {selected}"
        )
    if values.dtype != x.dtype and not (values.dtype.kind == "c" or x.dtype.kind == "c"):
        values = operations.astype(values, x.dtype)
    elif values.dtype.kind == "c" and x.dtype.kind == "f":
        x = x.astype(values.dtype)
    return x, values, selected


@register(
    [
        call(real(3, 2), _ROWS, real(3, 2)),
        call(real(3, 2), (slice(1, None), 0), real()),
        call(real(3, 2), np.array([True, False, True]), real(2)),
        call(real(), (), real()),
    ],
    bad=[bad(ValueError, "broadcast", np.ones(3), slice(0, 2), np.ones(3))],
    kinks=(
        Kink(
            (np.zeros(2), np.array([0, 0]), np.array([1.0, 2.0])),
            (np.ones(2), None, np.ones(2)),
            "of an entry named twice both are added",
        ),
    ),
    reference=lambda x, index, values: _added(x, values, index),
)
def index_add(x: Any, index: Any, values: Any) -> Any:
    """A copy of x with `values` added at `index`; an entry named twice gets both.

    `x.at[index].add(values)` is the same. Raises ValueError if the values do not broadcast to
    the selected entries, TypeError for float values in an integer array.

    >>> import autograd as ag
    >>> ag.index_add(ag.Tensor([1.0, 2.0]), [0, 0], 10.0)
    Tensor([21.,  2.])
    """
    index = _read_index(index)
    x, values, selected = _check_target(x, values, index, "index_add")
    return _add(x, operations.broadcast_to(values, selected), index=index)


@register(
    [
        call(real(3, 2), _ROWS, real(3, 2)),
        call(real(3, 2), (slice(1, None), 0), real()),
        call(real(3, 2), np.array([True, False, True]), real(2)),
        call(real(), (), real()),
    ],
    bad=[bad(ValueError, "broadcast", np.ones(3), slice(0, 2), np.ones(3))],
    kinks=(
        Kink(
            (np.zeros(2), np.array([0, 0]), np.array([1.0, 2.0])),
            (np.array([0.0, 1.0]), None, np.array([0.0, 1.0])),
            "of an entry set twice the last stays",
        ),
    ),
    reference=lambda x, index, values: _replaced(x, values, index, None),
)
def index_set(x: Any, index: Any, values: Any) -> Any:
    """A copy of x with the entries at `index` replaced; of an entry named twice the last stays.

    `x.at[index].set(values)` is the same. Raises ValueError if the values do not broadcast to
    the selected entries, TypeError for float values in an integer array.

    >>> import autograd as ag
    >>> ag.index_set(ag.Tensor([1.0, 2.0]), [0, 0], [3.0, 4.0])
    Tensor([4., 2.])
    """
    index = _read_index(index)
    x, values, selected = _check_target(x, values, index, "index_set")
    last: Any = True
    if _repeats(index):
        # What stays is found by writing each value's number in the same way.
        numbers = np.arange(int(np.prod(selected))).reshape(selected)
        written = np.empty(x.shape, np.intp)
        written[index] = numbers
        last = written[index] == numbers
    return _set(x, operations.broadcast_to(values, selected), index=index, last=last)


class At:
    """`at(x)[index].set(values)` and `.add(values)`: changed copies, as `x.at` gives them.

    >>> import autograd as ag
    >>> ag.Tensor([1.0, 2.0]).at[0].set(5.0)
    Tensor([5., 2.])
    >>> ag.Tensor([1.0, 2.0]).at[[1, 1]].add(1.0)
    Tensor([1., 4.])
    """

    __slots__ = ("_array",)

    def __init__(self, array: Any) -> None:
        self._array = array

    def __getitem__(self, index: Any) -> AtIndex:
        return AtIndex(self._array, index)


class AtIndex:
    """The entries of an array at an index, to be replaced or added to in a copy."""

    __slots__ = ("_array", "_index")

    def __init__(self, array: Any, index: Any) -> None:
        self._array = array
        self._index = index

    def set(self, values: Any) -> Any:
        """`index_set(array, index, values)`."""
        return index_set(self._array, self._index, values)

    def add(self, values: Any) -> Any:
        """`index_add(array, index, values)`."""
        return index_add(self._array, self._index, values)


at = At
operations.at = At
