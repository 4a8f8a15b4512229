"""Planted: parameters that get no gradient, or only zeros, or NaN."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
import nn
from tests.nn.linting.networks import WIDTH, problems
from tests.nn.linting.planting import PLACES, Function, Scale, concerned, insert, lint, only


class Unused(nn.Module):
    def __init__(self):
        self.spare = nn.Linear(2, 2)
        self.weight = nn.Parameter([1.0])

    def forward(self, x):
        return x * self.weight


class Overwritten(nn.Module):
    def __init__(self):
        self.first, self.second = Scale(), Scale()

    def forward(self, x):
        result = self.first(x)
        result = self.second(x)
        return result  # noqa: RET504


@given(problems(), PLACES, st.booleans())
def test_an_unused_module(problem, place, afterwards):
    path = insert(problem, Unused(), place)
    optimizer, loss = problem.make_optimizer(), problem.compute()
    if afterwards:
        loss.backward()
    (finding,) = only(nn.lint(problem.network, loss, optimizer), "no-gradient")
    assert finding.path == f"{path}.spare"
    assert finding.paths == (f"{path}.spare.weight", f"{path}.spare.bias")


@given(problems(), PLACES)
def test_a_module_whose_result_is_overwritten(problem, place):
    path = insert(problem, Overwritten(), place)
    (finding,) = only(lint(problem), "no-gradient")
    assert finding.path == f"{path}.first.weight"


CUTS = {
    "detach": lambda x: x.detach(),
    "data": lambda x: ag.Tensor(x.data),
    "numpy": lambda x: x.detach().numpy() * np.float32(2),
    "no_grad": ag.no_grad()(lambda x: x * 2.0),
}


@given(problems(), PLACES, st.sampled_from(sorted(CUTS)))
def test_a_graph_cut_in_the_middle(problem, place, cut):
    problem.network.requires_grad_(True)
    path = insert(problem, Function(CUTS[cut]), place)
    before = int(path.rpartition(".")[2])
    findings = only(lint(problem), "no-gradient")
    expected = {
        name
        for name, _ in problem.network.named_parameters()
        if name.startswith("stem")
        or (name.startswith("blocks.") and int(name.split(".")[1]) < before)
    }
    assert concerned(findings) == expected


def open_head(problem):
    """A last layer of zeros lets no gradient through either, in the first step."""
    head = problem.network.head
    last = head if isinstance(head, nn.Linear) else head[2]
    with ag.no_grad():
        last.weight.copy_(1.0 + np.arange(last.weight.size).reshape(last.weight.shape) % 5)


@given(problems(), PLACES, st.sampled_from(["bias", "scale", "clip", "saturated"]))
def test_units_that_are_all_off(problem, place, how):
    functions = {
        "bias": lambda x: ag.relu(x - 1e4),
        "scale": lambda x: x * 0.0,
        "clip": lambda x: ag.clip(x - 1e4, 1.0, 2.0),
        "saturated": lambda x: ag.sigmoid(x - 1e4),
    }
    problem.network.requires_grad_(True)
    insert(problem, Function(functions[how]), place)
    open_head(problem)
    findings = only(lint(problem), "zero-gradient")
    assert "stem.weight" in concerned(findings)
    assert all(str(Path(__file__).parent) in finding.place for finding in findings)


@given(problems())
def test_inputs_of_zero(problem):
    problem.network.requires_grad_(True)
    problem.inputs = np.zeros_like(problem.inputs)
    open_head(problem)
    findings = [f for f in lint(problem) if "stem.weight" in f.paths]
    only(findings, "zero-gradient")


@given(problems(tasks=("classes", "squares", "binary")), PLACES, st.booleans())
def test_two_layers_that_both_start_at_zero(problem, place, afterwards):
    pair = [nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(2)]
    for layer in pair:
        nn.init.zeros_(layer.weight)
    if problem.inputs.ndim == 4:
        pair = [nn.Conv2d(WIDTH, WIDTH, 1, bias=False) for _ in range(2)]
        for layer in pair:
            nn.init.zeros_(layer.weight)
    path = insert(problem, nn.Sequential(*pair), place)
    open_head(problem)
    optimizer, loss = problem.make_optimizer(), problem.compute()
    if afterwards:
        loss.backward()
    found = concerned(only(nn.lint(problem.network, loss, optimizer), "zero-gradient"))
    assert {f"{path}.0.weight", f"{path}.1.weight"} <= found


@given(problems(tasks=("classes", "squares", "binary")))
def test_units_off_behind_a_layer_that_starts_at_zero(problem):
    nn.init.zeros_(
        (problem.network.head if problem.inputs.ndim == 2 else problem.network.head[2]).weight
    )
    problem.network.requires_grad_(True)
    insert(problem, Function(lambda x: ag.concatenate([x[:, :6], ag.relu(x[:, 6:] - 1e4)], 1)), 0)
    insert(problem, Split(), 0)
    optimizer = problem.make_optimizer()
    linter = nn.Linter(problem.network, optimizer)
    found = []
    for _ in range(3):
        found.append(linter.check(loss := problem.compute()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert found[0] == []
    (finding,) = only(found[1], "zero-gradient")
    assert finding.paths == ("blocks.0.second.weight",)
    assert found[2] == []


class Split(nn.Module):
    """The first features by one parameter, the others by another."""

    def __init__(self):
        self.first, self.second = Scale(), Scale()

    def forward(self, x):
        return ag.concatenate([self.first(x[:, :6]), self.second(x[:, 6:])], 1)


@given(problems(), st.sampled_from([np.nan, np.inf]), st.data())
def test_a_parameter_that_is_not_finite(problem, value, data):
    path = data.draw(st.sampled_from([name for name, _ in problem.network.named_parameters()]))
    parameter = problem.network.get_parameter(path)
    parameter.data.flat[data.draw(st.integers(0, parameter.size - 1))] = value
    with np.errstate(all="ignore"):
        (finding,) = only(lint(problem), "not-finite")
    assert finding.paths == (path,)


@given(problems(), PLACES)
def test_a_gradient_that_is_not_finite(problem, place):
    problem.network.requires_grad_(True)
    insert(problem, Function(lambda x: x + 0.0 * ag.sqrt(x * 0.0)), place)
    with np.errstate(all="ignore"):
        findings = lint(problem)
    only(findings, "not-finite")


@given(problems(), st.booleans())
def test_a_bias_before_batch_norm(problem, image):
    if problem.inputs.ndim == 4:
        pair = [nn.Conv2d(WIDTH, WIDTH, 1), nn.BatchNorm2d(WIDTH)]
    else:
        pair = [nn.Linear(WIDTH, WIDTH), nn.BatchNorm1d(WIDTH)]
    path = insert(problem, nn.Sequential(*pair), 0)
    (finding,) = only(lint(problem), "bias-before-norm", "note")
    assert finding.path == f"{path}.0.bias"


def test_gradients_that_cancel_in_a_sum_are_right():
    class Shifted(nn.Module):
        def __init__(self):
            self.scale, self.shift = nn.Parameter([2.0]), nn.Parameter([1.0])

        def forward(self, x):
            return x * self.scale + self.shift

    model = Shifted()
    signs = np.array([1.0, -1.0, 1.0, -1.0], np.float32)
    for subtract in (False, True):
        output = model(np.arange(4, dtype=np.float32))
        loss = ag.sum(signs * (1.0 - output if subtract else output))
        assert nn.lint(model, loss) == []
        loss.backward()
        assert model.shift.grad.data == 0


@given(problems(tasks=("classes", "squares")), PLACES, st.booleans())
def test_gradients_of_zero_are_found_after_backward_too(problem, place, off):
    problem.network.requires_grad_(True)
    if off:
        insert(problem, Function(lambda x: ag.relu(x - 1e4)), place)
    open_head(problem)
    optimizer, loss = problem.make_optimizer(), problem.compute()
    loss.backward()
    findings = nn.lint(problem.network, loss, optimizer)
    if off:
        assert "stem.weight" in concerned(only(findings, "zero-gradient"))
    else:
        assert findings == []


SMALL = np.array([1.0, 2.0], np.float32)


@pytest.mark.parametrize("afterwards", [False, True])
@pytest.mark.parametrize(
    "between",
    [
        lambda x: nn.functional.relu(x * SMALL - 1e4) * SMALL,
        lambda x: nn.functional.relu(SMALL * (x @ np.eye(2, dtype=np.float32)) - 1e4) + SMALL,
        lambda x: nn.functional.linear(x, np.zeros((2, 2), np.float32), SMALL),
        lambda x: nn.functional.relu(x / SMALL - 1e4) @ np.eye(2, dtype=np.float32) + SMALL,
    ],
)
def test_small_constants_on_the_way(between, afterwards):
    model = nn.Sequential(nn.Linear(2, 2), Function(between), nn.BatchNorm1d(2), nn.Linear(2, 2))
    loss = nn.functional.cross_entropy(model(np.eye(2, dtype=np.float32)), np.array([0, 1]))
    if afterwards:
        loss.backward()
    found = concerned(only(nn.lint(model, loss), "zero-gradient"))
    assert {"0.weight", "0.bias"} <= found


def test_a_bias_whose_gradient_cancels_beside_inputs_of_zero():
    model = nn.Linear(2, 1)
    signs = np.array([[1.0], [-1.0]], np.float32)
    (finding,) = nn.lint(model, ag.sum(signs * model(np.zeros((2, 2), np.float32))) + 1.0)
    assert finding.paths == ("weight",)
