"""How findings are told, what the linter refuses, and that the page on it has every rule."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import nn
import optim

PAGE = Path(__file__).parents[3] / "docs" / "linting.md"


@pytest.fixture
def wrong():
    """A model, its loss and its optimizer, with one mistake."""
    model = nn.Sequential(nn.Linear(2, 3), nn.Softmax(dim=1))
    scores = model(np.ones((4, 2), np.float32))
    loss = nn.functional.cross_entropy(scores, np.array([0, 1, 2, 0]))
    return model, loss, optim.SGD(model.parameters(), lr=0.1)


def test_findings_are_printed(wrong, capsys):
    (finding,) = nn.lint(*wrong, report=print)
    assert capsys.readouterr().out == f"{finding}\n"
    assert str(finding).startswith("warning: 1: a softmax goes into cross-entropy")
    assert str(finding).endswith("[softmax-input]")
    assert f"at {__file__}:" in str(finding)


def lint_and_warn(model, loss, optimizer, report):
    nn.lint(model, loss, optimizer, report=report)


@pytest.mark.parametrize("several", [False, True])
def test_findings_are_warned_of_at_the_callers_line(wrong, several):
    model, loss, optimizer = wrong
    check = nn.Linter(model, optimizer, report="warn").check
    arguments = (loss,) if several else (model, loss, optimizer, "warn")
    function = check if several else lint_and_warn
    with pytest.warns(nn.LintWarning, match="softmax-input") as caught:
        function(*arguments)
    assert [warning.filename for warning in caught] == [__file__]


def test_findings_are_raised(wrong):
    with pytest.raises(nn.LintError, match=r"\[softmax-input\]") as caught:
        nn.lint(*wrong, report="raise")
    assert [finding.rule for finding in caught.value.findings] == ["softmax-input"]


def test_notes_are_not_raised():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    output = model(np.arange(8, dtype=np.float32).reshape(4, 2))
    found = nn.lint(model, ag.mean(output**3 * output), report="raise")
    assert [(f.rule, f.severity) for f in found] == [("bias-before-norm", "note")]


def test_rules_are_ignored_by_name(wrong):
    assert nn.lint(*wrong, ignore=["softmax-input"]) == []
    assert nn.lint(*wrong, ignore={"labels"}) != []


def test_a_finding_is_told_once(wrong):
    model, _, optimizer = wrong
    linter = nn.Linter(model, optimizer, steps=5)
    scores = [model(np.ones((4, 2), np.float32)) for _ in range(5)]
    losses = [nn.functional.cross_entropy(s, np.array([0, 1, 2, 0])) for s in scores]
    assert [len(linter.check(loss)) for loss in losses] == [1, 0, 0, 0, 0]
    assert len(linter.findings) == 1
    assert linter.finished


@pytest.mark.parametrize(
    ("arguments", "options", "error", "match"),
    [
        (("no model", 1.0), {}, TypeError, "model is a Module"),
        (({"a": np.ones(2)}, 1.0), {}, TypeError, "model is a Module"),
        ((nn.Linear(1, 1), "loss"), {}, TypeError, "loss is a Tensor"),
        ((nn.Linear(1, 1), []), {}, ValueError, "empty sequence"),
        ((nn.Linear(1, 1), 1.0, 0.1), {}, TypeError, "no param_groups"),
        ((nn.Linear(1, 1), 1.0), {"ignore": ["lint"]}, ValueError, "no rule"),
        ((nn.Linear(1, 1), 1.0), {"ignore": "labels"}, TypeError, "collection"),
        ((nn.Linear(1, 1), 1.0), {"report": "print"}, TypeError, "such as print"),
    ],
)
def test_bad_arguments(arguments, options, error, match):
    with pytest.raises(error, match=match):
        nn.lint(*arguments, **options)


@pytest.mark.parametrize("steps", [0, 1.5, True])
def test_bad_numbers_of_steps(steps):
    with pytest.raises(ValueError, match="steps"):
        nn.Linter(nn.Linear(1, 1), steps=steps)


def test_the_place_where_a_gradient_vanishes():
    model = nn.Linear(3, 3)
    hidden = model(np.ones((4, 3), np.float32))
    off = ag.relu(hidden - 1e4)  # the line that is named
    (finding,) = nn.lint(model, ag.sum(off + 1.0))
    assert finding.rule == "zero-gradient"
    assert "# the line that is named" in finding.place


def test_a_model_that_holds_itself_and_much_else():
    model = nn.Linear(3, 1)
    model.me = [model, {"me": model}]
    model.back = type("Trainer", (), {"model": model})()
    model.back.trainer = model.back
    model.images = [np.zeros(3)] * 1000
    model.text = {"a": ["b", None, 1.0]}
    model.back.numbers = list(range(300_000))
    loss = ag.mean(model(np.ones((4, 3), np.float32)) ** 2)
    assert nn.lint(model, loss, optim.SGD(model.parameters(), lr=0.1)) == []


def test_a_long_graph_is_linted_without_recursion():
    model = nn.Linear(2, 2)
    x = model(np.ones((2, 2), np.float32))
    for _ in range(20_000):
        x = x * 1.0
    assert nn.lint(model, ag.mean(x * x)) == []


def test_under_no_grad_nothing_is_recorded_by_linting(wrong):
    model, loss, optimizer = wrong
    with ag.no_grad():
        assert [f.rule for f in nn.lint(model, loss, optimizer)] == ["softmax-input"]


def test_the_page_has_every_rule():
    text = PAGE.read_text()
    headings = re.findall(r"^### (.*)$", text, re.MULTILINE)
    assert sorted(rule for line in headings for rule in line.split(", ")) == sorted(nn.LINT_RULES)
    assert all(description for description in nn.LINT_RULES.values())
