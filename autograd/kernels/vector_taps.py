"""Sums of products of vectors of channels for Numba, as explicit vector instructions.

They are the insides of depthwise convolutions: a few positions' results, or a few taps' sums, stay
in registers while vectors of neighbouring channels go by. Only entries that take part are read or
written. Arrays are contiguous and of one dtype, float32 or float64.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from autograd.kernels.vector_maps import LANES

__all__ = ["VECTOR_BYTES", "row_sums", "seed_sums", "tap_sums"]

_emit: Any = cgutils

VECTOR_BYTES = 4 * LANES
"""Of all vectors here: `LANES` float32 or half as many float64."""


class _Emitter:
    """Instructions over vectors of the contiguous arrays among an intrinsic's arguments."""

    def __init__(self, context: Any, builder: Any, signature: Any, values: Any) -> None:
        self.context, self.builder = context, builder
        self.signature, self.values = signature, values
        dtype = signature.args[0].dtype
        self.itemsize = dtype.bitwidth // 8
        self.vector = ir.VectorType(context.get_value_type(dtype), VECTOR_BYTES // self.itemsize)

    def place(self, which: int, at: Any) -> Any:
        """A pointer to entry `at` of the array that is argument `which`."""
        array = self.context.make_array(self.signature.args[which])
        data = array(self.context, self.builder, self.values[which]).data
        return self.move(data, at)

    def move(self, pointer: Any, entries: Any) -> Any:
        return self.builder.gep(pointer, [entries], inbounds=True)

    def times(self, a: Any, b: Any) -> Any:
        return self.builder.mul(a, b)

    def chain(self, pointer: Any, step: Any, count: int) -> list[Any]:
        """Pointers `step` entries apart, each made of the last: few registers hold them."""
        pointers = [pointer]
        while len(pointers) < count:
            pointers.append(self.move(pointers[-1], step))
        return pointers

    def load(self, pointer: Any) -> Any:
        wide = self.builder.bitcast(pointer, self.vector.as_pointer())
        return self.builder.load(wide, align=self.itemsize)

    def store(self, value: Any, pointer: Any) -> None:
        wide = self.builder.bitcast(pointer, self.vector.as_pointer())
        self.builder.store(value, wide, align=self.itemsize)

    def registers(self, values: list[Any]) -> list[Any]:
        """Variables that hold vectors, with these to begin with."""
        variables = [_emit.alloca_once(self.builder, self.vector) for _ in values]
        for variable, value in zip(variables, values, strict=True):
            self.builder.store(value, variable)
        return variables

    def add_product(self, variable: Any, a: Any, b: Any) -> None:
        product = self.builder.fmul(a, b, flags=("contract",))
        total = self.builder.fadd(self.builder.load(variable), product, flags=("contract",))
        self.builder.store(total, variable)

    def loop(self, count: Any) -> Any:
        zero, one = ir.Constant(count.type, 0), ir.Constant(count.type, 1)
        return _emit.for_range_slice(self.builder, zero, count, one, count.type)


def tap_sums(positions: int) -> Any:
    """A function for compiled kernels: the results of `positions` neighbouring windows.

    `tap_sums(positions)(x, at, step, down, across, w, first, channels, rows, columns, start,
    origin, y, to, apart)` writes, for r < `positions` and a vector of channels c, y[to + r apart +
    c] = start[origin + c] + the sum over i < `rows` and j < `columns` of x[at + r step + i down + j
    across + c] w[first + (i columns + j) channels + c].
    """

    @intrinsic
    def summed(
        _context: Any,
        x: Any,
        at: Any,
        step: Any,
        down: Any,
        across: Any,
        w: Any,
        first: Any,
        channels: Any,
        rows: Any,
        columns: Any,
        start: Any,
        origin: Any,
        y: Any,
        to: Any,
        apart: Any,
    ) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            emit = _Emitter(context, builder, signature, values)
            step, down, across = values[2:5]
            channels, rows, columns = values[7:10]
            corner, weights = emit.place(0, values[1]), emit.place(5, values[6])
            totals = emit.registers([emit.load(emit.place(10, values[11]))] * positions)
            with emit.loop(rows) as (i, _):
                row = emit.move(corner, emit.times(i, down))
                weight_row = emit.times(i, columns)
                with emit.loop(columns) as (j, _):
                    window = emit.move(row, emit.times(j, across))
                    tap = emit.times(builder.add(weight_row, j), channels)
                    weight = emit.load(emit.move(weights, tap))
                    pixels = emit.chain(window, step, positions)
                    for total, pixel in zip(totals, pixels, strict=True):
                        emit.add_product(total, emit.load(pixel), weight)
            targets = emit.chain(emit.place(12, values[13]), values[14], positions)
            for total, target in zip(totals, targets, strict=True):
                emit.store(builder.load(total), target)
            return context.get_dummy_value()

        n = types.intp
        return types.void(x, n, n, n, n, w, n, n, n, n, start, n, y, n, n), generate

    return summed


def row_sums(positions: int, columns: int, stride: int, dilation: int) -> Any:
    """A function for compiled kernels: `tap_sums` for known columns, stride and dilation.

    `row_sums(...)(x, at, down, w, first, channels, rows, start, origin, y, to, apart)` does what
    `tap_sums` does with step = stride channels and across = dilation channels. A pixel is loaded
    once for all the windows of the row that it is in.
    """

    @intrinsic
    def summed(
        _context: Any,
        x: Any,
        at: Any,
        down: Any,
        w: Any,
        first: Any,
        channels: Any,
        rows: Any,
        start: Any,
        origin: Any,
        y: Any,
        to: Any,
        apart: Any,
    ) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            emit = _Emitter(context, builder, signature, values)
            down, channels, rows = values[2], values[5], values[6]
            corner, weights = emit.place(0, values[1]), emit.place(3, values[4])
            totals = emit.registers([emit.load(emit.place(7, values[8]))] * positions)
            pitch = emit.times(channels, ir.Constant(channels.type, columns))
            reach = stride * (positions - 1) + dilation * (columns - 1) + 1
            with emit.loop(rows) as (i, _):
                taps = emit.chain(emit.move(weights, emit.times(i, pitch)), channels, columns)
                loaded = [emit.load(tap) for tap in taps]
                pixels = emit.chain(emit.move(corner, emit.times(i, down)), channels, reach)
                for z, pixel in enumerate(pixels):
                    meeting = [
                        (r, j)
                        for r in range(positions)
                        for j in range(columns)
                        if stride * r + dilation * j == z
                    ]
                    value = emit.load(pixel) if meeting else None
                    for r, j in meeting:
                        emit.add_product(totals[r], value, loaded[j])
            targets = emit.chain(emit.place(9, values[10]), values[11], positions)
            for total, target in zip(totals, targets, strict=True):
                emit.store(builder.load(total), target)
            return context.get_dummy_value()

        n = types.intp
        return types.void(x, n, n, w, n, n, n, start, n, y, n, n), generate

    return summed


def seed_sums(rows: int, columns: int) -> Any:
    """A function for compiled kernels: what a row of a cotangent adds to a few taps' weights.

    `seed_sums(rows, columns)(x, at, step, down, across, g, first, channels, count, sums, to, below,
    beside)` adds, for i < `rows`, j < `columns` and a vector of channels c, to sums[to + i below +
    j beside + c] the sum over q < `count` of x[at + q step + i down + j across + c] g[first + q
    channels + c].
    """

    @intrinsic
    def summed(
        _context: Any,
        x: Any,
        at: Any,
        step: Any,
        down: Any,
        across: Any,
        g: Any,
        first: Any,
        channels: Any,
        count: Any,
        sums: Any,
        to: Any,
        below: Any,
        beside: Any,
    ) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            emit = _Emitter(context, builder, signature, values)
            step, down, across = values[2:5]
            channels, count = values[7:9]

            def taps(corner: Any, down: Any, across: Any) -> list[Any]:
                lines = emit.chain(corner, down, rows)
                return [tap for line in lines for tap in emit.chain(line, across, columns)]

            places = taps(emit.place(9, values[10]), values[11], values[12])
            totals = emit.registers([emit.load(place) for place in places])
            images, seeds = emit.place(0, values[1]), emit.place(5, values[6])
            with emit.loop(count) as (q, _):
                seed = emit.load(emit.move(seeds, emit.times(q, channels)))
                window = emit.move(images, emit.times(q, step))
                for total, pixel in zip(totals, taps(window, down, across), strict=True):
                    emit.add_product(total, emit.load(pixel), seed)
            for place, total in zip(places, totals, strict=True):
                emit.store(builder.load(total), place)
            return context.get_dummy_value()

        n = types.intp
        return types.void(x, n, n, n, n, g, n, n, n, sums, n, n, n), generate

    return summed
