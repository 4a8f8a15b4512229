"""Pictures say what the graph and the sweeps say."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

import autograd as ag


def graph():
    w1 = ag.Tensor(1.0, requires_grad=True, name="w1")
    w2 = ag.Tensor(2.0, requires_grad=True, name="w2")
    return w1, w2, ag.sin(w1 * w2) + w1


def labels(picture):
    return [line for line in picture.body if "->" not in line]


def test_every_node_has_its_value_tangent_and_adjoint():
    w1, _w2, out = graph()
    picture = ag.draw(out, tangents={w1: 1.0}, adjoints=True)
    by_first = {line.split('label="')[1].split("\\n")[0]: line for line in labels(picture)}
    slope = np.cos(2.0)
    assert f"tangent {2 * slope + 1:.4g}" in by_first["add"]
    assert "adjoint 1" in by_first["add"]
    assert f"adjoint {slope:.4g}" in by_first["multiply"]
    assert f"adjoint {slope * 2 + 1:.4g}" in by_first["w1"]
    assert "tangent 0" in by_first["w2"]


def test_the_same_operand_twice_has_two_edges():
    x = ag.Tensor(3.0, requires_grad=True)
    edges = [line for line in ag.draw(x * x).body if "->" in line]
    assert len(edges) == 2
    assert "label=0" in edges[0]
    assert "label=1" in edges[1]


def test_the_same_graph_gives_the_same_bytes():
    assert ag.draw(graph()[2]).source == ag.draw(graph()[2]).source


def test_a_large_graph_is_cut_and_says_so():
    x = ag.Tensor(1.0, requires_grad=True)
    y = x
    for _ in range(1000):
        y = y * 1.01
    picture = ag.draw(y, max_nodes=10)
    assert "991 older nodes not shown" in picture.source
    assert sum("multiply" in line for line in picture.body) == 10


def test_large_values_are_not_kept_unless_asked_for():
    x = ag.Tensor(np.ones(100), requires_grad=True)
    assert "value not kept" in ag.draw(x * 2).source
    with ag.keep_values():
        assert "mean 2" in ag.draw(x * 2).source


@pytest.mark.parametrize(
    "name", ["<lambda>", "a & b", 'quote"s', "line\nbreak", "back\\slash", "é"]
)
def test_any_label_renders(name):
    x = ag.Tensor(1.0, requires_grad=True, name=name)
    picture = ag.draw(ag.exp(x))
    if shutil.which("dot"):
        assert b"<svg" in picture.pipe("svg")
    assert "exp" in picture.source


def test_several_outputs_and_freed_graphs():
    x = ag.Tensor([[2.0, 1.0], [1.0, 3.0]], requires_grad=True)
    result = ag.linalg.eigh(x)
    assert "eigh" in ag.draw(result.eigenvalues, result.eigenvectors, adjoints=True).source
    total = ag.sum(result.eigenvalues)
    total.backward()
    with pytest.raises(RuntimeError, match="retain_graph"):
        ag.draw(total, adjoints=True)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: ag.draw(), TypeError, "at least one"),
        (lambda: ag.draw(3.0), TypeError, "float"),
        (lambda: ag.draw(ag.Tensor(1.0)), ValueError, "no graph"),
        (lambda: ag.draw(graph()[2], max_nodes=0), ValueError, "max_nodes"),
        (lambda: ag.draw(graph()[2], direction="up"), ValueError, "direction"),
        (lambda: ag.draw(graph()[2], tangents=1.0), TypeError, "mapping"),
        (lambda: ag.draw(graph()[2], adjoints=[1.0, 2.0]), ValueError, "adjoints"),
    ],
)
def test_bad_input(call, error, match):
    with pytest.raises(error, match=match):
        call()
