"""Extremes of rows, and their cotangents."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled

__all__ = ["largest_of_rows", "share_rows"]

Array = np.ndarray[Any, Any]


@compiled
def largest_of_rows(
    x: Array, flip: Any, rest: Any, infinity: Any, out: Array, _worker: int, first: int, last: int
) -> None:
    """out[i] = max x[i] for i in [first, last), or min x[i] if `flip` is the sign's bit: of floats
    by their bits as integers, which can be compared in vectors also where some are NaN.

    `rest` has all bits but the sign's, `infinity` those of infinity. Integers are in the order of
    the floats once those of negative ones are inverted. A NaN is larger than anything.
    """
    sign = x.dtype.type(8 * x.itemsize - 1)
    columns = x.shape[1]
    for i in range(first, last):
        bits = x[i, 0] ^ flip
        largest = bits ^ ((bits >> sign) & rest)
        size = bits & rest
        for j in range(np.uint64(columns)):
            bits = x[i, j] ^ flip
            largest = max(largest, bits ^ ((bits >> sign) & rest))
            size = max(size, bits & rest)
        if size <= infinity:
            out[i] = largest ^ ((largest >> sign) & rest) ^ flip
            continue
        for j in range(columns):
            if x[i, j] & rest > infinity:
                out[i] = x[i, j]
                break


@compiled
def share_rows(
    x: Array, extremes: Array, cotangent: Array, out: Array, _worker: int, first: int, last: int
) -> None:
    """Entries of each row that equal its extreme get equal shares of its cotangent, others 0."""
    columns = x.shape[1]
    zero = x.dtype.type(0)
    one = x.dtype.type(1)
    for i in range(first, last):
        extreme = extremes[i]
        ties = zero  # of the dtype, or the loop would use no vectors
        for begin in range(0, columns, 1 << 20):  # so that single precision can count them
            some = zero
            for j in range(np.uint64(begin), np.uint64(min(begin + (1 << 20), columns))):
                some += one if x[i, j] == extreme else zero
            ties += some
        share = cotangent[i] / max(ties, one)
        for j in range(np.uint64(columns)):
            out[i, j] = share if x[i, j] == extreme else zero
