"""The five classifiers, from a linear one to a small VGG."""

from __future__ import annotations

from typing import Any

import numpy as np

import nn
from autograd import Tensor
from examples.cifar10.images import CLASSES, IMAGE_BYTES, IMAGE_SHAPE
from examples.cifar10.presets import ModelName, Recipe

_CONVNET_FILTERS = 32
_VGG_WIDTHS = (32, 64, 128)


class Standardise(nn.Module):
    """Pixels 0..255 to (pixel - mean) / deviation, in float32."""

    mean: np.ndarray
    deviation: np.ndarray

    def __init__(
        self, mean: np.ndarray, deviation: np.ndarray, channels_last: bool = False
    ) -> None:
        # Convolutions are faster on images whose channels lie together in memory.
        self.channels_last = channels_last
        self.register_buffer("mean", mean.astype(np.float32))
        self.register_buffer("deviation", deviation.astype(np.float32))

    def forward(self, images: np.ndarray | Tensor) -> Any:
        """Images of shape (N, 3, 32, 32), of any dtype if an array."""
        if isinstance(images, Tensor):
            return (images - self.mean) / self.deviation
        if self.channels_last:
            count, channels, height, width = images.shape
            pixels = np.empty((count, height, width, channels), np.float32).transpose(0, 3, 1, 2)
        else:
            pixels = np.empty(images.shape, np.float32)
        np.subtract(images, self.mean, out=pixels)
        pixels *= 1.0 / self.deviation
        return pixels


def pixel_statistics(images: np.ndarray, recipe: Recipe) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation for Standardise: per channel, or the mean image and ones."""
    if recipe.pixels == "centred":
        return images.mean(axis=0, dtype=np.float64), np.ones((3, 1, 1))
    counts = np.stack([np.bincount(images[:, c].ravel(), minlength=256) for c in range(3)])
    values = np.arange(256.0)
    total = counts.sum(axis=1)
    mean = counts @ values / total
    variance = counts @ values**2 / total - mean**2
    # A channel without contrast stays zero.
    deviation = np.sqrt(np.maximum(variance, 1.0))
    return mean.reshape(3, 1, 1), deviation.reshape(3, 1, 1)


def blank_statistics(recipe: Recipe) -> tuple[np.ndarray, np.ndarray]:
    """Placeholders of the right shapes, for a model whose state is about to be loaded."""
    shape = IMAGE_SHAPE if recipe.pixels == "centred" else (3, 1, 1)
    return np.zeros(shape), np.ones((3, 1, 1))


def build_model(
    name: ModelName,
    recipe: Recipe,
    statistics: tuple[np.ndarray, np.ndarray],
    rng: np.random.Generator,
) -> nn.Sequential:
    """A new model that takes uint8 images (N, 3, 32, 32) and gives scores (N, 10).

    - softmax: one affine layer.
    - two_layer: affine, ReLU, affine.
    - mlp: affine layers with batch norm and ReLU.
    - convnet: 32 filters of 5x5, ReLU, 2x2 max pool, affine.
    - vgg: three pairs of 3x3 convolutions with batch norm and ReLU (Simonyan & Zisserman 2014;
      Ioffe & Szegedy 2015), each followed by a 2x2 max pool, then affine.
    """
    builders = {
        "softmax": _fully_connected,
        "two_layer": _fully_connected,
        "mlp": _normalised,
        "convnet": _convnet,
        "vgg": _vgg,
    }
    first = Standardise(*statistics, channels_last=name in ("convnet", "vgg"))
    model = nn.Sequential(first, *builders[name](recipe, rng))
    if recipe.initial_std is None:
        # Even scores at the start: the loss begins at log(10).
        last = [module for module in model.modules() if isinstance(module, nn.Linear)][-1]
        nn.init.zeros_(last.weight)
    else:
        for parameter in model.parameters():
            if parameter.ndim > 1:
                nn.init.normal_(parameter, std=recipe.initial_std, rng=rng)
            else:
                nn.init.zeros_(parameter)
    return model


def _fully_connected(recipe: Recipe, rng: np.random.Generator) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.Flatten()]
    width = IMAGE_BYTES
    for hidden in recipe.hidden:
        layers += [_linear(width, hidden, rng), nn.ReLU()]
        width = hidden
    return [*layers, _linear(width, CLASSES, rng)]


def _normalised(recipe: Recipe, rng: np.random.Generator) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.Flatten()]
    width = IMAGE_BYTES
    for hidden in recipe.hidden:
        layers += [_linear(width, hidden, rng, bias=False), nn.BatchNorm1d(hidden), nn.ReLU()]
        width = hidden
    return [*layers, _linear(width, CLASSES, rng)]


def _convnet(_recipe: Recipe, rng: np.random.Generator) -> list[nn.Module]:
    return [
        nn.Conv2d(3, _CONVNET_FILTERS, 5, padding=2, rng=rng),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        _linear(_CONVNET_FILTERS * 16 * 16, CLASSES, rng),
    ]


def _vgg(_recipe: Recipe, rng: np.random.Generator) -> list[nn.Module]:
    layers: list[nn.Module] = []
    channels = 3
    for width in _VGG_WIDTHS:
        for _ in range(2):
            convolution = nn.Conv2d(channels, width, 3, padding=1, bias=False, rng=rng)
            layers += [convolution, nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
        layers.append(nn.MaxPool2d(2))
    return [*layers, nn.Flatten(), _linear(channels * 4 * 4, CLASSES, rng)]


def _linear(inputs: int, outputs: int, rng: np.random.Generator, *, bias: bool = True) -> nn.Linear:
    return nn.Linear(inputs, outputs, bias=bias, rng=rng)
