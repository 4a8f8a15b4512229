"""Matrix products by NumPy's BLAS inside compiled code, where threads need no interpreter lock."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types as numba_types
from numba.extending import intrinsic as numba_intrinsic

from autograd.kernels.compilation import compiled
from autograd.kernels.compiled_activations import relu_value

__all__ = [
    "AS_IT_IS",
    "BY_ROWS",
    "TURNED",
    "add_bias",
    "call_gemm",
    "multiply",
    "multiply_affine",
    "multiply_by_transpose",
    "multiply_each",
    "multiply_sum",
    "multiply_symmetric",
    "multiply_terms",
    "sum_mirrored",
]

Array = np.ndarray[Any, Any]
types: Any = numba_types
intrinsic: Any = numba_intrinsic

BY_ROWS, AS_IT_IS, TURNED, _UPPER = 101, 111, 112, 121
"""CblasRowMajor, CblasNoTrans, CblasTrans and CblasUpper."""

_SQUARE = 16
"""Rows and columns of what is mirrored at a time: it stays in the nearest cache."""

_ENUM, _INDEX = ir.IntType(32), ir.IntType(64)


@intrinsic
def call_gemm(
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
def _pitch(matrix: Array) -> Any:
    """Entries from one row to the next; the distance to a row that is not there may be any."""
    return max(matrix.strides[0] // matrix.itemsize, matrix.shape[1])


@compiled
def multiply(
    function: int,
    a: Array,
    a_turned: bool,
    b: Array,
    b_turned: bool,
    out: Array,
    by_columns: bool,
    scales: Any,
    _worker: int,
    first: int,
    last: int,
) -> None:
    """Rows, or columns, [first, last) of out = a b, by the gemm at the address `function`.

    All are contiguous along rows; of a factor that is `turned` the transpose is given. `scales` are
    1 and 0 of their dtype.
    """
    size = a.itemsize
    left, right, target = a.ctypes.data, b.ctypes.data, out.ctypes.data
    across, down, pitch = _pitch(a), _pitch(b), out.shape[1]
    rows, columns = out.shape
    inner = a.shape[0] if a_turned else a.shape[1]
    if by_columns:
        right += first * size * (down if b_turned else 1)
        target += first * size
        columns = last - first
    else:
        left += first * size * (1 if a_turned else across)
        target += first * size * pitch
        rows = last - first
    turns = (TURNED if a_turned else AS_IT_IS, TURNED if b_turned else AS_IT_IS)
    matrices = (left, across, right, down, target, pitch)
    call_gemm(function, BY_ROWS, turns, (rows, columns, inner), matrices, scales)


@compiled
def add_bias(out: Array, rows: Any, columns: Any, bias: Array, positive: bool) -> None:
    """Add `bias` to each row, from row and column to row and column, and take the positive part of
    that if it is wanted.
    """
    zero = out.dtype.type(0)
    for i in range(rows[0], rows[1]):
        for j in range(np.uint64(columns[0]), np.uint64(columns[1])):
            value = out[i, j] + bias[j]
            out[i, j] = relu_value(value, zero) if positive else value


@compiled
def multiply_affine(
    function: int,
    a: Array,
    a_turned: bool,
    b: Array,
    b_turned: bool,
    out: Array,
    by_columns: bool,
    scales: Any,
    bias: Array,
    positive: bool,
    worker: int,
    first: int,
    last: int,
) -> None:
    """The same with `bias` added to each row, and the positive part of that if it is wanted, while
    what this thread computed is in its cache.
    """
    multiply(function, a, a_turned, b, b_turned, out, by_columns, scales, worker, first, last)
    rows, columns = (0, len(out)), (first, last)
    if not by_columns:
        rows, columns = columns, (0, out.shape[1])
    add_bias(out, rows, columns, bias, positive)


@compiled
def multiply_each(
    function: int,
    a: Array,
    a_turned: bool,
    a_offsets: Array,
    b: Array,
    b_turned: bool,
    b_offsets: Array,
    out: Array,
    scales: Any,
    _worker: int,
    first: int,
    last: int,
) -> None:
    """Products [first, last) of matrices that lie so many bytes after a and b as `a_offsets` and
    `b_offsets` say; otherwise as in `multiply`.
    """
    inner = a.shape[0] if a_turned else a.shape[1]
    turns = (TURNED if a_turned else AS_IT_IS, TURNED if b_turned else AS_IT_IS)
    sizes = (out.shape[1], out.shape[2], inner)
    across, down = _pitch(a), _pitch(b)
    for k in range(first, last):
        left, right = a.ctypes.data + a_offsets[k], b.ctypes.data + b_offsets[k]
        target = out.ctypes.data + k * out.strides[0]
        matrices = (left, across, right, down, target, out.shape[2])
        call_gemm(function, BY_ROWS, turns, sizes, matrices, scales)


@compiled
def multiply_sum(
    function: int,
    first_factors: Any,
    first_turned: Any,
    second_factors: Any,
    second_turned: Any,
    out: Array,
    scales: Any,
    worker: int,
    first: int,
    last: int,
) -> None:
    """Rows [first, last) of out = a b + c d, for pairs of factors as in `multiply`."""
    a, b = first_factors
    c, d = second_factors
    turned = first_turned
    multiply(function, a, turned[0], b, turned[1], out, False, scales, worker, first, last)
    adding, turned = (scales[0], scales[0]), second_turned
    multiply(function, c, turned[0], d, turned[1], out, False, adding, worker, first, last)


@compiled
def multiply_terms(
    function: int,
    a: Array,
    a_turned: bool,
    b: Array,
    b_turned: bool,
    sums: Array,
    scales: Any,
    worker: int,
    first: int,
    last: int,
) -> None:
    """sums[worker] = the product of terms [first, last) of a and b; otherwise as in `multiply`."""
    size = a.itemsize
    across, down = _pitch(a), _pitch(b)
    matrices = (
        a.ctypes.data + first * size * (across if a_turned else 1),
        across,
        b.ctypes.data + first * size * (1 if b_turned else down),
        down,
        sums.ctypes.data + worker * sums.strides[0],
        sums.shape[2],
    )
    turns = (TURNED if a_turned else AS_IT_IS, TURNED if b_turned else AS_IT_IS)
    sizes = (sums.shape[1], sums.shape[2], last - first)
    call_gemm(function, BY_ROWS, turns, sizes, matrices, scales)


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
    a: Array,
    a_turned: bool,
    b: Array,
    b_turned: bool,
    bounds: Array,
    out: Array,
    scales: Any,
    _worker: int,
    first: int,
    last: int,
) -> None:
    """out = a b, symmetric, for pairs [first, last) of panels of rows, which begin at `bounds`:
    each pair, the k-th from either end, has as many entries right of the diagonal as any other.
    What is left of it is copied. Otherwise as in `multiply`.
    """
    size, rows = a.itemsize, len(out)
    across, down = _pitch(a), _pitch(b)
    inner = a.shape[0] if a_turned else a.shape[1]
    turns = (TURNED if a_turned else AS_IT_IS, TURNED if b_turned else AS_IT_IS)
    for pair in range(first, last):
        for panel in (pair, len(bounds) - 2 - pair):
            begin, end = bounds[panel], bounds[panel + 1]
            if begin == end:
                continue
            matrices = (
                a.ctypes.data + begin * size * (1 if a_turned else across),
                across,
                b.ctypes.data + begin * size * (down if b_turned else 1),
                down,
                out.ctypes.data + begin * (rows + 1) * size,
                rows,
            )
            sizes = (end - begin, rows - begin, inner)
            call_gemm(function, BY_ROWS, turns, sizes, matrices, scales)
            _mirror(out, begin, end)


@compiled
def multiply_by_transpose(
    function: int,
    a: Array,
    turned: bool,
    sums: Array,
    scales: Any,
    worker: int,
    first: int,
    last: int,
) -> None:
    """sums[worker] = a a^T of terms [first, last), on and right of the diagonal, by the syrk at the
    address `function`; otherwise as in `multiply`.
    """
    size = a.itemsize
    across = _pitch(a)
    matrices = (
        a.ctypes.data + first * size * (across if turned else 1),
        across,
        sums.ctypes.data + worker * sums.strides[0],
        sums.shape[2],
    )
    enums = (BY_ROWS, _UPPER, TURNED if turned else AS_IT_IS)
    _call_syrk(function, enums, (sums.shape[1], last - first), matrices, scales)


@compiled
def sum_mirrored(parts: Array, out: Array) -> None:
    """out = the sum of all parts, of which entries on and right of the diagonal are given, and what
    mirrors them.
    """
    size = len(out)
    for i in range(size):
        for j in range(np.uint32(i), np.uint32(size)):
            out[i, j] = parts[0, i, j]
        for k in range(1, len(parts)):
            for j in range(np.uint32(i), np.uint32(size)):
                out[i, j] += parts[k, i, j]
    _mirror(out, 0, size)
