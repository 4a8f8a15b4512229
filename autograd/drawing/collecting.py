"""The recorded graph behind some outputs, and the numbers that the sweeps give its nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd import sweep
from autograd.gathering import ask_for_graph
from autograd.markers import LEAF
from autograd.node import Node, ancestors, is_cut
from autograd.results import seed_array
from autograd.tensor import Tensor


@dataclass(frozen=True)
class Graph:
    """All nodes that the outputs depend on, in the order they were recorded, and their numbers."""

    nodes: list[Node]
    outputs: list[Node]
    tangents: dict[Node, Any] | None
    adjoints: dict[Node, Any] | None


def collect(outputs: Sequence[Any], tangents: Any, adjoints: Any) -> Graph:
    """The graph of `outputs`, with tangents and adjoints where they are asked for.

    `tangents` maps Tensors to seeds that are pushed forward; `adjoints` is True, or the outputs'
    cotangents, or None.
    """
    roots = [_root(output, index) for index, output in enumerate(outputs)]
    if not roots:
        raise TypeError("draw needs at least one Tensor: draw(loss)")
    nodes = ancestors(roots)
    cut = [node for node in nodes if is_cut(node) and node.op is not LEAF]
    if cut:
        ask_for_graph(cut)
    pushed = None if tangents is None else _pushed(roots, nodes, tangents)
    pulled = None
    if adjoints is not None and adjoints is not False:
        pulled = _pulled(roots, nodes, None if adjoints is True else adjoints)
    return Graph(nodes, roots, pushed, pulled)


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


def _pushed(roots: Sequence[Node], nodes: Sequence[Node], tangents: Any) -> dict[Node, Any]:
    if not isinstance(tangents, Mapping):
        raise TypeError(
            f"tangents is a mapping from Tensors to their tangents, got {type(tangents).__name__}"
        )
    inside = set(nodes)
    inputs, seeds = [], []
    for tensor, seed in tangents.items():
        if not isinstance(tensor, Tensor) or tensor.node is None:
            raise ValueError("tangents has a key that is no tracked Tensor of the graph")
        if tensor.node not in inside:
            raise ValueError(
                f"tangents has a Tensor of shape {tensor.shape} that the outputs do not depend on"
            )
        inputs.append(tensor.node)
        value = seed_array(seed, tensor.shape, tensor.dtype, "a tangent")
        seeds.append(value.data if isinstance(value, Tensor) else value)
    return sweep.forward(roots, inputs, seeds)


def _pulled(roots: Sequence[Node], nodes: Sequence[Node], seeds: Any) -> dict[Node, Any]:
    if seeds is None:
        cotangents: list[Any] = [np.ones(node.shape, node.dtype) for node in roots]
    else:
        given = seeds if isinstance(seeds, tuple | list) else [seeds]
        if len(given) != len(roots):
            raise ValueError(f"got {len(given)} adjoints for {len(roots)} outputs")
        cotangents = [_seed(value, node) for value, node in zip(given, roots, strict=True)]
    _, found = sweep.reverse(roots, cotangents, nodes)
    return found


def _seed(value: Any, node: Node) -> Any:
    seed = seed_array(value, node.shape, node.dtype, "an adjoint")
    return seed.data if isinstance(seed, Tensor) else seed


def dependents(nodes: Sequence[Node], start: Node) -> set[Node]:
    """`start`, and the nodes that depend on it; `nodes` are in recording order."""
    found = {start}
    for node in nodes:
        if any(type(source) is Node and source in found for source in node.inputs):
            found.add(node)
    return found
