"""What is drawn of a graph: single nodes, folded modules, and the edges between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd.drawing.collecting import Graph, dependents
from autograd.drawing.grouping import Group, Groups
from autograd.node import Node, ancestors, value_of
from autograd.tensor import Tensor


@dataclass(eq=False)
class Item:
    """A drawn vertex: one node, or a folded module with all its nodes."""

    node: Node | None
    group: Group
    """The group it lies in; of a folded module, that module's."""
    members: list[Node] = field(default_factory=list)
    number: int = 0

    @property
    def newest(self) -> int:
        return self.members[-1].serial

    @property
    def cluster(self) -> Group | None:
        """The open group that it is drawn in."""
        return self.group if self.node is not None else self.group.parent


@dataclass(frozen=True)
class Edge:
    """An operand: from an item, or from a constant, to the item that uses it."""

    source: Item | None
    target: Item
    operand: int | None
    """None where several operands are drawn as one edge."""
    constant: Any = None
    lit: bool = False


@dataclass
class Picture:
    """Items from the oldest to the newest, edges, and how much is not drawn."""

    graph: Graph
    groups: Groups
    items: list[Item]
    edges: list[Edge]
    hidden: int
    cut: list[Item]
    """Items with an operand among the hidden."""
    lit: set[Node] | None
    """Highlighted nodes; None if nothing was to be highlighted."""


def compose(
    graph: Graph,
    max_nodes: int = 200,
    depth: int | None = None,
    fold: bool = True,
    highlight: Any = None,
    modules: bool = True,
) -> Picture:
    """Fold modules deeper than `depth` (None: until the rest fits), then cut to the newest."""
    _check_number("max_nodes", max_nodes, 1)
    if depth is not None:
        _check_number("depth", depth, 0)
    groups = Groups(graph.nodes, modules)
    alias = groups.fold_repeats() if fold else {}
    if depth is None:
        depth = _deepest_that_fits(groups, max_nodes)
    of: dict[Node, Item] = {}
    items = _items(groups, depth, of)
    for node, first in alias.items():
        of[node] = of[first]
    for item in items:
        item.members.sort(key=lambda node: node.serial)
    items.sort(key=lambda item: item.newest)
    shown = items[-max_nodes:]
    for number, item in enumerate(shown):
        item.number = number
    hidden = sum(len(item.members) for item in items[:-max_nodes])
    lit = _lit(graph, highlight)
    edges, cut = _edges(graph.nodes, of, set(shown), set(alias), lit)
    return Picture(graph, groups, shown, edges, hidden, cut, lit)


def unfolded(picture: Picture) -> Picture:
    """The same without repeated modules drawn as one: what a page steps through."""
    opened = [item.cluster.depth for item in picture.items if item.cluster is not None]
    return compose(picture.graph, depth=max(opened, default=0), fold=False)


def _check_number(name: str, value: Any, smallest: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, got {value!r}")
    if value < smallest:
        raise ValueError(f"{name} must be at least {smallest}, got {value}")


def _deepest_that_fits(groups: Groups, budget: int) -> int:
    """The number of open levels of modules that leaves at most `budget` items; at least 0."""
    nodes_at: dict[int, int] = {}
    groups_at: dict[int, int] = {}
    for group in groups.root.walk():
        nodes_at[group.depth] = nodes_at.get(group.depth, 0) + len(group.nodes)
        groups_at[group.depth] = groups_at.get(group.depth, 0) + 1
    deepest = max(nodes_at)
    open_nodes = 0
    best = 0
    for level in range(deepest + 1):
        open_nodes += nodes_at[level]
        if open_nodes + groups_at.get(level + 1, 0) <= budget:
            best = level
    return best


def _items(groups: Groups, depth: int, of: dict[Node, Item]) -> list[Item]:
    items: list[Item] = []
    stack = [groups.root]
    while stack:
        group = stack.pop()
        if group.depth > depth:
            members = list(group.all_nodes())
            if members:
                items.append(Item(None, group, members))
                of.update(dict.fromkeys(members, items[-1]))
            continue
        for node in group.nodes:
            items.append(Item(node, group, [node]))
            of[node] = items[-1]
        stack.extend(group.children)
    return items


def _edges(
    nodes: Sequence[Node],
    of: dict[Node, Item],
    shown: set[Item],
    repeated: set[Node],
    lit: set[Node] | None,
) -> tuple[list[Edge], list[Item]]:
    edges: list[Edge] = []
    cut: dict[Item, None] = {}
    drawn: set[tuple[Item, Item, int | None]] = set()
    for node in nodes:
        target = of[node]
        if target not in shown:
            continue
        for operand, source in enumerate(node.inputs):
            if type(source) is not Node:
                if target.node is node:
                    edges.append(Edge(None, target, operand, source))
                continue
            start = of[source]
            if start not in shown:
                cut[target] = None
                continue
            from_one_to_the_next = source in repeated or node in repeated
            if start is target or (from_one_to_the_next and start.number > target.number):
                continue
            single = start.node is not None and target.node is not None
            edge = (start, target, operand if single else None)
            if edge in drawn:
                continue
            drawn.add(edge)
            bright = lit is not None and source in lit and node in lit
            edges.append(Edge(*edge, lit=bright))
    return edges, list(cut)


def _lit(graph: Graph, highlight: Any) -> set[Node] | None:
    """The nodes to highlight: those with non-finite numbers, or on a path through Tensors."""
    if highlight is None:
        return None
    if isinstance(highlight, str):
        if highlight != "nonfinite":
            raise ValueError(
                f"highlight is 'nonfinite', a Tensor or a sequence of Tensors, got {highlight!r}"
            )
        return {node for node in graph.nodes if any(not finite(v) for v in numbers(graph, node))}
    given = [highlight] if isinstance(highlight, Tensor) else highlight
    if not isinstance(given, tuple | list) or not all(isinstance(t, Tensor) for t in given):
        raise TypeError(
            f"highlight is 'nonfinite', a Tensor or a sequence of Tensors, got {highlight!r}"
        )
    inside = set(graph.nodes)
    lit = set(graph.nodes)
    for tensor in given:
        if tensor.node not in inside:
            raise ValueError(
                f"highlight has a Tensor of shape {tensor.shape} that is not in the graph"
            )
        lit &= dependents(graph.nodes, tensor.node) | set(ancestors([tensor.node]))
    return lit


def numbers(graph: Graph, node: Node) -> list[Any]:
    """What is known at a node: its value, its tangent and its adjoint."""
    swept = (mapping for mapping in (graph.tangents, graph.adjoints) if mapping is not None)
    found = [value_of(node), *(mapping.get(node) for mapping in swept)]
    return [value for value in found if value is not None]


def finite(value: Any) -> bool:
    """Whether all entries are finite; tuples (of operations with several outputs) too."""
    if isinstance(value, tuple | list):
        return all(item is None or finite(item) for item in value)
    array = np.asarray(value)
    return array.dtype.kind not in "fc" or bool(np.all(np.isfinite(array)))
