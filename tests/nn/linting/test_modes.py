"""Planted: evaluation mode in training."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

import nn
from tests.nn.linting.networks import MODAL, problems
from tests.nn.linting.planting import lint, only


@given(problems(at_least=MODAL))
def test_a_model_left_in_evaluation(problem):
    problem.network.eval()
    (finding,) = only(lint(problem), "eval-mode")
    assert finding.path == ""


@given(problems(at_least=("dropout",)), st.data())
def test_a_part_left_in_evaluation(problem, data):
    part = data.draw(
        st.sampled_from(
            [
                (path, module)
                for path, module in problem.network.named_modules()
                if path and any(isinstance(m, nn.Dropout) for m in module.modules())
            ]
        )
    )
    part[1].eval()
    (finding,) = only(lint(problem), "eval-mode")
    assert finding.path == part[0]


@given(problems(at_least=MODAL), st.integers(1, 4))
def test_a_loop_that_stays_in_evaluation_after_measuring(problem, epoch):
    optimizer = problem.make_optimizer()
    linter = nn.Linter(problem.network, optimizer)
    for step in range(6):
        if step == epoch:
            problem.network.eval()
        found = linter.check(loss := problem.compute())
        if step == epoch:
            only(found, "eval-mode")
        else:
            assert found == []
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
