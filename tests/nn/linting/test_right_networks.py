"""Right networks give no finding, and linting changes nothing."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import nn
from tests.nn.linting.networks import problems
from tests.nn.linting.planting import PLACES, insert


@given(problems(), st.booleans())
def test_right_networks_give_no_finding(problem, afterwards):
    optimizer = problem.make_optimizer()
    loss = problem.compute()
    if afterwards:
        loss.backward()
    assert nn.lint(problem.network, loss, optimizer) == []


@given(problems())
def test_right_loops_give_no_finding(problem):
    optimizer = problem.make_optimizer()
    linter = nn.Linter(problem.network, optimizer)
    total = 0.0
    for _ in range(5):
        loss = problem.compute()
        assert linter.check(loss) == []
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()


@given(problems(), PLACES)
def test_nothing_is_changed_by_linting(problem, place):
    insert(problem, nn.Softmax(dim=1), place)
    before = problem.network.state_dict()
    loss = problem.compute()
    state = problem.network.state_dict()
    nn.lint(problem.network, loss, problem.make_optimizer())
    assert all(p.grad is None for p in problem.network.parameters())
    loss.backward()
    twin = {name: p.grad for name, p in problem.network.named_parameters()}
    assert any(gradient is not None for gradient in twin.values())
    after = problem.network.state_dict()
    assert all(np.array_equal(after[name], state[name]) for name in state)
    assert set(before) == set(after)
