"""Single operations: every call works, and the table has what was measured."""

from __future__ import annotations

import json
import math

import pytest

import autograd as ag
from benchmarks import operations
from benchmarks.workloads.operations import CALLS, build


@pytest.mark.parametrize("gradient", [False, True])
@pytest.mark.parametrize("name", CALLS)
def test_every_call_works_on_all_inputs(name, gradient):
    found = [build(name, 6, gradient)(index) for index in range(8)]
    assert all(math.isfinite(value) for value in found)
    assert found[:4] == found[4:]


def test_forward_steps_record_nothing(monkeypatch):
    seen = []
    monkeypatch.setitem(CALLS, "exp", lambda x, given: seen.append(ag.exp(x)) or seen[-1])
    build("exp", 4, False)(0)
    assert len(seen) == 2 and not any(out.requires_grad for out in seen)
    build("exp", 4, True)(0)
    assert seen[-1].requires_grad


def test_the_gradient_is_that_of_the_matrix(monkeypatch):
    monkeypatch.setitem(CALLS, "exp", lambda x, given: 3.0 * x)
    step = build("exp", 4, True)
    slopes = [step(index) / 3.0 for index in range(4)]
    assert all(0.0 <= slope < 1.0 for slope in slopes)  # of a cotangent from 0 to 1
    assert len(set(slopes)) == 4  # each step tells of another entry


def test_a_row_for_each_call(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(operations, "torch_build", build)
    monkeypatch.setattr(operations, "SAMPLE", 1e-4)
    path = tmp_path / "found.json"
    options = ["exp", "x * y", "--side", "8", "--side", "16", "--samples", "2", "--out", str(path)]
    assert operations.main(options) == 0
    lines = capsys.readouterr().out.splitlines()
    tables = [line for line in lines if line]
    assert [line.split(" | ")[0] for line in tables] == [
        "| 8 x 8", "|---|---|---|---|---|---|---|", "| exp", "| x * y",
        "| 16 x 16", "|---|---|---|---|---|---|---|", "| exp", "| x * y",
    ]  # fmt: skip
    results = json.loads(path.read_text())["results"]
    assert [(r["name"], r["side"], r["gradient"]) for r in results[:3]] == [
        ("exp", 8, False), ("exp", 8, True), ("x * y", 8, False),
    ]  # fmt: skip
    for row, result in zip((tables[2], tables[2], tables[3]), results, strict=False):
        cells = row.strip("| ").split(" | ")[1:]
        ours, theirs, ratio = cells[3:] if result["gradient"] else cells[:3]
        assert float(ours) == pytest.approx(1e6 * result["ours"]["median"], rel=1e-3)
        assert float(theirs) == pytest.approx(1e6 * result["torch"]["median"], rel=1e-3)
        expected = result["ours"]["median"] / result["torch"]["median"]
        assert float(ratio) == pytest.approx(expected, abs=0.006)


def test_a_side_that_fails_or_disagrees_is_no_ratio(monkeypatch, capsys):
    def broken(name, side, gradient):
        return lambda index: 1e6

    monkeypatch.setattr(operations, "torch_build", broken)
    assert operations.main(["exp", "--side", "4", "--samples", "1"]) == 1
    row = capsys.readouterr().out.splitlines()[-1]
    assert row.count("torch failed: ArithmeticError") == 2


@pytest.mark.parametrize("options", [["no such"], ["--side", "1"], ["--samples", "0"]])
def test_options_that_make_no_sense(options):
    with pytest.raises(SystemExit):
        operations.main(options)
