"""Float32 as the sum of three bfloat16, laid out for the processor's matrix units.

Each part has 8 of the 24 bits of a float's significand: the nearest bfloat16, the nearest to what
that leaves, and the rest, which is exact unless it underflows. A tile of a left factor is `SIDE`
rows of `DEPTH` terms. That of a right factor is DEPTH / 2 rows of SIDE columns, each with a pair of
terms.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

__all__ = [
    "DEPTH",
    "PARTS",
    "SIDE",
    "TILE",
    "float_at",
    "split_columns",
    "split_rows",
    "split_turned_columns",
    "split_turned_rows",
]

_emit: Any = cgutils

SIDE = 16
"""Rows, or columns, of a tile: one vector of 32-bit numbers."""

DEPTH = 32
"""Terms of a sum in a tile."""

TILE = SIDE * DEPTH
"""Entries of a tile."""

PARTS = 3

_UPPER_HALF = -(1 << 16)
_NUMBER = ir.IntType(32)
_NUMBERS = ir.VectorType(_NUMBER, SIDE)
_FLOATS = ir.VectorType(ir.FloatType(), SIDE)
_HALVES = ir.VectorType(ir.IntType(16), 2 * SIDE)


def _all(number: int) -> Any:
    return ir.Constant(_NUMBERS, [number] * SIDE)


def _indices(chosen: list[int]) -> Any:
    return ir.Constant(ir.VectorType(_NUMBER, len(chosen)), chosen)


def _parts(builder: Any, floats: Any) -> list[Any]:
    """The three parts as the upper halves of 32-bit numbers."""
    found = []
    for _ in range(PARTS - 1):
        bits = builder.bitcast(floats, _NUMBERS)
        nearest = builder.and_(builder.add(bits, _all(1 << 15)), _all(_UPPER_HALF))
        found.append(nearest)
        floats = builder.fsub(floats, builder.bitcast(nearest, _FLOATS))
    return [*found, builder.bitcast(floats, _NUMBERS)]


def _turned(builder: Any, rows: list[Any]) -> list[Any]:
    """The transposed matrix: each pass exchanges one bit of row and lane."""
    bit = 1
    while bit < SIDE:
        low = _indices([j if not j & bit else SIDE + j - bit for j in range(SIDE)])
        high = _indices([j + bit if not j & bit else SIDE + j for j in range(SIDE)])
        for i in range(SIDE):
            if not i & bit:
                pair = rows[i], rows[i + bit]
                rows[i] = builder.shuffle_vector(*pair, low)
                rows[i + bit] = builder.shuffle_vector(*pair, high)
        bit *= 2
    return rows


def _splitter(left: bool, along: bool) -> Any:
    """`split_rows` and the like, for left or right factors whose terms lie `along` lines or not."""

    @intrinsic
    def split(_context: Any, address: Any, pitch: Any, target: Any, at: Any, apart: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            memory, step, _, first, between = values
            parts = context.make_array(target)(context, builder, values[2]).data
            peak = _emit.alloca_once_value(builder, _all(0))

            def read(row: int, lane: int) -> Any:
                offset = builder.mul(step, ir.Constant(step.type, row))
                offset = builder.add(offset, ir.Constant(step.type, 4 * lane))
                place = builder.inttoptr(builder.add(memory, offset), _FLOATS.as_pointer())
                return builder.load(place, align=4)

            def write(part: int, row: int, words: Any) -> None:
                offset = builder.mul(between, ir.Constant(between.type, part))
                offset = builder.add(offset, ir.Constant(between.type, DEPTH * row))
                place = builder.gep(parts, [builder.add(first, offset)], inbounds=True)
                builder.store(words, builder.bitcast(place, _HALVES.as_pointer()), align=2)

            def split_vector(floats: Any) -> list[Any]:
                size = builder.and_(builder.bitcast(floats, _NUMBERS), _all(0x7FFFFFFF))
                most = builder.load(peak)
                larger = builder.icmp_unsigned(">", size, most)
                builder.store(builder.select(larger, size, most), peak)
                return _parts(builder, floats)

            def square(half: int) -> list[Any]:
                places = [(i, SIDE * half) if along else (SIDE * half + i, 0) for i in range(SIDE)]
                return _turned(builder, [read(*place) for place in places])

            def taken(group: int) -> list[Any]:
                """The vectors of two of which each of 8 rows of the tile is made.

                All are read before any is written: to the processor, what is written might change
                what is still to be read.
                """
                rows = range(8 * group, 8 * group + 8)
                if along != left:
                    if left:
                        return [v for i in rows for v in (squares[0][i], squares[1][i])]
                    return square(group)
                if left:
                    return [read(i, lane) for i in rows for lane in (0, SIDE)]
                return [read(2 * i + k, 0) for i in rows for k in (0, 1)]

            squares = [square(half) for half in range(2)] if left and not along else []
            upper = _indices([2 * i + 1 for i in range(2 * SIDE)])
            for i in range(SIDE):
                if i % 8 == 0:
                    vectors = taken(i // 8)
                pair = vectors[2 * (i % 8) : 2 * (i % 8) + 2]
                for part, both in enumerate(zip(*map(split_vector, pair), strict=True)):
                    if left:
                        halves = [builder.bitcast(numbers, _HALVES) for numbers in both]
                        write(part, i, builder.shuffle_vector(*halves, upper))
                    else:
                        low = builder.lshr(both[0], _all(SIDE))
                        high = builder.and_(both[1], _all(_UPPER_HALF))
                        write(part, i, builder.bitcast(builder.or_(low, high), _HALVES))
            kind = ir.FunctionType(_NUMBER, [_NUMBERS])
            name = f"llvm.vector.reduce.umax.v{SIDE}i32"
            largest = _emit.get_or_insert_function(builder.module, kind, name)
            return builder.call(largest, [builder.load(peak)])

        index = types.intp
        return types.uint32(index, index, target, index, index), generate

    return split


split_rows: Any = _splitter(left=True, along=True)
"""A function for compiled kernels: (address, pitch, target, at, apart) -> the largest magnitude.

Splits SIDE rows of DEPTH float32, `pitch` bytes apart, into a tile of a left factor: its parts are
target[at + part apart:], of uint16. The result is the largest of the floats' bits without their
signs, an unsigned number, which orders magnitudes: infinity and NaN are above all others.
"""

split_turned_rows: Any = _splitter(left=True, along=False)
"""The same where the rows are columns in memory: DEPTH lines of SIDE float32."""

split_columns: Any = _splitter(left=False, along=False)
"""The same for a right factor: DEPTH rows of SIDE float32 into a tile of pairs of rows."""

split_turned_columns: Any = _splitter(left=False, along=True)
"""The same for a right factor whose columns are rows in memory: SIDE lines of DEPTH float32."""


@intrinsic
def _float_at(_context: Any, address: Any) -> Any:
    """See `float_at`."""

    def generate(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        place = builder.inttoptr(values[0], ir.FloatType().as_pointer())
        return builder.load(place, align=4)

    return types.float32(types.intp), generate


float_at: Any = _float_at
"""A function for compiled kernels: (address) -> the float32 there."""
