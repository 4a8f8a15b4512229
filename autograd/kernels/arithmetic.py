"""Sums, differences, products and quotients of large arrays: in one pass, on all threads, in memory
that was used before.

Results are NumPy's, bit for bit, and so are its warnings: where a compiled kernel meets a result
that is not finite, NumPy computes it all again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from autograd.kernels.backend import compiled_for, read_only
from autograd.kernels.buffers import empty_like, fills_memory
from autograd.kernels.checked import is_told, run_checked
from autograd.kernels.layouts import in_order_of, memory_order
from autograd.kernels.workers import SHARED_FROM, parallel_parts

__all__ = ["accumulate", "arithmetic", "product_of", "quotient_of", "sum_of"]

Array = np.ndarray[Any, Any]

FEWEST = SHARED_FROM
"""Entries. NumPy alone is quicker up to twice as many."""

FEWEST_TURNED = 1 << 16
"""The same where one of two arrays lies in another order, which NumPy follows entry by entry."""

GRAIN = 1 << 12
"""Elements: parts of an array begin at multiples of it, so that cache lines are not shared."""

NARROW = 16
"""Columns up to which beginning each row takes too long."""

NANOSECONDS = 0.35
"""About what an entry takes one thread."""

LARGEST = 1e30
"""Numbers up to it are finite in either dtype."""

_KINDS: Final[dict[Any, int]] = {np.add: 0, np.subtract: 1, np.multiply: 2, np.true_divide: 3}
"""As the compiled kernels number them."""


def arithmetic(ufunc: np.ufunc) -> Callable[[Any, Any], Any]:
    """A function that computes what `ufunc`, one of those four, does of two operands.

    >>> arithmetic(np.subtract)(np.array([3.0]), 2.0).tolist()
    [1.0]
    """
    kind = _KINDS[ufunc]

    def compute(a: Any, b: Any) -> Any:
        out = None
        if type(a) is np.ndarray and (
            a.size >= FEWEST or (a.size >= FEWEST_TURNED and _are_turned(a, b))
        ):
            turned = type(b) is np.ndarray and b.size > a.size
            out = _combined(kind, b, a, True) if turned else _combined(kind, a, b, False)
        elif type(b) is np.ndarray and (
            b.size >= FEWEST or (b.size >= FEWEST_TURNED and _are_turned(b, a))
        ):
            out = _combined(kind, b, a, True)
        return ufunc(a, b) if out is None else out

    compute.__name__ = compute.__qualname__ = ufunc.__name__
    return compute


sum_of = arithmetic(np.add)
product_of = arithmetic(np.multiply)
quotient_of = arithmetic(np.true_divide)


def accumulate(a: Array, b: Array) -> None:
    """a += b.

    >>> a = np.array([1.0])
    >>> accumulate(a, np.array([2.0]))
    >>> a.tolist()
    [3.0]
    """
    size = a.size
    if size >= FEWEST_TURNED and _are_turned(a, b):
        b = in_order_of(a, b)
    if (
        size < FEWEST
        or not _match(a, b)
        or min(a.strides, default=0) < 0  # flat, it would be a copy
        or not compiled_for(a.dtype, size)
        or is_told()
    ):
        a += b
        return
    from autograd.kernels.compiled_arithmetic import add_entries

    flat = a.ravel(order="K"), b.ravel(order="K")
    parallel_parts(add_entries, flat, size, GRAIN, NANOSECONDS * size)


def _combined(kind: int, full: Array, other: Any, turned: bool) -> Array | None:
    """The result, in the shape of the larger operand `full`, which is the second one if `turned`;
    None where NumPy is to compute it, and to warn.
    """
    if not full.size or not full.ndim or not compiled_for(full.dtype, full.size):
        return None
    if np.geterr()["under"] != "ignore":
        return None
    from autograd.kernels import compiled_arithmetic as compiled

    kernel: Callable[..., None]
    size, grain = full.size, GRAIN
    out = lines = None
    if (number := _as_number(other, full)) is not None:
        if not fills_memory(full):
            return None
        out = empty_like(full)
        kernel = compiled.combine_numbers
        given: tuple[Any, ...] = _flat(full), number, turned, out.ravel(order="K")
    elif type(other) is not np.ndarray or other.dtype != full.dtype:
        return None
    elif other.shape == full.shape:
        if not _match(full, other):
            if not _are_turned(full, other):
                return None
            other = in_order_of(full, other)
        out = empty_like(full)
        pair = (other, full) if turned else (full, other)
        kernel = compiled.combine_entries
        given = *map(_flat, pair), out.ravel(order="K")
    else:
        lines = _in_lines(full, other)
        if lines is None:
            return None
        matrix, line, order, by_rows = lines
        kernel = compiled.combine_rows if by_rows else compiled.combine_columns
        out = empty_like(full)
        target = (out if out.flags.c_contiguous else out.transpose(order)).reshape(matrix.shape)
        given = read_only(matrix), read_only(line), turned, target
        size, grain = len(matrix), max(1, GRAIN // matrix.shape[1])
    finite = run_checked(kernel, (kind, *given), size, grain, NANOSECONDS * full.size)
    return out if finite or not is_told() else None


def _flat(array: Array) -> Array:
    return read_only(array.ravel(order="K"))


def _match(a: Array, b: Any) -> bool:
    """Whether two arrays of one shape and dtype lie in memory in the same order, without gaps."""
    return (
        type(b) is np.ndarray
        and a.shape == b.shape
        and a.dtype == b.dtype
        and (
            (a.strides == b.strides and fills_memory(a))
            or (a.flags.c_contiguous and b.flags.c_contiguous)
        )
    )


def _are_turned(a: Array, b: Any) -> bool:
    """Whether two packed arrays of one shape and dtype lie in memory in different orders."""
    return (
        type(b) is np.ndarray
        and a.strides != b.strides
        and a.shape == b.shape
        and a.dtype == b.dtype
        and min(*a.strides, *b.strides) > 0
        and fills_memory(a)
        and fills_memory(b)
        and memory_order(a) != memory_order(b)
    )


def _as_number(other: Any, full: Array) -> Any:
    """An operand of one entry in the dtype of `full`; None for others."""
    if type(other) is float or type(other) is int:
        return full.dtype.type(other) if abs(other) < LARGEST else None
    if type(other) is not np.ndarray and not isinstance(other, np.generic):
        return None  # subclasses have operators of their own
    if other.size != 1 or not np.isfinite(other).all():
        return None
    if other.dtype != full.dtype or other.ndim > full.ndim:
        return None
    return full.dtype.type(other.item())


def _in_lines(full: Array, other: Array) -> tuple[Array, Array, list[int], bool] | None:
    """`full` as a matrix in memory, by its axes in a certain order, and what meets it: a row that
    is the same for all its rows, or (False) a column. None if `other` is neither.
    """
    order = list(range(full.ndim))
    lying = full
    if not full.flags.c_contiguous:
        order.sort(key=lambda axis: -abs(full.strides[axis]))
        lying = full.transpose(order)
    if other.ndim > full.ndim or not lying.flags.c_contiguous:
        return None
    line = other.reshape((1,) * (full.ndim - other.ndim) + other.shape)
    if lying is not full:
        line = line.transpose(order)
    shape = lying.shape
    fitting = [axis for axis, size in enumerate(line.shape) if size != 1]
    if not fitting:
        return None
    first, end = fitting[0], fitting[-1] + 1
    if not np.isfinite(line).all():  # as a mask: NumPy need not be asked twice
        return None
    if line.shape[first:] == shape[first:]:
        columns = math.prod(shape[first:])
        by_rows = True
    elif line.shape[:end] == shape[:end]:
        columns = math.prod(shape[end:])
        by_rows = False
    else:
        return None
    if columns < NARROW:
        return None
    flat = np.ascontiguousarray(line).reshape(-1)
    return lying.reshape(-1, columns), flat, order, by_rows
