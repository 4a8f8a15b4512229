"""Operators of Tensors, with the common case, recording scalars, written out."""

from __future__ import annotations

from collections.abc import Callable
from sys import _getframe
from typing import Any

import numpy as np

from autograd.families.elementwise import Elementwise
from autograd.families.quick_rules import NUMBERS
from autograd.kernels.backend import LARGE
from autograd.kernels.constants import as_operand
from autograd.modes import current_modes
from autograd.node import Node, last_user_code, next_serial, user_frame
from autograd.recording import NO_PARAMS, record_plain
from autograd.tensor import FLOAT64, Tensor

__all__ = ["scalar_operator", "unary_operator"]

_ARRAY = np.ndarray
_DOUBLE = np.float64
_new = object.__new__


def scalar_operator(op: Elementwise) -> Callable[[Tensor, Any], Any]:
    """`op.pair` as a function of its own that Tensor can have for an operator's method.

    Two tracked float64 scalars, of which graphs of scalars are made, are recorded right here: each
    further call would take a tenth of the time of all. So is an array with a number. The rest is
    `op.pair`'s, also of Tensors of a class of their own.
    """
    compute, quick, (quick_first, _), otherwise = op.compute, op.pullback, op.quick, op.pair
    keep_out, keep_x, keep_y = op._keeps(3)
    out_kept, x_kept, y_kept = keeps_first = op._keeps(1)
    held, held_first = op.held(3), op.held(1)
    none_kept = None if any(keeps_first) else (None, None, None)
    simple = op.simple

    def operator(x: Tensor, y: Any) -> Any:
        modes = current_modes()
        if modes.quick and type(y) is Tensor:
            xn, xv = x._node, x._value
            yn, yv = y._node, y._value
            if type(xv) is not _DOUBLE or type(yv) is not _DOUBLE:
                if type(xv) is _ARRAY and not xv.ndim:
                    xv = xv[()]
                if type(yv) is _ARRAY and not yv.ndim:
                    yv = yv[()]
                if type(xv) is not _DOUBLE or type(yv) is not _DOUBLE:
                    return otherwise(x, y)
            if xn is not None and yn is not None:
                node = Node()
                node.op = op
                node.operands = None
                node.first = xn
                node.second = yn
                node.value = out = compute(xv, yv)
                if held is not None and xn.value is xv and yn.value is yv:
                    node.held = held
                else:
                    node.held = (
                        out if keep_out else None,
                        xv if keep_x else None,
                        yv if keep_y else None,
                    )
                node.quick = quick
                node.params = NO_PARAMS
                node.shape = ()
                node.dtype = FLOAT64
                node.serial = next_serial()
                node.scope = modes.scope
                node.name = node.leaf = node.fingerprint = None
                try:
                    frame = _getframe(1)
                except ValueError:  # a thread whose outermost function is this one
                    node.code, node.offset = None, 0
                else:
                    code = frame.f_code
                    if code is not last_user_code[0]:
                        frame = user_frame(frame)
                        code = frame.f_code
                    node.code = code
                    node.offset = frame.f_lasti
                if modes.pushing is not None:
                    modes.pushing.push(node, modes)
                tensor = _new(Tensor)
                tensor._value = out
                tensor._node = node
                return tensor
        elif modes.quick and type(y) in NUMBERS:  # as `op.pair` does it
            xn, xv = x._node, x._value
            if xn is not None and type(xv) is _ARRAY and xv.ndim:
                some = compute if xv.size < LARGE else op.forward
                out = some(xv, as_operand(y, xv.dtype) if simple else y)
                saved = none_kept or (
                    out if out_kept else None,
                    xv if x_kept else None,
                    y if y_kept else None,
                )
                inputs = (xn, y) if quick_first is None else None
                return record_plain(op, inputs, saved, out, modes, 2, quick_first, xn, y)
            if xn is not None and xn.value is xv and type(xv) is _DOUBLE and held_first is not None:
                out = compute(xv, y)
                if type(out) is _DOUBLE:
                    return record_plain(op, None, held_first, out, modes, 2, quick_first, xn, y)
        return otherwise(x, y)

    return operator


def unary_operator(op: Elementwise) -> Callable[[Tensor], Any]:
    """The same for an operator of one Tensor: `op` itself would look for the user's frame."""
    compute, (quick,), held = op.compute, op.quick, op.held(1)
    assert held is not None

    def operator(x: Tensor) -> Any:
        modes = current_modes()
        node, value = x._node, x._value
        if modes.quick and node is not None and type(value) is _DOUBLE and node.value is value:
            return record_plain(op, None, held, compute(value), modes, 2, quick, node)
        return op(x)

    return operator
