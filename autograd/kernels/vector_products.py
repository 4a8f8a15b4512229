"""The inside of a matrix product for Numba, as explicit vector instructions.

A tile of the result, a few rows of one to three vectors, stays in the registers while the terms of
its sums go by. Source: the register blocking of K. Goto and R. van de Geijn, "Anatomy of
high-performance matrix multiplication", 2008.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from autograd.kernels.vector_maps import LANES

__all__ = ["MOST_VECTORS", "TALL", "copy_of_rows", "fetch_line", "tile_of_sums"]

_emit: Any = cgutils

MOST_VECTORS = 3 if LANES > 8 else 2
"""Vectors in a row of a tile."""

TALL = 8 if LANES > 8 else 6
"""Rows of a tile: with so many, its sums fill the registers."""

_FLOAT = ir.FloatType()
_VECTOR = ir.VectorType(_FLOAT, LANES)


def tile_of_sums(rows: int, vectors: int) -> Any:
    """A function for compiled kernels: a tile of a matrix product, of `rows` by `vectors` lanes.

    `tile_of_sums(rows, vectors)(a, down, across, count, b, terms, target, pitch, end, end_pitch,
    adds)` writes, or if `adds` adds, for i < count <= rows and c < vectors LANES, to target[i, c]
    the sum over t < `terms` of a[i, t] b[t, c]; but the last vector of row i to end[i]. The arrays
    are addresses of float32; rows of a are `down` bytes apart, its columns `across`; rows of the
    results `pitch` and `end_pitch`; b is contiguous.
    """

    @intrinsic
    def summed(
        _context: Any,
        a: Any,
        down: Any,
        across: Any,
        count: Any,
        b: Any,
        terms: Any,
        target: Any,
        pitch: Any,
        end: Any,
        end_pitch: Any,
        adds: Any,
    ) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
            a, down, across, count, b, terms, target, pitch, end, end_pitch, adds = values
            kind = a.type
            last = builder.sub(count, ir.Constant(kind, 1))

            def number(value: int) -> Any:
                return ir.Constant(kind, value)

            def vector_at(address: Any, lane: int) -> Any:
                place = builder.add(address, number(4 * lane))
                return builder.inttoptr(place, _VECTOR.as_pointer())

            lines, targets = [], []
            for i in range(rows):
                # Where there are fewer rows, the last is computed, and written, again.
                inside = builder.icmp_signed("<", number(i), last)
                line = builder.select(inside, number(i), last)
                lines.append(builder.add(a, builder.mul(line, down)))
                row = builder.add(target, builder.mul(line, pitch))
                places = [vector_at(row, LANES * j) for j in range(vectors - 1)]
                places.append(vector_at(builder.add(end, builder.mul(line, end_pitch)), 0))
                targets.append(places)
            nothing = _emit.get_null_value(_VECTOR)
            totals = [[_emit.alloca_once(builder, _VECTOR) for _ in range(vectors)] for _ in lines]
            for row in totals:
                for total in row:
                    builder.store(nothing, total)
            everywhere = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
            with _emit.for_range_slice(builder, number(0), terms, number(1), kind) as (t, _):
                factors = builder.add(b, builder.mul(t, number(4 * LANES * vectors)))
                factor = [
                    builder.load(vector_at(factors, LANES * j), align=4) for j in range(vectors)
                ]
                offset = builder.mul(t, across)
                for line, row in zip(lines, totals, strict=True):
                    place = builder.inttoptr(builder.add(line, offset), _FLOAT.as_pointer())
                    entry = builder.insert_element(
                        nothing, builder.load(place), ir.Constant(ir.IntType(32), 0)
                    )
                    spread = builder.shuffle_vector(entry, entry, everywhere)
                    for total, part in zip(row, factor, strict=True):
                        product = builder.fmul(spread, part, flags=("contract",))
                        so_far = builder.load(total)
                        builder.store(builder.fadd(so_far, product, flags=("contract",)), total)
            pairs = [
                pair
                for places, row in zip(targets, totals, strict=True)
                for pair in zip(places, row, strict=True)
            ]
            with builder.if_then(adds):
                # All are read before any is written: the last row may be there several times.
                for place, total in pairs:
                    before = builder.load(place, align=4)
                    builder.store(builder.fadd(before, builder.load(total)), total)
            for place, total in pairs:
                builder.store(builder.load(total), place, align=4)
            return _context.get_dummy_value()

        return types.void(*[types.intp] * 10, types.boolean), generate

    return summed


def copy_of_rows(vectors: int) -> Any:
    """A function for compiled kernels: (source, down, count, target, pitch) -> None, which copies
    `count` rows of `vectors` vectors from one address to another, with so many bytes between rows.
    """

    @intrinsic
    def copied(_context: Any, source: Any, down: Any, count: Any, target: Any, pitch: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
            source, down, count, target, pitch = values
            zero, one = ir.Constant(count.type, 0), ir.Constant(count.type, 1)
            with _emit.for_range_slice(builder, zero, count, one, count.type) as (t, _):
                places = [
                    builder.add(start, builder.mul(t, step))
                    for start, step in ((source, down), (target, pitch))
                ]
                for j in range(vectors):
                    offset = ir.Constant(count.type, 4 * LANES * j)
                    here, there = (
                        builder.inttoptr(builder.add(place, offset), _VECTOR.as_pointer())
                        for place in places
                    )
                    builder.store(builder.load(here, align=4), there, align=4)
            return context.get_dummy_value()

        return types.void(*[types.intp] * 5), generate

    return copied


def fetch_line(builder: Any, address: Any, cache: int = 1) -> None:
    """Emit what brings the line of memory at an address to the first, second or third cache."""
    pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
    fetch = builder.module.declare_intrinsic("llvm.prefetch", (pointer,), kind)
    reading, nearness, data = (ir.Constant(number, value) for value in (0, 4 - cache, 1))
    builder.call(fetch, [builder.inttoptr(address, pointer), reading, nearness, data])
