"""Copies of arrays in another order in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.core import types as numba_types

from autograd.kernels.compilation import compiled
from autograd.kernels.vector_maps import LANES, turn_block

__all__ = [
    "PIECE",
    "STRIPE",
    "copy_pieces",
    "exchange_axes_float32",
    "exchange_stripes",
    "exchange_stripes_float32",
    "pack_weights",
    "repeat_rows",
    "spread_pixels",
    "unpack_weights",
]

Array = np.ndarray[Any, Any]

types: Any = numba_types

_copy_bytes = types.ExternalFunction("memcpy", types.intp(types.intp, types.intp, types.uintp))
"""(target, source, count): the C library's, of addresses."""

BLOCK = 16
"""Entries of a cache line of float32."""

PIECE = 1 << 14
"""Bytes that are copied at a time."""

STRIPE = 64
"""Rows that are exchanged for columns at a time: whole vectors of any processor."""


@compiled
def exchange_axes_float32(source: Array, target: Array) -> None:
    """target[n, j, i] = source[n, i, j], both contiguous, in vectors as far as they go."""
    for n in range(len(source)):
        _exchange_rows_float32(source[n], target[n], 0, source.shape[1])


@compiled
def exchange_stripes(source: Array, target: Array, _worker: int, first: int, last: int) -> None:
    """The same of `STRIPE` rows i at a time, which are counted through all n, for those in [first,
    last); a cache line of each row at a time.
    """
    rows = source.shape[1]
    stripes = -(-rows // STRIPE)
    for k in range(first, last):
        n, start = k // stripes, k % stripes * STRIPE
        _exchange_part(source[n], target[n], start, min(rows, start + STRIPE), start, 0)


@compiled
def exchange_stripes_float32(
    source: Array, target: Array, _worker: int, first: int, last: int
) -> None:
    """The same, in vectors."""
    rows = source.shape[1]
    stripes = -(-rows // STRIPE)
    for k in range(first, last):
        n, start = k // stripes, k % stripes * STRIPE
        _exchange_rows_float32(source[n], target[n], start, min(rows, start + STRIPE))


@compiled
def _exchange_rows_float32(source: Array, target: Array, start: int, stop: int) -> None:
    """target[j, i] = source[i, j] for i in [start, stop)."""
    rows, columns = source.shape
    before, after = source.ravel(), target.ravel()
    done_rows = start + (stop - start) // LANES * LANES
    for i in range(start, done_rows, LANES):
        for j in range(0, columns - LANES + 1, LANES):
            turn_block(before, i * columns + j, columns, after, j * rows + i, rows)
    _exchange_part(source, target, start, stop, done_rows, columns // LANES * LANES)


@compiled
def _exchange_part(
    source: Array, target: Array, start: int, stop: int, done_rows: int, done_columns: int
) -> None:
    """target[j, i] = source[i, j] for i in [start, stop), unless i < done_rows and
    j < done_columns.
    """
    columns = source.shape[1]
    for first in range(0, columns, BLOCK):
        last = min(first + BLOCK, columns)
        for i in range(done_rows if last <= done_columns else start, stop):
            for j in range(first if i >= done_rows else max(first, done_columns), last):
                target[j, i] = source[i, j]


@compiled
def copy_pieces(copies: Array, _worker: int, first: int, last: int) -> None:
    """target[n, i, j] = source[n, i, j] of copies for pieces [first, last), counted through all
    rows (n, i) of all copies: `PIECE` successive bytes j, or what is left.

    A copy is the addresses of target and source, their bytes from n to n + 1, and from i to i + 1,
    the numbers of rows i, of bytes of a row and of its pieces, and of all pieces up to there.
    """
    c = 0
    for k in range(first, last):
        while k >= copies[c, 9]:
            c += 1
        to, at, outer_to, outer_at = copies[c, 0], copies[c, 1], copies[c, 2], copies[c, 3]
        inner_to, inner_at, rows = copies[c, 4], copies[c, 5], copies[c, 6]
        columns, pieces = copies[c, 7], copies[c, 8]
        number = k - (copies[c - 1, 9] if c else 0)
        row, begin = number // pieces, number % pieces * PIECE
        n, i = row // rows, row % rows
        _copy_bytes(
            to + n * outer_to + i * inner_to + begin,
            at + n * outer_at + i * inner_at + begin,
            min(PIECE, columns - begin),
        )


@compiled
def repeat_rows(x: Array, out: Array, _worker: int, first: int, last: int) -> None:
    """out[i, k] = x[i] for rows i in [first, last) and all k."""
    count, columns = out.shape[1], out.shape[2]
    for i in range(first, last):
        if columns == 1:
            for k in range(count):
                out[i, k, 0] = x[i, 0]
        else:
            for k in range(count):
                for j in range(columns):
                    out[i, k, j] = x[i, j]


@compiled
def spread_pixels(
    part: Array,
    top: int,
    down: int,
    left: int,
    across: int,
    images: Array,
    _worker: int,
    first: int,
    last: int,
) -> None:
    """images[n, top + p down, left + q across] = part[n, p, q], for rows [first, last) of the
    pixels of all n.
    """
    _, height, width, channels = part.shape
    for row in range(first, last):
        n, p = row // height, row % height
        for q in range(width):
            source, target = part[n, p, q], images[n, top + p * down, left + q * across]
            for c in range(channels):
                target[c] = source[c]


@compiled
def pack_weights(w: Array, out: Array, _worker: int, first: int, last: int) -> None:
    """out[b, (i, j, c), o] = w[b width + o, c, i, j] for channels c in [first, last); 0 where there
    is no such output. A cache line of outputs at a time.
    """
    outputs, channels, down, across = w.shape
    width = out.shape[2]
    for b in range(len(out)):
        for begin in range(0, width, BLOCK):
            end = min(begin + BLOCK, width)
            inside = max(begin, min(end, outputs - b * width))
            for c in range(first, last):
                for i in range(down):
                    for j in range(across):
                        row = out[b, (i * across + j) * channels + c]
                        for o in range(begin, inside):
                            row[o] = w[b * width + o, c, i, j]
                        for o in range(inside, end):
                            row[o] = 0


@compiled
def unpack_weights(sums: Array, dw: Array, _worker: int, first: int, last: int) -> None:
    """dw[g own + o, c, k] = the sum over parts p of sums[p, g, (k, c), o], for channels c in
    [first, last), where own is the number of outputs of a group. A cache line of outputs at a time.
    """
    outputs, channels, entries = dw.shape
    own = outputs // sums.shape[1]
    tile = np.empty((entries, BLOCK), dw.dtype)
    for g in range(sums.shape[1]):
        for begin in range(0, own, BLOCK):
            size = min(BLOCK, own - begin)
            for c in range(first, last):
                for k in range(entries):
                    line = tile[k]
                    for p in range(len(sums)):
                        part = sums[p, g, k * channels + c, begin : begin + size]
                        if p == 0:
                            for o in range(size):
                                line[o] = part[o]
                        else:
                            for o in range(size):
                                line[o] += part[o]
                for o in range(size):
                    target = dw[g * own + begin + o, c]
                    for k in range(entries):
                        target[k] = tile[k, o]
