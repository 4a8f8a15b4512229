"""Copies of arrays in another order in memory, as of channels last from channels first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
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
from autograd.kernels.workers import (
    WORTH_A_PART,
    WORTH_A_THREAD,
    parallel_parts,
    parallel_ranges,
)

__all__ = [
    "assign",
    "assign_all",
    "images_like",
    "in_layout_of",
    "in_order_of",
    "memory_order",
    "repeat_rows",
    "repeated",
    "reshaped",
]

Array = np.ndarray[Any, Any]
Pair = tuple[Array, Array]
Rows = tuple[int, list[int]]

NANOSECONDS_A_BYTE = 0.05
"""About what a copy takes one thread."""

FEW = 64
"""Repetitions that are begun one by one."""

LONG = 64
"""Entries of a row from which it is copied like any other array."""


def assign(target: Array, source: Array) -> None:
    """target[...] = source, for arrays of one shape and dtype that share no memory.

    >>> target = np.zeros((2, 2))
    >>> assign(target, np.ones((2, 2)).T)
    >>> target.tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    assert target.shape == source.shape
    alike = source.dtype == target.dtype and source.size >= backend.fewest
    if not alike or not compiled_for(source.dtype, source.size):
        target[...] = source
        return
    nanoseconds = NANOSECONDS_A_BYTE * target.nbytes
    pairs = None if _descends(source) and _descends(target) else _exchanged(source, target)
    if pairs is not None:
        _exchange(*pairs, 2 * nanoseconds)
        return
    rows = _rows(target, source)
    if rows is not None and nanoseconds > WORTH_A_PART:
        _copy_rows([(target, source)], [rows], nanoseconds)
    elif target.ndim and nanoseconds > WORTH_A_THREAD:
        _assign_on_threads(target, source, nanoseconds)
    else:
        target[...] = source


def assign_all(pairs: Sequence[Pair]) -> None:
    """`assign` for each pair of a target and a source, all of one dtype, at the same time where
    that can be.

    >>> target = np.zeros((2, 2))
    >>> assign_all([(target[0], np.ones(2)), (target[1], np.full(2, 2.0))])
    >>> target.tolist()
    [[1.0, 1.0], [2.0, 2.0]]
    """
    dtype = pairs[0][0].dtype
    assert all(one.dtype == dtype for pair in pairs for one in pair)
    size = sum([target.size for target, _ in pairs])
    nanoseconds = NANOSECONDS_A_BYTE * size * dtype.itemsize
    if nanoseconds > WORTH_A_PART and compiled_for(dtype, size):
        rows = [_rows(target, source) for target, source in pairs]
        known = [found for found in rows if found is not None]
        if len(known) == len(rows):
            _copy_rows(pairs, known, nanoseconds)
            return
    for target, source in pairs:
        assign(target, source)


def _exchange(before: Array, after: Array, nanoseconds: float) -> None:
    """after[n, j, i] = before[n, i, j]."""
    from autograd.kernels import compiled_layouts as compiled

    assert after.shape == (before.shape[0], before.shape[2], before.shape[1])
    in_vectors = before.dtype.char == "f"
    kernel = compiled.exchange_stripes_float32 if in_vectors else compiled.exchange_stripes
    stripes = before.shape[0] * -(-before.shape[1] // compiled.STRIPE)
    parallel_parts(kernel, (read_only(before), after), stripes, nanoseconds=nanoseconds)


def _rows(target: Array, source: Array) -> Rows | None:
    """Of two arrays of which both have the same rows in memory: how many there are, the numbers
    that `copy_pieces` has between their addresses and the pieces, and pieces of a row. None if they
    have none, or rows of more than two axes.
    """
    if target.flags.c_contiguous and source.flags.c_contiguous:
        return 1, [0, 0, 0, 0, 1, target.nbytes]
    axes: list[tuple[int, int, int]] = []
    for k in memory_order(target):
        size, to, at = target.shape[k], target.strides[k], source.strides[k]
        if size == 1:
            continue
        if axes and axes[-1][1] == to * size and axes[-1][2] == at * size:
            size *= axes.pop()[0]
        axes.append((size, to, at))
    item = target.itemsize
    if not axes or len(axes) > 3 or axes[-1][1:] != (item, item):
        return None
    outer, inner, row = [(1, 0, 0)] * (3 - len(axes)) + axes
    return outer[0] * inner[0], [*outer[1:], *inner[1:], inner[0], row[0] * item]


def _copy_rows(pairs: Sequence[Pair], rows: Sequence[Rows], nanoseconds: float) -> None:
    """The copies of pairs of a target and a source, of each of which `_rows` says how."""
    from autograd.kernels.compiled_layouts import PIECE, copy_pieces

    copies, end = [], 0
    for pair, (count, numbers) in zip(pairs, rows, strict=True):
        pieces = -(-numbers[-1] // PIECE)
        end += count * pieces
        places = [x.__array_interface__["data"][0] for x in pair]
        copies.append([*places, *numbers, pieces, end])
    parallel_parts(copy_pieces, (np.array(copies, np.int64),), end, nanoseconds=nanoseconds)


def _assign_on_threads(target: Array, source: Array, nanoseconds: float) -> None:
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
        return -1 in shape or math.prod(shape) == x.size
    except TypeError:  # NumPy 2.0 does not tell, and makes its own copies
        pass
    return False


def _spread(x: Array) -> Array | None:
    """The matrix of which x repeats each row, if x has one axis that repeats."""
    repeating = [
        k for k, (step, n) in enumerate(zip(x.strides, x.shape, strict=True)) if n > 1 > step >= 0
    ]
    if len(repeating) != 1:
        return None
    axis = repeating[0]
    once = np.moveaxis(x, axis, 0)[:1]
    return once.reshape(math.prod(x.shape[:axis]), math.prod(x.shape[axis + 1 :]))


def repeated(x: Any, count: int, axis: int) -> Any:
    """np.repeat, each entry so many times.

    >>> repeated(np.array([1.0, 2.0]), 2, 0).tolist()
    [1.0, 1.0, 2.0, 2.0]
    """
    if type(x) is not np.ndarray or not x.flags.c_contiguous or x.size * count < backend.fewest:
        return np.repeat(x, count, axis)
    before, after = x.shape[: axis + 1], x.shape[axis + 1 :]
    out = empty((*before, count, *after), x.dtype)
    columns = math.prod(after)
    if out.size:
        rows = math.prod(before)
        repeat_rows(x.reshape(rows, columns), out.reshape(rows, count, columns))
    return out.reshape(*before[:-1], before[-1] * count, *after)


def repeat_rows(x: Array, out: Array) -> None:
    """out[i, k] = x[i] for all k.

    >>> out = np.zeros((1, 2, 1))
    >>> repeat_rows(np.ones((1, 1)), out)
    >>> out.tolist()
    [[[1.0], [1.0]]]
    """
    columns = x.shape[1]
    if columns >= LONG:
        assign(out, np.broadcast_to(x[:, np.newaxis], out.shape))
        return
    if compiled_for(out.dtype, out.size):
        from autograd.kernels import compiled_layouts as compiled

        nanoseconds = NANOSECONDS_A_BYTE * out.nbytes
        parallel_parts(compiled.repeat_rows, (read_only(x), out), len(x), nanoseconds=nanoseconds)
        return
    count = out.shape[1]
    if count <= columns or count <= FEW:  # NumPy takes long to begin each repetition
        for k in range(count):
            out[:, k] = x
    else:
        out[...] = x[:, np.newaxis]


def _descends(x: Array) -> bool:
    """Whether it lies in the order of its axes; told in a fifth of the time of `memory_order`."""
    return all(one >= other for one, other in pairwise(x.strides))


def memory_order(x: Array) -> list[int]:
    """The axes from the slowest to the fastest in memory, those of size 1 first.

    >>> memory_order(np.ones((2, 3)).T)
    [1, 0]
    """
    return sorted(
        range(x.ndim), key=lambda axis: -abs(x.strides[axis]) if x.shape[axis] > 1 else -math.inf
    )


def _exchanged(source: Array, target: Array) -> tuple[Array, Array] | None:
    """(N, rows, columns) and (N, columns, rows) of memory, where that is the difference between two
    packed arrays.
    """
    before, after = memory_order(source), memory_order(target)
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
