"""Operations that only mark places in the graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from autograd.base import Op, Pair
from autograd.node import Node


class _Identity(Op):
    pushes_plainly: ClassVar[bool] = True

    def pull(
        self,
        node: Node,
        cotangent: Any,
        values: tuple[Any, ...],
        targets: tuple[Any, ...],
        record: bool,
    ) -> Sequence[Any]:
        return (cotangent,)

    def pull_pair(
        self, node: Node, arrived: Pair, targets: tuple[Any, ...], tangents: Any
    ) -> Sequence[Pair | None]:
        return (arrived,)

    def push(
        self, node: Node, tangents: Sequence[Any], values: tuple[Any, ...], record: bool
    ) -> Any:
        return tangents[0]

    def push_many(
        self, node: Node, tangents: Sequence[Any], values: tuple[Any, ...], count: int
    ) -> Any:
        return tangents[0]


def _same(value: Any) -> Any:
    return value


LEAF = Op("leaf", _same, analytic=True)
"""Where the graph starts: a Tensor that requires gradients."""

INPUT = _Identity("input", _same, analytic=True)
"""Through which a transform's argument passes, so that an inner variable is never the outer."""

RESULT = Op("result", _same, analytic=True)
"""What a sweep inside a running jvp computed, which is not recorded but has a tangent."""

OUTPUT = Op("output", _same, analytic=True)
"""One of several outputs of its input node; which one is `params['index']`."""
