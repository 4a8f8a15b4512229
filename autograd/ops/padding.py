"""Larger arrays from smaller ones: pad, flip, roll, tile, repeat; and sort."""

from __future__ import annotations

import math
from operator import index
from typing import Any

import numpy as np

from autograd.dispatch import operations
from autograd.families import Linear
from autograd.kernels.backend import LARGE
from autograd.kernels.buffers import empty
from autograd.kernels.layouts import assign, repeated
from autograd.kernels.sorting import stable_order
from autograd.ops.axes import as_axes, as_axis, as_shape, constant, data_of, ndim_of, shape_of
from autograd.ops.indexing import gather
from autograd.ops.taking import along_axis
from autograd.registry import bad, register
from autograd.samples import call, real

__all__ = ["flip", "pad", "repeat", "roll", "sort", "tile"]

_INDEX_MODES = ("edge", "reflect", "symmetric", "wrap")


def _inner(shape: tuple[int, ...], width: tuple[tuple[int, int], ...]) -> tuple[slice, ...]:
    return tuple(
        [slice(before, before + size) for size, (before, _) in zip(shape, width, strict=True)]
    )


def _zeros_around(x: Any, width: tuple[tuple[int, int], ...]) -> Any:
    if type(x) is not np.ndarray or not x.ndim:
        return np.pad(x, width)
    inner = _inner(x.shape, width)
    shape = tuple(
        [size + before + after for size, (before, after) in zip(x.shape, width, strict=True)]
    )
    if math.prod(shape) < LARGE and x.dtype.kind in "fiubc":
        out = np.zeros(shape, x.dtype)
        out[inner] = x
        return out
    out = empty(shape, x.dtype)
    for axis, part in enumerate(inner):
        for outer in (slice(0, part.start), slice(part.stop, None)):
            out[(*inner[:axis], outer)] = 0
    assign(out[inner], x)
    return out


_pad_zeros: Linear = Linear(
    "pad",
    _zeros_around,
    lambda cotangent, in_shape, width: gather(cotangent, _inner(in_shape, width)),
    analytic=True,
)


def _as_width(pad_width: Any, ndim: int) -> tuple[tuple[int, int], ...]:
    if type(pad_width) is int and 0 <= pad_width < 1 << 31:
        return ((pad_width, pad_width),) * ndim
    array = constant(pad_width, "pad", "pad_width")
    if array.dtype.kind not in "iu":
        raise TypeError(f"pad takes pad_width as ints, got {pad_width!r}")
    if array.size and array.min() < 0:
        raise ValueError(f"pad takes no negative pad_width, got {pad_width!r}")
    try:
        full = np.broadcast_to(array, (ndim, 2))
    except ValueError:
        raise ValueError(
            f"pad takes pad_width as an int, (before, after), or one such pair for each of the "
            f"{ndim} axes, got {pad_width!r}"
        ) from None
    return tuple((int(before), int(after)) for before, after in full)


@register(
    [
        call(real(2, 3), 1),
        call(real(2, 3), ((1, 0), (2, 1))),
        call(real(3), (2, 1), constant_values=5.0),
        call(real(3, 4), ((2, 1), (0, 3)), "reflect"),
        call(real(2, 3), ((1, 2), (3, 0)), "edge"),
        call(real(0, 2), ((1, 0), (0, 0))),
    ],
    numpy=(np.pad,),
    bad=[
        bad(ValueError, "negative", np.ones(3), -1),
        bad(ValueError, "mode", np.ones(3), 1, "no such mode"),
        bad(ValueError, "pair for each", np.ones(3), ((1, 2), (1, 2))),
    ],
)
def pad(x: Any, pad_width: Any, mode: str = "constant", *, constant_values: Any = 0) -> Any:
    """x with entries added before and after along each axis.

    `pad_width` is an int, (before, after), or one pair per axis. Modes: 'constant' (with
    `constant_values`, laid out like `pad_width`), 'edge', 'reflect', 'symmetric', 'wrap'.

    Raises ValueError for another mode, a negative width, or widths that do not fit the axes.

    >>> import autograd as ag
    >>> ag.pad(ag.Tensor([1.0, 2.0, 3.0]), (2, 1), mode="reflect")
    Tensor([3., 2., 1., 2., 3., 2.])
    """
    ndim = ndim_of(x)
    width = _as_width(pad_width, ndim)
    if mode == "constant":
        padded = _pad_zeros(x, width=width)
        if type(constant_values) is int and not constant_values:
            return padded
        values = constant(constant_values, "pad", "constant_values")
        if not np.any(values):
            return padded
        frame = np.pad(np.zeros(shape_of(x), data_of(padded).dtype), width, constant_values=values)
        return padded + frame
    if mode not in _INDEX_MODES:
        raise ValueError(f"pad has no mode {mode!r}; use 'constant' or one of {_INDEX_MODES}")
    for axis, amounts in enumerate(width):
        if amounts != (0, 0):
            numbers: Any = np.arange(shape_of(x)[axis])
            way: Any = mode
            source = np.pad(numbers, amounts, mode=way)
            x = gather(x, (*(slice(None),) * axis, source))
    return x


@register(
    [call(real(2, 3)), call(real(2, 3), 0), call(real(2, 3, 2), (0, -1)), call(real())],
    numpy=(np.flip,),
    bad=[bad(ValueError, "axis", np.ones(2), 1)],
)
def flip(x: Any, axis: Any = None) -> Any:
    """x with the order of its entries reversed along one, several or all axes.

    Raises ValueError for an axis that x does not have.

    >>> import autograd as ag
    >>> ag.flip(ag.Tensor([1.0, 2.0, 3.0]))
    Tensor([3., 2., 1.])
    """
    ndim = ndim_of(x)
    axes = as_axes(axis, ndim, "flip")
    return gather(x, tuple(slice(None, None, -1 if i in axes else None) for i in range(ndim)))


_roll: Linear = Linear(
    "roll",
    lambda x, shift, axis: np.roll(x, shift, axis),
    lambda cotangent, shift, axis: operations.roll(cotangent, tuple(-s for s in shift), axis),
    analytic=True,
)


@register(
    [
        call(real(5), 2),
        call(real(2, 3), 1, 1),
        call(real(2, 3), (1, -1), (0, 1)),
        call(real(2, 3), 4),
        call(real(3, 4), 1, (0, 1)),
        call(real(5), (1, 2), 0),
    ],
    numpy=(np.roll,),
    bad=[bad(TypeError, "shift", np.ones(2), 0.5)],
)
def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    """x with its entries moved by `shift` places along an axis, those pushed out coming back in.

    With axis None, x is rolled flattened and reshaped. Raises TypeError for shifts that are no
    ints, ValueError for an axis that x does not have.

    >>> import autograd as ag
    >>> ag.roll(ag.Tensor([1.0, 2.0, 3.0]), 1)
    Tensor([3., 1., 2.])
    """
    if axis is None:
        flat = roll(operations.ravel(x), shift, 0)
        return operations.reshape(flat, shape_of(x))
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    numbers = tuple(as_axis(item, ndim_of(x), "roll") for item in axes)
    try:
        shifts = tuple(index(s) for s in (shift if isinstance(shift, (tuple, list)) else (shift,)))
    except TypeError:
        raise TypeError(f"roll takes shift as ints, got {shift!r}") from None
    if len(shifts) != len(numbers):
        if 1 not in (len(shifts), len(numbers)):
            raise ValueError(f"roll got {len(shifts)} shifts for {len(numbers)} axes")
        count = max(len(shifts), len(numbers))
        shifts, numbers = shifts * (count // len(shifts)), numbers * (count // len(numbers))
    return _roll(x, shift=shifts, axis=numbers)


@register(
    [
        call(real(2, 3), 2),
        call(real(2), (2, 3)),
        call(real(2, 1, 2), (1, 3, 1)),
        call(real(), 3),
    ],
    numpy=(np.tile,),
    bad=[bad(ValueError, "negative", np.ones(2), -1)],
)
def tile(x: Any, reps: Any) -> Any:
    """x repeated as a whole, reps[i] times along axis i (the last axes, if there are fewer).

    Raises ValueError for a negative number of repetitions.

    >>> import autograd as ag
    >>> ag.tile(ag.Tensor([1.0, 2.0]), 2)
    Tensor([1., 2., 1., 2.])
    """
    counts = as_shape(reps.tolist() if isinstance(reps, np.ndarray) else reps, "tile")
    if any(count < 0 for count in counts):
        raise ValueError(f"tile takes no negative number of repetitions, got {reps!r}")
    shape = shape_of(x)
    ndim = max(len(shape), len(counts))
    shape = (1,) * (ndim - len(shape)) + shape
    counts = (1,) * (ndim - len(counts)) + counts
    spread = operations.reshape(x, tuple(n for size in shape for n in (1, size)))
    pairs = tuple(n for count, size in zip(counts, shape, strict=True) for n in (count, size))
    whole = tuple(count * size for count, size in zip(counts, shape, strict=True))
    return operations.reshape(operations.broadcast_to(spread, pairs), whole)


def _sums_of_groups(cotangent: Any, in_shape: tuple[int, ...], count: int, axis: int) -> Any:
    groups = (*in_shape[: axis + 1], count, *in_shape[axis + 1 :])
    return operations.sum(operations.reshape(cotangent, groups), axis + 1)


_repeat: Linear = Linear("repeat", repeated, _sums_of_groups, analytic=True)


@register(
    [
        call(real(2, 3), 2),
        call(real(2, 3), 2, 1),
        call(real(3), np.array([0, 2, 1]), 0),
        call(real(), 3),
    ],
    numpy=(np.repeat,),
    bad=[
        bad(ValueError, "repeats", np.ones(3), [1, 2], 0),
        bad(TypeError, "ints", np.ones(3), 0.5),
    ],
)
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    """x with each entry repeated along an axis, all equally often or entry i repeats[i] times.

    With axis None, x is flattened first. Raises ValueError for a wrong number of counts or a
    negative one, TypeError for counts that are no ints.

    >>> import autograd as ag
    >>> ag.repeat(ag.Tensor([1.0, 2.0]), 2)
    Tensor([1., 1., 2., 2.])
    """
    counts = constant(repeats, "repeat", "repeats")
    if counts.dtype.kind not in "iu":
        raise TypeError(f"repeat takes repeats as ints, got {repeats!r}")
    if axis is None:
        x, axis = operations.ravel(x), 0
    where = as_axis(axis, ndim_of(x), "repeat")
    size = shape_of(x)[where]
    if counts.ndim > 1 or counts.size not in (1, size) or (counts.size and counts.min() < 0):
        raise ValueError(
            f"repeat takes repeats as one count or one for each of the {size} entries of axis "
            f"{where}, none negative, got {repeats!r}"
        )
    if counts.size == 1:
        return _repeat(x, count=counts.item(), axis=where)
    return gather(x, (*(slice(None),) * where, np.repeat(np.arange(size), counts)))


@register(
    [
        call(real(2, 5, distinct=True)),
        call(real(4, 2, distinct=True), 0),
        call(real(2, 3, distinct=True), None),
        call(real(0)),
    ],
    numpy=(np.sort,),
    analytic=False,
    bad=[bad(ValueError, "axis", np.ones(2), 1)],
)
def sort(x: Any, axis: int | None = -1) -> Any:
    """x in ascending order along an axis; of equal entries the first stays first.

    With axis None, x is flattened first. Raises ValueError for an axis that x does not have.

    >>> import autograd as ag
    >>> ag.sort(ag.Tensor([3.0, 1.0, 2.0]))
    Tensor([1., 2., 3.])
    """
    if axis is None:
        x, axis = operations.ravel(x), 0
    where = as_axis(axis, ndim_of(x), "sort")
    order = stable_order(data_of(x), where)
    return gather(x, along_axis(order, where), distinct=True)
