"""Families of operations: how both maps follow from one description of the derivative."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd import sweep
from autograd.base import Op
from autograd.modes import current_modes, recording_level
from autograd.node import Node, small
from autograd.recording import SIMPLE_TYPES, apply, identity_input, record_plain
from autograd.tensor import Tensor, wrap

Rule = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class CallableOp(Op):
    """An operation that is called directly: `op(*operands, **params)`."""

    def __call__(self, *operands: Any, **params: Any) -> Any:
        return apply(self, operands, params)

    @property
    def __name__(self) -> str:
        return self.name


def names_read(rule: Any) -> set[int] | None:
    """Which positional parameters a rule reads, by index; None if that can't be told.

    Found in the rule's bytecode, so that what a rule does not read is not kept for it.
    """
    code = getattr(rule, "__code__", None)
    if code is None or code.co_flags & inspect.CO_VARARGS or inspect.ismethod(rule):
        return None
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


def pullback_of(
    function: Rule, inputs: Sequence[Any], cotangent: Any, wanted: Sequence[bool], record: bool
) -> list[Any]:
    """Cotangents of the wanted inputs of a function written in recorded operations."""
    outputs, own = _trace(function, inputs, wanted)
    seeds = cotangent if type(cotangent) is tuple else (cotangent,)
    tracked = [(t._node, s) for t, s in zip(outputs, seeds, strict=True) if t._node is not None]
    nodes = [node for node in own if node is not None]
    _, found = sweep.reverse(
        [node for node, _ in tracked], [seed for _, seed in tracked], nodes, record=record
    )
    return [None if node is None else found.get(node) for node in own]


def pushforward_of(
    function: Rule, inputs: Sequence[Any], tangents: Sequence[Any], record: bool
) -> Any:
    """The tangent of a function written in recorded operations."""
    outputs, own = _trace(function, inputs, [tangent is not None for tangent in tangents])
    nodes = [node for node in own if node is not None]
    seeds = [tangent for tangent in tangents if tangent is not None]
    reached = [t._node for t in outputs if t._node is not None]
    found = sweep.forward(reached, nodes, seeds, record=record)
    result = tuple(
        np.zeros(t.shape, t.dtype) if t._node is None or t._node not in found else found[t._node]
        for t in outputs
    )
    return result if len(result) > 1 else result[0]


def _trace(
    function: Rule, inputs: Sequence[Any], wanted: Sequence[bool]
) -> tuple[tuple[Tensor, ...], list[Node | None]]:
    """The outputs of `function` on variables of its own, and those variables' nodes."""
    with recording_level():
        variables = [
            identity_input(value) if want else value
            for value, want in zip(inputs, wanted, strict=True)
        ]
        out = function(*variables)
    outputs = out if isinstance(out, tuple) else (out,)
    return (
        tuple(t if isinstance(t, Tensor) else wrap(np.asarray(t), None) for t in outputs),
        [v._node if want else None for v, want in zip(variables, wanted, strict=True)],
    )


@dataclass(frozen=True, eq=False)
class Elementwise(CallableOp):
    """y = f(x1, ..., xn) entry by entry: dy = sum_i partial_i(y, x1, ..., xn) * dx_i.

    A partial is a function, or a number where it is constant.
    """

    partials: tuple[Any, ...] = ()
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
        if params or not modes.plain or not modes.recording:
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
                out = self.forward(xv, yv)
            except (TypeError, ValueError):
                return apply(self, operands, params)
            keep_out, keep_x, keep_y = self._kept.get(mask) or self._keeps(mask)
            saved = (out if keep_out else None, xv if keep_x else None, yv if keep_y else None)
            inputs = (small(xv) if xn is None else xn, small(yv) if yn is None else yn)
            return record_plain(self, inputs, saved, out, modes.scope)
        if len(operands) == 1:
            x = operands[0]
            if isinstance(x, Tensor) and x._node is not None:
                value = x._value
                try:
                    out = self.forward(value)
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
        times, params = self._times, node.params
        return [
            times(cotangent, partial, values, params) if type(target) is Node else None
            for target, partial in zip(targets, self.partials, strict=True)
        ]

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


@dataclass(frozen=True, eq=False)
class Linear(CallableOp):
    """y = A(x1, ..., xn), linear in all operands together: the JVP is A itself.

    `transpose` maps the output's cotangent to the inputs': one function for one operand, for
    several a tuple of functions or one function that returns a tuple. A transpose that names a
    parameter `in_shape` is given its operand's shape (a tuple of shapes if it serves several).
    """

    transpose: Any = None

    def save(
        self,
        out: Any,
        values: Sequence[Any],
        nodes: Sequence[Node | None],
        extra: tuple[Any, ...],
    ) -> tuple[Any, ...]:
        if len(values) == 1:
            return ()
        shapes = tuple((np.shape(v), np.result_type(v)) for v in values)
        return (None,) * (len(values) + 1) + (shapes,)

    def pull(
        self,
        node: Node,
        cotangent: Any,
        values: tuple[Any, ...],
        targets: tuple[Any, ...],
        record: bool,
    ) -> Sequence[Any]:
        params = node.params
        transpose = self.transpose
        if not values:
            source = node.inputs[0]
            if accepts_in_shape(transpose):
                back = transpose(cotangent, in_shape=source.shape, **params)
            else:
                back = transpose(cotangent, **params)
            return back if type(back) is tuple else (back,)
        shapes = tuple(shape for shape, _ in values[-1])
        if callable(transpose):
            if accepts_in_shape(transpose):
                return tuple(transpose(cotangent, in_shape=shapes, **params))
            return tuple(transpose(cotangent, **params))
        result = []
        for target, rule, shape in zip(targets, transpose, shapes, strict=True):
            if type(target) is not Node:
                result.append(None)
            elif accepts_in_shape(rule):
                result.append(rule(cotangent, in_shape=shape, **params))
            else:
                result.append(rule(cotangent, **params))
        return result

    def push(
        self, node: Node, tangents: Sequence[Any], values: tuple[Any, ...], record: bool
    ) -> Any:
        if len(tangents) > 1:
            tangents = [
                np.broadcast_to(np.zeros((), dtype), shape) if tangent is None else tangent
                for tangent, (shape, dtype) in zip(tangents, values[-1], strict=True)
            ]
        return apply(self, tangents, node.params)


_ACCEPTS_IN_SHAPE: dict[Any, bool] = {}


def accepts_in_shape(rule: Any) -> bool:
    known = _ACCEPTS_IN_SHAPE.get(rule)
    if known is None:
        known = _ACCEPTS_IN_SHAPE[rule] = accepts(rule, "in_shape")
    return known


@dataclass(frozen=True, eq=False)
class Multilinear(CallableOp):
    """y = A(x1, ..., xn), linear in each operand alone: the product rule.

    `transposes[i](cotangent, *other operands in order, **params)` is the transpose in operand i.
    """

    transposes: tuple[Rule, ...] = ()

    def save(
        self,
        out: Any,
        values: Sequence[Any],
        nodes: Sequence[Node | None],
        extra: tuple[Any, ...],
    ) -> tuple[Any, ...]:
        tracked = sum(node is not None for node in nodes)
        return (
            None,
            *(
                value if tracked > (node is not None) else None
                for value, node in zip(values, nodes, strict=True)
            ),
            tuple(np.shape(value) for value in values),
        )

    def pull(
        self,
        node: Node,
        cotangent: Any,
        values: tuple[Any, ...],
        targets: tuple[Any, ...],
        record: bool,
    ) -> Sequence[Any]:
        operands = values[1:-1]
        result = []
        for index, (target, rule) in enumerate(zip(targets, self.transposes, strict=True)):
            if type(target) is not Node:
                result.append(None)
                continue
            others = operands[:index] + operands[index + 1 :]
            if accepts_in_shape(rule):
                shape = values[-1][index]
                result.append(rule(cotangent, *others, in_shape=shape, **node.params))
            else:
                result.append(rule(cotangent, *others, **node.params))
        return result

    def push(
        self, node: Node, tangents: Sequence[Any], values: tuple[Any, ...], record: bool
    ) -> Any:
        operands = values[1:-1]
        total = None
        for index, tangent in enumerate(tangents):
            if tangent is not None:
                replaced = (*operands[:index], tangent, *operands[index + 1 :])
                term = apply(self, replaced, node.params)
                total = term if total is None else total + term
        return total


@dataclass(frozen=True, eq=False)
class Selection(CallableOp):
    """y = x[indices(x)]: the forward pass chooses, both maps follow the saved indices.

    `forward` returns (out, indices); `gather(x, indices, **params)` and its transpose
    `scatter(cotangent, indices, in_shape=shape, **params)` are recorded operations.
    """

    gather: Rule | None = None
    scatter: Rule | None = None

    def run(self, values: Sequence[Any], params: dict[str, Any]) -> tuple[Any, tuple[Any, ...]]:
        out, indices = self.forward(*values, **params)
        return out, (indices,)

    def save(
        self,
        out: Any,
        values: Sequence[Any],
        nodes: Sequence[Node | None],
        extra: tuple[Any, ...],
    ) -> tuple[Any, ...]:
        return (None, None, *extra)

    def pull(
        self,
        node: Node,
        cotangent: Any,
        values: tuple[Any, ...],
        targets: tuple[Any, ...],
        record: bool,
    ) -> Sequence[Any]:
        assert self.scatter is not None
        shape = node.inputs[0].shape
        return (self.scatter(cotangent, values[-1], in_shape=shape, **node.params),)

    def push(
        self, node: Node, tangents: Sequence[Any], values: tuple[Any, ...], record: bool
    ) -> Any:
        assert self.gather is not None
        return self.gather(tangents[0], values[-1], **node.params)


@dataclass(frozen=True, eq=False)
class Linearised(CallableOp):
    """y = f(x1, ..., xn) with dy = jvp(y, x1, ..., xn, dx1, ..., dxn), linear in the dx.

    `jvp` is written in recorded operations; the VJP sweeps that small graph back. Where f is
    itself linear in an operand, `transposes` has `(cotangent, out, x1, ..., xn) -> cotangent` in
    its place (None in the others'): what ends the recursion when `jvp` calls f again.
    """

    jvp: Rule | None = None
    transposes: tuple[Rule | None, ...] = ()

    def save(
        self,
        out: Any,
        values: Sequence[Any],
        nodes: Sequence[Node | None],
        extra: tuple[Any, ...],
    ) -> tuple[Any, ...]:
        return (out, *values)

    def _with_values(self, values: tuple[Any, ...], params: dict[str, Any]) -> Rule:
        assert self.jvp is not None
        rule = self.jvp
        return lambda *tangents: rule(*values, *tangents, **params)

    def pull(
        self,
        node: Node,
        cotangent: Any,
        values: tuple[Any, ...],
        targets: tuple[Any, ...],
        record: bool,
    ) -> Sequence[Any]:
        wanted = [type(target) is Node for target in targets]
        if self.transposes and not any(
            want and rule is None for want, rule in zip(wanted, self.transposes, strict=True)
        ):
            return [
                rule(cotangent, *values, **node.params) if want and rule is not None else None
                for want, rule in zip(wanted, self.transposes, strict=True)
            ]
        zeros = [_zeros_like(value) for value in values[1:]]
        rule = self._with_values(values, node.params)
        return pullback_of(rule, zeros, cotangent, wanted, record)

    def push(
        self, node: Node, tangents: Sequence[Any], values: tuple[Any, ...], record: bool
    ) -> Any:
        filled = [
            _zeros_like(value) if tangent is None else tangent
            for value, tangent in zip(values[1:], tangents, strict=True)
        ]
        return self._with_values(values, node.params)(*filled)


def _zeros_like(value: Any) -> np.ndarray:
    data = value.data if isinstance(value, Tensor) else np.asarray(value)
    dtype = data.dtype if data.dtype.kind == "f" else np.dtype(float)
    return np.broadcast_to(np.zeros((), dtype), data.shape)


@dataclass(frozen=True, eq=False)
class Composite(CallableOp):
    """A fast kernel with a readable reference made of other operations.

    `forward(*inputs, **params)` returns the result, or (result, auxiliaries) when `auxiliaries` is
    True; auxiliaries (a dropout mask, batch statistics) are what a replay must not draw or update
    again: `reference(*inputs, *auxiliaries, **params)` computes the same from them. The optional
    kernels `pullback(cotangent, out, *inputs, *auxiliaries, **params)` (a tuple of cotangents) and
    `pushforward(tangents, out, *inputs, *auxiliaries, **params)` (None
    for a zero tangent) serve sweeps on plain arrays; recorded sweeps replay the reference.
    """

    reference: Rule | None = None
    pullback: Rule | None = None
    pushforward: Rule | None = None
    auxiliaries: bool = False

    def run(self, values: Sequence[Any], params: dict[str, Any]) -> tuple[Any, tuple[Any, ...]]:
        if self.auxiliaries:
            out, extra = self.forward(*values, **params)
            return out, tuple(extra)
        return self.forward(*values, **params), ()

    def save(
        self,
        out: Any,
        values: Sequence[Any],
        nodes: Sequence[Node | None],
        extra: tuple[Any, ...],
    ) -> tuple[Any, ...]:
        keep_out = self.pullback is not None or self.pushforward is not None
        return (out if keep_out else None, *values, *extra)

    def _replay(self, values: tuple[Any, ...], count: int, params: dict[str, Any]) -> Rule:
        assert self.reference is not None
        reference, extra = self.reference, values[1 + count :]
        return lambda *inputs: reference(*inputs, *extra, **params)

    def pull(
        self,
        node: Node,
        cotangent: Any,
        values: tuple[Any, ...],
        targets: tuple[Any, ...],
        record: bool,
    ) -> Sequence[Any]:
        if self.pullback is not None and not record:
            return tuple(self.pullback(cotangent, *values, **node.params))
        count = len(targets)
        wanted = [type(target) is Node for target in targets]
        replay = self._replay(values, count, node.params)
        return pullback_of(replay, values[1 : 1 + count], cotangent, wanted, record)

    def push(
        self, node: Node, tangents: Sequence[Any], values: tuple[Any, ...], record: bool
    ) -> Any:
        if self.pushforward is not None and not record:
            return self.pushforward(tuple(tangents), *values, **node.params)
        count = len(tangents)
        replay = self._replay(values, count, node.params)
        return pushforward_of(replay, values[1 : 1 + count], tangents, record)
