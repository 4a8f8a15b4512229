"""Elementwise operations: partial derivatives, entry by entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from autograd.families.rules import CallableOp, Rule, names_read
from autograd.modes import current_modes
from autograd.node import Node, small
from autograd.recording import SIMPLE_TYPES, apply, record_plain
from autograd.tensor import Tensor


@dataclass(frozen=True, eq=False)
class Elementwise(CallableOp):
    """y = f(x1, ..., xn) entry by entry: dy = sum_i partial_i(y, x1, ..., xn) * dx_i.

    A partial is a function, or a number where it is constant.
    """

    partials: tuple[Any, ...] = ()
    operator: Any = None
    """Python's operator for `forward`, if there is one: the same on arrays and NumPy's scalars,
    which a ufunc takes ten times as long for.
    """
    pullback: Rule | None = None
    """`(cotangent, out, x)` to the cotangent of x of an operation of one operand without
    parameters: what `partials` says, on plain arrays, in one pass over the memory.
    """
    _kept: dict[int, tuple[bool, ...]] = field(default_factory=dict, repr=False)

    def _keeps(self, mask: int) -> tuple[bool, ...]:
        count = len(self.partials)
        kept = [False] * (count + 1)
        for index, partial in enumerate(self.partials):
            if mask >> index & 1 and callable(partial):
                read = names_read(partial)
                for slot in range(count + 1) if read is None else read:
                    if slot <= count:
                        kept[slot] = True
        self._kept[mask] = result = tuple(kept)
        return result

    def __call__(self, *operands: Any, **params: Any) -> Any:
        """`apply`, with the common case written out: recording one or two plain operands."""
        modes = current_modes()
        if params or not modes.quick:
            return apply(self, operands, params)
        if len(operands) == 2:
            x, y = operands
            xv, xn = (x._value, x._node) if isinstance(x, Tensor) else (x, None)
            yv, yn = (y._value, y._node) if isinstance(y, Tensor) else (y, None)
            if xn is None:
                if yn is None or type(xv) not in SIMPLE_TYPES:
                    return apply(self, operands, params)
                mask = 2
            elif yn is not None:
                mask = 3
            elif type(yv) in SIMPLE_TYPES:
                mask = 1
            else:
                return apply(self, operands, params)
            try:
                out = (self.operator or self.forward)(xv, yv)
            except (TypeError, ValueError):
                return apply(self, operands, params)
            keep_out, keep_x, keep_y = self._kept.get(mask) or self._keeps(mask)
            kept = (out if keep_out else None, xv if keep_x else None, yv if keep_y else None)
            inputs: tuple[Any, ...]
            if mask == 3:
                inputs = (xn, yn)
            elif mask == 1:
                inputs = (xn, yv if type(yv) is float else small(yv))
            else:
                inputs = (xv if type(xv) is float else small(xv), yn)
            return record_plain(self, inputs, kept, out, modes.scope)
        if len(operands) == 1:
            x = operands[0]
            if isinstance(x, Tensor) and x._node is not None:
                value = x._value
                try:
                    out = (self.operator or self.forward)(value)
                except (TypeError, ValueError):
                    return apply(self, operands, params)
                keep_out, keep_x = self._kept.get(1) or self._keeps(1)
                saved = (out if keep_out else None, value if keep_x else None)
                return record_plain(self, (x._node,), saved, out, modes.scope)
        return apply(self, operands, params)

    def save(
        self,
        out: Any,
        values: Sequence[Any],
        nodes: Sequence[Node | None],
        extra: tuple[Any, ...],
    ) -> tuple[Any, ...]:
        mask = 0
        for index, node in enumerate(nodes):
            if node is not None:
                mask |= 1 << index
        kept = self._kept.get(mask) or self._keeps(mask)
        return tuple(
            value if keep else None for value, keep in zip((out, *values), kept, strict=True)
        )

    def pull(
        self,
        node: Node,
        cotangent: Any,
        values: tuple[Any, ...],
        targets: tuple[Any, ...],
        record: bool,
    ) -> Sequence[Any]:
        params = node.params
        if self.pullback is not None and not record and type(targets[0]) is Node:
            return (self.pullback(cotangent, *values),)
        found: list[Any] = []
        for target, partial in zip(targets, self.partials, strict=False):
            if type(target) is not Node:
                found.append(None)
            elif partial.__class__ is FunctionType and not params:
                found.append(cotangent * partial(*values))
            else:
                found.append(self._times(cotangent, partial, values, params))
        return found

    def push(
        self, node: Node, tangents: Sequence[Any], values: tuple[Any, ...], record: bool
    ) -> Any:
        total = None
        for tangent, partial in zip(tangents, self.partials, strict=True):
            if tangent is None:
                continue
            term = self._times(tangent, partial, values, node.params)
            if term is not None:
                total = term if total is None else total + term
        return total

    @staticmethod
    def _times(change: Any, partial: Any, values: tuple[Any, ...], params: dict[str, Any]) -> Any:
        if callable(partial):
            return change * (partial(*values, **params) if params else partial(*values))
        if partial == 1:
            return change
        if partial == 0:
            return None
        return -change if partial == -1 else change * partial
