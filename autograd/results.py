"""What a sweep is given and what it gives: checked seeds, and results that share no memory."""

from __future__ import annotations

import sys
from typing import Any
from weakref import getweakrefcount

import numpy as np

from autograd.kernels.buffers import alone_in_pool
from autograd.tensor import Tensor


def seed_array(seed: Any, shape: tuple[int, ...], dtype: Any, what: str) -> Any:
    """A cotangent or tangent in its primal's shape and dtype; a tracked Tensor stays one."""
    tensor = isinstance(seed, Tensor)
    array = seed._value if tensor else np.asarray(seed)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{what} has dtype {array.dtype}, expected real numbers")
    if array.shape != shape:
        raise ValueError(f"{what} has shape {array.shape}, expected its primal's shape {shape}")
    if dtype.kind != "f":
        return array
    if tensor and seed._node is not None:
        return seed if array.dtype == dtype else seed.astype(dtype)
    return array if array.dtype == dtype else array.astype(dtype)


def _references(value: Any) -> int:
    return sys.getrefcount(value)


def _like_below(value: Any) -> int:
    return _references(value)


def _of_a_variable() -> int:
    value = np.zeros(1)
    return _like_below(value)


_ALONE = _like_below(np.zeros(1))
"""What `_references` counts for an array that only the caller of its caller holds."""

_ALONE_IN_VARIABLE = _of_a_variable()
"""The same where it is in a variable there."""


def exclusive(value: Any, variables: int = 0) -> Any:
    """`value`, writable and sharing memory with nothing: itself if that holds, else a copy.

    Call it with an expression, or with a variable that is not used again; `variables` is how many
    of those hold the value. A reference that was not counted only costs a copy.
    """
    if isinstance(value, Tensor):
        return value
    if _owns_memory(value) and _references(value) <= _ALONE + variables:
        return value
    return np.array(value)


def held_once(value: Any) -> bool:
    """Whether `value`, a variable of the caller's, is an array that nothing else refers to."""
    alone = _owns_memory(value) and _references(value) <= _ALONE_IN_VARIABLE
    return alone and not getweakrefcount(value)


def _owns_memory(value: Any) -> bool:
    """Whether it is a writable array, and of all views of its memory the only one."""
    return (
        type(value) is np.ndarray
        and (value.flags.owndata if value.base is None else alone_in_pool(value))
        and value.flags.writeable
    )
