"""Every workload's own side builds, runs, and uses its inputs in turn."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import autograd as ag
from benchmarks.workloads import WORKLOADS, Workload, catalogue, sampler_of
from benchmarks.workloads.higher_order import _rosenbrock
from benchmarks.workloads.networks import NETWORKS
from benchmarks.workloads.scalars import FACTOR, _chain, _ours
from benchmarks.workloads.training import TRAINING, infer_ours, train_ours

LONG = {"chain_100000", "chain_1000000", "jvp_deep"}
"""Tested with fewer nodes below, or by what they are made of."""

RANDOM = {"augmentation", "loading", "dropout_both"}


@pytest.mark.parametrize("name", [name for name in WORKLOADS if name not in LONG | set(TRAINING)])
def test_a_step_of_ours(name):
    sampler = sampler_of(WORKLOADS[name].ours())
    seconds, first = sampler.sample(0, 1)
    assert seconds > 0
    assert np.isfinite(first)
    _, again = sampler.sample(4, 1)
    if name in ("adam", "muon"):
        assert first != again
    elif name not in RANDOM:
        assert first == again
        # The long chain of small arrays forgets where it began.
        if name not in ("import", "small_arrays"):
            assert len({first, *(sampler.sample(index, 1)[1] for index in (1, 2, 3))}) == 4


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("make", [train_ours, infer_ours])
def test_networks_steps(name, make):
    network = replace(NETWORKS[name], batch=2)
    fresh = [make(network)(index) for index in range(5)]
    assert np.isfinite(fresh).all()
    assert fresh[0] == fresh[4]
    assert len(set(fresh)) == 4
    # Training changes the parameters, inference does not.
    step = make(network)
    assert (step(0) == step(4)) == (make is infer_ours)


def test_a_chain():
    step = _ours(partial(_chain, 1000), FACTOR)
    assert step(0) == pytest.approx(1000 * FACTOR**999 * FACTOR**1000, rel=1e-12)


def test_chains_have_as_many_nodes_as_their_references():
    for name in ("chain_100000", "chain_1000000"):
        (setting,) = WORKLOADS[name].peers["dagrad"]
        times, length = setting.split(" of ")
        assert int(times) * int(length.replace(",", "")) == WORKLOADS[name].operations


def test_the_rosenbrock_hessian():
    p = np.random.default_rng(0).uniform(-1, 1, 5)
    hessian = ag.hessian(_rosenbrock)(p)
    inner = 1200 * p[1:4] ** 2 - 400 * p[2:] + 202
    np.testing.assert_allclose(np.diag(hessian)[1:4], inner, rtol=1e-12)


def test_workloads_are_complete():
    peers = {"torch", "jax", "micrograd", "mygrad", "autograd", "numpy", "dagrad"}
    for name, workload in WORKLOADS.items():
        assert workload.summary
        assert set(workload.peers) <= peers
        assert workload.target is None or workload.against in workload.peers
        assert workload.target is not None or workload.limit is not None, name


def test_two_workloads_of_one_name():
    workload = Workload("w", "", lambda: lambda index: 0.0, {})
    with pytest.raises(ValueError, match="two workloads are called w"):
        catalogue([workload, workload])
