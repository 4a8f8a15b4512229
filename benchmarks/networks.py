"""Networks described once, built with dagrad's modules and with PyTorch's."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Network:
    """Layers as tuples and what goes in: ('linear', in, out), ('conv', in, out, kernel, padding),
    ('norm', channels), ('pool', size), ('relu',), ('gelu',) and ('flatten',).
    """

    layers: tuple[tuple[Any, ...], ...]
    shape: tuple[int, ...]
    """Of one input, without the batch."""
    batch: int

    @property
    def training_flops(self) -> float:
        """Multiplications and additions of one training step's products and convolutions: the
        forward pass, and the gradients by the inputs (not of the first layer) and by the weights.
        """
        total = 0.0
        shape = self.shape
        first = True
        for kind, *sizes in self.layers:
            flops = 0.0
            if kind == "linear":
                flops = 2.0 * sizes[0] * sizes[1]
                shape = (sizes[1],)
            elif kind == "conv":
                fan_in, channels, kernel, padding = sizes
                side = [n + 2 * padding - kernel + 1 for n in shape[1:]]
                flops = 2.0 * fan_in * kernel**2 * channels * math.prod(side)
                shape = (channels, *side)
            elif kind == "pool":
                shape = (shape[0], *(n // sizes[0] for n in shape[1:]))
            elif kind == "flatten":
                shape = (math.prod(shape),)
            total += flops * (2 if first else 3)
            first = first and not flops
        return total * self.batch


def ours(network: Network) -> Any:
    """The network as an `nn.Sequential`."""
    import nn

    return _built(network, nn)


def torchs(network: Network) -> Any:
    """The network as a `torch.nn.Sequential`."""
    from torch import nn

    return _built(network, nn)


def _built(network: Network, nn: Any) -> Any:
    """With either library's modules: they have the same names."""
    makers: dict[str, Callable[..., Any]] = {
        "linear": nn.Linear,
        "conv": lambda i, o, k, p: nn.Conv2d(i, o, k, padding=p),
        "norm": nn.BatchNorm2d,
        "pool": nn.MaxPool2d,
        "relu": nn.ReLU,
        "gelu": nn.GELU,
        "flatten": nn.Flatten,
    }
    return nn.Sequential(*(makers[kind](*sizes) for kind, *sizes in network.layers))


def _fully_connected(*widths: int) -> tuple[tuple[Any, ...], ...]:
    layers: list[tuple[Any, ...]] = []
    for index in range(len(widths) - 1):
        layers += [("linear", widths[index], widths[index + 1]), ("relu",)]
    return tuple(layers[:-1])


def _vgg(*widths: int) -> tuple[tuple[Any, ...], ...]:
    layers: list[tuple[Any, ...]] = []
    channels = 3
    for width in widths:
        for _ in range(2):
            layers += [("conv", channels, width, 3, 1), ("norm", width), ("relu",)]
            channels = width
        layers.append(("pool", 2))
    return (*layers, ("flatten",), ("linear", channels * 16, 10))


def _airbench() -> tuple[tuple[Any, ...], ...]:
    layers: list[tuple[Any, ...]] = [("conv", 3, 24, 2, 0), ("gelu",)]
    channels = 24
    for width in (64, 256, 256):
        layers += [("conv", channels, width, 3, 1), ("pool", 2), ("norm", width), ("gelu",)]
        layers += [("conv", width, width, 3, 1), ("norm", width), ("gelu",)]
        channels = width
    return (*layers, ("pool", 3), ("flatten",), ("linear", channels, 10))


IMAGE = (3, 32, 32)
NETWORKS = {
    "softmax": Network(_fully_connected(3072, 10), (3072,), 100),
    "mlp_small": Network(_fully_connected(3072, 100, 10), (3072,), 100),
    "mlp_large": Network(_fully_connected(3072, 1024, 1024, 10), (3072,), 256),
    "convnet": Network(
        (("conv", 3, 32, 5, 2), ("relu",), ("pool", 2), ("flatten",), ("linear", 8192, 10)),
        IMAGE,
        50,
    ),
    "vgg6": Network(_vgg(64, 128, 256), IMAGE, 128),
    "airbench94": Network(_airbench(), IMAGE, 256),
}
