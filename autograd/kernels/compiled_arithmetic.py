"""Sums, differences, products and quotients of two arrays, and whether any is not finite.

NumPy warns of what overflows or is undefined. Such results are rare, and all of them are infinities
or NaN: who calls these kernels lets NumPy compute them again, and say what it says.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled, inlined

__all__ = [
    "ADD",
    "DIVIDE",
    "MULTIPLY",
    "SUBTRACT",
    "add_entries",
    "combine_columns",
    "combine_entries",
    "combine_numbers",
    "combine_rows",
]

Array = np.ndarray[Any, Any]

ADD, SUBTRACT, MULTIPLY, DIVIDE = range(4)


@inlined
def _combined(kind: int, a: Any, b: Any) -> Any:
    if kind == ADD:
        return a + b
    if kind == SUBTRACT:
        return a - b
    if kind == MULTIPLY:
        return a * b
    return a / b


@inlined
def _run(kind: Any, a: Array, b: Array, out: Array, first: Any, last: Any) -> Any:
    zero = out.dtype.type(0)
    zeros = zero
    for i in range(np.uint64(first), np.uint64(last)):
        value = _combined(kind, a[i], b[i])
        out[i] = value
        zeros += value * zero
    return zeros


@inlined
def _run_with(kind: Any, a: Array, b: Any, turned: bool, out: Array, first: Any, last: Any) -> Any:
    zero = out.dtype.type(0)
    zeros = zero
    if turned:
        for i in range(np.uint64(first), np.uint64(last)):
            value = _combined(kind, b, a[i])
            out[i] = value
            zeros += value * zero
    else:
        for i in range(np.uint64(first), np.uint64(last)):
            value = _combined(kind, a[i], b)
            out[i] = value
            zeros += value * zero
    return zeros


@compiled
def _entries(kind: int, a: Array, b: Array, out: Array, first: int, last: int) -> Any:
    """NaN if a result is not finite, otherwise 0. Each kind has a loop of its own."""
    if kind == ADD:
        return _run(ADD, a, b, out, first, last)
    if kind == SUBTRACT:
        return _run(SUBTRACT, a, b, out, first, last)
    if kind == MULTIPLY:
        return _run(MULTIPLY, a, b, out, first, last)
    return _run(DIVIDE, a, b, out, first, last)


@compiled
def _with(kind: int, a: Array, b: Any, turned: bool, out: Array, first: int, last: int) -> Any:
    if kind == ADD:
        return _run_with(ADD, a, b, False, out, first, last)
    if kind == SUBTRACT:
        return _run_with(SUBTRACT, a, b, turned, out, first, last)
    if kind == MULTIPLY:
        return _run_with(MULTIPLY, a, b, False, out, first, last)
    return _run_with(DIVIDE, a, b, turned, out, first, last)


@compiled
def combine_entries(
    kind: int, a: Array, b: Array, out: Array, strange: Array, worker: int, first: int, last: int
) -> None:
    """Entries [first, last) of out = a + b, or what `kind` says; strange[worker, 0] is 1 if any is
    not finite.
    """
    zeros = _entries(kind, a, b, out, first, last)
    strange[worker, 0] = zeros != zeros


@compiled
def combine_numbers(
    kind: int,
    a: Array,
    b: Any,
    turned: bool,
    out: Array,
    strange: Array,
    worker: int,
    first: int,
    last: int,
) -> None:
    """The same for a number b, which is the first operand if `turned`."""
    zeros = _with(kind, a, b, turned, out, first, last)
    strange[worker, 0] = zeros != zeros


@compiled
def combine_rows(
    kind: int,
    a: Array,
    b: Array,
    turned: bool,
    out: Array,
    strange: Array,
    worker: int,
    first: int,
    last: int,
) -> None:
    """The same for rows [first, last) of a matrix a, each with a row b."""
    zeros = out.dtype.type(0)
    columns = a.shape[1]
    for i in range(first, last):
        if turned:
            zeros += _entries(kind, b, a[i], out[i], 0, columns)
        else:
            zeros += _entries(kind, a[i], b, out[i], 0, columns)
    strange[worker, 0] = zeros != zeros


@compiled
def combine_columns(
    kind: int,
    a: Array,
    b: Array,
    turned: bool,
    out: Array,
    strange: Array,
    worker: int,
    first: int,
    last: int,
) -> None:
    """The same for rows [first, last) of a matrix a, each with its entry of b."""
    zeros = out.dtype.type(0)
    columns = a.shape[1]
    for i in range(first, last):
        zeros += _with(kind, a[i], b[i], turned, out[i], 0, columns)
    strange[worker, 0] = zeros != zeros


@compiled
def add_entries(a: Array, b: Array, _worker: int, first: int, last: int) -> None:
    """a += b for entries [first, last)."""
    for i in range(np.uint64(first), np.uint64(last)):
        a[i] += b[i]
