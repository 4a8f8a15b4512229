"""What a picture shows of a graph: its newest nodes up to a budget, their edges and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any

import numpy as np

from autograd import sweep
from autograd.markers import LEAF
from autograd.node import Node
from autograd.results import seed_array
from autograd.tensor import Tensor


@dataclass(frozen=True)
class Edge:
    """An operand: from its node, or from a constant, to the node that uses it."""

    source: Node | None
    target: Node
    operand: int
    constant: Any = None


@dataclass
class Picture:
    """Nodes in the order they were recorded, edges, and the numbers asked for."""

    nodes: list[Node]
    edges: list[Edge]
    outputs: list[Node]
    hidden: int
    tangents: dict[Node, Any] | None = None
    adjoints: dict[Node, Any] | None = None
    cut: set[Node] = field(default_factory=set)


def collect(
    outputs: Sequence[Any],
    max_nodes: int,
    tangents: Mapping[Any, Any] | None,
    adjoints: Any,
) -> Picture:
    """The picture of what `outputs` were computed from, newest nodes first, within the budget."""
    roots = [_root(output, index) for index, output in enumerate(outputs)]
    if not roots:
        raise TypeError("draw needs at least one Tensor: draw(loss)")
    if isinstance(max_nodes, bool) or not isinstance(max_nodes, int):
        raise TypeError(f"max_nodes must be an int, got {max_nodes!r}")
    if max_nodes < 1:
        raise ValueError(f"max_nodes must be at least 1, got {max_nodes}")
    shown, hidden = _newest(roots, max_nodes)
    inside = set(shown)
    edges = []
    cut: set[Node] = set()
    for node in shown:
        for operand, source in enumerate(node.inputs):
            if type(source) is not Node:
                edges.append(Edge(None, node, operand, source))
            elif source in inside:
                edges.append(Edge(source, node, operand))
            else:
                cut.add(node)
    picture = Picture(shown, edges, roots, hidden, cut=cut)
    if tangents is not None:
        picture.tangents = _pushed(roots, tangents)
    if adjoints is not None and adjoints is not False:
        picture.adjoints = _pulled(roots, shown, None if adjoints is True else adjoints)
    return picture


def _root(output: Any, index: int) -> Node:
    if not isinstance(output, Tensor):
        raise TypeError(
            f"draw takes Tensors, output {index} is {type(output).__name__}; transforms give "
            "arrays, so draw what the function computes from Tensors"
        )
    if output.node is None:
        raise ValueError(
            f"output {index} of shape {output.shape} has no graph: nothing it was computed from "
            "requires gradients; make a leaf with requires_grad=True"
        )
    return output.node


def _newest(roots: Sequence[Node], budget: int) -> tuple[list[Node], int]:
    """The nodes nearest to the end in recording order, and how many more there are."""
    seen = set(roots)
    queue: list[tuple[int, Node]] = []
    for node in seen:
        heappush(queue, (-node.serial, node))
    shown: list[Node] = []
    count = 0
    while queue:
        _, node = heappop(queue)
        count += 1
        if len(shown) < budget:
            shown.append(node)
        for source in node.inputs:
            if type(source) is Node and source not in seen:
                seen.add(source)
                heappush(queue, (-source.serial, source))
    return shown[::-1], count - len(shown)


def _pushed(roots: Sequence[Node], tangents: Mapping[Any, Any]) -> dict[Node, Any]:
    if not isinstance(tangents, Mapping):
        raise TypeError(
            f"tangents is a mapping from Tensors to their tangents, got {type(tangents).__name__}"
        )
    inputs, seeds = [], []
    for tensor, seed in tangents.items():
        if not isinstance(tensor, Tensor) or tensor.node is None:
            raise ValueError("tangents has a key that is no tracked Tensor of the graph")
        inputs.append(tensor.node)
        value = seed_array(seed, tensor.shape, tensor.dtype, "a tangent")
        seeds.append(value.data if isinstance(value, Tensor) else value)
    return sweep.forward(roots, inputs, seeds)


def _pulled(roots: Sequence[Node], shown: Sequence[Node], seeds: Any) -> dict[Node, Any]:
    if seeds is None:
        cotangents: list[Any] = [np.ones(node.shape, node.dtype) for node in roots]
    else:
        given = seeds if isinstance(seeds, tuple | list) else [seeds]
        if len(given) != len(roots):
            raise ValueError(f"got {len(given)} adjoints for {len(roots)} outputs")
        cotangents = [
            np.asarray(value, node.dtype).reshape(node.shape)
            for value, node in zip(given, roots, strict=True)
        ]
    _, found = sweep.reverse(roots, cotangents, shown)
    return found


def value_of(node: Node) -> Any:
    """A node's value if it was kept, else None."""
    if node.value is None and node.op is LEAF and node.leaf is not None:
        leaf = node.leaf()
        return None if leaf is None else leaf.data
    return node.value
