"""Panels: a few columns of a matrix, copied into the order in which they are read over and over."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from autograd.kernels.compilation import compiled
from autograd.kernels.compiled_sharing import array_at
from autograd.kernels.vector_maps import LANES, turn_block
from autograd.kernels.vector_products import copy_of_rows

__all__ = ["copy_panel", "turn_panel"]

Array = np.ndarray[Any, Any]
_numba: Any = numba
carray = _numba.carray

_SIZE = 4

_copy_1, _copy_2, _copy_3, _copy_4 = (copy_of_rows(count) for count in (1, 2, 3, 4))


@compiled
def copy_panel(b: int, down: int, terms: int, columns: int, width: int, panel: Array) -> None:
    """panel[t, c] = b[t, c] for so many columns; the others, up to `width`, are anything. Rows are
    contiguous. A width is of 1, 2, 3 or a multiple of 4 vectors.
    """
    pitch, target = _SIZE * width, panel.ctypes.data
    # Whole vectors may be read where they end with the last row at the latest.
    spare = max(-1, (terms - 1) * down + _SIZE * columns - pitch)
    whole = min(terms, spare // down + 1)
    vectors = width // LANES
    if vectors == 1:
        _copy_1(b, down, whole, target, pitch)
    elif vectors == 2:
        _copy_2(b, down, whole, target, pitch)
    elif vectors == 3:
        _copy_3(b, down, whole, target, pitch)
    else:
        for first in range(0, pitch, 4 * _SIZE * LANES):
            _copy_4(b + first, down, whole, target + first, pitch)
    for t in range(whole, terms):
        row = carray(array_at(b + t * down), (columns,), np.float32)
        for c in range(columns):
            panel[t * width + c] = row[c]


@compiled
def turn_panel(b: int, across: int, terms: int, columns: int, width: int, panel: Array) -> None:
    """The same for a b whose columns are contiguous, `across` bytes apart."""
    whole_terms, whole_columns = terms // LANES * LANES, columns // LANES * LANES
    pitch = across // _SIZE
    for c in range(0, whole_columns, LANES):
        lines = carray(array_at(b + c * across), ((LANES - 1) * pitch + terms,), np.float32)
        for t in range(0, whole_terms, LANES):
            turn_block(lines, t, pitch, panel, t * width + c, width)
        for t in range(whole_terms, terms):
            for i in range(LANES):
                panel[t * width + c + i] = lines[i * pitch + t]
    for c in range(whole_columns, columns):
        line = carray(array_at(b + c * across), (terms,), np.float32)
        for t in range(terms):
            panel[t * width + c] = line[t]
