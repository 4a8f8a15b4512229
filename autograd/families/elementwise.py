"""Elementwise operations: partial derivatives, entry by entry."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FunctionType, SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from autograd.base import Pair, PushedTangents
from autograd.families.duals import Dual
from autograd.families.quick_rules import NUMBERS, quick_rule
from autograd.families.rules import (
    CallableOp,
    Rule,
    add_product,
    is_mask,
    names_read,
    scaled,
    spread_out,
    total_tangent,
)
from autograd.kernels import backend
from autograd.kernels.backend import LARGE
from autograd.kernels.constants import as_operand
from autograd.modes import current_modes
from autograd.node import FromNodes, Node, small
from autograd.recording import NO_PARAMS, SIMPLE_TYPES, apply, record_plain
from autograd.tensor import Tensor, wrap

_ARRAY = np.ndarray
_DOUBLE = np.float64
_PLAIN = (np.ndarray, np.generic)
_WITHOUT_PARAMS: Any = SimpleNamespace(params=NO_PARAMS)
"""What a rule without parameters needs of a node."""
SIMPLE = (operator.add, operator.sub, operator.mul, operator.truediv)
"""Operators to which a number may be given as an array: power computes others differently."""


@dataclass(frozen=True, eq=False)
class Elementwise(CallableOp):
    """y = f(x1, ..., xn) entry by entry: dy = sum_i partial_i(y, x1, ..., xn) * dx_i.

    A partial is a function, or a number where it is constant.
    """

    pushes_plainly: ClassVar[bool] = True

    partials: tuple[Any, ...] = ()
    operator: Any = None
    """What is quicker than `forward` on small arrays and NumPy's scalars, and the same there:
    Python's operator, which takes a tenth of a ufunc's time for a scalar, or the ufunc itself.
    """
    pullback: Rule | None = None
    """What `partials` says, on plain arrays and all at once: `(cotangent, out, x, **parameters)` to
    the cotangent of x, in one pass over the memory, or, for calls without parameters, `(cotangent,
    out, x, y)` to those of x and y, for which the sweep asks where both are of one shape and dtype.
    """
    duals: bool = field(default=True, repr=False)
    """Whether partials may be given a Dual; those that cannot compute on it are found out."""
    compute: Any = field(init=False, repr=False)
    """`operator` or else `forward`."""
    quick: tuple[Rule | None, ...] = field(init=False, repr=False)
    """For each operand what nodes have as `quick` in which no other is tracked."""
    simple: bool = field(init=False, repr=False)
    """Whether a number that is made an array before changes nothing."""
    _kept: dict[int, tuple[bool, ...]] = field(default_factory=dict, repr=False)
    _held: dict[int, FromNodes | None] = field(default_factory=dict, repr=False)
    _recorded: set[int] = field(default_factory=set, repr=False)
    """Which partials cannot compute on a Dual."""

    def __post_init__(self) -> None:
        compute = self.operator or self.forward
        object.__setattr__(self, "compute", compute)
        rules = (quick_rule(self, partial) for partial in self.partials)
        object.__setattr__(self, "quick", tuple(rules))
        object.__setattr__(self, "simple", compute in SIMPLE)

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

    def held(self, mask: int) -> FromNodes | None:
        """What nodes of numbers hold whose tracked operands are those of `mask`: all, or the first;
        None where these have no quick rule.
        """
        try:
            return self._held[mask]
        except KeyError:
            both = mask == 3
            adds = all(partial == 1 for partial in self.partials[: 1 + both])
            multiplies = self.compute is operator.mul
            rule = self.pullback if both else self.quick[0]
            found = None if rule is None else FromNodes(self._keeps(mask), both, adds, multiplies)
            self._held[mask] = found
            return found

    def __call__(self, *operands: Any, **params: Any) -> Any:
        """As `apply`, with the common case, recording plain operands, written out: of one here, of
        two in `pair`.
        """
        count = len(self.partials)
        if len(operands) != count:  # NumPy would write into one too many
            raise TypeError(
                f"{self.name} takes {count} operand{'s' * (count != 1)}, got {len(operands)}; "
                "give options by their names"
            )
        if params or count > 2:
            return apply(self, operands, params)
        if count == 2:
            return self.pair(*operands)
        (x,) = operands
        modes = current_modes()
        if type(x) is Dual and not modes.observed:
            return self.on_duals(x)
        if isinstance(x, Tensor) and not modes.observed:
            node, value = x._node, x._value
            if node is not None and modes.recording:
                compute = self.compute
                if type(value) is _ARRAY:
                    if not value.ndim:
                        value = value[()]
                    elif value.size >= backend.fewest:
                        compute = self.forward
                try:
                    out = compute(value)
                except (TypeError, ValueError):
                    return apply(self, operands, NO_PARAMS)
                (quick,) = self.quick
                saved: Any = None
                if type(out) is _DOUBLE and type(value) is _DOUBLE and node.value is value:
                    saved = self.held(1)
                if saved is None:
                    keep_out, keep_x = self._kept.get(1) or self._keeps(1)
                    saved = (out if keep_out else None, value if keep_x else None)
                inputs = (node,) if quick is None else None
                return record_plain(self, inputs, saved, out, modes, 2, quick, node)
            if _is_small(value):
                return self._constant(operands, value)
        return apply(self, operands, NO_PARAMS)

    def _constant(self, operands: tuple[Any, ...], *values: Any) -> Any:
        """`apply` of operands with these values, small arrays of floats and numbers, unrecorded."""
        try:
            out = self.compute(*values)
        except (TypeError, ValueError):
            return apply(self, operands, NO_PARAMS)
        return wrap(out, None) if out.dtype.kind == "f" else apply(self, operands, NO_PARAMS)

    def on_duals(self, *operands: Any) -> Any:
        """The result and its tangent as a Dual, or an array without one."""
        values = [x.value if type(x) is Dual else x for x in operands]
        tangents = [x.tangent if type(x) is Dual else None for x in operands]
        out = self.forward(*values)
        tangent = self.push(_WITHOUT_PARAMS, tangents, (out, *values), False)
        return out if tangent is None else Dual(out, tangent)

    def pair(self, x: Any, y: Any) -> Any:
        """`self(x, y)`: as `apply`, with the common case, recording plain operands, written out.

        For `__call__` and operators only: their own frames are not the user's. A 0-d array is read
        into a NumPy scalar, which computes ten times as fast.
        """
        modes = current_modes()
        if modes.observed:
            return apply(self, (x, y), NO_PARAMS)
        mask = 0
        xv = xn = x
        yv = yn = y
        if type(x) is not float and isinstance(x, Tensor):
            xv = x._value
            xn = x._node
            if type(xv) is _ARRAY and not xv.ndim:
                xv = xv[()]
            if xn is not None:
                mask = 1
        if type(y) is not float and isinstance(y, Tensor):
            yv = y._value
            yn = y._node
            if type(yv) is _ARRAY and not yv.ndim:
                yv = yv[()]
            if yn is not None:
                mask += 2
        quick: Rule | None = None
        left, right, tracked = xv, yv, xn
        if not modes.recording:
            mask = 0
        if mask == 1:
            if type(yv) in NUMBERS:
                if self.simple and type(xv) is _ARRAY:
                    right = as_operand(yv, xv.dtype)
            else:
                if type(yv) not in SIMPLE_TYPES:
                    return apply(self, (x, y), NO_PARAMS)
                yn = small(yv)
            quick, tracked = self.quick[0], xn
        elif mask == 2:
            if type(xv) in NUMBERS:
                if self.simple and type(yv) is _ARRAY:
                    left = as_operand(xv, yv.dtype)
            else:
                if type(xv) not in SIMPLE_TYPES:
                    return apply(self, (x, y), NO_PARAMS)
                xn = small(xv)
            quick, tracked = self.quick[1], yn
        elif not mask:
            if type(x) is Dual or type(y) is Dual:
                return self.on_duals(x, y)
            if x is not xv or y is not yv:  # a Tensor is among them
                if _is_small(xv):
                    if type(yv) in NUMBERS:
                        right = as_operand(yv, xv.dtype) if self.simple else yv
                        return self._constant((x, y), xv, right)
                    if _is_small(yv) and xv.dtype is yv.dtype:
                        return self._constant((x, y), xv, yv)
                elif _is_small(yv) and type(xv) in NUMBERS:
                    left = as_operand(xv, yv.dtype) if self.simple else xv
                    return self._constant((x, y), left, yv)
            return apply(self, (x, y), NO_PARAMS)
        compute = self.compute if type(xv) is not _ARRAY or xv.size < LARGE else self.forward
        try:
            out = compute(left, right)
        except (TypeError, ValueError):
            return apply(self, (x, y), NO_PARAMS)
        if mask == 3:
            if xn.shape == yn.shape == out.shape and xn.dtype is yn.dtype is out.dtype:
                quick = self.pullback
        elif quick is not None and (out.shape != tracked.shape or out.dtype is not tracked.dtype):
            quick = None
        try:
            keep_out, keep_x, keep_y = self._kept[mask]
        except KeyError:
            keep_out, keep_x, keep_y = self._keeps(mask)
        saved = (out if keep_out else None, xv if keep_x else None, yv if keep_y else None)
        if mask == 3 and quick is not None:
            return record_plain(self, None, saved, out, modes, 3, quick, xn, yn)
        return record_plain(self, (xn, yn), saved, out, modes, 3, quick, tracked)

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
        if self.pullback is not None and not record and len(targets) == 1:
            return (self.pullback(cotangent, *values, **params),)
        found: list[Any] = []
        index = -1
        for target in targets:
            index += 1
            if type(target) is not Node:
                found.append(None)
                continue
            partial = self.partials[index]
            if type(partial) is FunctionType and not params:
                found.append(scaled(cotangent, partial(*values)))
            elif partial == 1:
                found.append(cotangent)
            else:
                found.append(self.times(cotangent, partial, values, params))
        return found

    def pull_pair(
        self, node: Node, arrived: Pair, targets: tuple[Any, ...], tangents: PushedTangents
    ) -> Sequence[Pair | None] | None:
        if node.params:
            return None
        cotangent, change = arrived
        found: list[Pair | None] = []
        for index, (target, partial) in enumerate(zip(targets, self.partials, strict=True)):
            if type(target) is not Node:
                found.append(None)
                continue
            if not callable(partial):
                moved = None if change is None else self.times(change, partial, (), {})
                found.append((self.times(cotangent, partial, (), {}), moved))
                continue
            slope, bend = self._slope(index, node, tangents) or tangents.evaluate(partial, node)
            moved = None if change is None else scaled(change, slope)
            if bend is not None:
                moved = cotangent * bend if moved is None else add_product(moved, cotangent, bend)
            found.append((scaled(cotangent, slope), moved))
        return found

    def _slope(self, index: int, node: Node, tangents: PushedTangents) -> Pair | None:
        """A partial of what the node saved, and its tangent; None where it must be recorded."""
        if not self.duals or index in self._recorded:
            return None
        operands = []
        for value, source in zip(node.saved, (node, *node.inputs), strict=True):
            tangent = tangents.of(source) if value is not None and type(source) is Node else None
            operands.append(value if tangent is None else Dual(value, tangent))
        try:
            slope = self.partials[index](*operands)
        except Exception:
            slope = None
        if type(slope) is Dual:
            return slope.value, slope.tangent
        if type(slope) in NUMBERS or (isinstance(slope, _PLAIN) and slope.dtype.kind == "f"):
            return slope, None
        self._recorded.add(index)
        return None

    def push(
        self, node: Node, tangents: Sequence[Any], values: tuple[Any, ...], record: bool
    ) -> Any:
        params = node.params
        if self.pullback is not None and not record and len(tangents) == 1:
            return self.pullback(tangents[0], *values, **params)
        total = None
        own = False
        for tangent, partial in zip(tangents, self.partials, strict=True):
            if tangent is None:
                continue
            if own and callable(partial):
                factor = partial(*values, **params) if params else partial(*values)
                if not is_mask(factor):
                    total = add_product(total, tangent, factor)
                    continue
            term = self.times(tangent, partial, values, params)
            if term is not None:
                total = total_tangent(total, term, own)
                own = own or (not record and term is not tangent)
        return total

    def push_many(
        self, node: Node, tangents: Sequence[Any], values: tuple[Any, ...], count: int
    ) -> Any:
        ndim = len(node.shape)
        total = None
        for tangent, partial in zip(tangents, self.partials, strict=True):
            if tangent is None:
                continue
            term = self.times(spread_out(tangent, ndim), partial, values, node.params)
            if term is not None:
                total = term if total is None else total + term
        return total

    @staticmethod
    def times(change: Any, partial: Any, values: tuple[Any, ...], params: dict[str, Any]) -> Any:
        if callable(partial):
            return scaled(change, partial(*values, **params) if params else partial(*values))
        if partial == 1:
            return change
        if partial == 0:
            return None
        return -change if partial == -1 else change * partial


def _is_small(value: Any) -> bool:
    """Whether a value is an array of floats, with axes, that no compiled kernel is for."""
    return (
        type(value) is _ARRAY
        and value.ndim > 0
        and value.size < backend.fewest
        and value.dtype.kind == "f"
    )
