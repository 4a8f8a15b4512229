"""Every layer of nn gives in onnxruntime what it gives here, to 1e-5."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
import nn
import nn.layers
from tests.autograd.onnx_export.running import assert_same, run

RNG = np.random.default_rng(0)
IMAGES = (2, 4, 7, 6)
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d)

LAYERS = {
    "Linear": [(nn.Linear(4, 3), (2, 4)), (nn.Linear(4, 3, bias=False), (2, 5, 4))],
    "Conv1d": [(nn.Conv1d(4, 6, 3, 2, 1, groups=2), (2, 4, 9)), (nn.Conv1d(4, 2, 3), (4, 9))],
    "Conv2d": [
        (nn.Conv2d(4, 6, (3, 2), (2, 1), (1, 0), groups=2), IMAGES),
        (nn.Conv2d(4, 3, 3, padding="same", bias=False, dilation=2), IMAGES),
        (nn.Conv2d(4, 3, 3, padding=1, padding_mode="reflect"), IMAGES),
        (nn.Conv2d(4, 3, 3, padding=2, padding_mode="replicate"), IMAGES),
        (nn.Conv2d(4, 3, 3, padding=(1, 2), padding_mode="circular"), IMAGES),
        (nn.Conv2d(4, 3, 2), (4, 5, 5)),
    ],
    "ConvTranspose2d": [
        (nn.ConvTranspose2d(4, 6, 3, 2, 1, 1, groups=2), IMAGES),
        (nn.ConvTranspose2d(4, 2, 3, 2, 0, 1, bias=False), IMAGES),
        (nn.ConvTranspose2d(4, 2, (2, 3), dilation=2), (4, 5, 5)),
    ],
    "BatchNorm1d": [(nn.BatchNorm1d(4), (3, 4)), (nn.BatchNorm1d(4, affine=False), (3, 4, 5))],
    "BatchNorm2d": [
        (nn.BatchNorm2d(4), IMAGES),
        (nn.BatchNorm2d(4, track_running_stats=False), IMAGES),
    ],
    "LayerNorm": [
        (nn.LayerNorm(4), (2, 3, 4)),
        (nn.LayerNorm((3, 4), bias=False), (2, 3, 4)),
        (nn.LayerNorm(4, elementwise_affine=False), (2, 4)),
    ],
    "GroupNorm": [
        (nn.GroupNorm(2, 4), IMAGES),
        (nn.GroupNorm(4, 4, affine=False), (2, 4, 5)),
        (nn.GroupNorm(1, 4), (3, 4)),
    ],
    "MaxPool2d": [
        (nn.MaxPool2d(2), IMAGES),
        (nn.MaxPool2d((3, 2), (2, 1), (1, 0), (1, 2)), IMAGES),
        (nn.MaxPool2d(2), (4, 6, 6)),
    ],
    "AvgPool2d": [
        (nn.AvgPool2d(2), IMAGES),
        (nn.AvgPool2d(3, 2, 1), IMAGES),
        (nn.AvgPool2d(3, 2, 1, count_include_pad=False), (4, 6, 6)),
    ],
    "AdaptiveAvgPool2d": [
        (nn.AdaptiveAvgPool2d(1), IMAGES),
        (nn.AdaptiveAvgPool2d((3, 4)), IMAGES),
        (nn.AdaptiveAvgPool2d((None, 2)), (4, 6, 6)),
    ],
    "Flatten": [(nn.Flatten(), IMAGES), (nn.Flatten(0, 2), IMAGES)],
    "Unflatten": [(nn.Unflatten(1, (2, -1)), (2, 4, 3))],
    "Identity": [(nn.Identity(), (2, 3))],
    "Dropout": [(nn.Dropout(0.5), (2, 3))],
    "DropPath": [(nn.DropPath(0.5), (2, 3))],
    "Embedding": [
        (nn.Embedding(6, 3), np.array([[0, 5], [2, 1]])),
        (nn.Embedding(6, 3, padding_idx=2), np.array([2, 1, 2, 0], np.int32)),
    ],
    "ReLU": [(nn.ReLU(), (2, 3))],
    "LeakyReLU": [(nn.LeakyReLU(0.2), (2, 3))],
    "ELU": [(nn.ELU(0.7), (2, 3))],
    "GELU": [(nn.GELU(), (2, 3)), (nn.GELU("tanh"), (2, 3))],
    "SiLU": [(nn.SiLU(), (2, 3))],
    "Sigmoid": [(nn.Sigmoid(), (2, 3))],
    "LogSigmoid": [(nn.LogSigmoid(), (2, 3))],
    "Tanh": [(nn.Tanh(), (2, 3))],
    "Softplus": [(nn.Softplus(), (2, 3)), (nn.Softplus(2.0, 1.0), (2, 3))],
    "Softmax": [(nn.Softmax(-1), (2, 3)), (nn.Softmax(1), IMAGES)],
    "LogSoftmax": [(nn.LogSoftmax(0), (2, 3))],
}
CASES = [
    pytest.param(layer, given, id=f"{name}-{i}")
    for name, tried in LAYERS.items()
    for i, (layer, given) in enumerate(tried)
]


def randomise(model):
    """Parameters and statistics away from the zeros and ones they start at."""
    for parameter in model.parameters():
        parameter.data[...] = RNG.normal(size=parameter.shape)
    for buffer in model.buffers():
        if buffer.dtype.kind == "f":
            buffer[...] = RNG.uniform(0.5, 2.0, buffer.shape)
    return model


def example(given):
    if isinstance(given, np.ndarray):
        return given
    return RNG.normal(size=given).astype(np.float32)


def test_every_layer_is_tried():
    found = set()
    for module in pkgutil.iter_modules(nn.layers.__path__, "nn.layers."):
        for name, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(kind, nn.Module) and kind.__module__.startswith("nn.layers"):
                found.add(name)
    assert {name for name in found if not name.startswith("_")} == set(LAYERS)


@pytest.mark.parametrize(("layer", "given"), CASES)
def test_layer(layer, given):
    randomise(layer)
    evaluated = layer.eval()
    proto = assert_same(evaluated, example(given))
    layer.train()
    assert ag.to_onnx(layer, example(given)).graph.node == proto.graph.node
    assert all(module.training for module in layer.modules())


def convnet():
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"),
        nn.BatchNorm2d(4),
        nn.GELU(),
        nn.MaxPool2d(2),
        nn.GroupNorm(2, 4),
        nn.AdaptiveAvgPool2d((2, 3)),
        nn.Flatten(),
        nn.LayerNorm(24),
        nn.Dropout(0.3),
        nn.Linear(24, 5),
        nn.LogSoftmax(1),
    )


@settings(max_examples=5)
@given(st.integers(1, 4), st.integers(1, 9))
def test_a_dynamic_batch_takes_any_size(size, other):
    net = randomise(convnet()).eval()
    images = example((size, 3, 8, 9))
    proto = ag.to_onnx(net, images, dynamic_batch=True)
    assert_same(net, images, proto=proto)
    assert_same(net, example((other, 3, 8, 9)), proto=proto)
    for info in (*proto.graph.input, *proto.graph.output):
        assert info.type.tensor_type.shape.dim[0].dim_param == "batch"


@pytest.mark.parametrize(("layer", "given"), CASES)
def test_layer_with_a_dynamic_batch(layer, given):
    randomise(layer).eval()
    array = example(given)
    if isinstance(layer, CONVOLUTIONS) and array.ndim == layer.weight.ndim - 1:  # no batch
        with pytest.raises(ValueError, match="one more sample along the first axis"):
            ag.to_onnx(layer, array, dynamic_batch=True)
        return
    proto = ag.to_onnx(layer, array, dynamic_batch=True)
    for other in (array[:1], np.concatenate([array, array[::-1], array])):
        found = run(proto, other)[0]
        expected = layer(ag.Tensor(other)).data
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_names_are_the_models_paths():
    class Net(nn.Module):
        def __init__(self):
            self.stem = nn.Conv2d(3, 4, 3)
            self.norm = nn.BatchNorm2d(4)
            self.blocks = [nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))]

        def forward(self, images):
            return self.blocks[0](self.norm(self.stem(images)))

    net = randomise(Net())
    proto = ag.to_onnx(net, example((1, 3, 8, 8)))
    assert [node.name for node in proto.graph.node] == [
        "stem/Conv",
        "norm/Mul",
        "norm/Add",
        "blocks.0.0/Relu",
        "blocks.0.1/Reshape",
        "blocks.0.2/Gemm",
    ]
    names = {tensor.name for tensor in proto.graph.initializer}
    assert {"stem.weight", "stem.bias", "blocks.0.2.weight", "blocks.0.2.bias"} <= names
    assert "norm.weight.multiply" in names
    assert [info.name for info in proto.graph.input] == ["images"]
    assert [info.name for info in proto.graph.output] == ["output"]


def test_weights_that_depend_on_the_input():
    def condition(x, scale):
        normal = nn.functional.batch_norm(
            x, np.zeros(3, np.float32), np.ones(3, np.float32), scale, scale * 2.0
        )
        return nn.functional.group_norm(normal, 1, scale, scale)

    assert_same(condition, example((2, 3, 4)), example((3,)))


def test_parameters_are_stored_once():
    layer = randomise(nn.Linear(20, 20))
    proto = ag.to_onnx(lambda x: layer(layer(x)), example((2, 20)))
    assert sum(tensor.dims == [20, 20] for tensor in proto.graph.initializer) == 1
    assert_same(lambda x: layer(layer(x)), example((2, 20)), proto=proto)


def test_a_large_model_of_double_precision():
    net = randomise(nn.Sequential(nn.Linear(8, 16, dtype=np.float64), nn.Tanh())).eval()
    proto = ag.to_onnx(net, RNG.normal(size=(2, 8)))
    array = RNG.normal(size=(2, 8))
    np.testing.assert_allclose(run(proto, array)[0], net(array).data, rtol=1e-12)
