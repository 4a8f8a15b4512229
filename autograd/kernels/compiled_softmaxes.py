"""Softmax and its relatives over rows of float32 matrices, each row while it is in cache.

Sums of a row are float32 over `BLOCK` entries and float64 over blocks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled, inlined
from autograd.kernels.compiled_activations import float_of_bits
from autograd.kernels.compiled_smooth_activations import exponential_below

__all__ = [
    "log_softmax_gradient_rows",
    "softmax_change_rows",
    "softmax_rows",
    "sum_of_row",
]

Array = np.ndarray[Any, Any]

BLOCK = 1 << 10

FEW, AT_ONCE = 32, 64
"""Rows of up to so many columns are computed so many at once, a vector for each column."""

_LOWEST = np.int32(-(2**31))
_ALL_BUT_SIGN = np.int32(2**31 - 1)


@compiled
def sum_of_row(x: Array, i: int) -> float:
    columns = x.shape[1]
    total: Any = 0.0
    for begin in range(0, columns, BLOCK):
        part = x.dtype.type(0)
        for j in range(np.uint64(begin), np.uint64(min(begin + BLOCK, columns))):
            part += x[i, j]
        total += part
    result: float = total
    return result


@inlined
def _in_order(bits: Any) -> Any:
    """Integers in the order of the floats with these bits; the same again gives the bits."""
    return bits ^ ((bits >> np.int32(31)) & _ALL_BUT_SIGN)


@compiled
def _softmax_of_short_rows(
    x: Array,
    logarithm: bool,
    out: Array,
    tops: Array,
    logs: Array,
    strange: Array,
    first: int,
    last: int,
) -> None:
    """See `softmax_rows`."""
    columns = x.shape[1]
    turned = np.empty((columns, AT_ONCE), x.dtype)
    top, total = np.empty(AT_ONCE, x.dtype), np.empty(AT_ONCE, x.dtype)
    end = np.empty(AT_ONCE, x.dtype)
    for begin in range(first, last, AT_ONCE):
        rows = min(AT_ONCE, last - begin)
        for i in range(rows):
            for j in range(columns):
                turned[j, i] = x[begin + i, j]
        top[:] = turned[0]
        total[:] = 0
        for j in range(1, columns):
            for i in range(rows):
                entry = turned[j, i]
                top[i] = entry if entry > top[i] else top[i]
        for j in range(columns):
            for i in range(rows):
                below = turned[j, i] - top[i]
                power = exponential_below(below)
                turned[j, i] = below if logarithm else power
                total[i] += power
        for i in range(rows):
            tops[begin + i] = top[i]
            strange[begin + i] = not abs(top[i]) < np.inf
            logs[begin + i] = np.log(np.float64(total[i]))
            end[i] = logs[begin + i] if logarithm else np.float32(1) / total[i]
        for j in range(columns):
            for i in range(rows):
                turned[j, i] = turned[j, i] - end[i] if logarithm else turned[j, i] * end[i]
        for i in range(rows):
            for j in range(columns):
                out[begin + i, j] = turned[j, i]


@compiled
def softmax_rows(
    x: Array,
    bits: Array,
    logarithm: bool,
    out: Array,
    tops: Array,
    logs: Array,
    strange: Array,
    _worker: int,
    first: int,
    last: int,
) -> None:
    """out = softmax of rows [first, last) of x, or its logarithm; logs = log(sum(exp(x - tops))).

    `bits` are those of x as integers.
    Rows whose largest entry, `tops`, is not finite are `strange`, and what else is found of them
    means nothing.
    """
    columns = x.shape[1]
    if columns <= FEW:
        _softmax_of_short_rows(x, logarithm, out, tops, logs, strange, first, last)
        return
    for i in range(first, last):
        best = _LOWEST
        for j in range(columns):  # integers, because a maximum of floats uses no vectors
            best = max(best, _in_order(bits[i, j]))
        top = float_of_bits(np.int32(_in_order(best)))
        tops[i] = top
        if not abs(top) < np.inf:
            strange[i] = 1
            continue
        total: Any = 0.0
        for begin in range(0, columns, BLOCK):
            part = np.float32(0.0)
            for j in range(np.uint64(begin), np.uint64(min(begin + BLOCK, columns))):
                below = x[i, j] - top
                power = exponential_below(below)
                out[i, j] = below if logarithm else power
                part += power
            total += part
        logs[i] = np.log(total)
        if logarithm:
            log = np.float32(logs[i])
            for j in range(columns):  # from memory, or the sum would be x - (top + log)
                out[i, j] -= log
        else:
            inverse = np.float32(1.0 / total)
            for j in range(columns):
                out[i, j] *= inverse


@compiled
def softmax_change_rows(
    out: Array, change: Array, result: Array, _worker: int, first: int, last: int
) -> None:
    """result = (diag(p) - p p^T) change for rows p of `out`."""
    columns = out.shape[1]
    for i in range(first, last):
        total: Any = 0.0
        for begin in range(0, columns, BLOCK):
            part = np.float32(0.0)
            for j in range(np.uint64(begin), np.uint64(min(begin + BLOCK, columns))):
                part += out[i, j] * change[i, j]
            total += part
        mean = np.float32(total)
        for j in range(columns):
            result[i, j] = out[i, j] * change[i, j] - out[i, j] * mean


@compiled
def log_softmax_gradient_rows(
    cotangent: Array, out: Array, result: Array, _worker: int, first: int, last: int
) -> None:
    """result = cotangent - exp(out) sum(cotangent), row by row."""
    columns = out.shape[1]
    for i in range(first, last):
        whole = np.float32(sum_of_row(cotangent, i))
        for j in range(columns):
            result[i, j] = cotangent[i, j] - exponential_below(out[i, j]) * whole
