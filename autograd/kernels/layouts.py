"""Copies of arrays in another order in memory, as of channels last from channels first."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.kernels import backend
from autograd.kernels.backend import compiled_for, read_only
from autograd.kernels.buffers import empty, empty_like
from autograd.kernels.windows import (
    Sizes,
    channels_put_second,
    is_channels_last,
)
from autograd.kernels.workers import WORTH_A_THREAD, parallel_parts, parallel_ranges

__all__ = ["assign", "images_like", "in_layout_of", "in_order_of", "repeat_rows", "reshaped"]

Array = np.ndarray[Any, Any]

NANOSECONDS_A_BYTE = 0.05
"""About what a copy takes one thread."""

FEW = 64
"""Repetitions that are begun one by one."""


def assign(target: Array, source: Array) -> None:
    """target[...] = source, for arrays of one shape and dtype that share no memory.

    >>> target = np.zeros((2, 2))
    >>> assign(target, np.ones((2, 2)).T)
    >>> target.tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    assert target.shape == source.shape
    pairs = None
    if source.size >= backend.fewest and source.dtype == target.dtype:
        pairs = _exchanged(source, target)
    if pairs is None or not compiled_for(source.dtype, source.size):
        _assign_on_threads(target, source)
        return
    from autograd.kernels import compiled_layouts as compiled

    before, after = pairs
    in_vectors = source.dtype.char == "f"
    kernel = compiled.exchange_stripes_float32 if in_vectors else compiled.exchange_stripes
    assert after.shape == (before.shape[0], before.shape[2], before.shape[1])
    stripes = before.shape[0] * -(-before.shape[1] // compiled.STRIPE)
    parallel_parts(kernel, (read_only(before), after), stripes, nanoseconds=0.3 * source.size)


def _assign_on_threads(target: Array, source: Array) -> None:
    nanoseconds = NANOSECONDS_A_BYTE * target.nbytes
    if nanoseconds < WORTH_A_THREAD or not compiled_for(target.dtype, target.size):
        target[...] = source
        return
    axis = max(range(target.ndim), key=lambda k: abs(target.strides[k]) * (target.shape[k] > 1))
    to, what = np.moveaxis(target, axis, 0), np.moveaxis(source, axis, 0)

    def part(_worker: int, first: int, last: int) -> None:
        to[first:last] = what[first:last]

    parallel_ranges(part, len(to), nanoseconds=nanoseconds)


def in_order_of(like: Array, x: Array) -> Array:
    """x, or a copy that lies in memory in the order of `like`, an array of its shape.

    >>> in_order_of(np.ones((2, 3)).T, np.ones((3, 2))).flags.f_contiguous
    True
    """
    if x.strides == like.strides:
        return x
    copy = empty_like(like) if x.dtype == like.dtype else np.empty_like(like, x.dtype, subok=False)
    assign(copy, x)
    return copy


def images_like(x: Array, sizes: Sizes, dtype: Any) -> Array:
    """An uninitialised (N, C, *sizes) array, channels last in memory when x is.

    >>> images_like(np.ones((2, 3, 5, 5)), (4, 4), np.float32).shape
    (2, 3, 4, 4)
    """
    if is_channels_last(x):
        return channels_put_second(empty((x.shape[0], *sizes, x.shape[1]), dtype))
    return empty((*x.shape[:2], *sizes), dtype)


def in_layout_of(x: Array, y: Array) -> Array:
    """A copy of y (N, C, *spatial) that lies channels last in memory when x does.

    >>> in_layout_of(np.ones((2, 3, 5, 5)), np.ones((2, 3, 4, 4))).shape
    (2, 3, 4, 4)
    """
    out = images_like(x, y.shape[2:], y.dtype)
    out[...] = y
    return out


def reshaped(x: Any, shape: tuple[int, ...]) -> Any:
    """The entries of x in C order in another shape, as `numpy.reshape` gives them.

    >>> reshaped(np.arange(4.0), (2, 2)).tolist()
    [[0.0, 1.0], [2.0, 3.0]]
    """
    if (
        type(x) is not np.ndarray
        or x.size < backend.fewest
        or x.flags.c_contiguous
        or not _needs_copy(x, shape)
    ):
        return np.reshape(x, shape)
    flat = empty(x.shape, x.dtype)
    spread = _spread(x)
    if spread is None:
        assign(flat, x)
    else:
        repeat_rows(spread, flat.reshape(len(spread), -1, spread.shape[1]))
    return flat.reshape(shape)


def _needs_copy(x: Array, shape: tuple[int, ...]) -> bool:
    try:
        np.reshape(x, shape, copy=False)
    except ValueError:  # or the shape does not fit, as NumPy will say
        return math.prod(shape) in (x.size, -x.size) or -1 in shape
    except TypeError:  # NumPy 2.0 does not tell
        pass
    return False


def _spread(x: Array) -> Array | None:
    """The matrix of which x repeats each row, if x is packed but for one axis that repeats."""
    repeated = [
        k for k, (step, n) in enumerate(zip(x.strides, x.shape, strict=True)) if n > 1 > step >= 0
    ]
    if len(repeated) != 1:
        return None
    axis = repeated[0]
    once = np.moveaxis(x, axis, 0)[:1]
    if not once.flags.c_contiguous:
        return None
    return once.reshape(math.prod(x.shape[:axis]), math.prod(x.shape[axis + 1 :]))


def repeat_rows(x: Array, out: Array) -> None:
    """out[i, k] = x[i] for all k.

    >>> out = np.zeros((1, 2, 1))
    >>> repeat_rows(np.ones((1, 1)), out)
    >>> out.tolist()
    [[[1.0], [1.0]]]
    """
    if compiled_for(out.dtype, out.size):
        from autograd.kernels import compiled_layouts as compiled

        nanoseconds = NANOSECONDS_A_BYTE * out.nbytes
        parallel_parts(compiled.repeat_rows, (read_only(x), out), len(x), nanoseconds=nanoseconds)
        return
    count, columns = out.shape[1:]
    if count <= columns or count <= FEW:  # NumPy takes long to begin each repetition
        for k in range(count):
            out[:, k] = x
    else:
        out[...] = x[:, np.newaxis]


def _order(x: Array) -> list[int]:
    """The axes from the slowest to the fastest in memory, those of size 1 first."""
    return sorted(
        range(x.ndim), key=lambda axis: -abs(x.strides[axis]) if x.shape[axis] > 1 else -math.inf
    )


def _exchanged(source: Array, target: Array) -> tuple[Array, Array] | None:
    """(N, rows, columns) and (N, columns, rows) of memory, where that is the difference between two
    packed arrays.
    """
    before, after = _order(source), _order(target)
    lying, standing = source.transpose(before), target.transpose(after)
    if before == after or not (lying.flags.c_contiguous and standing.flags.c_contiguous):
        return None
    lead = next(k for k, (a, b) in enumerate(zip(before, after, strict=True)) if a != b)
    cut = before.index(after[lead])
    if before[:lead] + before[cut:] + before[lead:cut] != after:
        return None
    shape = lying.shape
    sizes = math.prod(shape[:lead]), math.prod(shape[lead:cut]), math.prod(shape[cut:])
    return lying.reshape(sizes), standing.reshape(sizes[0], sizes[2], sizes[1])
