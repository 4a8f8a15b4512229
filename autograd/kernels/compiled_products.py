"""Matrix products by NumPy's BLAS inside compiled code, where threads need no interpreter lock."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types as numba_types
from numba.extending import intrinsic as numba_intrinsic

from autograd.kernels.compilation import compiled

__all__ = ["multiply", "multiply_by_transpose", "multiply_symmetric", "sum_mirrored"]

Array = np.ndarray[Any, Any]
types: Any = numba_types
intrinsic: Any = numba_intrinsic

_BY_ROWS, _AS_IT_IS, _TURNED, _UPPER = 101, 111, 112, 121
"""CblasRowMajor, CblasNoTrans, CblasTrans and CblasUpper."""

_SQUARE = 16
"""Rows and columns of what is mirrored at a time: it stays in the nearest cache."""

_ENUM, _INDEX = ir.IntType(32), ir.IntType(64)


@intrinsic
def _call_gemm(
    _context: Any, function: Any, order: Any, turns: Any, sizes: Any, matrices: Any, scales: Any
) -> Any:
    """cblas_?gemm with 64-bit integers, by its address; `matrices` are three addresses, each with
    the distance between rows; `scales` are alpha and beta.
    """
    scalar = scales.dtype

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        number = context.get_value_type(scalar)
        pointer = number.as_pointer()
        kinds = [_ENUM] * 3 + [_INDEX] * 3 + [number, pointer, _INDEX, pointer, _INDEX]
        kinds += [number, pointer, _INDEX]
        function = ir.FunctionType(ir.VoidType(), kinds).as_pointer()

        def entry(which: int, i: int) -> Any:
            return builder.extract_value(values[which], i)

        enums = [builder.trunc(value, _ENUM) for value in (values[1], entry(2, 0), entry(2, 1))]
        places = [builder.inttoptr(entry(4, i), pointer) for i in (0, 2, 4)]
        builder.call(
            builder.inttoptr(values[0], function),
            [
                *enums,
                *(entry(3, i) for i in range(3)),
                entry(5, 0),
                places[0],
                entry(4, 1),
                places[1],
                entry(4, 3),
                entry(5, 1),
                places[2],
                entry(4, 5),
            ],
        )
        return context.get_dummy_value()

    three, six = types.UniTuple(types.int64, 3), types.UniTuple(types.int64, 6)
    two = types.UniTuple(types.int64, 2)
    return types.void(types.int64, types.int64, two, three, six, scales), generate


@intrinsic
def _call_syrk(
    _context: Any, function: Any, enums: Any, sizes: Any, matrices: Any, scales: Any
) -> Any:
    """cblas_?syrk with 64-bit integers, by its address; `enums` are order, triangle and turn,
    `matrices` two addresses, each with the distance between rows; `scales` are alpha and beta.
    """
    scalar = scales.dtype

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        number = context.get_value_type(scalar)
        pointer = number.as_pointer()
        kinds = [_ENUM] * 3 + [_INDEX] * 2 + [number, pointer, _INDEX, number, pointer, _INDEX]
        function = ir.FunctionType(ir.VoidType(), kinds).as_pointer()

        def entry(which: int, i: int) -> Any:
            return builder.extract_value(values[which], i)

        places = [builder.inttoptr(entry(3, i), pointer) for i in (0, 2)]
        builder.call(
            builder.inttoptr(values[0], function),
            [
                *(builder.trunc(entry(1, i), _ENUM) for i in range(3)),
                *(entry(2, i) for i in range(2)),
                entry(4, 0),
                places[0],
                entry(3, 1),
                entry(4, 1),
                places[1],
                entry(3, 3),
            ],
        )
        return context.get_dummy_value()

    two, three, four = (types.UniTuple(types.int64, count) for count in (2, 3, 4))
    return types.void(types.int64, three, two, four, scales), generate


@compiled
def multiply(
    function: int,
    a_turned: bool,
    b_turned: bool,
    sizes: Any,
    matrices: Any,
    scales: Any,
) -> None:
    """out = a b, by the gemm at the address `function`; `sizes` are rows, columns and what is
    summed over, `matrices` the addresses of a, b and out, each with the entries from one row to the
    next (one column if `turned`), `scales` 1 and 0 of their dtype.
    """
    turns = (_TURNED if a_turned else _AS_IT_IS, _TURNED if b_turned else _AS_IT_IS)
    _call_gemm(function, _BY_ROWS, turns, sizes, matrices, scales)


@compiled
def _mirror(matrix: Array, begin: int, end: int) -> None:
    """Copies what is right of the diagonal in rows [begin, end) to what is below it."""
    size = len(matrix)
    for top in range(begin, end, _SQUARE):
        bottom = min(top + _SQUARE, end)
        for near in range(top, size, _SQUARE):
            # Unsigned, so that no index might count from the end.
            for j in range(np.uint32(near), np.uint32(min(near + _SQUARE, size))):
                for i in range(np.uint32(top), np.uint32(min(bottom, j))):
                    matrix[j, i] = matrix[i, j]


@compiled
def multiply_symmetric(
    function: int,
    a_turned: bool,
    b_turned: bool,
    inner: int,
    left: Any,
    right: Any,
    bounds: Array,
    first: int,
    last: int,
    address: int,
    out: Array,
    scales: Any,
) -> None:
    """out = a b, symmetric and at `address`, for pairs [first, last) of panels of rows, which begin
    at `bounds`: each pair, the k-th from either end, has as many entries right of the diagonal as
    any other. What is left of it is copied.

    `left` is a's address, the entries from one row (or, if turned, column) to the next, and the
    bytes from one row to the next; `right` the same of b, with the bytes between columns.
    """
    turns = (_TURNED if a_turned else _AS_IT_IS, _TURNED if b_turned else _AS_IT_IS)
    size = len(out)
    for pair in range(first, last):
        for panel in (pair, len(bounds) - 2 - pair):
            begin, end = bounds[panel], bounds[panel + 1]
            if begin == end:
                continue
            matrices = (
                left[0] + begin * left[2],
                left[1],
                right[0] + begin * right[2],
                right[1],
                address + begin * (size + 1) * out.itemsize,
                size,
            )
            sizes = (end - begin, size - begin, inner)
            _call_gemm(function, _BY_ROWS, turns, sizes, matrices, scales)
            _mirror(out, begin, end)


@compiled
def multiply_by_transpose(
    function: int, turned: bool, sizes: Any, matrices: Any, scales: Any
) -> None:
    """out = a a^T on and right of the diagonal, by the syrk at the address `function`; `sizes` are
    rows and what is summed over, the rest is as in `multiply`.
    """
    enums = (_BY_ROWS, _UPPER, _TURNED if turned else _AS_IT_IS)
    _call_syrk(function, enums, sizes, matrices, scales)


@compiled
def sum_mirrored(parts: Array, first: int, last: int) -> None:
    """parts[0] = the sum of all, of which entries on and right of the diagonal are given, for rows
    [first, last) and what mirrors them.
    """
    total = parts[0]
    size = len(total)
    for k in range(1, len(parts)):
        for i in range(first, last):
            for j in range(np.uint32(i), np.uint32(size)):
                total[i, j] += parts[k, i, j]
    _mirror(total, first, last)
