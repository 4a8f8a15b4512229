"""Planted: optimizers that hold too little or too much, or stand still."""

from __future__ import annotations

import copy

from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
import nn
import optim
from tests.nn.linting.networks import problems
from tests.nn.linting.planting import concerned, insert, lint, only


@given(problems(), st.data())
def test_parameters_left_out_of_the_optimizer(problem, data):
    names = [name for name, p in problem.network.named_parameters() if p.requires_grad]
    left_out = set(data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=3)))
    held = [problem.network.get_parameter(name) for name in names if name not in left_out]
    held = held or [nn.Parameter([1.0])]
    findings = only(lint(problem, problem.make_optimizer(held)), "not-in-optimizer")
    assert concerned(findings) == left_out


@given(problems(), st.booleans())
def test_an_optimizer_of_a_model_that_was_replaced(problem, copied):
    optimizer = problem.make_optimizer()
    if copied:
        problem.network = copy.deepcopy(problem.network)
    else:
        problem.network.head = copy.deepcopy(problem.network.head)
    (finding,) = only(lint(problem, optimizer), "not-in-optimizer")
    assert "replaced" in finding.message
    assert copied or all(path.startswith("head") for path in finding.paths)


@given(problems(), st.sampled_from(["group", "groups", "optimizers", "memory"]), st.data())
def test_parameters_held_twice(problem, how, data):
    named = {n: p for n, p in problem.network.named_parameters() if p.requires_grad}
    path = data.draw(st.sampled_from(sorted(named)))
    optimizer = problem.make_optimizer()
    given_: object = optimizer
    if how == "group":
        (group,) = [g for g in optimizer.param_groups if any(p is named[path] for p in g["params"])]
        group["params"].append(named[path])
    elif how == "groups":
        optimizer.param_groups.append({**optimizer.param_groups[0], "params": [named[path]]})
    elif how == "optimizers":
        given_ = [optimizer, optim.SGD([named[path]], lr=0.1)]
    else:
        twin = nn.Parameter(named[path].data, name="twin")
        twin.data = named[path].data
        where = insert(problem, Twin(twin), 0)
        given_ = problem.make_optimizer()
        findings = only(lint(problem, given_), "held-twice")
        (other,) = [n for n, p in problem.network.named_parameters() if p is named[path]]
        assert {f"{where}.weight", other} == concerned(findings)
        return
    findings = only(lint(problem, given_), "held-twice")
    assert concerned(findings) == {path}


class Twin(nn.Module):
    def __init__(self, weight):
        self.weight = weight

    def forward(self, x):
        return x * (1.0 + ag.mean(self.weight))


@given(problems(), st.booleans(), st.data())
def test_frozen_parameters_in_the_optimizer(problem, stale, data):
    # A frozen weight of zero would let no gradient through: another finding.
    names = [n for n, p in problem.network.named_parameters() if p.requires_grad and p.data.any()]
    path = data.draw(st.sampled_from(names))
    optimizer = problem.make_optimizer()
    if stale:
        problem.compute().backward()
    problem.network.get_parameter(path).requires_grad = False
    findings = lint(problem, optimizer)
    only(findings, "frozen-in-optimizer", "warning" if stale else "note")
    assert concerned(findings) == {path}


@given(problems(), st.data())
def test_a_learning_rate_of_zero(problem, data):
    optimizer = problem.make_optimizer()
    data.draw(st.sampled_from(optimizer.param_groups))["lr"] = 0.0
    only(lint(problem, optimizer), "zero-lr")
