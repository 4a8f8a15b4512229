"""What a profile prints and hands out."""

from __future__ import annotations

import json

import numpy as np
import pytest

import autograd as ag
from autograd.modes import current_modes
from tests.autograd.profiling.clocks import rows_of


def test_it_prints_when_the_block_ends_also_by_an_exception(capsys):
    with ag.profile():
        ag.exp(1.0)
    assert "exp" in capsys.readouterr().out
    before = current_modes()
    p = ag.profile()
    with pytest.raises(ZeroDivisionError), p:
        _ = 1 / 0
    assert current_modes() is before
    assert capsys.readouterr().out == f"{p}\n"
    with ag.profile(show=False):
        ag.exp(1.0)
    assert capsys.readouterr().out == ""


def test_the_table_and_the_json_say_the_same():
    x = ag.Tensor(np.ones((8, 8)), requires_grad=True)
    with ag.profile(show=False) as p:
        ag.sum(ag.matmul(x, x)).backward()
    content = json.loads(p.to_json())
    assert content["seconds"] == p.seconds
    assert [row["operation"] for row in content["rows"]] == [row.operation for row in p.rows]
    lines = str(p).splitlines()
    (line,) = [text for text in lines if text.startswith("matmul") and "forward pass" in text]
    row = rows_of(p, "matmul")["forward pass"]
    _, _, _, milliseconds, _, _, count, megabytes, rate = line.split()
    assert milliseconds == f"{row.seconds * 1e3:.3f}"
    assert (count, megabytes) == ("1", "0.001")
    assert float(rate) == pytest.approx(1024 / row.seconds / 1e9, abs=0.06)
    totals = [text for text in lines if text.startswith("total")]
    assert len(totals) == 2
    assert all(text.split()[1] == f"{p.seconds * 1e3:.3f}" for text in totals)


def test_a_long_table_is_cut_but_adds_up():
    with ag.profile(show=False) as p:
        for name in ("exp", "sin", "cos", "tanh", "sqrt"):
            getattr(ag, name)(1.0)
    lines = p.table(limit=2).splitlines()
    assert lines[3].startswith("(5 more rows)")
    assert lines[4].split()[1] == f"{p.seconds * 1e3:.3f}"
    with pytest.raises(ValueError, match="at least 1"):
        p.table(limit=0)
    with pytest.raises(TypeError, match="limit"):
        p.table(limit=1.5)


def test_show_is_a_flag():
    with pytest.raises(TypeError, match="show=True"):
        ag.profile(show="no")
