"""The record of an operation: what the sweeps need to know of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np

from autograd.node import Node

Pair = tuple[Any, Any]
"""An array and its tangent, which is None where it is zero."""


class PushedTangents(Protocol):
    """What a rule for pairs may ask of the jvp that runs."""

    def of(self, node: Node) -> Any:
        """A node's tangent, None where it is zero."""

    def evaluate(self, function: Callable[..., Any], node: Node) -> Pair:
        """`function` of what the node saved, and its tangent."""

    def wants_value(self, target: Any) -> bool:
        """Whether a target's cotangent is asked for; otherwise only its tangent is."""


@dataclass(frozen=True, eq=False)
class Op:
    """One operation, defined in one place; a family says how both maps follow from its rule.

    `run` computes on plain arrays. `pull` maps an output's cotangent to the inputs' cotangents,
    `push` maps the inputs' tangents to the output's tangent; both are polymorphic: given arrays
    they compute, given Tensors they record, which is what makes every order available.
    """

    pushes_plainly: ClassVar[bool] = False
    """Whether `push` on arrays only computes: it neither records nor asks for modes."""

    name: str
    forward: Callable[..., Any] = field(repr=False)
    analytic: bool = field(default=False, repr=False, kw_only=True)
    """Whether `forward` and its rules are right for complex arrays, as complex steps need."""
    kinks: tuple[Any, ...] = field(default=(), repr=False, kw_only=True)
    """Functions of operands and parameters; the derivative is a convention where one vanishes."""
    error: float = field(default=1.0, repr=False, kw_only=True)
    """The error constant of `forward`: how inexact its values are, relative to the largest of
    them, in units of the dtype's rounding; checks widen their tolerance by it and nothing else."""
    flops: Callable[..., int] | None = field(default=None, repr=False, kw_only=True)
    """`(out, *operands)`, all of them shapes, to the additions and multiplications of `forward`."""
    overwrites: bool = field(default=False, repr=False, kw_only=True)
    """Whether it has `pull_in_place`."""
    samples: Any = field(default=None, repr=False, kw_only=True)
    """Example calls for tests (see `autograd.samples`)."""

    def run(self, values: Sequence[Any], params: dict[str, Any]) -> tuple[Any, tuple[Any, ...]]:
        """The result on plain arrays, and what else a later sweep will need."""
        return self.forward(*values, **params), ()

    def save(
        self,
        out: Any,
        values: Sequence[Any],
        nodes: Sequence[Node | None],
        extra: tuple[Any, ...],
    ) -> tuple[Any, ...]:
        """`(out, *inputs, *extra)`, with None for what no rule reads; () if nothing is read."""
        return extra

    def pull(
        self,
        node: Node,
        cotangent: Any,
        values: tuple[Any, ...],
        targets: tuple[Any, ...],
        record: bool,
    ) -> Sequence[Any]:
        """Cotangents of the inputs, None where the target is no Node or the rule gives zero."""
        raise AssertionError(f"{self.name} has no rule")

    def pull_in_place(
        self, node: Node, cotangent: Any, values: tuple[Any, ...], targets: tuple[Any, ...]
    ) -> Sequence[Any]:
        """`pull` on plain arrays, where the cotangent's memory may serve for what is returned."""
        raise AssertionError(f"{self.name} overwrites nothing")

    def pull_pair(
        self, node: Node, arrived: Pair, targets: tuple[Any, ...], tangents: PushedTangents
    ) -> Sequence[Pair | None] | None:
        """`pull` of a cotangent and its tangent, both plain: the inputs' cotangents and theirs.

        None where the family knows nothing better than to record `pull`.
        """
        return None

    def push(
        self, node: Node, tangents: Sequence[Any], values: tuple[Any, ...], record: bool
    ) -> Any:
        """The output's tangent; an input's tangent is None where it is zero."""
        raise AssertionError(f"{self.name} has no rule")

    def push_many(
        self, node: Node, tangents: Sequence[Any], values: tuple[Any, ...], count: int
    ) -> Any:
        """`push`, on plain arrays, of `count` tangents at once, which lie along a first axis.

        A family that knows how does so in one step; here they are pushed one after the other.
        """
        pushed = [
            self.push(node, [None if t is None else t[k] for t in tangents], values, False)
            for k in range(count)
        ]
        if pushed[0] is None:
            return None
        if type(pushed[0]) is tuple:
            return tuple(np.stack(parts) for parts in zip(*pushed, strict=True))
        return np.stack(pushed)
