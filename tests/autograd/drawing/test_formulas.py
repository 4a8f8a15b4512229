"""The formulas in the steps are the engine's derivatives."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.drawing.formulas import PARTIALS, expression
from autograd.drawing.local import partials

NAMES = {name: getattr(math, name) for name in ("sin", "cos", "sinh", "cosh", "log")}
NAMES["sigmoid"] = lambda x: 1 / (1 + math.exp(-x))


@pytest.mark.parametrize("name", sorted(PARTIALS))
@given(st.floats(0.2, 1.3), st.floats(0.3, 2.0))
def test_each_formula_is_the_local_derivative(name, x, y):
    given = [x, y][: len(PARTIALS[name])]
    out = getattr(ag, name)(*(ag.Tensor(value, requires_grad=True) for value in given))
    known = NAMES | {"x": x, "y": y, "out": float(out.data)}
    for formula, slope in zip(PARTIALS[name], partials(out.node), strict=True):
        found = eval(formula.format("x", "y", out="out"), {}, known)
        assert found == pytest.approx(slope, rel=1e-9, abs=1e-12)


def test_expressions():
    assert expression("multiply", ["x", "2"]) == "x * 2"
    assert expression("negative", ["x"]) == "-x"
    assert expression("where", ["x", "y"]) == "where(x, y)"
