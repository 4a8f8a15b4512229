"""The architecture-searched network against the same one in PyTorch, weights carried by name."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import autograd as ag
import nn
from examples.cifar10.models.auxiliary import ScoresWithAuxiliary
from examples.cifar10.models.darts import DARTS_V1, DARTS_V2, DartsNetwork
from tests.peers.darts_twin import TwinNetwork

pytestmark = pytest.mark.peers


def carried_over(ours, theirs, seed):
    """The same random state in both, under the same names."""
    rng = np.random.default_rng(seed)
    state = {}
    for name, array in ours.state_dict().items():
        if name.endswith("num_batches_tracked"):
            state[name] = np.array(2)
        elif array.ndim > 1:
            state[name] = rng.normal(size=array.shape) / np.sqrt(array[0].size)
        else:
            state[name] = rng.uniform(0.5, 1.5, array.shape)
    ours.load_state_dict(state)
    theirs.load_state_dict({name: torch.tensor(array) for name, array in state.items()})


def relative(ours, theirs):
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape
    return float(np.abs(ours - theirs).max() / max(np.abs(theirs).max(), 1e-30))


@pytest.mark.parametrize(
    ("channels", "cells", "genotype", "batch"),
    [(4, 5, DARTS_V1, 3), (4, 5, DARTS_V2, 3), (36, 20, DARTS_V2, 2)],
)
def test_scores_gradients_and_statistics(channels, cells, genotype, batch):
    ours = DartsNetwork(
        channels, cells, np.random.default_rng(0), auxiliary=True, genotype=genotype
    ).double()
    theirs = TwinNetwork(channels, cells, genotype, auxiliary=True).double()
    carried_over(ours, theirs, seed=channels + cells)
    rng = np.random.default_rng(1)
    images, labels = rng.normal(size=(batch, 3, 32, 32)), rng.integers(0, 10, batch)
    tracked = ag.Tensor(images, requires_grad=True)
    peer = torch.tensor(images, requires_grad=True)

    output = ours(tracked)
    scores, auxiliary = theirs(peer)
    assert isinstance(output, ScoresWithAuxiliary)
    assert relative(output.scores.data, scores) < 1e-9
    assert relative(output.auxiliary.data, auxiliary) < 1e-9
    entropy = nn.functional.cross_entropy
    loss = entropy(output.scores, labels) + 0.4 * entropy(output.auxiliary, labels)
    entropy = torch.nn.functional.cross_entropy
    expected = entropy(scores, torch.tensor(labels)) + 0.4 * entropy(
        auxiliary, torch.tensor(labels)
    )
    loss.backward()
    expected.backward()
    assert relative(tracked.grad.data, peer.grad) < 1e-8
    gradients = {name: p.grad for name, p in theirs.named_parameters()}
    assert set(gradients) == {name for name, _ in ours.named_parameters()}
    # Some are zero but for rounding: those of a bias that a later batch norm takes off again.
    rounding = 1e-12 * max(float(gradient.abs().max()) for gradient in gradients.values())
    for name, p in ours.named_parameters():
        np.testing.assert_allclose(
            p.grad.data,
            gradients[name].numpy(),
            rtol=0,
            atol=1e-8 * float(gradients[name].abs().max()) + rounding,
            err_msg=name,
        )
    state = theirs.state_dict()
    for name, array in ours.state_dict().items():
        assert relative(array, state[name]) < 1e-9, name

    ours.eval()
    theirs.eval()
    scores, auxiliary = theirs(torch.tensor(images))
    assert auxiliary is None
    with ag.no_grad():
        assert relative(ours(images), scores) < 1e-9
