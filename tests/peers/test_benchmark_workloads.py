"""The benchmarks' sides do the same work: first results of ours and of each installed peer."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from benchmarks.workloads import WORKLOADS, sampler_of
from benchmarks.workloads.jax_training import infer_jax, train_jax
from benchmarks.workloads.networks import NETWORKS
from benchmarks.workloads.operations import CALLS, build, torch_build
from benchmarks.workloads.training import (
    MOMENTUM,
    RATE,
    TRAINING,
    infer_ours,
    infer_torch,
    train_ours,
    train_torch,
)

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]

IN_PROCESS = ("torch", "jax", "micrograd", "mygrad", "numpy", "dagrad")
OTHERS = [
    (name, peer, setting)
    for name, workload in WORKLOADS.items()
    if name not in TRAINING and name != "chain_1000000"
    for peer, settings in workload.peers.items()
    if peer in IN_PROCESS and workload.agreement is not None
    for setting in settings
]


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("training", [True, False])
def test_networks(name, training, last):
    """Three steps from the same weights on the same inputs: the same losses or scores."""
    network = replace(NETWORKS[name], batch=3)
    if len(network.shape) < 3 and last:
        pytest.skip("no images")
    if training:
        jax = partial(train_jax, rate=RATE, momentum=MOMENTUM)
        ours, peers = train_ours(network), [train_torch(network, last, False), jax(network, last)]
    else:
        ours, peers = (
            infer_ours(network),
            [infer_torch(network, last, False), infer_jax(network, last)],
        )
    for index in range(3):
        expected = ours(index)
        for peer in peers:
            assert peer(index) == pytest.approx(expected, rel=2e-4, abs=2e-5)


@pytest.mark.parametrize(("name", "peer", "setting"), OTHERS)
def test_first_results(name, peer, setting):
    workload = WORKLOADS[name]
    expected = sampler_of(workload.ours()).sample(0, 1)[1]
    found = sampler_of(workload.peers[peer][setting]()).sample(0, 1)[1]
    assert abs(found - expected) <= workload.agreement * max(1.0, abs(expected))


@pytest.mark.parametrize("gradient", [False, True])
@pytest.mark.parametrize("name", CALLS)
def test_single_operations(name, gradient):
    ours, theirs = build(name, 24, gradient), torch_build(name, 24, gradient)
    for index in range(4):
        assert theirs(index) == pytest.approx(ours(index), rel=2e-4, abs=2e-5)
