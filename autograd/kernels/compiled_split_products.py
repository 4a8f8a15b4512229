"""Products of float32 matrices on the processor's matrix units, from parts in bfloat16.

Parts of the smaller factor, which threads share, are made for as much of it as fits into the second
cache. For these the other is gone through in panels of `BLOCK` rows (of a left factor) or columns
(of a right one). Parts take half as much memory again as what they are made of, so making them anew
costs less than fetching them from beyond that cache. A side is told by its `source`: address, bytes
from one line in memory to the next, the number of rows (or columns), and flags: whether lines go
`along` what is summed over, and whether it is the `left` factor.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled
from autograd.kernels.matrix_tiles import (
    BLOCK,
    PART,
    STEP,
    add_block,
    begin_tiles,
    end_tiles,
    tile_block,
)
from autograd.kernels.vector_parts import (
    DEPTH,
    SIDE,
    TILE,
    float_at,
    split_columns,
    split_rows,
    split_turned_columns,
    split_turned_rows,
)

__all__ = ["BLOCK", "DEPTH", "STEP", "multiply_parts"]

Array = np.ndarray[Any, Any]


@compiled
def _split_tile(
    left: bool, along: bool, address: int, pitch: int, parts: Array, at: int
) -> np.uint32:
    peak: np.uint32
    if left and along:
        peak = split_rows(address, pitch, parts, at, PART)
    elif left:
        peak = split_turned_rows(address, pitch, parts, at, PART)
    elif along:
        peak = split_turned_columns(address, pitch, parts, at, PART)
    else:
        peak = split_columns(address, pitch, parts, at, PART)
    return peak


@compiled
def _split_panel(
    source: Any, unit: int, inner: int, begin: int, steps: int, edge: Array, parts: Array, at: int
) -> np.uint32:
    """The parts of panel `unit` for `steps` times DEPTH terms from `begin` on, 0 beyond `inner`.

    `edge` is memory for a tile of float32. Returns the bits of the largest magnitude.
    """
    address, pitch, size, along, left = source
    largest = np.uint32(0)
    for step in range(steps):
        term = begin + DEPTH * step
        terms = min(DEPTH, inner - term)
        for half in range(2):
            first = unit * BLOCK + half * SIDE
            lines = min(SIDE, size - first)
            if lines <= 0:
                continue
            to = at + step * STEP + half * TILE
            place = address + (first * pitch + 4 * term if along else term * pitch + 4 * first)
            if lines == SIDE and terms == DEPTH:
                peak = _split_tile(left, along, place, pitch, parts, to)
            else:
                down, across = (lines, terms) if along else (terms, lines)
                width = DEPTH if along else SIDE
                edge[:] = 0
                for i in range(down):
                    for j in range(across):
                        edge[i * width + j] = float_at(place + i * pitch + 4 * j)
                peak = _split_tile(left, along, edge.ctypes.data, 4 * width, parts, to)
            largest = max(largest, peak)
    return largest


@compiled
def _split_panels(
    source: Any,
    first: int,
    last: int,
    inner: int,
    term: int,
    steps: int,
    edge: Array,
    panels: Array,
) -> np.uint32:
    """The parts of panels [first, last), a step of all after the other: where lines go across the
    terms, what lies together in memory is read together. Returns the largest magnitude's bits.
    """
    largest = np.uint32(0)
    for k in range(steps):
        for unit in range(first, last):
            at = ((unit - first) * steps + k) * STEP
            peak = _split_panel(source, unit, inner, term + k * DEPTH, 1, edge, panels, at)
            largest = max(largest, peak)
    return largest


@compiled
def _add(
    sums: Array, rows: int, columns: int, place: int, out: Array, row: int, column: int
) -> None:
    """Adds a block of the sums to out[row:, column:], at the address `place`."""
    if rows == BLOCK and columns == BLOCK:
        add_block(sums, place, out.shape[1] * out.itemsize)
        return
    for i in range(rows):
        for j in range(columns):
            out[row + i, column + j] += sums[i * BLOCK + j]


@compiled
def multiply_parts(
    shared: Any,
    source: Any,
    inner: int,
    depth: int,
    units_at_once: int,
    first: int,
    last: int,
    panels_at_once: int,
    parts: Array,
    panels: Array,
    out: Array,
    peaks: Array,
) -> None:
    """The part of out = a b that belongs to panels [first, last) of the side told by `source`.

    `parts` is memory for `units_at_once` panels of the `shared` side, `panels` for `panels_at_once`
    of the other, for `depth` steps of DEPTH terms each; all of it should stay in the second cache.
    `peaks` become the bits of the largest magnitudes on the shared side and the other.
    """
    edge, shapes = np.empty(TILE, np.float32), np.empty(64, np.uint8)
    sums = np.empty(BLOCK * BLOCK + SIDE, np.float32)
    sums = sums[-(sums.ctypes.data // 4) % SIDE :]  # where a line of the cache begins
    all_steps = -(-inner // DEPTH)
    units = -(-shared[2] // BLOCK)
    left = source[4]
    high, wide = 0, 0
    peaks[:] = 0
    pitch = out.shape[1] * out.itemsize
    for some in range(0, units, units_at_once):
        end = min(units, some + units_at_once)
        for step in range(0, all_steps, depth):
            steps, term = min(depth, all_steps - step), step * DEPTH
            for other in range(some, end):
                at = (other - some) * steps * STEP
                peak = _split_panel(shared, other, inner, term, steps, edge, parts, at)
                peaks[0] = max(peaks[0], peak)
            for unit in range(first, last):
                own = (unit - first) % panels_at_once * steps * STEP
                if own == 0:
                    stop = min(unit + panels_at_once, last)
                    peak = _split_panels(source, unit, stop, inner, term, steps, edge, panels)
                    peaks[1] = max(peaks[1], peak)
                for other in range(some, end):
                    at = (other - some) * steps * STEP
                    row, column = (unit, other) if left else (other, unit)
                    rows = min(BLOCK, out.shape[0] - row * BLOCK)
                    columns = min(BLOCK, out.shape[1] - column * BLOCK)
                    if high != rows or wide != columns:
                        high, wide = rows, columns
                        begin_tiles(shapes, rows, columns)
                    place = out.ctypes.data + BLOCK * (row * pitch + column * out.itemsize)
                    to, apart = (sums.ctypes.data, 4 * BLOCK) if step else (place, pitch)
                    if left:
                        tile_block(panels, own, parts, at, steps, rows, columns, to, apart)
                    else:
                        tile_block(parts, at, panels, own, steps, rows, columns, to, apart)
                    if step:
                        _add(sums, rows, columns, place, out, row * BLOCK, column * BLOCK)
    end_tiles()
