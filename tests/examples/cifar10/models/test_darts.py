"""The architecture-searched network: its size, its cells, its auxiliary head, its drop-path."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn
from examples.cifar10.models.auxiliary import ScoresWithAuxiliary, main_scores
from examples.cifar10.models.darts import DARTS_V1, DARTS_V2, Cell, DartsNetwork
from examples.cifar10.models.darts_operations import make_operation


def network(channels=4, cells=4, **options):
    return DartsNetwork(channels, cells, np.random.default_rng(0), **options)


def images(count=2, channels=3, side=32):
    shape = (count, channels, side, side)
    return np.random.default_rng(1).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(
    ("channels", "cells", "auxiliary", "parameters"),
    [(36, 20, False, 3_349_342), (36, 20, True, 3_825_768), (16, 8, False, 246_106)],
)
def test_parameters(channels, cells, auxiliary, parameters):
    net = network(channels, cells, auxiliary=auxiliary)
    assert sum(p.size for p in net.parameters()) == parameters


@pytest.mark.parametrize(
    ("channels", "cells", "convolutions", "millions"), [(36, 20, 439, 528.4), (16, 8, 151, 43.4)]
)
def test_multiply_adds_and_convolutions(channels, cells, convolutions, millions):
    net = network(channels, cells).eval()
    with ag.profile() as profile:
        net(images(1))
    counted = sum(row.flops for row in profile.rows) / 2
    assert counted / 1e6 == pytest.approx(millions, abs=0.05)
    assert sum(isinstance(part, nn.Conv2d) for part in net.modules()) == convolutions


def test_reductions_at_a_third_and_two_thirds_halve_the_sides_and_double_the_channels():
    net = network(cells=6)
    before = last = net.stem(images())
    shapes = []
    for cell in net.cells:
        before, last = last, cell(before, last)
        shapes.append(last.shape[1:])
    assert shapes == [(16, 32, 32)] * 2 + [(32, 16, 16)] * 2 + [(64, 8, 8)] * 2


@pytest.mark.parametrize(
    "name",
    [
        "skip_connect",
        "max_pool_3x3",
        "avg_pool_3x3",
        "sep_conv_3x3",
        "sep_conv_5x5",
        "dil_conv_3x3",
        "dil_conv_5x5",
    ],
)
@pytest.mark.parametrize("stride", [1, 2])
def test_operations_keep_channels_and_halve_by_their_stride(name, stride):
    operation = make_operation(name, 4, stride, np.random.default_rng(0))
    assert operation(images(2, 4, 8)).shape == (2, 4, 8 // stride, 8 // stride)


def test_a_network_in_training_gives_both_scores_and_else_one():
    net = network(auxiliary=True)
    output = net(images())
    assert isinstance(output, ScoresWithAuxiliary)
    assert output.scores.shape == output.auxiliary.shape == (2, 10)
    assert main_scores(output) is output.scores
    scores = net.eval()(images())
    assert main_scores(scores) is scores
    assert scores.shape == (2, 10)
    assert network()(images()).shape == (2, 10)


@pytest.mark.parametrize("genotype", [DARTS_V1, DARTS_V2])
def test_what_is_dropped_from_a_cell_leaves_the_identities(genotype):
    cell = Cell(
        genotype,
        3,
        3,
        4,
        np.random.default_rng(0),
        reduces=False,
        follows_reduction=False,
    )
    x = images(2, 3, 8)
    first = cell.preprocess0(x).data
    cell.drop_path.drop_prob = 1.0
    nodes = cell(x, x).data.reshape(2, 4, 4, 8, 8).swapaxes(0, 1)
    states = [first, None, *nodes]
    for node, edges in zip(
        nodes, zip(genotype.normal[::2], genotype.normal[1::2], strict=True), strict=True
    ):
        expected = np.zeros_like(node)
        for name, source in edges:
            if name == "skip_connect":
                expected += states[source]
        np.testing.assert_allclose(node, expected, rtol=1e-6)
    assert np.any(nodes[2])
    cell.eval()
    kept = cell(x, x).data
    cell.drop_path.drop_prob = 0.0
    np.testing.assert_array_equal(kept, cell(x, x).data)


def test_the_auxiliary_head_takes_part_in_the_gradient_of_what_is_below_it_alone():
    net = network(auxiliary=True)
    nn.functional.cross_entropy(net(images()).auxiliary, [1, 2]).backward()
    reached = {name for name, p in net.named_parameters() if p.grad is not None}
    after = f"cells.{net.auxiliary_after + 1}."
    assert any(name.startswith("auxiliary_head.") for name in reached)
    assert any(name.startswith(f"cells.{net.auxiliary_after}.") for name in reached)
    assert not any(name.startswith((after, "classifier.")) for name in reached)


def test_an_odd_number_of_channels_cannot_be_halved():
    with pytest.raises(ValueError, match="even number of channels"):
        make_operation("skip_connect", 3, 2, np.random.default_rng(0))
