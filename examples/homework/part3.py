"""Part 3: a directed graph has a topological order if and only if it has no cycle.

If there is an order v1, v2, ..., every edge goes to the right, and so does every walk: none comes
back, so there is no cycle. If there is no cycle, some node has no edge into it: else one could walk
backwards for ever, and, the graph being finite, would meet a node twice, which is a cycle. Put such
a source first and remove it: what is left has no cycle either, and induction orders the rest.

The program removes a source again and again. When none is left but nodes are, it walks backwards
among them until it meets a node twice, and shows that cycle.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

import numpy as np

from examples.homework.command_line import homework_parser

Vertex = TypeVar("Vertex", bound=Hashable)
Edges = Iterable[tuple[Vertex, Vertex]]


class CycleError(ValueError):
    """There is a cycle: each node of `cycle` has an edge to the next, the last one to the first."""

    def __init__(self, cycle: Sequence[Hashable]) -> None:
        self.cycle = list(cycle)
        steps = " -> ".join(str(vertex) for vertex in [*cycle, cycle[0]])
        super().__init__(f"no topological order, the graph has a cycle: {steps}")


def topological_order(vertices: Iterable[Vertex], edges: Edges[Vertex]) -> list[Vertex]:
    """The vertices so ordered that each edge leads from an earlier to a later one.

    Vertices that only occur in edges are added; an edge may be given twice. Takes time linear in
    vertices and edges (Kahn 1962, Topological sorting of large networks). Raises CycleError when
    there is no such order.

    >>> topological_order("abc", [("c", "a"), ("a", "b")])
    ['c', 'a', 'b']
    """
    successors: dict[Vertex, list[Vertex]] = {vertex: [] for vertex in vertices}
    predecessors: dict[Vertex, list[Vertex]] = {vertex: [] for vertex in successors}
    for start, end in edges:
        for vertex in (start, end):
            successors.setdefault(vertex, [])
            predecessors.setdefault(vertex, [])
        successors[start].append(end)
        predecessors[end].append(start)
    missing = {vertex: len(before) for vertex, before in predecessors.items()}
    order = [vertex for vertex, count in missing.items() if count == 0]
    for vertex in order:
        for after in successors[vertex]:
            missing[after] -= 1
            if missing[after] == 0:
                order.append(after)
    if len(order) < len(successors):
        remaining = {vertex for vertex in successors if vertex not in set(order)}
        cycle: list[Vertex] = _cycle_among(predecessors, remaining)
        raise CycleError(cycle)
    return order


def _cycle_among(predecessors: dict[Vertex, list[Vertex]], remaining: set[Vertex]) -> list[Vertex]:
    """A cycle among nodes each of which has a predecessor among them."""
    vertex = next(vertex for vertex in predecessors if vertex in remaining)
    walk: list[Vertex] = []
    position: dict[Vertex, int] = {}
    while vertex not in position:
        position[vertex] = len(walk)
        walk.append(vertex)
        vertex = next(before for before in predecessors[vertex] if before in remaining)
    return walk[position[vertex] :][::-1]


def random_edges(count: int, chance: float, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Each of the count^2 possible edges, loops included, with the given chance."""
    starts, ends = np.nonzero(rng.random((count, count)) < chance)
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def parse_edges(given: Sequence[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """Edges written as `a>b`, or `a>b>c` for two of them; a name alone is a node without edges."""
    vertices: list[str] = []
    edges: list[tuple[str, str]] = []
    for text in given:
        names = [name.strip() for name in text.split(">")]
        if not all(names):
            raise ValueError(f"{text!r} is no edge: write a>b, a>b>c, or a name alone")
        vertices += names
        edges += list(itertools.pairwise(names))
    return vertices, edges


def show_graph(vertices: Iterable[Vertex], edges: Edges[Vertex]) -> None:
    try:
        print("  order:", " ".join(str(vertex) for vertex in topological_order(vertices, edges)))
    except CycleError as error:
        print(" ", error)


def show_random_graphs(graphs: int, rng: np.random.Generator) -> None:
    print(f"  {graphs} random graphs of 8 nodes for each chance of an edge:")
    for chance in (0.02, 0.05, 0.1, 0.2):
        ordered = 0
        for _ in range(graphs):
            try:
                topological_order(range(8), random_edges(8, chance, rng))
                ordered += 1
            except CycleError:
                pass
        print(
            f"  chance {chance:<5g} with an order {ordered:>5}   with a cycle {graphs - ordered:>5}"
        )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = homework_parser("part3", __doc__)
    parser.add_argument("edges", nargs="*", metavar="a>b", help="edges of a graph of your own")
    options = parser.parse_args(arguments)
    if options.edges:
        try:
            vertices, edges = parse_edges(options.edges)
        except ValueError as error:
            parser.error(str(error))
        show_graph(vertices, edges)
        return
    print("An order, of the graph of f(w1, w2) of part 2:")
    function = ["w1>exp1>s", "w2>double>exp2>s", "s>exp3>f1", "s>sin>f1", "w1>w1*w2>f2", "w2>w1*w2"]
    show_graph(*parse_edges([*function, "w1>sigmoid>f2"]))
    print("The same with an edge from f1 back to w2:")
    show_graph(*parse_edges([*function, "f1>w2"]))
    show_random_graphs(20 if options.smoke else 1000, np.random.default_rng(0))


if __name__ == "__main__":
    main()
