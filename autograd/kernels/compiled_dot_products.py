"""A matrix product in float32 whose sums go along rows of both factors, as they lie in memory.

Such is the product of a layer's input and its weights, a row for each output. Nothing is turned; a
few rows of the left factor at a time are copied by the first tile that reads them, while a block of
the right one's stays in the second cache.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from autograd.kernels.compilation import compiled
from autograd.kernels.compiled_own_products import address_in_place_of_sgemm
from autograd.kernels.compiled_sharing import array_at
from autograd.kernels.vector_dot_products import SIDE, place_of_sums, tile_of_dots
from autograd.kernels.vector_maps import LANES

__all__ = ["SIDE", "address_of_dot_product"]

Array = np.ndarray[Any, Any]
_numba: Any = numba
carray = _numba.carray

_TERMS, _BLOCK = 256 * LANES, 160 << 10
"""Terms of a part of a sum, about, of which a lane adds 256 one after the other, and floats of a
block of the right factor's rows, which stay in the second cache.
"""

_SIZE = 4

_packing_tile, _packed_tile = tile_of_dots(packs=True), tile_of_dots(packs=False)


@compiled
def _write(sums: int, rows: int, columns: int, out: int, pitch: int, adds: bool) -> None:
    """out = a tile's sums, or out += them."""
    tile = carray(array_at(sums), (SIDE, SIDE), np.float32)
    for i in range(rows):
        line = carray(array_at(out + i * pitch), (columns,), np.float32)
        for j in range(columns):
            line[j] = (line[j] if adds else np.float32(0.0)) + tile[i, j]


@compiled
def _multiply_dots(
    _a_turned: bool,
    _b_turned: bool,
    rows: int,
    columns: int,
    terms: int,
    a: int,
    a_pitch: int,
    b: int,
    b_pitch: int,
    adds: bool,
    out: int,
    out_pitch: int,
) -> None:
    """out = a b, or out += a b if `adds`; the arguments are those of CBLAS's sgemm, by rows, for an
    a that is not turned and a b that is. There are as many terms as a vector has floats, at least.
    """
    down, across, pitch = _SIZE * a_pitch, _SIZE * b_pitch, _SIZE * out_pitch
    parts = -(-terms // _TERMS)
    depth = -(-terms // (parts * LANES)) * LANES
    width = max(1, _BLOCK // (depth * SIDE)) * SIDE
    memory = np.empty(SIDE * depth + LANES, np.float32)
    panel = memory[-memory.ctypes.data % (_SIZE * LANES) // _SIZE :]
    sums = place_of_sums()
    for first in range(0, terms, depth):
        some = min(depth, terms - first)
        for left in range(0, columns, width):
            for i in range(0, rows, SIDE):
                tall, entries = min(SIDE, rows - i), a + i * down + first * _SIZE
                for j in range(left, min(left + width, columns), SIDE):
                    wide, factors = min(SIDE, columns - j), b + j * across + first * _SIZE
                    # A row of the next panel for each of this one's first tiles.
                    row = i + SIDE + (j - left) // SIDE
                    early = factors
                    if row < min(i + 2 * SIDE, rows):
                        early = a + row * down + first * _SIZE
                    given = (
                        entries, down, tall, factors, across, wide, panel.ctypes.data, some,
                        sums, early,
                    )  # fmt: skip
                    if j == left:
                        _packing_tile(*given)
                    else:
                        _packed_tile(*given)
                    target = out + i * pitch + j * _SIZE
                    _write(sums, tall, wide, target, pitch, adds or first > 0)


@compiled
def address_of_dot_product() -> int:
    """The address of a function that takes what CBLAS's sgemm does, as `address_of_own_product`,
    but of factors whose rows are the terms of sums only, and at least a vector of them.
    """
    address: int = address_in_place_of_sgemm(_multiply_dots)
    return address
