"""Products in float32 of a matrix with many zeros, which are left out.

The left factor's entries other than zero are bits of words, a word for up to `WORD` terms. A panel
of the right factor, so many rows of a few vectors, stays in the first cache while a block of rows
of the left one goes by. A result is the sum of sums of `TERMS` terms, which are sums of a word's,
whatever part of the product a thread has. Zero times an infinity or NaN is NaN, so no term is left
out whose row of the panel has those.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from autograd.kernels.compilation import compiled
from autograd.kernels.compiled_panels import copy_panel, turn_panel
from autograd.kernels.compiled_products import add_bias
from autograd.kernels.compiled_sharing import array_at
from autograd.kernels.vector_maps import LANES, turn_block
from autograd.kernels.vector_sparse_products import WORD, nonzeros, rows_of_sums, undefined

__all__ = ["EVEN", "GROUP", "ROWS", "TERMS", "WIDTH", "WORD", "multiply_sparse"]

Array = np.ndarray[Any, Any]
_numba: Any = numba
carray = _numba.carray

ROWS, TERMS = 256, 512
"""Rows and terms of the left factor's blocks, which stay in the second cache."""

EVEN, _FEW_WORDS = WORD // LANES * LANES, 4
"""Terms of each of many words, and how many are few: there are at most terms / EVEN, rounded up."""

_SIZE = 4
_FEW, _SOME, _MOST = 4, 8, 12
"""Vectors in the rows of a panel."""

GROUP, WIDTH = _FEW * LANES, _MOST * LANES
"""Columns of a panel are multiples of the one, up to the other."""

_few_sums, _some_sums, _most_sums = (rows_of_sums(count) for count in (_FEW, _SOME, _MOST))


@compiled
def _words_of(terms: int) -> Any:
    """How many words have the bits of so many terms, and of how many each: of many terms a multiple
    of a vector, which is turned at once; of few as many as leave no word nearly empty.
    """
    if terms > _FEW_WORDS * WORD:
        return -(-terms // EVEN), EVEN
    count = -(-terms // WORD)
    return count, -(-terms // count)


@compiled
def _word(k: int, length: int, terms: int) -> Any:
    """Where the terms of word k begin, and how many of them are the word's before and have no bits:
    those of the last one end with the row.
    """
    begin = min(k * length, terms - length)
    return begin, k * length - begin


@compiled
def _find_nonzeros(a: int, down: int, rows: int, terms: int, words: Array) -> None:
    """words[:, i] = the bits of the i-th of so many rows at an address, `down` bytes apart."""
    count, length = _words_of(terms)
    for i in range(rows):
        row = a + i * down
        for k in range(count):
            begin, skipped = _word(k, length, terms)
            words[k, i] = nonzeros(row + _SIZE * begin, length) & (np.int64(-1) << skipped)


@compiled
def _turn(lines: int, pitch: int, rows: int, terms: int, entries: Array) -> None:
    """entries[i, t] = lines[t, i] for so many, with `pitch` entries between lines at an address."""
    whole_rows, whole_terms = rows // LANES * LANES, terms // LANES * LANES
    source = carray(array_at(lines), ((terms - 1) * pitch + rows,), np.float32)
    width = entries.shape[1]
    target = entries.reshape(entries.size)
    for t in range(0, whole_terms, LANES):
        for i in range(0, whole_rows, LANES):
            turn_block(source[t * pitch :], i, pitch, target, i * width + t, width)
    for i in range(rows):
        for t in range(whole_terms if i < whole_rows else 0, terms):
            entries[i, t] = source[t * pitch + i]


@compiled
def _multiply_word(
    left: Any, words: Any, everywhere: Any, panel: Array, width: int, rows: int, adds: bool,
    sums: int, target: Any,
) -> None:  # fmt: skip
    """The `rows_of_sums` for such a width, with what is in `sums` if `adds`; the tuples are
    addresses and the bytes between rows.
    """
    given = (
        *left, rows, *words, everywhere, panel.ctypes.data, adds, sums, _SIZE * width, *target,
    )  # fmt: skip
    if width == _FEW * LANES:
        _few_sums(*given)
    elif width == _SOME * LANES:
        _some_sums(*given)
    else:
        _most_sums(*given)


@compiled
def _write(sums: Array, width: int, rows: int, columns: int, out: Any, adds: bool) -> None:
    """out = a few columns of the sums, or out += them; `out` is an address and the bytes between
    rows.
    """
    for i in range(rows):
        line = carray(array_at(out[0] + i * out[1]), (columns,), np.float32)
        own = sums[i * width : i * width + columns]
        if adds:
            for c in range(columns):
                line[c] += own[c]
        else:
            for c in range(columns):
                line[c] = own[c]


@compiled
def _multiply_block(
    left: Any, words: Array, terms: int, b: Any, b_turned: bool, out: Any, sizes: Any, adds: bool,
    panel: Array, sums: Array,
) -> None:  # fmt: skip
    """`sizes` rows and columns of out = left b, or out += left b, from so many terms; each of the
    tuples is an address and the bytes between rows, or columns of a b that is `b_turned`.

    The sums are in `out` only in the end: where another thread's lines are next to them, a
    processor that fetches lines ahead takes them from each other, over and over.
    """
    rows, columns = sizes
    factors, step = b
    down, across = (_SIZE, step) if b_turned else (step, _SIZE)
    count, length = _words_of(terms)
    for first in range(0, columns, WIDTH):
        some = min(WIDTH, columns - first)
        width = -(-some // GROUP) * GROUP
        result, own = (out[0] + first * _SIZE, out[1]), (sums.ctypes.data, width * _SIZE)
        at_once = some == width and not adds
        for k in range(count):
            begin, skipped = _word(k, length, terms)
            corner = factors + begin * down + first * across
            if b_turned:
                turn_panel(corner, across, length, some, width, panel)
            else:
                copy_panel(corner, down, length, some, width, panel)
            everywhere = np.int64(0)
            for t in range(skipped, length):
                if undefined(panel.ctypes.data + t * _SIZE * width, width // LANES):
                    everywhere |= np.int64(1) << t
            entries = (left[0] + begin * _SIZE, left[1])
            bits = (words.ctypes.data + k * words.strides[0], words.itemsize)
            target = result if at_once and k == count - 1 else own
            _multiply_word(entries, bits, everywhere, panel, width, rows, k > 0, own[0], target)
        if not at_once:
            _write(sums, width, rows, some, result, adds)


@compiled
def multiply_sparse(
    a: Any, a_turned: bool, b: Any, b_turned: bool, terms: int, out: Array, by_columns: bool,
    bias: Array, positive: bool, words: Array, entries: Array, sums: Array,
    worker: int, first: int, last: int,
) -> None:  # fmt: skip
    """Rows, or columns, [first, last) of out = a b; if there is a `bias`, with that, and the
    positive part if it is wanted, as in `multiply_affine`.

    The factors are addresses of float32 and the bytes between rows, or columns of one that is
    turned; the numbers of a row, or column, are contiguous. There are as many terms as a vector has
    floats, at least. What words, entries and sums have at `worker` is scratch memory: for the bits
    of a block, the block if a is turned, and the sums of a panel's columns.
    """
    rows, columns = out.shape
    left, a_step = a
    right, b_step = b
    pitch, target = out.strides[0], out.ctypes.data
    down, across = (_SIZE, a_step) if a_turned else (a_step, _SIZE)
    if by_columns:
        right += first * (b_step if b_turned else _SIZE)
        target += first * _SIZE
        columns = last - first
    else:
        left += first * down
        target += first * pitch
        rows = last - first
    memory = np.zeros(WORD * WIDTH + LANES, np.float32)
    panel = memory[-memory.ctypes.data % (_SIZE * LANES) // _SIZE :]
    block, bits = entries[worker], words[worker]
    for top in range(0, rows, ROWS):
        count = min(ROWS, rows - top)
        begin = 0
        while begin < terms:
            # Less than a word is not left over.
            depth = TERMS if terms - begin >= TERMS + WORD else terms - begin
            place, place_down = left + top * down + begin * across, down
            if a_turned:
                _turn(place, across // _SIZE, count, depth, block)
                place, place_down = block.ctypes.data, block.strides[0]
            _find_nonzeros(place, place_down, count, depth, bits)
            factors = (right + begin * (_SIZE if b_turned else b_step), b_step)
            result, sizes = (target + top * pitch, pitch), (count, columns)
            _multiply_block(
                (place, place_down), bits, depth, factors, b_turned, result, sizes, begin > 0,
                panel, sums[worker],
            )  # fmt: skip
            begin += depth
    if len(bias) > 0:
        all_rows, all_columns = (0, len(out)), (first, last)
        if not by_columns:
            all_rows, all_columns = all_columns, (0, out.shape[1])
        add_bias(out, all_rows, all_columns, bias, positive)
