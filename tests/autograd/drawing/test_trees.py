"""The text tree has the same numbers as the pictures."""

from __future__ import annotations

import io
import sys

import pytest

import autograd as ag
from tests.autograd.drawing import graphs


def text(*outputs, **options):
    out = io.StringIO()
    ag.show_tree(*outputs, file=out, **options)
    return out.getvalue()


def test_a_tree_with_all_numbers():
    w1, _w2, out = graphs.waves()
    assert text(out, tangents={w1: 1.0}, adjoints=True) == (
        "n5 add · 1.909 · tangent 1.168 · adjoint 1\n"
        "├─ 0: n3 sin · 0.9093 · tangent -0.8323 · adjoint 1\n"
        "│  n2 multiply · 2 · tangent 2 · adjoint -0.4161\n"
        "│  ├─ 0: n0 w1 · 1 · tangent 1 · adjoint 1.168\n"
        "│  └─ 1: n1 w2 · 2 · tangent 0 · adjoint -0.4161\n"
        "└─ 1: n4 multiply · 1 · tangent 2 · adjoint 1\n"
        "   ├─ 0: n0 w1 (above)\n"
        "   └─ 1: n0 w1 (above)\n"
    )


def test_chains_do_not_move_to_the_right():
    lines = text(graphs.chain(100), max_nodes=50).splitlines()
    assert lines[-1] == "… 51 older nodes not shown"
    assert max(map(len, lines)) < 3 * 50 + 40
    x = ag.Tensor(1.0, requires_grad=True)
    for _ in range(100):
        x = ag.sin(x)
    assert max(map(len, text(x).splitlines())) < 40


def test_modules_and_several_outputs():
    net, out = graphs.network()
    assert "blocks: Sequential · (1, 2) float32, 36 operations" in text(out, depth=1)
    assert net is not None
    found = text(*graphs.factors())
    assert "output 0" in found
    assert "output 1" in found
    assert "eigh" in found


def test_colour_is_for_terminals(monkeypatch, capsys):
    pytest.importorskip("rich")

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = graphs.waves()[2]
    ag.show_tree(out, adjoints=True, file=terminal)
    assert "\x1b[" in terminal.getvalue()
    monkeypatch.setitem(sys.modules, "rich.console", None)
    plain = Terminal()
    ag.show_tree(out, adjoints=True, file=plain)
    assert "\x1b[" not in plain.getvalue()
    ag.show_tree(out)
    assert capsys.readouterr().out.startswith("n5 add")


def test_bad_input():
    with pytest.raises(TypeError, match="at least one"):
        ag.show_tree()
