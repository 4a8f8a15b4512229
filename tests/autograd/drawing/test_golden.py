"""About ten graphs whose DOT text is kept in `golden/`, byte for byte.

`python -m tests.autograd.drawing.test_golden` writes them anew, to be looked at in the difference.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import autograd as ag
from tests.autograd.drawing import graphs

GOLDEN = Path(__file__).parent / "golden"


def _waves(**options):
    w1, _w2, out = graphs.waves()
    return ag.draw(out, tangents={w1: 1.0}, **options)


def _network(**options):
    net, out = graphs.network()
    drawing = ag.draw(out, **options)
    assert net is not None  # modules are named while they are alive
    return drawing


def _highlighted():
    w1, w2, out = graphs.waves()
    assert w1 is not None
    return ag.draw(out, highlight=w2, operands=False)


def _not_finite():
    x = ag.Tensor([1.0, 0.0], requires_grad=True, name="x")
    with np.errstate(divide="ignore"):
        return ag.draw(ag.sum(ag.log(x)), highlight="nonfinite", direction="LR")


DRAWINGS = {
    "forward": lambda: _waves(edge_numbers="tangent", legend=True),
    "reverse": lambda: _waves(adjoints=True, edge_numbers="adjoint", direction="BT"),
    "derivative": lambda: ag.draw(graphs.derivative()),
    "several_outputs": lambda: ag.draw(*graphs.factors(), values=False),
    "statistics": lambda: ag.draw(graphs.large()),
    "no_statistics": lambda: ag.draw(graphs.large(), statistics=False, shapes=False),
    "network": _network,
    "layers": lambda: _network(depth=1),
    "flat": lambda: _network(modules=False, max_nodes=8),
    "labels": lambda: ag.draw(graphs.labelled()),
    "highlighted": _highlighted,
    "not_finite": _not_finite,
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_the_dot_text_is_the_golden_one(name):
    assert DRAWINGS[name]().source == (GOLDEN / f"{name}.gv").read_text("utf-8")


def test_every_golden_file_belongs_to_a_drawing():
    assert {path.stem for path in GOLDEN.glob("*.gv")} == set(DRAWINGS)


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, make in DRAWINGS.items():
        (GOLDEN / f"{name}.gv").write_text(make().source, "utf-8")
