"""The inside of a matrix product whose sums go along rows of both factors, for Numba.

A few rows of each factor go by, as they lie, and every pair of them has a vector of sums, all in
registers; no vector holds results of several columns, so no column is computed that is not there.
In the end the lanes of the sums are added, by passes that halve the number of vectors.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic as numba_intrinsic

from autograd.kernels.vector_maps import LANES
from autograd.kernels.vector_products import fetch_line

__all__ = ["SIDE", "place_of_sums", "tile_of_dots"]

_emit: Any = cgutils
intrinsic: Any = numba_intrinsic

SIDE = 5 if LANES > 8 else 3
"""Rows of each factor in a tile: their sums, and what is multiplied, fill the registers."""

_FLOAT, _INT, _INDEX = ir.FloatType(), ir.IntType(32), ir.IntType(64)
_VECTOR, _INTS = ir.VectorType(_FLOAT, LANES), ir.VectorType(_INT, LANES)


@intrinsic
def place_of_sums(_context: Any) -> Any:
    """The address of memory for a tile's sums, in whole vectors, while a kernel runs.

    It is on the stack, beside the kernel's own variables: a load waits for stores to addresses with
    the same low 12 bits, and each tile's first loads would wait for the last one's sums if they
    were elsewhere and happened to agree in those.
    """

    def generate(_context: Any, builder: Any, _signature: Any, _values: Any) -> Any:
        kind = ir.ArrayType(_VECTOR, -(-SIDE * SIDE // LANES))
        place = _emit.alloca_once(builder, kind)
        place.align = 4 * LANES
        return builder.ptrtoint(place, _INDEX)

    return types.int64(), generate


def tile_of_dots(packs: bool) -> Any:
    """A function for compiled kernels: the dot products of a few rows with a few others.

    `tile_of_dots(packs)(a, down, rows, b, across, columns, panel, terms, sums, early)` writes to
    sums[i SIDE + j] the sum over t < `terms` of a[i, t] b[j, t], for i < rows and j < columns, at
    most `SIDE` each; the other sums are anything. The arrays are addresses of float32; rows, which
    have a vector of terms at least, or others before them, are contiguous, those of a are `down`
    bytes apart, those of b `across`. A panel has a vector of each of SIDE rows of a in turn: if the
    tile `packs`, it is written from a, else read in its place. The row at `early` will be wanted
    soon.
    """

    @intrinsic
    def summed(
        _context: Any,
        a: Any,
        down: Any,
        rows: Any,
        b: Any,
        across: Any,
        columns: Any,
        panel: Any,
        terms: Any,
        sums: Any,
        early: Any,
    ) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
            a, down, rows, b, across, columns, panel, terms, sums, early = values
            lines = _lines(builder, b, across, columns)
            entries = _lines(builder, a, down, rows) if packs else []
            totals = [[_emit.alloca_once(builder, _VECTOR) for _ in lines] for _ in lines]
            for total in (total for row in totals for total in row):
                builder.store(ir.Constant(_VECTOR, None), total)

            def add_products(offset: Any, place: Any, among: Any) -> None:
                """Of a vector of terms: those that are new, if there is an `among`."""

                def part(line: Any) -> Any:
                    # Zero times what is in the other lanes would be NaN if that is infinite.
                    vector = builder.load(_at(builder, builder.add(line, offset)), align=4)
                    none = ir.Constant(_VECTOR, None)
                    return vector if among is None else builder.select(among, vector, none)

                factors = [part(line) for line in lines]
                for i, row in enumerate(totals):
                    packed = _at(builder, builder.add(panel, place), LANES * i)
                    if packs:
                        entry = part(entries[i])
                        builder.store(entry, packed, align=4)
                    else:
                        entry = builder.load(packed, align=4)
                    for factor, total in zip(factors, row, strict=True):
                        product = builder.fmul(entry, factor, flags=("contract",))
                        so_far = builder.load(total)
                        builder.store(builder.fadd(so_far, product, flags=("contract",)), total)

            rest = builder.srem(terms, _number(LANES))
            whole = builder.mul(builder.sub(terms, rest), _number(4))
            step = _number(4 * LANES)
            with _emit.for_range_slice(builder, _number(0), whole, step, _INDEX) as (offset, _):
                fetch_line(builder, builder.add(early, offset), cache=2)
                add_products(offset, builder.mul(offset, _number(SIDE)), None)
            with builder.if_then(builder.icmp_signed("!=", rest, _number(0))):
                skipped = builder.trunc(builder.sub(_number(LANES), rest), _INT)
                new = builder.icmp_signed(">=", _lanes(range(LANES)), _spread(builder, skipped))
                last = builder.mul(builder.sub(terms, _number(LANES)), _number(4))
                add_products(last, builder.mul(whole, _number(SIDE)), new)
            vectors = [builder.load(total) for row in totals for total in row]
            for k, vector in enumerate(_sums_of_lanes(builder, vectors)):
                builder.store(vector, _at(builder, sums, LANES * k), align=4)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 10), generate

    return summed


def _number(value: int) -> Any:
    return ir.Constant(_INDEX, value)


def _lanes(chosen: Iterable[int]) -> Any:
    return ir.Constant(_INTS, list(chosen))


def _at(builder: Any, address: Any, lane: int = 0) -> Any:
    return builder.inttoptr(builder.add(address, _number(4 * lane)), _VECTOR.as_pointer())


def _spread(builder: Any, number: Any) -> Any:
    first = builder.insert_element(ir.Constant(_INTS, None), number, ir.Constant(_INT, 0))
    return builder.shuffle_vector(first, first, _lanes([0] * LANES))


def _lines(builder: Any, start: Any, step: Any, count: Any) -> list[Any]:
    """The addresses of `SIDE` rows; where there are fewer, the last is there again."""
    last = builder.sub(count, _number(1))
    lines = []
    for i in range(SIDE):
        inside = builder.icmp_signed("<", _number(i), last)
        line = builder.select(inside, _number(i), last)
        lines.append(builder.add(start, builder.mul(line, step)))
    return lines


def _sums_of_lanes(builder: Any, vectors: list[Any]) -> list[Any]:
    """Vectors whose lanes are, one after the other, the sums of the lanes of those."""
    bit = 1
    while bit < LANES:
        low = _lanes(j if not j & bit else LANES + j - bit for j in range(LANES))
        high = _lanes(j + bit if not j & bit else LANES + j for j in range(LANES))
        pairs = [vectors[i : i + 2] for i in range(0, len(vectors), 2)]
        vectors = [
            builder.fadd(
                builder.shuffle_vector(pair[0], pair[-1], low),
                builder.shuffle_vector(pair[0], pair[-1], high),
            )
            for pair in pairs
        ]
        bit *= 2
    return vectors
