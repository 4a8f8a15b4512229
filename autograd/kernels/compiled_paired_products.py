"""Both cotangents of matrix products and their tangents, inside compiled code."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled
from autograd.kernels.compiled_products import AS_IT_IS, BY_ROWS, TURNED, call_gemm, multiply

__all__ = ["TO_X", "TO_X_CHANGE", "TO_Y", "TO_Y_CHANGE", "multiply_pairs"]

Array = np.ndarray[Any, Any]

TO_X, TO_X_CHANGE, TO_Y, TO_Y_CHANGE = 1, 2, 4, 8
"""What a part of `multiply_pairs` computes, added up."""


@compiled
def _multiply_whole(
    function: int, turns: Any, a: Array, b: Array, out: Array, adds: bool, scales: Any
) -> None:
    """out = a b, or out += a b, of contiguous factors or their transposes."""
    inner = a.shape[0] if turns[0] == TURNED else a.shape[1]
    places = (a.ctypes.data, a.shape[1], b.ctypes.data, b.shape[1], out.ctypes.data, out.shape[1])
    one, zero = scales
    sizes = (out.shape[0], out.shape[1], inner)
    call_gemm(function, BY_ROWS, turns, sizes, places, (one, one if adds else zero))


@compiled
def multiply_pairs(
    function: int,
    factors: Any,
    moves: Any,
    results: Any,
    tasks: Any,
    shared: int,
    scales: Any,
    _worker: int,
    first: int,
    last: int,
) -> None:
    """Of z = x y the cotangents of x and y, and their tangents, for parts [first, last) of `tasks`,
    and as many of all rows of what is `shared`.

    `factors` are x, y and the cotangent of z, and what each changes by, if it does by `moves`;
    `results` go to x and y, and what those change by. All are contiguous.
    """
    x, y, z, dx, dy, dz = factors
    x_moves, y_moves, z_moves = moves
    to_x, to_y, to_x_change, to_y_change = results
    by_turned, turned_by = (AS_IT_IS, TURNED), (TURNED, AS_IT_IS)
    if shared == TO_X:
        begin, end = len(to_x) * first // len(tasks), len(to_x) * last // len(tasks)
        multiply(function, z, False, y, True, to_x, False, scales, 0, begin, end)
    elif shared == TO_Y:
        begin, end = len(to_y) * first // len(tasks), len(to_y) * last // len(tasks)
        multiply(function, x, True, z, False, to_y, False, scales, 0, begin, end)
    for part in range(first, last):
        task = tasks[part]
        if task & TO_X:
            _multiply_whole(function, by_turned, z, y, to_x, False, scales)
        if task & TO_X_CHANGE:
            if z_moves:
                _multiply_whole(function, by_turned, dz, y, to_x_change, False, scales)
            if y_moves:
                _multiply_whole(function, by_turned, z, dy, to_x_change, z_moves, scales)
        if task & TO_Y:
            _multiply_whole(function, turned_by, x, z, to_y, False, scales)
        if task & TO_Y_CHANGE:
            if z_moves:
                _multiply_whole(function, turned_by, x, dz, to_y_change, False, scales)
            if x_moves:
                _multiply_whole(function, turned_by, dx, z, to_y_change, z_moves, scales)
