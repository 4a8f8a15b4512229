"""One node's part in the sweeps: what it adds to each operand, and its local derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.drawing.collecting import Graph
from autograd.drawing.labels import several, swept_text
from autograd.drawing.numbers import NOT_KEPT, number, summary
from autograd.drawing.pictures import Edge
from autograd.markers import LEAF, OUTPUT
from autograd.node import FREED, Node, value_of
from autograd.sweep import sum_to


def contributions(node: Node, adjoint: Any) -> list[Any]:
    """What the node's adjoint adds to each operand's; None where nothing arrives."""
    if node.op is LEAF:
        return []
    if node.op is OUTPUT or node.saved is FREED:
        return [None] * len(node.inputs)
    if several(node):
        adjoint = tuple(
            np.zeros(shape, dtype) if part is None else part
            for part, shape, dtype in zip(adjoint, node.shape, node.dtype, strict=True)
        )
    with np.errstate(all="ignore"):
        found = node.op.pull(node, adjoint, node.saved, node.inputs, False)
    return [
        None if value is None or type(source) is not Node else _fitted(value, source, node)
        for value, source in zip(found, node.inputs, strict=True)
    ]


def _fitted(value: Any, source: Node, node: Node) -> Any:
    if several(source):
        return value
    return value if np.shape(value) == source.shape else sum_to(value, source.shape, node)


def edge_number(graph: Graph, edge: Edge, kind: str) -> str:
    """What travels along an edge: its source's value or tangent, or what it adds to its adjoint."""
    if edge.source is None or edge.source.node is None or edge.operand is None:
        return ""
    source, target = edge.source.node, edge.target.node
    assert target is not None
    if kind == "value":
        value = value_of(source)
        return NOT_KEPT if value is None else summary(value)
    if kind == "tangent":
        assert graph.tangents is not None
        return swept_text(graph.tangents, source)
    assert graph.adjoints is not None
    if target not in graph.adjoints:
        return number(0.0)
    added = contributions(target, graph.adjoints[target])[edge.operand]
    return number(0.0) if added is None else summary(added)


def partials(node: Node) -> list[Any] | None:
    """The derivatives of a scalar by its scalar operands, None where an operand is constant;
    None altogether where something is no scalar.
    """
    sources = [source if type(source) is Node else None for source in node.inputs]
    if node.op in (LEAF, OUTPUT) or node.saved is FREED or node.shape != ():
        return None
    if any(source is not None and source.shape != () for source in sources):
        return None
    found: list[Any] = []
    for index, source in enumerate(sources):
        if source is None:
            found.append(None)
            continue
        arriving = [
            np.ones((), source.dtype)[()] if place == index else None
            for place in range(len(sources))
        ]
        with np.errstate(all="ignore"):
            pushed = node.op.push(node, arriving, node.saved, False)
        found.append(0.0 if pushed is None else float(pushed))
    return found
