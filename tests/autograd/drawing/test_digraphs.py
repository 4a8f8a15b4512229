"""Pictures say what the graph and the sweeps say."""

from __future__ import annotations

import io
import re
import shutil
import sys

import numpy as np
import pytest

import autograd as ag
import nn
from tests.autograd.drawing import graphs

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")


@pytest.fixture
def recursion_limit():
    """Allows so many more frames than the test itself has."""
    before = sys.getrecursionlimit()

    def allow(frames):
        depth, frame = 0, sys._getframe()
        while frame is not None:
            depth, frame = depth + 1, frame.f_back
        sys.setrecursionlimit(depth + frames)

    yield allow
    sys.setrecursionlimit(before)


def labels(picture):
    """The labels' lines as text, by the first of them."""
    found = {}
    for line in picture.body:
        match = re.search(r"label=<(.*)>(?: |\])", line)
        if match and "subgraph" not in line:
            lines = [re.sub(r"<[^>]*>", "", part) for part in match[1].split("<BR/>")]
            found.setdefault(lines[0], lines[1:])
    return found


def edges(picture):
    return [line for line in picture.body if "->" in line]


def test_every_node_has_its_value_tangent_and_adjoint():
    w1, _w2, out = graphs.waves()
    found = labels(ag.draw(out, tangents={w1: 1.0}, adjoints=True))
    slope = np.cos(2.0)
    total = f"{2 * slope + 2:.4g}"
    assert found["add"] == [f"{np.sin(2.0) + 1:.4g}", f"tangent {total}", "adjoint 1"]
    assert found["w1"] == ["1", "tangent 1", f"adjoint {total}"]
    assert found["w2"] == ["2", "tangent 0", f"adjoint {slope:.4g}"]
    assert found["sin"] == [f"{np.sin(2.0):.4g}", f"tangent {2 * slope:.4g}", "adjoint 1"]


def test_edges_carry_what_travels_along_them():
    w1, w2 = graphs.inputs()
    out = w1 * w2
    numbers = {
        "value": (" 0: 1 ", " 1: 2 "),
        "tangent": (" 0: 0 ", " 1: 1 "),
        "adjoint": (" 0: 2 ", " 1: 1 "),
    }
    for kind, (first, second) in numbers.items():
        drawn = edges(ag.draw(out, tangents={w2: 1.0}, adjoints=True, edge_numbers=kind))
        assert f'label="{first}"' in drawn[0]
        assert f'label="{second}"' in drawn[1]


def test_the_same_operand_twice_has_two_edges():
    x = ag.Tensor(3.0, requires_grad=True)
    first, second = edges(ag.draw(x * x))
    assert 'label=" 0 "' in first
    assert 'label=" 1 "' in second
    assert "label=" not in "".join(edges(ag.draw(x * x, operands=False))).replace('label=""', "")


def test_a_large_graph_is_cut_and_says_so():
    picture = ag.draw(graphs.chain(1000), max_nodes=10)
    assert "991 older nodes not shown" in picture.source
    assert sum("multiply" in line for line in picture.body) == 10


def test_nothing_recurses(recursion_limit):
    recursion_limit(150)
    y = graphs.chain(20_000)
    assert "19,801 older nodes" in ag.draw(y).source
    ag.show_tree(y, file=io.StringIO())
    assert "v1999" in str(ag.draw_html(y))


def test_values_not_kept_look_different_from_zero_and_from_not_computed():
    x = ag.Tensor(np.zeros(100), requires_grad=True)
    assert "<I>value not kept</I>" in ag.draw(x * 2).source
    with ag.keep_values():
        assert labels(ag.draw(x * 2))["multiply"] == ["(100,) float64", "0 … 0, 0 ± 0"]
    assert "<I>value not computed</I>" in ag.draw(*graphs.factors()).source


def test_modules_are_frames_and_repeats_are_drawn_once():
    net, out = graphs.network()
    source = ag.draw(out, adjoints=True).source
    assert source.count("subgraph") == 7
    for title in ("Net", "stem: Linear", "blocks: Sequential", "0: Block ×12", "fc: Linear"):
        assert f"<B>{title}</B>" in source
    assert "<B>weight</B>" in source
    assert all(a < b for a, b in re.findall(r"n(\d+) -> n(\d+)", source) if len(a) == len(b))
    every = ag.draw(out, fold_repeats=False, max_nodes=10_000).source
    assert every.count(": Block</B>") == 12
    assert "subgraph" not in ag.draw(out, modules=False).source
    assert len(list(net.parameters())) == 28


@pytest.mark.parametrize(("dilation", "folded"), [(1, True), (2, False)])
def test_only_equal_modules_are_drawn_as_one(dilation, folded):
    first = nn.Conv2d(2, 2, 3, padding=1)
    second = nn.Conv2d(2, 2, 3, padding=dilation, dilation=dilation)
    net = nn.Sequential(nn.ReLU(), first, second)
    out = net(ag.Tensor(np.ones((1, 2, 6, 6), np.float32), requires_grad=True))
    assert ("Conv2d ×2" in ag.draw(out).source) == folded


def test_folded_modules_count_what_they_hold():
    net, out = graphs.network()
    found = labels(ag.draw(out, depth=1))
    counts = "(1, 2) float32, 36 operations, 72 parameters"
    assert found["blocks: Sequential"][0] == counts
    assert sum(p.size for p in net.blocks.parameters()) == 72
    assert "Net" in labels(ag.draw(out, depth=0))
    small = ag.draw(out, max_nodes=6)
    assert "stem: Linear" in labels(small)


def test_a_recorded_sweep_is_framed():
    source = ag.draw(graphs.derivative()).source
    assert "<B>reverse sweep</B>" in source
    x = ag.Tensor(2.0, requires_grad=True)
    pushed = ag.pushforward(x * x * x, x, ag.Tensor(1.0, requires_grad=True), create_graph=True)
    assert "<B>forward sweep</B>" in ag.draw(pushed).source


def test_highlights():
    w1, w2, out = graphs.waves()
    source = ag.draw(out, highlight=w2).source
    assert source.count("penwidth=4") == 4 + 3
    assert ag.draw(out, highlight=(w1, w2)).source.count("penwidth=4") == 3 + 2
    assert "penwidth=4" not in ag.draw(out, highlight="nonfinite").source
    with np.errstate(divide="ignore"):
        broken = ag.log(w1 - 1.0)
    assert ag.draw(broken, highlight="nonfinite").source.count("penwidth=4") == 1


@needs_dot
@pytest.mark.parametrize(
    "name",
    ["<lambda>", "a & b", 'quote"s', "line\nbreak", "back\\slash", "é漢", "<b>", "\x00\x1b", ""],
)
def test_any_label_renders(name):
    x = ag.Tensor(1.0, requires_grad=True, name=name)
    svg = ag.draw(ag.exp(x)).pipe("svg", encoding="utf-8")
    for part in name.replace("\x00", "").replace("\x1b", "").split("\n"):
        escaped = part.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        assert escaped.replace('"', "&quot;").replace(" ", "&#160;") in svg.replace(" ", "&#160;")


def test_freed_graphs():
    values, vectors = graphs.factors()
    assert "eigh" in ag.draw(values, vectors, adjoints=True).source
    total = ag.sum(values)
    total.backward()
    with pytest.raises(RuntimeError, match="retain_graph"):
        ag.draw(total, adjoints=True)
    assert "eigh" in ag.draw(total).source


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: ag.draw(), TypeError, "at least one"),
        (lambda: ag.draw(3.0), TypeError, "float"),
        (lambda: ag.draw(ag.Tensor(1.0)), ValueError, "no graph"),
        (lambda: ag.draw(graphs.chain(), max_nodes=0), ValueError, "max_nodes"),
        (lambda: ag.draw(graphs.chain(), max_nodes=2.0), TypeError, "max_nodes"),
        (lambda: ag.draw(graphs.chain(), depth=-1), ValueError, "depth"),
        (lambda: ag.draw(graphs.chain(), direction="up"), ValueError, "direction"),
        (lambda: ag.draw(graphs.chain(), tangents=1.0), TypeError, "mapping"),
        (lambda: ag.draw(graphs.chain(), tangents={1: 1.0}), ValueError, "key"),
        (lambda: ag.draw(graphs.chain(), tangents={graphs.chain(): 1.0}), ValueError, "depend"),
        (lambda: ag.draw(graphs.chain(), adjoints=[1.0, 2.0]), ValueError, "adjoints"),
        (lambda: ag.draw(graphs.chain(), adjoints=[np.ones(3)]), ValueError, "adjoint"),
        (lambda: ag.draw(graphs.chain(), highlight="red"), ValueError, "nonfinite"),
        (lambda: ag.draw(graphs.chain(), highlight=3), TypeError, "highlight"),
        (lambda: ag.draw(graphs.chain(), highlight=graphs.chain()), ValueError, "not in the"),
        (lambda: ag.draw(graphs.chain(), edge_numbers="sum"), ValueError, "edge_numbers"),
        (lambda: ag.draw(graphs.chain(), edge_numbers="tangent"), ValueError, "tangents="),
        (lambda: ag.draw(graphs.chain(), edge_numbers="adjoint"), ValueError, "adjoints="),
    ],
)
def test_bad_input(call, error, match):
    with pytest.raises(error, match=match):
        call()
