"""Parts of compiled work that threads take without the interpreter lock.

Handing a part to a thread that sleeps takes the system some 25 microseconds, and as long again to
tell that it is done. So for a moment after its last part a thread looks for the next one, in
`serve`, and whoever has work publishes it in `fork_join`: parts that `packed` wrote, each the
address of a function and its arguments. Parts are claimed one by one, by the publisher too, which
therefore never depends on anyone's waking up. All that is shared lies in one array of int64, a
cache line for each entry.

A claim is a compare-and-swap of TICKET: the number of the job, that of the first part not yet
claimed, and that after the last. Nobody changes PARTS while parts are unclaimed, so a thread whose
claim succeeds has read those of its job. The publisher claims from the front and the others from
the back: what one of two threads wrote, it reads again from its own cache in the next operation.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils
from numba.core import types as numba_types
from numba.extending import intrinsic as numba_intrinsic

from autograd.kernels.compilation import compiled

__all__ = [
    "NUDGES",
    "array_at",
    "fork_join",
    "new_board",
    "new_parts",
    "packed",
    "publish",
    "serve",
    "shared",
    "shared_cuts",
    "take",
]

Array = np.ndarray[Any, Any]

_emit: Any = cgutils
types: Any = numba_types
intrinsic: Any = numba_intrinsic
_LINE = 16
"""int64 between entries: twice a cache line, since neighbours are fetched in pairs."""

TICKET, PARTS, ENDED, FAILED, BUSY, NUDGES = range(6)

_PART_WORDS = 512
"""int64 that a part may take: an address, and arguments from the third on."""

_BITS = 16
_MASK = (1 << _BITS) - 1
_LOOKS_PER_YIELD = 1 << 10

_WORD = ir.IntType(64)
_STATUS = ir.IntType(32)
_PART = ir.FunctionType(_STATUS, [_WORD])

_give_way = types.ExternalFunction(
    "sched_yield" if os.name == "posix" else "SwitchToThread", types.int32()
)


def new_board() -> Array:
    """Memory for what threads share: nothing published.

    >>> int(new_board().sum())
    0
    """
    return np.zeros((NUDGES + 1, _LINE), np.int64)


def new_parts(count: int) -> Array:
    """Memory for the parts of a job.

    >>> new_parts(2).dtype
    dtype('int64')
    """
    return np.empty((count, _PART_WORDS), np.int64)


def _entry(context: Any, builder: Any, kind: Any, board: Any, index: Any) -> Any:
    array = context.make_array(kind)(context, builder, board)
    return builder.gep(array.data, [builder.mul(index, ir.Constant(_WORD, _LINE))])


@intrinsic
def _load(_context: Any, board: Any, index: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        pointer = _entry(context, builder, signature.args[0], *values)
        return builder.load_atomic(pointer, "seq_cst", 8)

    return types.int64(board, types.int64), generate


@intrinsic
def _store(_context: Any, board: Any, index: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        pointer = _entry(context, builder, signature.args[0], *values[:2])
        builder.store_atomic(values[2], pointer, "seq_cst", 8)
        return context.get_dummy_value()

    return types.void(board, types.int64, types.int64), generate


@intrinsic
def _add(_context: Any, board: Any, index: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        pointer = _entry(context, builder, signature.args[0], *values[:2])
        return builder.atomic_rmw("add", pointer, values[2], "seq_cst")

    return types.int64(board, types.int64, types.int64), generate


@intrinsic
def _exchange(_context: Any, board: Any, index: Any, expected: Any, value: Any) -> Any:
    """Whether the entry was `expected`; it then is `value`."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        pointer = _entry(context, builder, signature.args[0], *values[:2])
        pair = builder.cmpxchg(pointer, values[2], values[3], "seq_cst", "seq_cst")
        return builder.extract_value(pair, 1)

    return types.boolean(board, types.int64, types.int64, types.int64), generate


@intrinsic
def _call(_context: Any, part: Any) -> Any:
    """Do the part at an address: 0, or another number if it raised."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        place = builder.inttoptr(values[0], _WORD.as_pointer())
        function = builder.inttoptr(builder.load(place), _PART.as_pointer())
        return builder.call(function, values)

    return types.int32(types.int64), generate


@intrinsic
def _pause(_context: Any) -> Any:
    """Tell the processor that this loop only waits."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        if platform.machine().lower() in ("x86_64", "amd64"):
            kind = ir.FunctionType(ir.VoidType(), [])
            name = "llvm.x86.sse2.pause"
            builder.call(_emit.get_or_insert_function(builder.module, kind, name), [])
        return context.get_dummy_value()

    return types.void(), generate


def _without_owners(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """A tuple's arrays as views that own nothing: Numba's count of references to their memory ends
    with the call that they were given to.
    """
    items = _emit.unpack_tuple(builder, value)
    for i, item_kind in enumerate(kind.types):
        if isinstance(item_kind, types.Array):
            array = context.make_array(item_kind)(context, builder, items[i])
            array.meminfo = _emit.get_null_value(array.meminfo.type)
            items[i] = array._getvalue()
    return context.make_tuple(builder, kind, items)


@intrinsic
def _pack(typing: Any, kernel: Any, part: Any, parts: Any, index: Any) -> Any:
    """Write kernel(*part) as part `index` of `parts`."""
    call = kernel.get_call_type(typing, part.types, {})

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        _, value, memory, number = values
        size = context.get_abi_sizeof(value.type)
        assert size <= 8 * (_PART_WORDS - 2), f"the arguments of a part take {size} bytes"
        name = context.mangler("part", [*part.types], abi_tags=(builder.function.name,))
        function = ir.Function(builder.module, _PART, name=name)
        function.linkage = "internal"
        inner = ir.IRBuilder(function.append_basic_block())
        place = inner.add(function.args[0], ir.Constant(_WORD, 16))
        given = inner.load(inner.inttoptr(place, value.type.as_pointer()), align=8)
        compiled_kernel = kernel.dispatcher.overloads[call.args]
        context.add_linking_libs([compiled_kernel.library])
        status, _ = context.call_internal_no_propagate(
            inner, compiled_kernel.fndesc, call, _emit.unpack_tuple(inner, given)
        )
        inner.ret(inner.zext(status.is_error, _STATUS))
        value = _without_owners(context, builder, part, value)
        array = context.make_array(signature.args[2])(context, builder, memory)
        first = builder.gep(array.data, [builder.mul(number, ir.Constant(_WORD, _PART_WORDS))])
        builder.store(builder.ptrtoint(function, _WORD), first)
        rest = builder.gep(first, [ir.Constant(_WORD, 2)])
        builder.store(value, builder.bitcast(rest, value.type.as_pointer()), align=8)
        return context.get_dummy_value()

    return types.void(kernel, part, parts, types.int64), generate


@intrinsic
def _cut(_context: Any, arrays: Any, first: Any, last: Any) -> Any:
    """Entries [first, last) of each of a tuple of contiguous vectors, as views that own nothing."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind, (value, first, last) = signature.args[0], values
        items = []
        for item_kind, item in zip(kind.types, _emit.unpack_tuple(builder, value), strict=True):
            array = context.make_array(item_kind)(context, builder, item)
            array.data = builder.gep(array.data, [first])
            array.nitems = builder.sub(last, first)
            array.shape = _emit.pack_array(builder, [array.nitems])
            array.meminfo = _emit.get_null_value(array.meminfo.type)
            array.parent = _emit.get_null_value(array.parent.type)
            items.append(array._getvalue())
        return context.make_tuple(builder, signature.return_type, items)

    return arrays(arrays, types.int64, types.int64), generate


@intrinsic
def array_at(_context: Any, address: Any) -> Any:
    """A pointer for `numba.carray`, from an address."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.inttoptr(values[0], ir.IntType(8).as_pointer())

    return types.voidptr(types.int64), generate


@compiled
def take(board: Array, publishes: bool) -> bool:
    """Claim a part and do it, the first if this thread `publishes`, else the last; False if there
    was none.
    """
    ticket = _load(board, TICKET)
    begin, end = ticket >> _BITS & _MASK, ticket & _MASK
    if begin == end:
        return False
    parts = _load(board, PARTS)
    chosen, claimed = (begin, ticket + _MASK + 1) if publishes else (end - 1, ticket - 1)
    if _exchange(board, TICKET, ticket, claimed):
        if _call(parts + chosen * 8 * _PART_WORDS) != 0:
            _store(board, FAILED, 1)
        _add(board, ENDED, 1)
    return True


@compiled
def serve(board: Array, looks: int, nudges: int) -> bool:
    """Do the parts that others publish, until there were none `looks` times, or NUDGES is another
    number than `nudges`; whether it is.
    """
    unsuccessful = 0
    while unsuccessful < looks and _load(board, NUDGES) == nudges:
        if take(board, False):
            unsuccessful = 0
        else:
            unsuccessful += 1
            _pause()
            if unsuccessful % _LOOKS_PER_YIELD == 0:
                _give_way()
    nudged: bool = _load(board, NUDGES) != nudges
    return nudged


@compiled
def publish(board: Array, first: int, count: int) -> None:
    """Parts that begin at the address `first`, for all who `take`."""
    _store(board, PARTS, first)
    _store(board, ENDED, 0)
    _store(board, FAILED, 0)
    job = (_load(board, TICKET) >> 2 * _BITS) + 1
    _store(board, TICKET, job << 2 * _BITS | count)


@compiled
def fork_join(board: Array, parts: Array) -> bool:
    """Do all parts, shared with those who `serve`; False if one raised.

    Without help if another thread is using the board.
    """
    first, count = parts.ctypes.data, len(parts)
    if not _exchange(board, BUSY, 0, 1):
        failed = 0
        for i in range(count):
            failed |= _call(first + i * 8 * _PART_WORDS)
        return failed == 0
    publish(board, first, count)
    while take(board, True):
        pass
    looks = 0
    while _load(board, ENDED) < count:
        looks += 1
        _pause()
        if looks % _LOOKS_PER_YIELD == 0:
            _give_way()
    fine: bool = _load(board, FAILED) == 0
    _store(board, BUSY, 0)
    return fine


@cache
def packed(kernel: Any) -> Callable[[tuple[Any, ...], Array, int], None]:
    """(arguments, parts, index) -> None, which writes a compiled kernel's call into `new_parts`.

    What the arguments refer to must live until the parts are done.
    """
    pack: Callable[[tuple[Any, ...], Array, int], None] = _own_copy(_write, kernel, "packed")
    return pack


@cache
def shared(kernel: Any) -> Callable[[Array, Array, tuple[Any, ...]], bool]:
    """(board, bounds, arguments) -> whether all went well, which does as `fork_join` the calls
    kernel(*arguments, k, bounds[k], bounds[k + 1]).
    """
    share: Callable[[Array, Array, tuple[Any, ...]], bool] = _own_copy(_share, kernel, "shared")
    return share


@cache
def shared_cuts(kernel: Any) -> Callable[[Array, Array, tuple[Array, ...], tuple[Any, ...]], bool]:
    """(board, bounds, vectors, numbers) -> whether all went well, which does as `fork_join` the
    calls kernel(*entries bounds[k] to bounds[k + 1] of the vectors, *numbers).
    """
    share: Any = _own_copy(_share_cuts, kernel, "shared_cuts")
    found: Callable[[Array, Array, tuple[Array, ...], tuple[Any, ...]], bool] = share
    return found


def _own_copy(function: Any, kernel: Any, purpose: str) -> Any:
    """The function for this kernel, compiled and kept on disk with the kernel's own code and, as
    Numba tells by file name and line, outdated with it.
    """
    original, name = kernel.py_func.__code__, f"{kernel.py_func.__name__}_{purpose}"
    code = function.__code__.replace(
        co_filename=original.co_filename,
        co_firstlineno=original.co_firstlineno,
        co_name=name,
        co_qualname=name,
    )
    names = {
        "__name__": kernel.py_func.__module__,
        "kernel": kernel,
        "np": np,
        "_cut": _cut,
        "_pack": _pack,
        "_PART_WORDS": _PART_WORDS,
        "fork_join": fork_join,
    }
    return compiled(FunctionType(code, names, name))


kernel: Any = None
"""In the copies of `_write` and `_share`, what they call."""


def _write(part: Any, parts: Array, index: int) -> None:
    _pack(kernel, part, parts, index)


def _share(board: Array, bounds: Array, given: Any) -> bool:
    parts = np.empty((len(bounds) - 1, _PART_WORDS), np.int64)
    for k in range(len(parts)):
        _pack(kernel, (*given, k, bounds[k], bounds[k + 1]), parts, k)
    fine: bool = fork_join(board, parts)
    return fine


def _share_cuts(board: Array, bounds: Array, vectors: Any, numbers: Any) -> bool:
    parts = np.empty((len(bounds) - 1, _PART_WORDS), np.int64)
    for k in range(len(parts)):
        _pack(kernel, _cut(vectors, bounds[k], bounds[k + 1]) + numbers, parts, k)
    fine: bool = fork_join(board, parts)
    return fine
