"""Affine operations whose results pass or are zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autograd.base import Pair, PushedTangents
from autograd.families.multilinear import Affine
from autograd.families.rules import Rule
from autograd.node import Node


@dataclass(frozen=True, eq=False)
class Gated(Affine):
    """y = g(A(x, w) + B b), in one pass, for a g as the positive part: its slope is 0 or 1, and is
    told by y alone.

    `gate(c, y)` is c times the slope, polymorphic, for cotangents and tangents; `gate_in_place` is
    the same for arrays, written over c.
    """

    gate: Rule | None = None
    gate_in_place: Rule | None = None

    def save(
        self,
        out: Any,
        values: Sequence[Any],
        nodes: Sequence[Node | None],
        extra: tuple[Any, ...],
    ) -> tuple[Any, ...]:
        return (out, *super().save(out, values, nodes, extra)[1:])

    def pull(
        self,
        node: Node,
        cotangent: Any,
        values: tuple[Any, ...],
        targets: tuple[Any, ...],
        record: bool,
    ) -> Sequence[Any]:
        assert self.gate is not None
        return super().pull(node, self.gate(cotangent, values[0]), values, targets, record)

    def pull_in_place(
        self, node: Node, cotangent: Any, values: tuple[Any, ...], targets: tuple[Any, ...]
    ) -> Sequence[Any]:
        assert self.gate_in_place is not None
        passed = self.gate_in_place(cotangent, values[0])
        return super().pull(node, passed, values, targets, False)

    def pull_pair(
        self, node: Node, arrived: Pair, targets: tuple[Any, ...], tangents: PushedTangents
    ) -> Sequence[Pair | None] | None:
        assert self.gate is not None
        cotangent, change = arrived
        passed = self.gate(cotangent, node.saved[0])
        moved = None if change is None else self.gate(change, node.saved[0])
        return super().pull_pair(node, (passed, moved), targets, tangents)

    def push(
        self, node: Node, tangents: Sequence[Any], values: tuple[Any, ...], record: bool
    ) -> Any:
        assert self.gate is not None
        total = super().push(node, tangents, values, record)
        return None if total is None else self.gate(total, values[0])
