"""Linear operations: in all operands together, in each alone, and selections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from autograd.base import Op, Pair, PushedTangents
from autograd.families.rules import CallableOp, Rule, accepts_in_shape, spread_out, total_tangent
from autograd.modes import current_modes
from autograd.node import Node
from autograd.recording import apply
from autograd.results import held_once


def linear_pairs(op: Op, node: Node, arrived: Pair, targets: tuple[Any, ...]) -> list[Pair | None]:
    """A linear rule of a cotangent and of its tangent."""
    cotangent, change = arrived
    values = op.pull(node, cotangent, node.saved, targets, False)
    moved: Sequence[Any] = [None] * len(values)
    if change is not None:
        moved = op.pull(node, change, node.saved, targets, False)
    return list(zip(values, moved, strict=True))


@dataclass(frozen=True, eq=False)
class Linear(CallableOp):
    """y = A(x1, ..., xn), linear in all operands together: the JVP is A itself.

    `transpose` maps the output's cotangent to the inputs': one function for one operand, for
    several a tuple of functions or one function that returns a tuple. A transpose that names a
    parameter `in_shape` is given its operand's shape (a tuple of shapes if it serves several).
    For one operand, `along(x, shape, **params)` may say what A is on arrays along a first axis of
    x, all at once, or None if it cannot; `shape` is the result's.
    """

    pushes_plainly: ClassVar[bool] = True

    transpose: Any = None
    along: Rule | None = None

    def save(
        self,
        out: Any,
        values: Sequence[Any],
        nodes: Sequence[Node | None],
        extra: tuple[Any, ...],
    ) -> tuple[Any, ...]:
        if len(values) == 1:
            return ()
        shapes = [
            (v.shape, v.dtype) if type(v) is np.ndarray else (np.shape(v), np.result_type(v))
            for v in values
        ]
        return (None,) * (len(values) + 1) + (tuple(shapes),)

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
        result: list[Any] = []
        for target, rule, shape in zip(targets, transpose, shapes, strict=True):
            if type(target) is not Node:
                result.append(None)
            elif accepts_in_shape(rule):
                result.append(rule(cotangent, in_shape=shape, **params))
            else:
                result.append(rule(cotangent, **params))
        return result

    def pull_pair(
        self, node: Node, arrived: Pair, targets: tuple[Any, ...], tangents: PushedTangents
    ) -> Sequence[Pair | None] | None:
        return linear_pairs(self, node, arrived, targets)

    def push(
        self, node: Node, tangents: Sequence[Any], values: tuple[Any, ...], record: bool
    ) -> Any:
        if len(tangents) > 1:
            tangents = [
                np.broadcast_to(np.zeros((), dtype), shape) if tangent is None else tangent
                for tangent, (shape, dtype) in zip(tangents, values[-1], strict=True)
            ]
        return apply(self, tangents, node.params)

    def push_many(
        self, node: Node, tangents: Sequence[Any], values: tuple[Any, ...], count: int
    ) -> Any:
        pushed = None
        if self.along is not None:
            pushed = self.along(tangents[0], (count, *node.shape), **node.params)
        return super().push_many(node, tangents, values, count) if pushed is None else pushed


@dataclass(frozen=True, eq=False)
class Multilinear(CallableOp):
    """y = A(x1, ..., xn), linear in each operand alone: the product rule.

    `transposes[i](cotangent, *other operands in order, **params)` is the transpose in operand i.
    `along(*operands, **params)` may say what A is where one operand, any, has a further axis, of
    arrays that take its place in turn, before as many axes as the result has.
    """

    pushes_plainly: ClassVar[bool] = True

    transposes: tuple[Rule, ...] = ()
    along: Rule | None = None

    def save(
        self,
        out: Any,
        values: Sequence[Any],
        nodes: Sequence[Node | None],
        extra: tuple[Any, ...],
    ) -> tuple[Any, ...]:
        tracked = len(nodes) - nodes.count(None)
        saved = [
            value if tracked > (node is not None) else None
            for value, node in zip(values, nodes, strict=True)
        ]
        return (None, *saved)

    def pull(
        self,
        node: Node,
        cotangent: Any,
        values: tuple[Any, ...],
        targets: tuple[Any, ...],
        record: bool,
    ) -> Sequence[Any]:
        operands = values[1:]
        result: list[Any] = []
        for index, (target, rule) in enumerate(zip(targets, self.transposes, strict=True)):
            if type(target) is not Node:
                result.append(None)
                continue
            others = operands[:index] + operands[index + 1 :]
            if accepts_in_shape(rule):
                result.append(rule(cotangent, *others, in_shape=target.shape, **node.params))
            else:
                result.append(rule(cotangent, *others, **node.params))
        return result

    def pull_pair(
        self, node: Node, arrived: Pair, targets: tuple[Any, ...], tangents: PushedTangents
    ) -> Sequence[Pair | None] | None:
        return self.product_pairs(node, arrived, node.saved, targets, tangents)

    def product_pairs(
        self,
        node: Node,
        arrived: Pair,
        saved: tuple[Any, ...],
        targets: tuple[Any, ...],
        tangents: PushedTangents,
    ) -> list[Pair | None]:
        """The product rule once more, for what `save` gave."""
        cotangent, change = arrived
        operands = saved[1:]
        changes = [
            tangents.of(source) if type(source) is Node else None
            for source in node.inputs[: len(operands)]
        ]
        found: list[Pair | None] = []
        for index, (target, rule) in enumerate(zip(targets, self.transposes, strict=True)):
            if type(target) is not Node:
                found.append(None)
                continue
            params = node.params
            if accepts_in_shape(rule):
                params = {**params, "in_shape": target.shape}
            others = operands[:index] + operands[index + 1 :]
            moved = None if change is None else rule(change, *others, **params)
            for place, other in enumerate(changes[:index] + changes[index + 1 :]):
                if other is not None:
                    replaced = (*others[:place], other, *others[place + 1 :])
                    term = rule(cotangent, *replaced, **params)
                    moved = term if moved is None else moved + term
            wanted = tangents.wants_value(target)
            found.append((rule(cotangent, *others, **params) if wanted else None, moved))
        return found

    def push(
        self, node: Node, tangents: Sequence[Any], values: tuple[Any, ...], record: bool
    ) -> Any:
        operands = values[1:]
        params = node.params
        plain = not record and current_modes().profile is None
        total = None
        own = False
        for index, tangent in enumerate(tangents):
            if tangent is not None:
                replaced = (*operands[:index], tangent, *operands[index + 1 :])
                if plain:
                    term = self.forward(*replaced, **params)
                else:
                    term = apply(self, replaced, params)
                total = total_tangent(total, term, own)
                term = None
                own = not record and held_once(total)
        return total

    def push_many(
        self, node: Node, tangents: Sequence[Any], values: tuple[Any, ...], count: int
    ) -> Any:
        if self.along is None:
            return super().push_many(node, tangents, values, count)
        operands = values[1:]
        total = None
        for index, tangent in enumerate(tangents):
            if tangent is not None:
                replaced = list(operands)
                replaced[index] = spread_out(tangent, len(node.shape))
                term = self.along(*replaced, **node.params)
                total = term if total is None else total + term
        return total


@dataclass(frozen=True, eq=False)
class Affine(CallableOp):
    """y = A(x, w) + B b: a product of two operands and a third that is added, in one pass.

    `product` is the operation A on its own, `spread` is B (it may leave its result unbroadcast),
    `collect` the transpose of B; both are polymorphic.
    """

    product: Multilinear | None = None
    spread: Rule | None = None
    collect: Rule | None = None

    def save(
        self,
        out: Any,
        values: Sequence[Any],
        nodes: Sequence[Node | None],
        extra: tuple[Any, ...],
    ) -> tuple[Any, ...]:
        assert self.product is not None
        return (*self.product.save(out, values[:2], nodes[:2], extra), None)

    def pull(
        self,
        node: Node,
        cotangent: Any,
        values: tuple[Any, ...],
        targets: tuple[Any, ...],
        record: bool,
    ) -> Sequence[Any]:
        assert self.product is not None
        assert self.collect is not None
        found = self.product.pull(node, cotangent, values[:3], targets[:2], record)
        added = self.collect(cotangent) if type(targets[2]) is Node else None
        return (*found, added)

    def pull_pair(
        self, node: Node, arrived: Pair, targets: tuple[Any, ...], tangents: PushedTangents
    ) -> Sequence[Pair | None] | None:
        assert self.product is not None
        assert self.collect is not None
        found = self.product.product_pairs(node, arrived, node.saved[:3], targets[:2], tangents)
        if type(targets[2]) is not Node:
            return (*found, None)
        cotangent, change = arrived
        added = self.collect(cotangent), None if change is None else self.collect(change)
        return (*found, added)

    def push(
        self, node: Node, tangents: Sequence[Any], values: tuple[Any, ...], record: bool
    ) -> Any:
        assert self.product is not None
        assert self.spread is not None
        total = self.product.push(node, tangents[:2], values[:3], record)
        if tangents[2] is None:
            return total
        added = self.spread(tangents[2], len(node.shape))
        return added if total is None else total + added


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

    def pull_pair(
        self, node: Node, arrived: Pair, targets: tuple[Any, ...], tangents: PushedTangents
    ) -> Sequence[Pair | None] | None:
        return linear_pairs(self, node, arrived, targets)

    def push(
        self, node: Node, tangents: Sequence[Any], values: tuple[Any, ...], record: bool
    ) -> Any:
        assert self.gather is not None
        return self.gather(tangents[0], values[-1], **node.params)
