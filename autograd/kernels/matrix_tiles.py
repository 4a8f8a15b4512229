"""The matrix units of some of Intel's processors (AMX) for Numba: sums of products of tiles.

Each instruction multiplies a tile of 16 rows and 32 bfloat16 terms with one of 16 columns, and adds
to a tile of 16x16 float32. Six such products of the three parts of float32 factors (`vector_parts`)
give what float32 arithmetic gives; the three left out are below 2^-24 of the product.

Source: Intel, "Architecture instruction set extensions programming reference", chapter 3; G. Henry,
P. T. P. Tang and A. Heinecke, "Leveraging the bfloat16 artificial intelligence datatype for
higher-precision computations", 2019 (arXiv:1904.06376).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from autograd.kernels.compilation import compiled
from autograd.kernels.vector_parts import PARTS, SIDE, TILE

__all__ = ["BLOCK", "PART", "STEP", "add_block", "begin_tiles", "end_tiles", "tile_block"]

Array = np.ndarray[Any, Any]

_emit: Any = cgutils

BLOCK = 2 * SIDE
"""Rows and columns of a block of sums: four tiles."""

PART, STEP = 2 * TILE, 2 * TILE * PARTS
"""Entries of one part of a panel's two tiles, and of all parts."""

_BYTE, _INDEX = ir.IntType(8), ir.IntType(64)
_BYTES = _BYTE.as_pointer()
_ROW = 64
"""Bytes of a tile's row."""

_PRODUCTS = (0, 2), (0, 1), (1, 1), (1, 0), (2, 0), (0, 0)
"""Which part of the left factor meets which of the right; successive ones share one, which stays
loaded.
"""


def _emit_call(builder: Any, name: str, *arguments: Any) -> None:
    kind = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
    function = _emit.get_or_insert_function(builder.module, kind, f"llvm.x86.{name}")
    builder.call(function, arguments)


@intrinsic
def _load_shapes(_context: Any, shapes: Any) -> Any:
    """This thread's tiles have these shapes from here on."""

    def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        data = context.make_array(shapes)(context, builder, values[0]).data
        _emit_call(builder, "ldtilecfg", builder.bitcast(data, _BYTES))
        return context.get_dummy_value()

    return types.void(shapes), generate


load_shapes: Any = _load_shapes


@compiled
def begin_tiles(shapes: Array, rows: int, columns: int) -> None:
    """This thread computes blocks of so many rows and columns, up to `BLOCK`, from here on.

    `shapes` is memory for 64 uint8.
    """
    shapes[:] = 0
    shapes[0] = 1
    for i in range(2):
        high = max(0, min(SIDE, rows - SIDE * i))
        for j in range(2):
            wide = max(0, min(SIDE, columns - SIDE * j))
            for tile, down, across in (
                (2 * i + j, high, wide),
                (4 + i, high, SIDE),
                (6 + j, SIDE, wide),
            ):
                if down and across:  # else both are to be 0
                    shapes[48 + tile] = down
                    shapes[16 + 2 * tile] = 4 * across
    load_shapes(shapes)


@intrinsic
def _end_tiles(_context: Any) -> Any:
    """See `end_tiles`."""

    def generate(context: Any, builder: Any, _signature: Any, _values: Any) -> Any:
        _emit_call(builder, "tilerelease")
        return context.get_dummy_value()

    return types.void(), generate


end_tiles: Any = _end_tiles
"""A function for compiled kernels, () -> None: the tiles need not be kept for this thread."""


def _block_of_tiles(down: int, across: int) -> Any:
    """`tile_block` of so many tiles."""

    @intrinsic
    def block(
        _context: Any,
        left: Any,
        at: Any,
        right: Any,
        begin: Any,
        steps: Any,
        address: Any,
        pitch: Any,
    ) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
            def place(array: Any, value: Any, first: Any) -> Any:
                data = context.make_array(array)(context, builder, value).data
                return builder.bitcast(builder.gep(data, [first], inbounds=True), _BYTES)

            factors = place(left, values[0], values[1]), place(right, values[2], values[3])
            target = builder.inttoptr(values[5], _BYTES)

            def number(side: int, i: int) -> Any:
                return _BYTE(4 + 2 * side + i)

            def load(side: int, part: int, offset: Any) -> None:
                for i in range((down, across)[side]):
                    first = builder.add(offset, _INDEX(2 * (part * PART + i * TILE)))
                    tile = builder.gep(factors[side], [first])
                    _emit_call(builder, "tileloadd64", number(side, i), tile, _INDEX(_ROW))

            each = [(i, j) for i in range(down) for j in range(across)]

            for i, j in each:
                _emit_call(builder, "tilezero", _BYTE(2 * i + j))

            def add_step(step: Any) -> None:
                offset = builder.mul(step, _INDEX(2 * STEP))
                loaded: tuple[int, ...] = (-1, -1)
                for pair in _PRODUCTS:
                    for side in range(2):
                        if pair[side] != loaded[side]:
                            load(side, pair[side], offset)
                    loaded = pair
                    for i, j in each:
                        numbers = _BYTE(2 * i + j), number(0, i), number(1, j)
                        _emit_call(builder, "tdpbf16ps", *numbers)

            beside = _emit.alloca_once(builder, ir.ArrayType(_BYTE, 2 * TILE))
            two = _INDEX(2)
            even = builder.sub(values[4], builder.urem(values[4], two))
            with _emit.for_range_slice(builder, _INDEX(0), even, two, _INDEX) as (step, _):
                # Read by nobody. Blocks that store nothing for more than five steps stall at their
                # end for as long as three take.
                tile = builder.bitcast(beside, _BYTES)
                _emit_call(builder, "tilestored64", _BYTE(0), tile, _INDEX(_ROW))
                add_step(step)
                add_step(builder.add(step, _INDEX(1)))
            with builder.if_then(builder.icmp_unsigned("<", even, values[4])):
                add_step(even)
            for i, j in each:
                row = builder.mul(values[6], _INDEX(SIDE * i))
                tile = builder.gep(target, [builder.add(row, _INDEX(4 * SIDE * j))])
                _emit_call(builder, "tilestored64", _BYTE(2 * i + j), tile, values[6])
            return context.get_dummy_value()

        index = types.intp
        arrays = left, index, right, index, index
        return types.void(*arrays, index, index), generate

    return block


_blocks = [[_block_of_tiles(down, across) for across in (1, 2)] for down in (1, 2)]
one_tile, two_across = _blocks[0]
two_down, four_tiles = _blocks[1]


@compiled
def tile_block(
    left: Array,
    at: int,
    right: Array,
    begin: int,
    steps: int,
    rows: int,
    columns: int,
    address: int,
    pitch: int,
) -> None:
    """A block of a product, of as many rows and columns as given to `begin_tiles`.

    The factors are `steps` times `STEP` entries of `left` from `at` and of `right` from `begin` on:
    for each DEPTH terms, the three parts of two tiles. Rows of the result lie `pitch` bytes apart
    from `address` on. All is fastest where no row crosses cache lines.
    """
    if rows > SIDE:
        if columns > SIDE:
            four_tiles(left, at, right, begin, steps, address, pitch)
        else:
            two_down(left, at, right, begin, steps, address, pitch)
    elif columns > SIDE:
        two_across(left, at, right, begin, steps, address, pitch)
    else:
        one_tile(left, at, right, begin, steps, address, pitch)


@intrinsic
def _add_block(_context: Any, sums: Any, address: Any, pitch: Any) -> Any:
    """See `add_block`."""
    vector = ir.VectorType(ir.FloatType(), SIDE)

    def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        data = context.make_array(sums)(context, builder, values[0]).data
        for i in range(BLOCK):
            row = builder.add(values[1], builder.mul(values[2], _INDEX(i)))
            for j in range(2):
                place = builder.gep(data, [_INDEX(i * BLOCK + j * SIDE)], inbounds=True)
                added = builder.load(builder.bitcast(place, vector.as_pointer()), align=4)
                there = builder.add(row, _INDEX(j * _ROW))
                there = builder.inttoptr(there, vector.as_pointer())
                total = builder.fadd(builder.load(there, align=4), added)
                builder.store(total, there, align=4)
        return context.get_dummy_value()

    return types.void(sums, types.intp, types.intp), generate


add_block: Any = _add_block
"""A function for compiled kernels: (sums, address, pitch) -> None, which adds a whole block to rows
of float32 that lie `pitch` bytes apart from `address` on.
"""
