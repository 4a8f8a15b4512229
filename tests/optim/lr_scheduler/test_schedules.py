"""Schedules against their closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

import nn
import optim
from optim import lr_scheduler as schedules


def sgd(lr=1.0, momentum=0.9):
    return optim.SGD([nn.Parameter([1.0])], lr=lr, momentum=momentum)


def rates(schedule, steps):
    found = []
    for _ in range(steps):
        found += schedule.get_last_lr()
        schedule.step()
    return found


@pytest.mark.parametrize(
    ("make", "formula"),
    [
        (lambda o: schedules.LambdaLR(o, lambda t: 1 / (1 + t)), lambda t: 1 / (1 + t)),
        (lambda o: schedules.StepLR(o, 3, 0.5), lambda t: 0.5 ** (t // 3)),
        (
            lambda o: schedules.MultiStepLR(o, [2, 5], 0.1),
            lambda t: 0.1 ** ((t >= 2) + (t >= 5)),
        ),
        (lambda o: schedules.ExponentialLR(o, 0.9), lambda t: 0.9**t),
        (
            lambda o: schedules.CosineAnnealingLR(o, 8, 0.1),
            lambda t: 0.1 + 0.9 * (1 + math.cos(math.pi * t / 8)) / 2,
        ),
        (
            lambda o: schedules.LinearLR(o, 0.2, 1.0, 4),
            lambda t: 0.2 + 0.8 * min(t, 4) / 4,
        ),
    ],
)
def test_closed_forms(make, formula):
    got = rates(make(sgd()), 8)
    np.testing.assert_allclose(got, [formula(t) for t in range(8)], rtol=1e-12)
    state = make(sgd())
    for _ in range(3):
        state.step()
    fresh = make(sgd())
    fresh.load_state_dict(state.state_dict())
    assert fresh.get_last_lr() == state.get_last_lr()


@pytest.mark.parametrize("shape", ["cos", "linear"])
@pytest.mark.parametrize("three", [False, True])
def test_one_cycle(shape, three):
    optimizer = sgd()
    schedule = schedules.OneCycleLR(
        optimizer, 1.0, total_steps=20, anneal_strategy=shape, three_phase=three
    )
    found, momenta = [], []
    for step in range(20):
        found += schedule.get_last_lr()
        momenta.append(optimizer.param_groups[0]["momentum"])
        if step < 19:
            schedule.step()
    ends = [0, 5, 10, 19] if three else [0, 5, 19]
    points = [0.04, 1.0, 0.04, 4e-6] if three else [0.04, 1.0, 4e-6]
    expected = []
    for step in range(20):
        phase = max(i for i in range(len(ends) - 1) if step >= ends[i])
        share = (step - ends[phase]) / (ends[phase + 1] - ends[phase])
        if shape == "cos":
            share = (1 - math.cos(math.pi * share)) / 2
        expected.append(points[phase] + (points[phase + 1] - points[phase]) * share)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert momenta[0] == pytest.approx(0.95)
    assert min(momenta) == pytest.approx(0.85)
    with pytest.raises(RuntimeError, match="20 steps"):
        schedule.step()


def test_warm_up_and_then_cosine():
    optimizer = sgd(0.8)
    warm = schedules.LinearLR(optimizer, 0.25, total_iters=3)
    cosine = schedules.CosineAnnealingLR(optimizer, 4)
    got = rates(schedules.SequentialLR(optimizer, [warm, cosine], [3]), 7)
    expected = [0.2, 0.4, 0.6] + [0.4 * (1 + math.cos(math.pi * t / 4)) for t in range(4)]
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_reduce_on_plateau():
    schedule = schedules.ReduceLROnPlateau(
        optimizer := sgd(), patience=1, factor=0.1, cooldown=1, min_lr=0.05
    )
    found = []
    for metric in (1.0, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.8):
        schedule.step(metric)
        found.append(round(optimizer.param_groups[0]["lr"], 6))
    assert found == [1.0, 1.0, 1.0, 0.1, 0.1, 0.1, 0.05, 0.05]
    fresh = schedules.ReduceLROnPlateau(sgd())
    fresh.load_state_dict(schedule.state_dict())
    assert fresh.best == 0.8


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda o: schedules.StepLR(o, 0), ValueError, "step_size"),
        (lambda o: schedules.StepLR(o, 1.5), TypeError, "step_size"),
        (lambda o: schedules.StepLR(3, 1), TypeError, "Optimizer"),
        (lambda o: schedules.LinearLR(o, 0.0), ValueError, "start_factor"),
        (lambda o: schedules.OneCycleLR(o, 1.0), ValueError, "total_steps"),
        (lambda o: schedules.OneCycleLR(o, 1.0, 10, pct_start=2.0), ValueError, "pct_start"),
        (lambda o: schedules.SequentialLR(o, [], []), ValueError, "milestone"),
        (lambda o: schedules.ReduceLROnPlateau(o, factor=1.0), ValueError, "factor"),
        (lambda o: schedules.LambdaLR(o, [abs, abs]), ValueError, "one function"),
    ],
)
def test_bad_input(make, error, match):
    with pytest.raises(error, match=match):
        make(sgd())
