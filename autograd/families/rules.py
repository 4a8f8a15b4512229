"""What the families share: being called, and reading what a rule needs."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType
from typing import Any

import numpy as np

from autograd.base import Op
from autograd.dispatch import operations
from autograd.recording import apply

Rule = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class CallableOp(Op):
    """An operation that is called directly: `op(*operands, **params)`."""

    def __call__(self, *operands: Any, **params: Any) -> Any:
        return apply(self, operands, params)

    @property
    def __name__(self) -> str:
        return self.name


def is_mask(factor: Any) -> bool:
    """Whether a partial is told by booleans."""
    return isinstance(factor, (np.ndarray, np.generic)) and factor.dtype.kind == "b"


def scaled(change: Any, factor: Any) -> Any:
    """change * factor, and 0 where the factor is False: what is cut off may be infinite."""
    if is_mask(factor):
        return operations.where(factor, change, 0.0)
    return change * factor


def spread_out(tangents: Any, ndim: int) -> Any:
    """Tangents along a first axis of an operand that has fewer axes than the result's `ndim`."""
    missing = ndim + 1 - tangents.ndim
    if missing <= 0:
        return tangents
    return tangents.reshape(len(tangents), *(1,) * missing, *tangents.shape[1:])


def total_tangent(total: Any, term: Any, own: bool) -> Any:
    """`total + term`, into the memory of `total` where that is an array of the rule's `own`."""
    if total is None:
        return term
    if (
        not own
        or type(total) is not np.ndarray
        or type(term) is not np.ndarray
        or total.shape != term.shape
        or total.dtype != term.dtype
    ):
        return total + term
    return np.add(total, term, out=total)


BLOCK = 1 << 15
"""Entries of a product that are added before the next are made: they stay in cache."""


def add_product(total: Any, change: Any, factor: Any) -> Any:
    """`total_tangent(total, change * factor, own=True)`, for contiguous arrays of one shape and
    dtype without the memory of the product.
    """
    if total.size <= BLOCK:
        return total_tangent(total, change * factor, own=True)
    arrays = total, change, factor
    if not all(
        type(array) is np.ndarray
        and array.shape == total.shape
        and array.dtype == total.dtype
        and array.flags.c_contiguous
        for array in arrays
    ):
        return total_tangent(total, change * factor, own=True)
    flat = [array.reshape(-1) for array in arrays]
    for first in range(0, total.size, BLOCK):
        some, left, right = (array[first : first + BLOCK] for array in flat)
        some += left * right
    return total


def names_read(rule: Any) -> set[int] | None:
    """Which positional parameters a rule reads, by index; None if that can't be told.

    Found in the rule's bytecode, so that what a rule does not read is not kept for it.
    """
    code = getattr(rule, "__code__", None)
    if code is None or code.co_flags & inspect.CO_VARARGS or inspect.ismethod(rule):
        return None
    return _named_parameters_read(code)


def reads(rule: Any, index: int) -> bool:
    """Whether a function reads its positional parameter `index`; True if that can't be told."""
    code = getattr(rule, "__code__", None)
    if code is None or inspect.ismethod(rule) or index >= code.co_argcount:
        return True
    found = _named_parameters_read(code)
    return found is None or index in found


def _named_parameters_read(code: CodeType) -> set[int] | None:
    names = code.co_varnames[: code.co_argcount]
    read: set[Any] = set(code.co_cellvars)
    for instruction in dis.get_instructions(code):
        if "LOAD" in instruction.opname:
            value = instruction.argval
            read.update(value if isinstance(value, tuple) else (value,))
        if instruction.opname == "LOAD_GLOBAL" and instruction.argval in ("locals", "eval", "vars"):
            return None
    return {index for index, name in enumerate(names) if name in read}


def accepts(rule: Any, keyword: str) -> bool:
    """Whether a rule names `keyword` among its parameters."""
    try:
        return keyword in inspect.signature(rule).parameters
    except (TypeError, ValueError):
        return False


_ACCEPTS_IN_SHAPE: dict[Any, bool] = {}


def accepts_in_shape(rule: Any) -> bool:
    known = _ACCEPTS_IN_SHAPE.get(rule)
    if known is None:
        known = _ACCEPTS_IN_SHAPE[rule] = accepts(rule, "in_shape")
    return known
