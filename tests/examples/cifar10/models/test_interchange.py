"""The example's networks go to ONNX with their own names, for batches of any size."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from examples.cifar10.data.images import IMAGE_SHAPE
from examples.cifar10.models.building import build_model
from examples.cifar10.presets import MODELS, PRESETS, find_recipe

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")


@pytest.mark.parametrize("name", MODELS)
def test_scores_are_the_same(name):
    recipe = find_recipe(name, PRESETS[0])
    rng = np.random.default_rng(0)
    model = build_model(name, recipe, rng).eval()
    model[0].fit(120.0, 60.0)
    for parameter in model.parameters():
        parameter.data[...] = rng.normal(0.0, 0.05, parameter.shape)
    images = rng.integers(0, 256, (2, *IMAGE_SHAPE)).astype(np.float32)
    proto = ag.to_onnx(model, images, dynamic_batch=True)
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    more = rng.integers(0, 256, (5, *IMAGE_SHAPE)).astype(np.float32)
    found = session.run(None, {session.get_inputs()[0].name: more})[0]
    with ag.no_grad():
        expected = model(ag.Tensor(more)).data
    scale = max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(found / scale, expected / scale, rtol=1e-5, atol=1e-5)
    assert "0.mean" in {tensor.name for tensor in proto.graph.initializer}
