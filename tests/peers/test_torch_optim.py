"""Optimizers, schedules and clipping against PyTorch, over many random configurations."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
import nn
import optim

pytestmark = pytest.mark.peers

SEEDS = st.integers(0, 2**20)
RATES = st.sampled_from([1e-3, 0.05])
DECAYS = st.sampled_from([0.0, 0.1])


def compare(ours, theirs, seed, schedule=None, peer_schedule=None, steps=6, bound=None):
    rng = np.random.default_rng(seed)
    start = rng.normal(size=(4, 3))
    p = nn.Parameter(start)
    peer = torch.nn.Parameter(torch.tensor(start))
    first, second = ours([p]), theirs([peer])
    plans = None if schedule is None else (schedule(first), peer_schedule(second))
    for _ in range(steps):
        gradient = rng.normal(size=start.shape)
        p.grad = ag.Tensor(gradient.copy())
        peer.grad = torch.tensor(gradient)
        if bound is not None:
            norm = optim.clip_grad_norm_([p], bound)
            expected = torch.nn.utils.clip_grad_norm_([peer], bound)
            assert norm == pytest.approx(float(expected), rel=1e-12)
        first.step()
        second.step()
        np.testing.assert_allclose(p.data, peer.detach().numpy(), rtol=1e-8, atol=1e-10)
        if plans is not None:
            plans[0].step()
            plans[1].step()
            rates = [group["lr"] for group in second.param_groups]
            assert plans[0].get_last_lr() == pytest.approx(rates, rel=1e-9)


@given(SEEDS, RATES, st.sampled_from([0.0, 0.9]), st.sampled_from([0.0, 0.3]), DECAYS)
def test_sgd(seed, lr, momentum, dampening, decay):
    for nesterov in {False, momentum > 0 and dampening == 0}:
        arguments = (lr, momentum, dampening, decay, nesterov)
        compare(
            lambda p, a=arguments: optim.SGD(p, *a),
            lambda p, a=arguments: torch.optim.SGD(p, *a),
            seed,
            bound=1.0,
        )


@given(SEEDS, RATES, DECAYS, st.booleans())
def test_adam_and_adamw(seed, lr, decay, amsgrad):
    options = {"lr": lr, "betas": (0.8, 0.9), "weight_decay": decay, "amsgrad": amsgrad}
    compare(lambda p: optim.Adam(p, **options), lambda p: torch.optim.Adam(p, **options), seed)
    compare(lambda p: optim.AdamW(p, **options), lambda p: torch.optim.AdamW(p, **options), seed)


@given(SEEDS, RATES, DECAYS, st.sampled_from([0.0, 0.9]), st.booleans())
def test_rmsprop(seed, lr, decay, momentum, centred):
    options = {"lr": lr, "weight_decay": decay, "momentum": momentum, "centered": centred}
    compare(
        lambda p: optim.RMSprop(p, **options), lambda p: torch.optim.RMSprop(p, **options), seed
    )


@given(SEEDS, RATES, DECAYS, st.sampled_from([0.0, 0.2]), st.sampled_from([0.0, 0.5]))
def test_adagrad(seed, lr, decay, lr_decay, initial):
    options = {
        "lr": lr,
        "weight_decay": decay,
        "lr_decay": lr_decay,
        "initial_accumulator_value": initial,
    }
    compare(
        lambda p: optim.Adagrad(p, **options), lambda p: torch.optim.Adagrad(p, **options), seed
    )


SCHEDULES = [
    ("LambdaLR", {"lr_lambda": lambda t: 0.9**t}),
    ("StepLR", {"step_size": 2, "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [1, 4], "gamma": 0.5}),
    ("ExponentialLR", {"gamma": 0.8}),
    ("CosineAnnealingLR", {"T_max": 10, "eta_min": 0.01}),
    ("LinearLR", {"start_factor": 0.2, "total_iters": 4}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 10}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 12, "three_phase": True}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 10, "anneal_strategy": "linear"}),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "options"), SCHEDULES)
def test_schedules(name, options):
    compare(
        lambda p: optim.SGD(p, 0.3, 0.9),
        lambda p: torch.optim.SGD(p, 0.3, 0.9),
        0,
        lambda o: getattr(optim.lr_scheduler, name)(o, **options),
        lambda o: getattr(torch.optim.lr_scheduler, name)(o, **options),
        steps=9,
    )


@pytest.mark.filterwarnings("ignore")
def test_sequences():
    def plan(module):
        def make(o):
            warm = module.LinearLR(o, 0.25, total_iters=3)
            return module.SequentialLR(o, [warm, module.CosineAnnealingLR(o, 6)], [3])

        return make

    compare(
        lambda p: optim.SGD(p, 0.3),
        lambda p: torch.optim.SGD(p, 0.3),
        0,
        plan(optim.lr_scheduler),
        plan(torch.optim.lr_scheduler),
        steps=8,
    )
