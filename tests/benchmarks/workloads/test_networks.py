"""The networks' descriptions: shapes, weights and counts."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import nn
from benchmarks.workloads.networks import NETWORKS, Network, batches, built, starting_weights


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_take_their_inputs_and_weights(name):
    network = NETWORKS[name]
    model = built(network.layers, nn).eval()
    scores = model(np.zeros((2, *network.shape), np.float32))
    assert scores.shape == (2, 10)
    shapes = [weight.shape for weight in starting_weights(network.layers)]
    assert shapes == [parameter.shape for parameter in model.parameters()]


def test_the_weights_are_always_the_same():
    layers = NETWORKS["resnet_blocks"].layers
    for one, other in zip(starting_weights(layers), starting_weights(layers), strict=True):
        np.testing.assert_array_equal(one, other)


def test_four_different_batches():
    inputs, labels = batches(NETWORKS["convnet"])
    for one, other in itertools.combinations(range(4), 2):
        assert not np.array_equal(inputs[one], inputs[other])
        assert not np.array_equal(labels[one], labels[other])
    assert inputs[0].dtype == np.float32


def test_a_residual_block_adds_its_input():
    layers = (("residual", (("flatten",), ("linear", 3, 3))),)
    model = built(layers, nn)
    for parameter in model.parameters():
        parameter.data[...] = 0
    x = np.arange(6.0, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(model(x).data, x)


def test_counts_by_hand():
    layers = (
        ("conv", 3, 8, 3, 1),
        ("pool", 2),
        ("residual", (("conv", 8, 8, 3, 1),)),
        ("depthwise", 8, 3, 0),
        ("average",),
        ("flatten",),
        ("linear", 8, 10),
    )
    network = Network(layers, (3, 8, 8), 5)
    first, others = 2 * 27 * 8 * 64, 2 * 72 * 8 * 16 + 2 * 9 * 8 * 4 + 2 * 8 * 10
    assert network.inference_flops == 5 * (first + others)
    assert network.training_flops == 5 * (2 * first + 3 * others)
