"""Planted: evaluation mode in training."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
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


def test_dropout_of_nothing_and_norms_without_statistics_do_not_depend_on_the_mode():
    parts = [
        nn.Dropout(0.0),
        nn.DropPath(0.0),
        nn.BatchNorm1d(2, track_running_stats=False),
        nn.LayerNorm(2),
    ]
    model = nn.Sequential(nn.Linear(2, 2, bias=False), *parts).eval()
    loss = ag.mean(model(np.arange(6, dtype=np.float32).reshape(3, 2)) ** 4)
    assert nn.lint(model, loss) == []


def test_a_batch_norm_kept_in_evaluation_is_noted():
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.BatchNorm1d(2))
    model[1].eval()
    loss = ag.mean(model(np.ones((3, 2), np.float32)) ** 2)
    (finding,) = nn.lint(model, loss)
    assert (finding.rule, finding.path, finding.severity) == ("eval-mode", "1", "note")


def test_a_module_of_ones_own_that_asks_for_the_mode():
    class Noisy(nn.Module):
        def __init__(self):
            self.weight = nn.Parameter([1.0, 2.0])

        def forward(self, x):
            return x * self.weight + 1.0 if self.training else x * self.weight

    model = Noisy().eval()
    (finding,) = nn.lint(model, ag.mean(model(np.ones((3, 2), np.float32))))
    assert (finding.rule, finding.path) == ("eval-mode", "")
