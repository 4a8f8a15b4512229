"""Reading axis and shape arguments, with messages that name the operation."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from autograd.errors import TrackedTensorError
from autograd.tensor import Tensor


def as_axis(axis: Any, ndim: int, name: str, argument: str = "axis") -> int:
    """One axis as a number from 0 to ndim - 1."""
    try:
        number = index(axis)
    except TypeError:
        raise TypeError(f"{name} takes {argument} as an int, got {_shown(axis)}") from None
    if not -ndim <= number < ndim:
        raise ValueError(
            f"{name}: {argument} {number} is out of range for an array with {ndim} "
            f"dimension{'s' * (ndim != 1)}; give one from {-ndim} to {ndim - 1}"
            if ndim
            else f"{name}: {argument} {number} is out of range for a 0-d array; leave it out"
        )
    return number % ndim


def as_axes(axis: Any, ndim: int, name: str, argument: str = "axis") -> tuple[int, ...]:
    """None (all), an int or a sequence of ints as a tuple of distinct axes."""
    if axis is None:
        return tuple(range(ndim))
    chosen = axis if isinstance(axis, (tuple, list)) else (axis,)
    axes = tuple(as_axis(item, ndim, name, argument) for item in chosen)
    if len(set(axes)) != len(axes):
        raise ValueError(f"{name}: {argument} {axis!r} names an axis twice")
    return axes


def as_shape(shape: Any, name: str) -> tuple[int, ...]:
    """An int or a sequence of ints as a shape."""
    sizes: Sequence[Any] = shape if isinstance(shape, (tuple, list)) else (shape,)
    try:
        return tuple(index(size) for size in sizes)
    except TypeError:
        raise TypeError(f"{name} takes a shape of ints, got {_shown(shape)}") from None


def _shown(value: Any) -> str:
    """For a message: an array by its shape, for its entries may be many."""
    if isinstance(value, (Tensor, np.ndarray)) and value.ndim:
        return f"{type(value).__name__} of shape {value.shape} and dtype {value.dtype}"
    return f"{value!r} ({type(value).__name__})"


def constant(value: Any, name: str, argument: str) -> Any:
    """The array of an argument without a derivative, such as an index or a mask."""
    if isinstance(value, Tensor):
        if value.requires_grad:
            raise TrackedTensorError(
                f"{name}: {argument} is a tracked Tensor, but has no derivative; "
                "pass `.detach()` of it"
            )
        return value.data
    return np.asarray(value)


def ndim_of(value: Any) -> int:
    """np.ndim, which asks a Tensor the long way round."""
    return int(value.ndim if isinstance(value, (Tensor, np.ndarray)) else np.ndim(value))


def shape_of(value: Any) -> tuple[int, ...]:
    """np.shape, which asks a Tensor the long way round."""
    return value.shape if isinstance(value, (Tensor, np.ndarray)) else np.shape(value)


def data_of(value: Any) -> Any:
    """What lies under a Tensor; anything else as it is."""
    return value.data if isinstance(value, Tensor) else value
