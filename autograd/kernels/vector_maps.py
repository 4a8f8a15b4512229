"""Maps of a few rows of floats to a few others, as explicit vector instructions for Numba.

LLVM finds the vector instructions of a simple loop by itself, but not when many rows that might
overlap are read and written at once, as in the transforms of Winograd's algorithm.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

__all__ = ["LANES", "vector_map"]

LANES = 16
"""Floats in a vector: one AVX-512 register, two of AVX, four of NEON."""


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
