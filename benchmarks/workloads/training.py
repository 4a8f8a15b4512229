"""Training steps and inference of the networks."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.workloads.jax_training import infer_jax, train_jax
from benchmarks.workloads.networks import NETWORKS, Network, batches, built, starting_weights
from benchmarks.workloads.workload import (
    BATCHES,
    COMPILED,
    Build,
    Step,
    Workload,
    catalogue,
    weighed,
)

__all__ = ["TRAINING", "infer_ours", "infer_torch", "train_ours", "train_torch"]

RATE, MOMENTUM = 1e-3, 0.9
AGREEMENT = 5e-5
"""Of losses. After four updates those of the libraries differ by 3e-7; half the learning rate makes
3e-4 and more (docs/benchmarks.md).
"""
DEEP_AGREEMENT = 5e-4
"""In networks whose losses fall faster: there they differ by 1e-5, and half the rate makes 5e-2."""
SCORES_AGREEMENT = 5e-6
"""Those of VGG-6 are about 1e-3, and differ by 3e-8."""


def _channels_last(x: np.ndarray) -> np.ndarray:
    """As the example trainer hands images over: the same array, its channels together in memory."""
    if x.ndim < 4:
        return x
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


def _model_ours(network: Network) -> Any:
    import nn

    model = built(network.layers, nn)
    for parameter, weight in zip(model.parameters(), starting_weights(network.layers), strict=True):
        parameter.data[...] = weight
    return model


def train_ours(network: Network) -> Step:
    import nn
    import optim

    model, (arrays, labels) = _model_ours(network), batches(network)
    inputs = [_channels_last(x) for x in arrays]
    loss_of = nn.CrossEntropyLoss()
    optimizer = optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM)

    def step(index: int) -> float:
        loss = loss_of(model(inputs[index % BATCHES]), labels[index % BATCHES])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return float(loss.item())

    return step


def infer_ours(network: Network) -> Step:
    import autograd as ag

    model = _model_ours(network).eval()
    inputs = [_channels_last(x) for x in batches(network)[0]]

    def step(index: int) -> float:
        with ag.no_grad():
            return weighed(model(inputs[index % BATCHES]).data)

    return step


def _model_torch(network: Network, last: bool) -> tuple[Any, list[Any], list[Any]]:
    """The model, inputs and labels, images in the layout asked for."""
    import torch

    model = built(network.layers, torch.nn)
    with torch.no_grad():
        for parameter, weight in zip(
            model.parameters(), starting_weights(network.layers), strict=True
        ):
            parameter.copy_(torch.from_numpy(weight))
    arrays, labels = batches(network)
    inputs = [torch.from_numpy(x) for x in arrays]
    if last:
        model = model.to(memory_format=torch.channels_last)
        inputs = [x.to(memory_format=torch.channels_last) for x in inputs]
    return model, inputs, [torch.from_numpy(y) for y in labels]


def train_torch(network: Network, last: bool, compiled: bool) -> Step:
    import torch

    model, inputs, labels = _model_torch(network, last)
    loss_of = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM)

    def forward(x: Any, y: Any) -> Any:
        return loss_of(model(x), y)

    run = torch.compile(forward) if compiled else forward

    def step(index: int) -> float:
        loss = run(inputs[index % BATCHES], labels[index % BATCHES])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return float(loss.item())

    return step


def infer_torch(network: Network, last: bool, compiled: bool) -> Step:
    import torch

    model, inputs, _ = _model_torch(network, last)
    model.eval()
    run = torch.compile(model) if compiled else model

    def step(index: int) -> float:
        with torch.inference_mode():
            return weighed(run(inputs[index % BATCHES]))

    return step


def _torch_settings(make: Any, network: Network) -> dict[str, Build]:
    images = len(network.shape) == 3
    settings: dict[str, Build] = {"NCHW" if images else "": partial(make, network, False, False)}
    if images:
        settings["channels-last"] = partial(make, network, True, False)
    settings[COMPILED] = partial(make, network, images, True)
    return settings


def _jax_settings(make: Any, network: Network) -> dict[str, Build]:
    if len(network.shape) < 3:
        return {"jit": partial(make, network, False)}
    return {"jit NCHW": partial(make, network, False), "jit NHWC": partial(make, network, True)}


def _training(name: str, target: float, agreement: float = AGREEMENT) -> Workload:
    network = NETWORKS[name]
    return Workload(
        name,
        f"a training step, batch {network.batch}",
        partial(train_ours, network),
        {
            "torch": _torch_settings(train_torch, network),
            "jax": _jax_settings(partial(train_jax, rate=RATE, momentum=MOMENTUM), network),
        },
        target,
        memory_target=1.0,
        flops=network.training_flops,
        agreement=agreement,
    )


def _inference(name: str, target: float) -> Workload:
    network = NETWORKS[name]
    return Workload(
        f"{name}_inference",
        f"without recording, batch {network.batch}",
        partial(infer_ours, network),
        {
            "torch": _torch_settings(infer_torch, network),
            "jax": _jax_settings(infer_jax, network),
        },
        target,
        flops=network.inference_flops,
        agreement=SCORES_AGREEMENT,
    )


TRAINING = catalogue(
    [
        _training("softmax", 0.8),
        _training("mlp_small", 0.6),
        _training("mlp_large", 0.5),
        _training("convnet", 0.6),
        _training("vgg6", 0.5, DEEP_AGREEMENT),
        _training("airbench94", 0.5, DEEP_AGREEMENT),
        _training("resnet_blocks", 1.0),
        _training("depthwise_blocks", 1.0),
        _inference("mlp_large", 1.0),
        _inference("vgg6", 0.5),
        _inference("airbench94", 0.5),
    ]
)
