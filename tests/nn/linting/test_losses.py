"""Planted: losses without a graph, of wrong inputs or of wrong targets."""

from __future__ import annotations

import copy

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
import nn
from tests.nn.linting.networks import BATCH, problems
from tests.nn.linting.planting import lint, only


def last(problem, module):
    problem.network.head = nn.Sequential(problem.network.head, module)
    return "head.1"


CLASS_TASKS = ("classes", "smoothed", "weighted", "probabilities")


@given(problems(tasks=CLASS_TASKS), st.sampled_from([nn.Softmax(dim=1), nn.Sigmoid()]))
def test_softmax_before_cross_entropy(problem, module):
    path = last(problem, module)
    (finding,) = only(lint(problem), "softmax-input")
    assert finding.path == path
    assert __file__.rpartition("/")[0] in finding.place


@given(problems(tasks=("binary",)))
def test_sigmoid_before_binary_cross_entropy(problem):
    path = last(problem, nn.Sigmoid())
    (finding,) = only(lint(problem), "softmax-input")
    assert finding.path == path


@given(problems(tasks=("log",)), st.sampled_from(["scores", "softmax"]), st.booleans())
def test_nll_of_what_is_no_logarithm(problem, kind, functional):
    loss = nn.functional.nll_loss if functional else nn.NLLLoss()
    if kind == "softmax":
        last(problem, nn.Softmax(dim=1))
    problem.loss = lambda scores, target: loss(scores, target)
    only(lint(problem), "softmax-input")


@given(problems(tasks=("classes",)), st.sampled_from(["ignored", "one class"]))
def test_labels_that_say_nothing(problem, kind):
    if kind == "ignored":
        problem.target = np.full(BATCH, -100)
    else:
        last(problem, nn.Linear(4, 1))
        problem.target = np.zeros(BATCH, np.int64)
    with np.errstate(all="ignore"):
        findings = [f for f in lint(problem) if f.rule != "not-finite"]
    only(findings, "labels")


@given(
    problems(tasks=("classes",)),
    st.sampled_from(["several", "numbers", "negative", "unnormalised"]),
    st.booleans(),
)
def test_floats_that_are_no_probabilities(problem, kind, module):
    hot = np.eye(4, dtype=np.float32)[problem.target]
    problem.target = {
        "several": np.maximum(hot, hot[::-1] * 1 + np.roll(hot, 1, axis=1)),
        "numbers": hot * problem.target[:, None] * 2,
        "negative": hot * 2 - 1,
        "unnormalised": hot * 0.7,
    }[kind]
    problem.loss = nn.CrossEntropyLoss() if module else nn.functional.cross_entropy
    findings = lint(problem)
    if kind == "unnormalised" and not module:
        # May be meant: the loss may have got weights of the classes.
        assert findings == []
    else:
        only(findings, "labels")


@given(problems(tasks=("binary",)), st.sampled_from(["signs", "numbers"]))
def test_binary_targets_that_are_none(problem, kind):
    hot = problem.target
    problem.target = hot * 2 - 1 if kind == "signs" else hot * 3
    only(lint(problem), "labels")


@given(problems(tasks=("classes",)))
def test_a_label_that_picks_from_the_end(problem):
    problem.target = problem.target - 1
    problem.target[0] = -1

    def loss(scores, target):
        return -ag.mean(ag.log_softmax(scores, 1)[np.arange(len(target)), target])

    problem.loss = loss
    only(lint(problem), "labels")


@given(problems(tasks=("squares",)), st.sampled_from([lambda d: d**2, abs, lambda d: d * d]))
def test_a_target_that_broadcasts(problem, distance):
    last(problem, nn.Linear(4, 1))
    problem.target = problem.target[:, 0]
    problem.loss = lambda output, target: ag.mean(distance(output - target))
    (finding,) = only(lint(problem), "broadcast-target")
    assert "output - target" in finding.place


@given(problems())
def test_a_loss_that_is_no_number(problem):
    whole = problem.compute
    problem.compute = lambda: whole() * np.ones(3, np.float32)
    only(lint(problem), "loss-not-scalar")


@given(problems(), st.sampled_from(["item", "detach", "no_grad", "array"]))
def test_a_loss_without_a_graph(problem, kind):
    whole = problem.compute
    problem.compute = {
        "item": lambda: whole().item(),
        "detach": lambda: whole().detach(),
        "no_grad": lambda: ag.no_grad()(whole)(),
        "array": lambda: whole().data,
    }[kind]
    only(lint(problem), "no-graph")


@given(problems())
def test_a_model_that_is_frozen_as_a_whole(problem):
    optimizer = problem.make_optimizer()
    problem.network.requires_grad_(False)
    rules = {f.rule for f in lint(problem, optimizer) if f.severity == "warning"}
    assert rules == {"no-graph"}


@given(problems())
def test_a_loss_of_another_model(problem):
    other = copy.deepcopy(problem.network)
    optimizer = problem.make_optimizer()
    loss = problem.loss(other(problem.inputs), problem.target)
    only(nn.lint(problem.network, loss, optimizer), "independent-loss")


def test_softmax_and_sigmoid_inside_a_model_are_right():
    class Gated(nn.Module):
        def __init__(self):
            self.gate, self.value = nn.Linear(5, 4), nn.Linear(5, 4)

        def forward(self, x):
            weights = ag.softmax(ag.sigmoid(self.gate(x)), 1)
            return weights * ag.log_softmax(ag.sigmoid(self.value(x)), 1)

    model = Gated()
    inputs = np.linspace(-1, 1, 40, dtype=np.float32).reshape(8, 5)
    loss = nn.functional.cross_entropy(model(inputs), np.arange(8) % 4)
    assert nn.lint(model, loss) == []
