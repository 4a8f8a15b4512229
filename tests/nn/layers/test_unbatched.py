"""Inputs without the batch axis."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn

LAYERS = [
    (nn.Conv1d(2, 4, 3, padding=1), (2, 6)),
    (nn.Conv2d(2, 4, 3, stride=2), (2, 6, 5)),
    (nn.ConvTranspose2d(2, 4, 3, stride=2, output_padding=1), (2, 3, 4)),
    (nn.MaxPool2d(2), (2, 6, 5)),
    (nn.AvgPool2d(3, 1, 1), (2, 6, 5)),
    (nn.AdaptiveAvgPool2d((None, 2)), (2, 6, 5)),
]


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=[repr(layer) for layer, _ in LAYERS])
def test_one_example_is_a_batch_of_one(layer, shape):
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    alone, batch = ag.Tensor(x, requires_grad=True), ag.Tensor(x[None], requires_grad=True)
    np.testing.assert_allclose(layer(alone).data, layer(batch).data[0], rtol=1e-6)
    ag.sum(layer(alone) ** 2).backward()
    ag.sum(layer(batch) ** 2).backward()
    np.testing.assert_allclose(alone.grad.data, batch.grad.data[0], rtol=1e-5)


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=[repr(layer) for layer, _ in LAYERS])
def test_other_axes_are_an_error(layer, shape):
    with pytest.raises(ValueError, match=rf"{type(layer).__name__}.*\(N, .*got shape"):
        layer(np.ones((1, 1, *shape), np.float32))
