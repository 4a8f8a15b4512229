"""Planted: graphs that live on, and double precision."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
import nn
from tests.nn.linting.networks import problems
from tests.nn.linting.planting import PLACES, Function, Scale, insert, lint, only


def steps(problem, use, count=4, retain=False):
    """The findings at each step of a loop; `use(loss, kept)` gives what is swept back."""
    optimizer = problem.make_optimizer()
    linter = nn.Linter(problem.network, optimizer)
    found, kept = [], []
    for _ in range(count):
        loss = use(problem.compute(), kept)
        found.append(linter.check(loss))
        if found[-1]:
            break
        optimizer.zero_grad()
        loss.backward(retain_graph=retain)
        optimizer.step()
    return found


def sum_is_swept(loss, kept):
    total = loss if not kept else kept[-1] + loss
    kept[:] = [total]
    return total


def sum_is_kept(loss, kept):
    kept[:] = [loss if not kept else kept[-1] + loss]
    return loss


def list_is_kept(loss, kept):
    kept.append(loss)
    return loss


@given(
    problems(),
    st.sampled_from([(sum_is_swept, 2), (sum_is_kept, 3), (list_is_kept, 3)]),
    st.booleans(),
)
def test_losses_that_keep_their_graphs(problem, form, retain):
    use, at = form
    found = steps(problem, use, retain=retain)
    assert found[: at - 1] == [[]] * (at - 1)
    (finding,) = only(found[at - 1], "kept-graph")
    if use is not list_is_kept:
        assert "kept[-1] + loss" in finding.place


@given(problems())
def test_losses_that_are_added_up_before_a_sweep_are_right(problem):
    optimizer = problem.make_optimizer()
    linter = nn.Linter(problem.network, optimizer, steps=6)
    for _ in range(2):
        total = 0.0
        for _ in range(3):
            loss = problem.compute()
            assert linter.check(loss) == []
            total = total + loss
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        del loss, total


class Carried(nn.Module):
    """A state from step to step, with or without the graph that made it."""

    def __init__(self, detach):
        self.weight = nn.Parameter([1.0])
        self.detach = detach
        self._state = [0.0]

    def forward(self, x):
        state = ag.mean(x) * self.weight[0] + 0.5 * self._state[0]
        self._state = [state.detach() if self.detach else state]
        return x + state


@given(problems(), PLACES, st.booleans())
def test_a_state_carried_from_step_to_step(problem, place, detach):
    insert(problem, Carried(detach), place)
    found = steps(problem, lambda loss, _: loss)
    if detach:
        assert found == [[]] * 4
    else:
        (finding,) = only(found[1], "kept-graph")
        assert "0.5 * self._state[0]" in finding.place


DOUBLES = {
    "scalar": lambda x: x * np.float64(2.0),
    "array": lambda x: x + np.zeros(x.shape),
    "tensor": lambda x: x + ag.Tensor(np.zeros(x.shape)),
    "linspace": lambda x: x * np.linspace(0.5, 1.0, x.shape[-1]),
}


@given(problems(), PLACES, st.sampled_from(sorted(DOUBLES)))
def test_a_constant_of_double_precision(problem, place, kind):
    path = insert(problem, Function(DOUBLES[kind]), place)
    problem.network.requires_grad_(True)
    (finding,) = only(lint(problem), "float64")
    assert finding.path == path
    assert f"{__file__}:{DOUBLES[kind].__code__.co_firstlineno} " in finding.place


@given(problems(tasks=("squares",)))
def test_a_target_of_double_precision(problem):
    problem.target = problem.target.astype(np.float64)
    (finding,) = only(lint(problem), "float64")
    assert "self.loss(self.network(self.inputs), self.target)" in finding.place


@given(problems())
def test_inputs_of_double_precision(problem):
    problem.network.requires_grad_(True)
    problem.inputs = problem.inputs.astype(np.float64)
    (finding,) = only(lint(problem), "float64")
    assert finding.path == "stem"


@given(problems(), PLACES)
def test_a_parameter_of_double_precision(problem, place):
    block = Scale()
    block.weight = nn.Parameter(np.ones(1))
    path = insert(problem, block, place)
    (finding,) = only(lint(problem), "float64")
    assert finding.path == f"{path}.weight"


@given(problems())
def test_a_model_of_double_precision_is_right(problem):
    problem.network.double()
    problem.inputs = problem.inputs.astype(np.float64)
    assert lint(problem) == []
