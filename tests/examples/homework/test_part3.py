"""Part 3: an order if and only if there is no cycle, on arbitrary directed graphs."""

from __future__ import annotations

import itertools

import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.homework import part3

Edges = list[tuple[int, int]]


def closure(count: int, edges: Edges) -> np.ndarray:
    """Which node reaches which by at least one edge (Warshall)."""
    reaches = np.zeros((count, count), dtype=bool)
    for start, end in edges:
        reaches[start, end] = True
    for middle in range(count):
        reaches |= np.outer(reaches[:, middle], reaches[middle])
    return reaches


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, Edges]:
    count = draw(st.integers(1, 8))
    vertex = st.integers(0, count - 1)
    return count, draw(st.lists(st.tuples(vertex, vertex), max_size=2 * count))


@given(graphs())
def test_an_order_exists_exactly_without_a_cycle(graph: tuple[int, Edges]) -> None:
    count, edges = graph
    cyclic = bool(np.diagonal(closure(count, edges)).any())
    peer = networkx.DiGraph(edges)
    peer.add_nodes_from(range(count))
    assert cyclic != networkx.is_directed_acyclic_graph(peer)
    try:
        order = part3.topological_order(range(count), edges)
    except part3.CycleError as error:
        assert cyclic
        cycle = error.cycle
        assert len(set(cycle)) == len(cycle) >= 1
        assert all(edge in edges for edge in itertools.pairwise([*cycle, cycle[0]]))
    else:
        assert not cyclic
        assert sorted(order) == list(range(count))
        place = {vertex: position for position, vertex in enumerate(order)}
        assert all(place[start] < place[end] for start, end in edges)


def test_a_long_chain_needs_no_recursion() -> None:
    count = 20_000
    edges = [(vertex + 1, vertex) for vertex in range(count)]
    assert part3.topological_order([], edges) == list(range(count, -1, -1))
    with pytest.raises(part3.CycleError) as caught:
        part3.topological_order([], [*edges, (0, count)])
    assert len(caught.value.cycle) == count + 1


def test_no_vertices() -> None:
    assert part3.topological_order([], []) == []


def test_parse_edges() -> None:
    assert part3.parse_edges(["a>b>c", "d"]) == (["a", "b", "c", "d"], [("a", "b"), ("b", "c")])
    with pytest.raises(ValueError, match="no edge"):
        part3.parse_edges(["a>>b"])


def test_edges_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    part3.main(["c>a", "a>b"])
    assert "order: c a b" in capsys.readouterr().out
    part3.main(["a>a"])
    assert "cycle: a -> a" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        part3.main(["a>"])
    assert "write a>b" in capsys.readouterr().err


def test_smoke(capsys: pytest.CaptureFixture[str]) -> None:
    part3.main(["--smoke"])
    said = capsys.readouterr().out
    assert said.count("order: ") == 1
    assert said.count("has a cycle: ") == 1
