"""A matrix product in float32 of our own, which compiled kernels call in place of the BLAS's.

A BLAS copies both factors into an order of its own. Here only a panel of the right one is copied,
so narrow that it stays in cache while the rows of the left one, which are read where they lie, go
by; and a row of results has as many vectors as it needs, not a fixed number. A result is the sum of
sums of `_TERMS` terms, whatever part of the product a thread has.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import types as numba_types
from numba.extending import intrinsic as numba_intrinsic

from autograd.kernels.compilation import compiled
from autograd.kernels.compiled_panels import copy_panel, turn_panel
from autograd.kernels.compiled_products import TURNED
from autograd.kernels.compiled_sharing import array_at
from autograd.kernels.vector_maps import LANES
from autograd.kernels.vector_products import MOST_VECTORS, TALL, tile_of_sums

__all__ = ["address_in_place_of_sgemm", "address_of_own_product"]

Array = np.ndarray[Any, Any]
types: Any = numba_types
intrinsic: Any = numba_intrinsic
_numba: Any = numba
carray = _numba.carray

_TERMS, _ROWS = 512, 256
"""Terms and rows of the left factor's blocks, which stay in the second cache."""

_SHORT = TALL // 2
"""Rows of a tile for the last ones."""

_PANEL = MOST_VECTORS * LANES
"""Columns of a panel at most."""

_SIZE = 4

_tall_1, _short_1 = tile_of_sums(TALL, 1), tile_of_sums(_SHORT, 1)
_tall_2, _short_2 = tile_of_sums(TALL, 2), tile_of_sums(_SHORT, 2)
_tall_3, _short_3 = tile_of_sums(TALL, MOST_VECTORS), tile_of_sums(_SHORT, MOST_VECTORS)


@compiled
def _tile(
    vectors: int,
    a: int,
    down: int,
    across: int,
    count: int,
    panel: int,
    terms: int,
    target: int,
    pitch: int,
    end: int,
    end_pitch: int,
    adds: bool,
) -> None:
    """The `tile_of_sums` for so many vectors, and `count` rows."""
    if count <= _SHORT:
        if vectors == 1:
            _short_1(a, down, across, count, panel, terms, target, pitch, end, end_pitch, adds)
        elif vectors == 2:
            _short_2(a, down, across, count, panel, terms, target, pitch, end, end_pitch, adds)
        else:
            _short_3(a, down, across, count, panel, terms, target, pitch, end, end_pitch, adds)
    elif vectors == 1:
        _tall_1(a, down, across, count, panel, terms, target, pitch, end, end_pitch, adds)
    elif vectors == 2:
        _tall_2(a, down, across, count, panel, terms, target, pitch, end, end_pitch, adds)
    else:
        _tall_3(a, down, across, count, panel, terms, target, pitch, end, end_pitch, adds)


@compiled
def _multiply_panel(
    a: int,
    a_steps: Any,
    panel: Array,
    width: int,
    terms: int,
    out: int,
    pitch: int,
    sizes: Any,
    adds: bool,
    edge: Array,
) -> None:
    """`sizes` rows and columns, up to `width`, of out = a panel, or out += a panel."""
    rows, columns = sizes
    down, across = a_steps
    vectors, factors, last = width // LANES, panel.ctypes.data, width - LANES
    for i in range(0, rows, TALL):
        count, row, target = min(TALL, rows - i), a + i * down, out + i * pitch
        if columns == width:
            end = target + _SIZE * last
            _tile(
                vectors, row, down, across, count, factors, terms, target, pitch, end, pitch, adds
            )
            continue
        # The last vector is not whole in the result.
        for r in range(count if adds else 0):
            line = carray(array_at(target + r * pitch), (columns,), np.float32)
            for c in range(last, columns):
                edge[r * LANES + c - last] = line[c]
        end = edge.ctypes.data
        _tile(
            vectors, row, down, across, count, factors, terms, target, pitch, end, _SIZE * LANES,
            adds,
        )  # fmt: skip
        for r in range(count):
            line = carray(array_at(target + r * pitch), (columns,), np.float32)
            for c in range(last, columns):
                line[c] = edge[r * LANES + c - last]


@compiled
def _multiply(
    a_turned: bool,
    b_turned: bool,
    rows: int,
    columns: int,
    terms: int,
    a: int,
    a_pitch: int,
    b: int,
    b_pitch: int,
    adds: bool,
    out: int,
    out_pitch: int,
) -> None:
    """out = a b, or out += a b if `adds`; the arguments are those of CBLAS's sgemm, by rows."""
    a_steps = (_SIZE, _SIZE * a_pitch) if a_turned else (_SIZE * a_pitch, _SIZE)
    down, across = (_SIZE, _SIZE * b_pitch) if b_turned else (_SIZE * b_pitch, _SIZE)
    pitch = _SIZE * out_pitch
    memory = np.empty(_TERMS * _PANEL + LANES, np.float32)
    panel = memory[-memory.ctypes.data % (_SIZE * LANES) // _SIZE :]
    edge = np.zeros(TALL * LANES, np.float32)
    vectors = -(-columns // LANES)
    panels = -(-vectors // MOST_VECTORS)
    # Without terms the sums are zero.
    for first in range(0, max(terms, 1), _TERMS):
        depth = min(_TERMS, terms - first)
        for top in range(0, rows, _ROWS):
            corner = a + top * a_steps[0] + first * a_steps[1]
            left = 0
            for k in range(panels):
                width = -(-(vectors - left // LANES) // (panels - k)) * LANES
                sizes = (min(_ROWS, rows - top), min(width, columns - left))
                begin = b + first * down + left * across
                if b_turned:
                    turn_panel(begin, across, depth, sizes[1], width, panel)
                else:
                    copy_panel(begin, down, depth, sizes[1], width, panel)
                target = out + top * pitch + left * _SIZE
                more = adds or first > 0
                _multiply_panel(
                    corner, a_steps, panel, width, depth, target, pitch, sizes, more, edge
                )
                left += width


@intrinsic
def address_in_place_of_sgemm(typing: Any, kernel: Any) -> Any:
    """The address of a C function with the arguments of CBLAS's sgemm, which calls a compiled
    kernel with those of `_multiply`.
    """
    flag, number = types.boolean, types.int64
    given = (flag, flag, *[number] * 7, flag, number, number)
    call = kernel.get_call_type(typing, given, {})

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        enum, index, single = ir.IntType(32), ir.IntType(64), ir.FloatType()
        kinds = [enum] * 3 + [index] * 3 + [single, index, index, index, index]
        kind = ir.FunctionType(ir.VoidType(), [*kinds, single, index, index])
        name = context.mangler("in_place_of_sgemm", [], abi_tags=(builder.function.name,))
        function = ir.Function(builder.module, kind, name=name)
        function.linkage = "internal"
        inner = ir.IRBuilder(function.append_basic_block())
        _, a_turn, b_turn, rows, columns, terms, _, a, lda, b, ldb, beta, c, ldc = function.args
        turned = [
            inner.icmp_signed("==", turn, ir.Constant(enum, TURNED)) for turn in (a_turn, b_turn)
        ]
        adds = inner.fcmp_unordered("!=", beta, ir.Constant(single, 0.0))
        compiled_kernel = kernel.dispatcher.overloads[call.args]
        context.add_linking_libs([compiled_kernel.library])
        status, _ = context.call_internal_no_propagate(
            inner,
            compiled_kernel.fndesc,
            call,
            [*turned, rows, columns, terms, a, lda, b, ldb, adds, c, ldc],
        )
        # There is no memory for a panel, and nobody who could be told.
        with inner.if_then(status.is_error, likely=False):
            trap = builder.module.declare_intrinsic(
                "llvm.trap", (), ir.FunctionType(ir.VoidType(), ())
            )
            inner.call(trap, ())
        inner.ret_void()
        return builder.ptrtoint(function, index)

    return number(kernel), generate


@compiled
def address_of_own_product() -> int:
    """The address of a function that takes what CBLAS's sgemm does, of which it knows row-major
    order, no conjugates, alpha 1 and beta 0 or 1, with 64-bit integers.
    """
    address: int = address_in_place_of_sgemm(_multiply)
    return address
