"""Maps of a few rows of floats to a few others, as explicit vector instructions for Numba.

LLVM finds the vector instructions of a simple loop by itself, but not when many rows that might
overlap are read and written at once, as in the transforms of Winograd's algorithm.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from autograd.kernels.processor import compiled_features

__all__ = [
    "LANES",
    "NARROW_ROWS",
    "ROWS",
    "add_first_lanes",
    "bring_row",
    "narrow_outer_sums",
    "outer_sums",
    "outer_sums_ahead",
    "outer_sums_of_neighbours",
    "turn_block",
    "vector_map",
]

_emit: Any = cgutils

_WIDE = compiled_features().get("avx512f", False)

LANES = 16 if _WIDE else 8
"""Floats in a vector: one register of AVX-512 or AVX, two of NEON."""

ROWS = 8 if _WIDE else 6
"""Rows that `outer_sums` works on at a time: their sums, two vectors each, stay in registers."""

NARROW_ROWS = 8
"""The same of `narrow_outer_sums`, whose rows have one vector: as many as a processor begins before
the first is done, and as addresses fit into registers.
"""


class _Vector:
    """A vector of float32 under construction: arithmetic emits instructions."""

    def __init__(self, builder: Any, value: Any) -> None:
        self.builder = builder
        self.value = value

    def _other(self, other: Any) -> Any:
        if isinstance(other, _Vector):
            return other.value
        kind = self.value.type
        return ir.Constant(kind, [float(other)] * kind.count)

    def __add__(self, other: Any) -> _Vector:
        value = self.builder.fadd(self.value, self._other(other), flags=("contract",))
        return _Vector(self.builder, value)

    def __sub__(self, other: Any) -> _Vector:
        value = self.builder.fsub(self.value, self._other(other), flags=("contract",))
        return _Vector(self.builder, value)

    def __rmul__(self, other: float) -> _Vector:
        value = self.builder.fmul(self.value, self._other(other), flags=("contract",))
        return _Vector(self.builder, value)

    def maximum(self, other: _Vector) -> _Vector:
        """The larger; NaN if either is."""
        above = self.builder.fcmp_ordered(">", self.value, other.value)
        undefined = self.builder.fcmp_unordered("uno", self.value, self.value)
        chosen = self.builder.or_(above, undefined)
        return _Vector(self.builder, self.builder.select(chosen, self.value, other.value))

    def positive(self) -> _Vector:
        """max(x, 0); NaN stays."""
        zero = self._other(0.0)
        below = self.builder.fcmp_ordered("<=", self.value, zero)
        return _Vector(self.builder, self.builder.select(below, zero, self.value))


def vector_map(function: Callable[..., tuple[Any, ...]], rows: int) -> Any:
    """A function for compiled kernels: (source, at, step, target, to, stride) -> None.

    It reads the rows source[at + i step] (i < `rows`, `LANES` entries each), and writes the results
    of `function`, sums, differences and multiples of its arguments, at target[to + i stride].
    Both arrays are contiguous float32; the rows that are written may be the rows that are read.
    """
    vector = ir.VectorType(ir.FloatType(), LANES)

    @intrinsic
    def mapped(
        _context: Any, source: Any, at: Any, step: Any, target: Any, to: Any, stride: Any
    ) -> Any:
        index = types.intp

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            def address(which: int, first: Any, each: Any, i: int) -> Any:
                array = context.make_array(signature.args[which])(context, builder, values[which])
                offset = builder.add(first, builder.mul(each, ir.Constant(each.type, i)))
                place = builder.gep(array.data, [offset], inbounds=True)
                return builder.bitcast(place, vector.as_pointer())

            loaded = [
                _Vector(builder, builder.load(address(0, values[1], values[2], i), align=4))
                for i in range(rows)
            ]
            for i, result in enumerate(function(*loaded)):
                builder.store(result.value, address(3, values[4], values[5], i), align=4)
            return context.get_dummy_value()

        return types.void(source, index, index, target, index, index), generate

    return mapped


@intrinsic
def _turn_block(
    _context: Any, source: Any, at: Any, step: Any, target: Any, to: Any, stride: Any
) -> Any:
    """See `turn_block`."""
    index = types.intp
    vector = ir.VectorType(ir.FloatType(), LANES)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        def row(which: int, first: Any, each: Any, i: int) -> Any:
            array = context.make_array(signature.args[which])(context, builder, values[which])
            offset = builder.add(first, builder.mul(each, ir.Constant(each.type, i)))
            place = builder.gep(array.data, [offset], inbounds=True)
            return builder.bitcast(place, vector.as_pointer())

        def lanes(chosen: list[int]) -> Any:
            return ir.Constant(ir.VectorType(ir.IntType(32), LANES), chosen)

        rows = [builder.load(row(0, values[1], values[2], i), align=4) for i in range(LANES)]
        # Each pass exchanges one bit of an entry's row number with that of its lane.
        bit = 1
        while bit < LANES:
            low = [j if not j & bit else LANES + j - bit for j in range(LANES)]
            high = [j + bit if not j & bit else LANES + j for j in range(LANES)]
            for i in range(LANES):
                if not i & bit:
                    pair = rows[i], rows[i + bit]
                    rows[i] = builder.shuffle_vector(*pair, lanes(low))
                    rows[i + bit] = builder.shuffle_vector(*pair, lanes(high))
            bit *= 2
        for i in range(LANES):
            builder.store(rows[i], row(3, values[4], values[5], i), align=4)
        return context.get_dummy_value()

    return types.void(source, index, index, target, index, index), generate


turn_block: Any = _turn_block
"""A function for compiled kernels: (source, at, step, target, to, stride) -> None, for `LANES` rows
of as many entries: target[to + j stride + i] = source[at + i step + j], in contiguous float32.
"""


@intrinsic
def _add_first_lanes(_context: Any, source: Any, at: Any, target: Any, to: Any, count: Any) -> Any:
    """See `add_first_lanes`."""
    index = types.intp
    vector = ir.VectorType(ir.FloatType(), LANES)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        def place(which: int, first: Any) -> Any:
            array = context.make_array(signature.args[which])(context, builder, values[which])
            pointer = builder.gep(array.data, [first], inbounds=True)
            return builder.bitcast(pointer, vector.as_pointer())

        numbers = ir.VectorType(values[4].type, LANES)
        limit = builder.insert_element(
            ir.Constant(numbers, ir.Undefined), values[4], ir.Constant(ir.IntType(32), 0)
        )
        nowhere = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        limit = builder.shuffle_vector(limit, limit, nowhere)
        inside = builder.icmp_signed("<", ir.Constant(numbers, list(range(LANES))), limit)
        added = builder.load(place(0, values[1]), align=4)
        before = builder.load(place(2, values[3]), align=4)
        after = builder.select(inside, builder.fadd(before, added), before)
        builder.store(after, place(2, values[3]), align=4)
        return context.get_dummy_value()

    return types.void(source, index, target, index, index), generate


add_first_lanes: Any = _add_first_lanes
"""A function for compiled kernels: (source, at, target, to, count) -> None, target[to + i] +=
source[at + i] for i < min(count, `LANES`). Whole vectors of both are read and written, in
contiguous float32.
"""


def _bring(builder: Any, place: Any) -> None:
    """Begin to bring an entry's cache line to the second cache; there need be no such entry."""
    pointer = builder.bitcast(place, ir.IntType(8).as_pointer())
    number = ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [pointer.type, number, number, number])
    prefetch = builder.module.declare_intrinsic("llvm.prefetch", [pointer.type], kind)
    to_read, second_cache, data = number(0), number(2), number(1)
    builder.call(prefetch, [pointer, to_read, second_cache, data])


@intrinsic
def _bring_row(_context: Any, array: Any, at: Any) -> Any:
    """See `bring_row`."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, values[0]).data
        for half in (0, LANES):
            place = builder.add(values[1], ir.Constant(values[1].type, half))
            _bring(builder, builder.gep(data, [place]))
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


bring_row: Any = _bring_row
"""A function for compiled kernels: (array, at) -> None, which begins to bring two vectors from
`at` on to the second cache. There need be no such entries.
"""


def _block_of_sums(
    rows_at_once: int, neighbours: bool = False, ahead: bool = False, vectors: int = 2
) -> Any:
    """`outer_sums` for so many rows of so many `vectors`; with `neighbours` rows are one entry
    apart, and need no addresses; with `ahead` what lies behind the part of b that is read is
    fetched meanwhile.
    """

    @intrinsic
    def _outer_sums(
        _context: Any,
        a: Any,
        rows: Any,
        at: Any,
        columns: Any,
        begin: Any,
        end: Any,
        b: Any,
        pitch: Any,
        start: Any,
        origin: Any,
        start_step: Any,
        target: Any,
        to: Any,
        step: Any,
    ) -> Any:
        """See `outer_sums`."""
        index = types.intp
        vector = ir.VectorType(ir.FloatType(), LANES)

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            def data(which: int) -> Any:
                return context.make_array(signature.args[which])(
                    context, builder, values[which]
                ).data

            images, row_places, column_places = data(0), data(1), data(3)
            factors, starts, sums = data(6), data(8), data(11)
            kind = values[2].type

            def wide(pointer: Any, place: Any) -> Any:
                return builder.bitcast(
                    builder.gep(pointer, [place], inbounds=True), vector.as_pointer()
                )

            first_rows = [builder.load(builder.gep(row_places, [values[2]]))]
            for i in range(1, rows_at_once):
                place = builder.add(values[2], ir.Constant(kind, i))
                far = None if neighbours else builder.load(builder.gep(row_places, [place]))
                first_rows.append(far)
            halves = [ir.Constant(kind, LANES * j) for j in range(vectors)]
            totals = []
            for i in range(rows_at_once):
                first = builder.add(values[9], builder.mul(values[10], ir.Constant(kind, i)))
                for half in halves:
                    total = _emit.alloca_once(builder, vector)
                    builder.store(
                        builder.load(wide(starts, builder.add(first, half)), align=4), total
                    )
                    totals.append(total)
            one = ir.Constant(kind, 1)
            with _emit.for_range_slice(builder, values[4], values[5], one, kind) as (t, _):
                column = builder.load(builder.gep(column_places, [t]))
                factor_at = builder.mul(t, values[7])
                factor = [
                    builder.load(wide(factors, builder.add(factor_at, half)), align=4)
                    for half in halves
                ]
                if ahead:
                    behind = builder.sub(values[5], values[4])
                    next_at = builder.mul(builder.add(t, behind), values[7])
                    for half in halves:
                        place = builder.gep(factors, [builder.add(next_at, half)])
                        _bring(builder, place)
                near = builder.add(first_rows[0], column)
                for i, row in enumerate(first_rows):
                    if i == 0 or neighbours:
                        at = builder.add(near, ir.Constant(kind, i))
                    else:
                        at = builder.add(row, column)
                    number = builder.load(builder.gep(images, [at]))
                    spread = _emit.get_null_value(vector)
                    spread = builder.insert_element(spread, number, ir.Constant(ir.IntType(32), 0))
                    mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
                    spread = builder.shuffle_vector(spread, spread, mask)
                    for j in range(vectors):
                        total = totals[vectors * i + j]
                        product = builder.fmul(spread, factor[j], flags=("contract",))
                        builder.store(
                            builder.fadd(builder.load(total), product, flags=("contract",)), total
                        )
            for i in range(rows_at_once):
                row_at = builder.add(values[12], builder.mul(values[13], ir.Constant(kind, i)))
                for j, half in enumerate(halves):
                    result = builder.load(totals[vectors * i + j])
                    builder.store(result, wide(sums, builder.add(row_at, half)), align=4)
            return context.get_dummy_value()

        arrays = (a, rows, index, columns, index, index, b, index, start, index, index)
        return types.void(*arrays, target, index, index), generate

    return _outer_sums


outer_sums: Any = _block_of_sums(ROWS)
"""A function for compiled kernels: a block of a matrix product whose left factor is gathered.

`outer_sums(a, rows, at, columns, begin, end, b, pitch, start, origin, start_step, target, to,
step)` writes, for i < `ROWS` and two vectors of lanes c, target[to + i step + c] = start[origin +
i start_step + c] + the sum over t from `begin` to `end` of a[rows[at + i] + columns[t]] b[t pitch +
c]. The rows are written in their order. Arrays are contiguous, of float32 and, for `rows` and
`columns`, intp.
"""

outer_sums_of_neighbours: Any = _block_of_sums(ROWS, neighbours=True)
"""The same where rows[at + i] = rows[at] + i."""

outer_sums_ahead: Any = _block_of_sums(ROWS, ahead=True)
"""The same, fetching the next end - begin rows of b into cache meanwhile."""

few_outer_sums: Any = _block_of_sums(5)
"""The same for 5 rows."""

narrow_outer_sums: Any = _block_of_sums(NARROW_ROWS, vectors=1)
"""The same for `NARROW_ROWS` rows of one vector."""
