"""Networks described once, built with dagrad's modules, with PyTorch's, and run by JAX."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.workloads.workload import BATCHES

__all__ = ["NETWORKS", "Layers", "Network", "batches", "built", "starting_weights"]

Layers = tuple[tuple[Any, ...], ...]
CLASSES = 10


@dataclass(frozen=True)
class Network:
    """Layers as tuples and what goes in: ('linear', in, out), ('conv', in, out, kernel, padding),
    ('depthwise', channels, kernel, padding), ('norm', channels), ('pool', size), ('average',),
    ('relu',), ('gelu',), ('flatten',) and ('residual', layers), which adds its input.
    """

    layers: Layers
    shape: tuple[int, ...]
    """Of one input, without the batch."""
    batch: int

    @property
    def inference_flops(self) -> float:
        """Multiplications and additions of the forward pass's products and convolutions."""
        return self.batch * sum(_products(self.layers, self.shape))

    @property
    def training_flops(self) -> float:
        """Those of one training step: the forward pass, and the gradients by the inputs (not of
        the first layer) and by the weights.
        """
        first, *others = _products(self.layers, self.shape)
        return self.batch * (2 * first + 3 * sum(others))


def _products(layers: Layers, shape: tuple[int, ...]) -> Iterator[float]:
    """Multiplications and additions of each layer that multiplies, for one input."""
    for kind, *sizes in layers:
        if kind == "linear":
            yield 2.0 * sizes[0] * sizes[1]
            shape = (sizes[1],)
        elif kind in ("conv", "depthwise"):
            channels, kernel, padding = sizes[-3:]
            shape = (channels, *(n + 2 * padding - kernel + 1 for n in shape[1:]))
            yield 2.0 * (sizes[0] if kind == "conv" else 1) * kernel**2 * math.prod(shape)
        elif kind == "pool":
            shape = (shape[0], *(n // sizes[0] for n in shape[1:]))
        elif kind == "average":
            shape = (shape[0], 1, 1)
        elif kind == "flatten":
            shape = (math.prod(shape),)
        elif kind == "residual":
            yield from _products(sizes[0], shape)


def batches(network: Network) -> tuple[list[Any], list[Any]]:
    """Inputs and labels that the steps take in turn."""
    rng = np.random.default_rng(0)
    shape = (network.batch, *network.shape)
    inputs = [rng.standard_normal(shape, np.float32) for _ in range(BATCHES)]
    return inputs, [rng.integers(0, CLASSES, network.batch) for _ in range(BATCHES)]


def starting_weights(layers: Layers) -> list[np.ndarray]:
    """The same for every library, in the order of its `parameters()`: uniform up to
    1 / sqrt(fan in), ones and zeros for norms.
    """
    return list(_weights(layers, np.random.default_rng(1)))


def _weights(layers: Layers, rng: np.random.Generator) -> Iterator[np.ndarray]:
    for kind, *sizes in layers:
        if kind == "norm":
            yield from (np.ones(sizes[0], np.float32), np.zeros(sizes[0], np.float32))
        elif kind == "residual":
            yield from _weights(sizes[0], rng)
        elif kind in ("linear", "conv", "depthwise"):
            shape = _weight_shape(kind, sizes)
            bound = math.prod(shape[1:]) ** -0.5
            for size in (shape, shape[:1]):
                yield rng.uniform(-bound, bound, size).astype(np.float32)


def _weight_shape(kind: str, sizes: list[Any]) -> tuple[int, ...]:
    if kind == "linear":
        return sizes[1], sizes[0]
    if kind == "conv":
        return sizes[1], sizes[0], sizes[2], sizes[2]
    return sizes[0], 1, sizes[1], sizes[1]


def built(layers: Layers, nn: Any) -> Any:
    """A Sequential of dagrad's `nn` or of `torch.nn`: the modules have the same names."""
    makers = {
        "linear": nn.Linear,
        "conv": lambda i, o, k, p: nn.Conv2d(i, o, k, padding=p),
        "depthwise": lambda c, k, p: nn.Conv2d(c, c, k, padding=p, groups=c),
        "norm": nn.BatchNorm2d,
        "pool": nn.MaxPool2d,
        "average": lambda: nn.AdaptiveAvgPool2d(1),
        "relu": nn.ReLU,
        "gelu": nn.GELU,
        "flatten": nn.Flatten,
        "residual": lambda inner: _residual(nn)(built(inner, nn)),
    }
    return nn.Sequential(*(makers[kind](*sizes) for kind, *sizes in layers))


def _residual(nn: Any) -> Any:
    """x + body(x), as a class of either library's modules."""

    def start(self: Any, body: Any) -> None:
        nn.Module.__init__(self)
        self.body = body

    def forward(self: Any, x: Any) -> Any:
        return x + self.body(x)

    return type("Residual", (nn.Module,), {"__init__": start, "forward": forward})


def _fully_connected(*widths: int) -> Layers:
    layers: list[tuple[Any, ...]] = []
    for index in range(len(widths) - 1):
        layers += [("linear", widths[index], widths[index + 1]), ("relu",)]
    return tuple(layers[:-1])


def _convolution(channels: int, width: int) -> Layers:
    return ("conv", channels, width, 3, 1), ("norm", width), ("relu",)


def _vgg(*widths: int) -> Layers:
    layers: list[tuple[Any, ...]] = []
    channels = 3
    for width in widths:
        layers += [*_convolution(channels, width), *_convolution(width, width), ("pool", 2)]
        channels = width
    return (*layers, ("flatten",), ("linear", channels * 16, CLASSES))


def _airbench() -> Layers:
    layers: list[tuple[Any, ...]] = [("conv", 3, 24, 2, 0), ("gelu",)]
    channels = 24
    for width in (64, 256, 256):
        layers += [("conv", channels, width, 3, 1), ("pool", 2), ("norm", width), ("gelu",)]
        layers += [("conv", width, width, 3, 1), ("norm", width), ("gelu",)]
        channels = width
    return (*layers, ("pool", 3), ("flatten",), ("linear", channels, CLASSES))


def _head(channels: int) -> Layers:
    return ("average",), ("flatten",), ("linear", channels, CLASSES)


def _residual_blocks(width: int, count: int) -> Layers:
    block = ("residual", (*_convolution(width, width), *_convolution(width, width)[:2]))
    return (*_convolution(3, width), *((block, ("relu",)) * count), *_head(width))


def _separable_blocks(*widths: int) -> Layers:
    layers: list[tuple[Any, ...]] = [*_convolution(3, widths[0])]
    for channels, width in itertools.pairwise(widths):
        layers += [("depthwise", channels, 3, 1), ("norm", channels), ("relu",)]
        layers += [("conv", channels, width, 1, 0), ("norm", width), ("relu",)]
    return (*layers, *_head(widths[-1]))


IMAGE = (3, 32, 32)
NETWORKS = {
    "softmax": Network(_fully_connected(3072, CLASSES), (3072,), 100),
    "mlp_small": Network(_fully_connected(3072, 100, CLASSES), (3072,), 100),
    "mlp_large": Network(_fully_connected(3072, 1024, 1024, CLASSES), (3072,), 256),
    "convnet": Network(
        (("conv", 3, 32, 5, 2), ("relu",), ("pool", 2), ("flatten",), ("linear", 8192, CLASSES)),
        IMAGE,
        50,
    ),
    "vgg6": Network(_vgg(64, 128, 256), IMAGE, 128),
    "airbench94": Network(_airbench(), IMAGE, 256),
    "resnet_blocks": Network(_residual_blocks(64, 2), IMAGE, 64),
    "depthwise_blocks": Network(_separable_blocks(64, 128, 128), IMAGE, 64),
}
