"""The inside of a product of a matrix with many zeros, as explicit vector instructions for Numba.

A row of results, some vectors, stays in the registers while the rows of the right factor go by that
meet an entry other than zero. Source: F. G. Gustavson, "Two fast algorithms for sparse matrices:
multiplication and permuted transposition", 1978, of which this is the part for a dense right
factor, with bits in place of lists.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic as numba_intrinsic

from autograd.kernels.vector_maps import LANES
from autograd.kernels.vector_products import fetch_line

__all__ = ["WORD", "nonzeros", "rows_of_sums", "undefined"]

_emit: Any = cgutils
intrinsic: Any = numba_intrinsic

WORD = 36 if LANES > 8 else 64
"""Terms that a word of bits stands for at most: with so many, a panel of 12 vectors has 24 or 27
KiB, and stays in the first cache.
"""

_FLOAT, _INT, _INDEX = ir.FloatType(), ir.IntType(32), ir.IntType(64)
_VECTOR, _INTS = ir.VectorType(_FLOAT, LANES), ir.VectorType(_INT, LANES)
_BITS = ir.IntType(LANES)

_ROWS_AHEAD, _LINE = 3, 64
"""Rows of the left factor that are fetched early, and bytes in a cache's line: the rows are too far
from each other for the processor to do it by itself.
"""


def _number(value: int) -> Any:
    return ir.Constant(_INDEX, value)


def _at(builder: Any, address: Any, kind: Any, offset: int = 0) -> Any:
    return builder.inttoptr(builder.add(address, _number(offset)), kind.as_pointer())


@intrinsic
def nonzeros(_context: Any, address: Any, length: Any) -> Any:
    """Which of the next `length` floats, a vector of them at least, are not zero, as bits; NaN is
    not.
    """

    def generate(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        address, length = values
        found = _emit.alloca_once_value(builder, _number(0))
        last = builder.sub(length, _number(LANES))
        with _emit.for_range_slice(builder, _number(0), length, _number(LANES), _INDEX) as (t, _):
            inside = builder.icmp_signed("<", t, last)
            lane = builder.select(inside, t, last)
            place = builder.add(address, builder.mul(lane, _number(4)))
            vector = builder.load(_at(builder, place, _VECTOR), align=4)
            unequal = builder.fcmp_unordered("!=", vector, ir.Constant(_VECTOR, None))
            bits = builder.zext(builder.bitcast(unequal, _BITS), _INDEX)
            builder.store(builder.or_(builder.load(found), builder.shl(bits, lane)), found)
        return builder.load(found)

    return types.int64(types.int64, types.int64), generate


@intrinsic
def undefined(_context: Any, address: Any, vectors: Any) -> Any:
    """Whether among the numbers of so many vectors there are infinities or NaN."""

    def generate(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        exponent = ir.Constant(_INTS, [0x7F800000] * LANES)
        found = _emit.alloca_once_value(builder, ir.Constant(_BITS, 0))
        with _emit.for_range_slice(builder, _number(0), values[1], _number(1), _INDEX) as (j, _):
            place = builder.add(values[0], builder.mul(j, _number(4 * LANES)))
            bits = builder.load(_at(builder, place, _INTS), align=4)
            largest = builder.icmp_unsigned("==", builder.and_(bits, exponent), exponent)
            so_far = builder.load(found)
            builder.store(builder.or_(so_far, builder.bitcast(largest, _BITS)), found)
        return builder.icmp_unsigned("!=", builder.load(found), ir.Constant(_BITS, 0))

    return types.boolean(types.int64, types.int64), generate


def rows_of_sums(vectors: int) -> Any:
    """A function for compiled kernels: rows of a product, of `vectors` vectors each.

    `rows_of_sums(vectors)(a, down, count, words, words_down, everywhere, panel, adds, before,
    before_pitch, target, pitch)` writes to target[i], for i < count, the sum of a[i, t] panel[t]
    over those t < `WORD` whose bit is 1 in words[i] or in `everywhere`, and if `adds` of before[i].
    The arrays are addresses, of float32 and, for `words`, int64; `down`, `words_down` and the
    pitches are bytes between rows; the panel is contiguous.
    """

    @intrinsic
    def summed(
        _context: Any,
        a: Any,
        down: Any,
        count: Any,
        words: Any,
        words_down: Any,
        everywhere: Any,
        panel: Any,
        adds: Any,
        before: Any,
        before_pitch: Any,
        target: Any,
        pitch: Any,
    ) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
            a, down, count, words, words_down, everywhere, panel = values[:7]
            adds, before, before_pitch, target, pitch = values[7:]
            nothing = ir.Constant(_VECTOR, None)
            lanes = ir.Constant(_INTS, [0] * LANES)
            totals = [_emit.alloca_once(builder, _VECTOR) for _ in range(vectors)]
            left = _emit.alloca_once(builder, _INDEX)
            with _emit.for_range_slice(builder, _number(0), count, _number(1), _INDEX) as (i, _):
                row = builder.add(a, builder.mul(i, down))
                old, new = (
                    builder.add(start, builder.mul(i, step))
                    for start, step in ((before, before_pitch), (target, pitch))
                )
                word = builder.load(
                    _at(builder, builder.add(words, builder.mul(i, words_down)), _INDEX)
                )
                builder.store(builder.or_(word, everywhere), left)
                for total in totals:
                    builder.store(nothing, total)
                ahead = builder.add(row, builder.mul(down, _number(_ROWS_AHEAD)))
                for offset in range(0, 4 * WORD, _LINE):
                    fetch_line(builder, builder.add(ahead, _number(offset)))
                head, body, end = (builder.append_basic_block(name) for name in ("l", "t", "e"))
                builder.branch(head)
                builder.position_at_end(head)
                bits = builder.load(left)
                builder.cbranch(builder.icmp_unsigned("!=", bits, _number(0)), body, end)
                builder.position_at_end(body)
                t = builder.cttz(bits, ir.Constant(ir.IntType(1), 1))
                builder.store(builder.and_(bits, builder.sub(bits, _number(1))), left)
                place = builder.add(row, builder.shl(t, _number(2)))
                entry = builder.load(_at(builder, place, _FLOAT))
                first = builder.insert_element(nothing, entry, ir.Constant(_INT, 0))
                spread = builder.shuffle_vector(first, first, lanes)
                factors = builder.add(panel, builder.mul(t, _number(4 * LANES * vectors)))
                for j, total in enumerate(totals):
                    factor = builder.load(_at(builder, factors, _VECTOR, 4 * LANES * j), align=4)
                    product = builder.fmul(spread, factor, flags=("contract",))
                    so_far = builder.load(total)
                    builder.store(builder.fadd(so_far, product, flags=("contract",)), total)
                builder.branch(head)
                builder.position_at_end(end)
                with builder.if_then(adds):
                    for j, total in enumerate(totals):
                        others = builder.load(_at(builder, old, _VECTOR, 4 * LANES * j), align=4)
                        builder.store(builder.fadd(others, builder.load(total)), total)
                for j, total in enumerate(totals):
                    place = _at(builder, new, _VECTOR, 4 * LANES * j)
                    builder.store(builder.load(total), place, align=4)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 7, types.boolean, *[types.int64] * 4), generate

    return summed
