"""The classifiers, from a linear one to an architecture-searched network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import nn
from autograd import Tensor
from examples.cifar10.data.images import CLASSES, IMAGE_BYTES, IMAGE_SHAPE
from examples.cifar10.models.airbench import WHITENING_IMAGES, Whitening, airbench_layers
from examples.cifar10.models.darts import DartsNetwork
from examples.cifar10.presets import ModelName, Recipe

_CONVNET_FILTERS = 32
_VGG_WIDTHS = (32, 64, 128)
_PUBLISHED_MEAN = 255.0 * np.array([0.4914, 0.4822, 0.4465])
_PUBLISHED_DEVIATION = 255.0 * np.array([0.2470, 0.2435, 0.2616])

_Builder = Callable[[Recipe, np.random.Generator], list[nn.Module]]


class Standardise(nn.Module):
    """Pixels 0..255 to (pixel - mean) / deviation, in the dtype of the two."""

    mean: np.ndarray
    deviation: np.ndarray

    def __init__(self, shape: tuple[int, int, int], channels_last: bool = False) -> None:
        # Convolutions are faster on images whose channels lie together in memory.
        self.channels_last = channels_last
        self.register_buffer("mean", np.zeros(shape, np.float32))
        self.register_buffer("deviation", np.ones(shape, np.float32))

    def fit(self, mean: np.ndarray, deviation: np.ndarray) -> None:
        """Take over statistics of the shape given at the start."""
        self.mean[...] = mean
        self.deviation[...] = deviation

    def forward(self, images: np.ndarray | Tensor) -> Any:
        """Images of shape (N, 3, 32, 32), of any dtype if an array."""
        if isinstance(images, Tensor):
            return (images - self.mean) / self.deviation
        count, channels, height, width = images.shape
        if self.channels_last:
            shape = (count, height, width, channels)
            pixels = np.empty(shape, self.mean.dtype).transpose(0, 3, 1, 2)
        else:
            pixels = np.empty(images.shape, self.mean.dtype)
        np.subtract(images, self.mean, out=pixels)
        pixels *= 1.0 / self.deviation
        return pixels


def pixel_statistics(images: np.ndarray, recipe: Recipe) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation for Standardise: per channel, or the mean image and ones."""
    if recipe.pixels == "centred":
        return images.mean(axis=0, dtype=np.float64), np.ones((3, 1, 1))
    if recipe.pixels == "published":
        return _PUBLISHED_MEAN.reshape(3, 1, 1), _PUBLISHED_DEVIATION.reshape(3, 1, 1)
    counts = np.stack([np.bincount(images[:, c].ravel(), minlength=256) for c in range(3)])
    values = np.arange(256.0)
    total = counts.sum(axis=1)
    mean = counts @ values / total
    variance = counts @ values**2 / total - mean**2
    # A channel without contrast stays zero.
    deviation = np.sqrt(np.maximum(variance, 1.0))
    return mean.reshape(3, 1, 1), deviation.reshape(3, 1, 1)


def build_model(name: ModelName, recipe: Recipe, rng: np.random.Generator) -> nn.Sequential:
    """A new model that takes uint8 images (N, 3, 32, 32) and gives scores (N, 10).

    What it takes from the training images, `fit_to_images` or a saved state puts in.

    - softmax: one affine layer.
    - two_layer: affine, ReLU, affine.
    - mlp: affine layers with batch norm and ReLU.
    - convnet: 32 filters of 5x5, ReLU, 2x2 max pool, affine.
    - vgg: three pairs of 3x3 convolutions with batch norm and ReLU (Simonyan & Zisserman 2014;
      Ioffe & Szegedy 2015), each followed by a 2x2 max pool, then affine.
    - airbench: fixed whitening filters, three pairs of 3x3 convolutions with pooling, batch norm
      and GELU, a linear head (Jordan 2024).
    - darts: 20 cells found by architecture search (Liu et al. 2019), with 36 channels;
      darts_small: 8 of them, with 16.
    """
    builders: dict[str, _Builder] = {
        "softmax": _fully_connected,
        "two_layer": _fully_connected,
        "mlp": _normalised,
        "convnet": _convnet,
        "vgg": _vgg,
        "airbench": lambda _recipe, rng: airbench_layers(rng),
        "darts_small": _darts(16, 8),
        "darts": _darts(36, 20),
    }
    shape = IMAGE_SHAPE if recipe.pixels == "centred" else (3, 1, 1)
    fully_connected = name in ("softmax", "two_layer", "mlp")
    first = Standardise(shape, channels_last=not fully_connected)
    model = nn.Sequential(first, *builders[name](recipe, rng))
    if recipe.initial_std is not None:
        for parameter in model.parameters():
            if parameter.ndim > 1:
                nn.init.normal_(parameter, std=recipe.initial_std, rng=rng)
            else:
                nn.init.zeros_(parameter)
    return model


def fit_to_images(model: nn.Sequential, recipe: Recipe, images: np.ndarray) -> None:
    """Compute from training images (N, 3, 32, 32), uint8, what a model keeps of them: the
    statistics of pixels, and whitening filters if it has any.
    """
    standardise = next(module for module in model if isinstance(module, Standardise))
    standardise.fit(*pixel_statistics(images, recipe))
    for module in model:
        if isinstance(module, Whitening):
            module.fit(standardise(images[:WHITENING_IMAGES]))


def _fully_connected(recipe: Recipe, rng: np.random.Generator) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.Flatten()]
    width = IMAGE_BYTES
    for hidden in recipe.hidden:
        layers += [_linear(width, hidden, rng), nn.ReLU()]
        width = hidden
    return [*layers, _scores(width, rng)]


def _normalised(recipe: Recipe, rng: np.random.Generator) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.Flatten()]
    width = IMAGE_BYTES
    for hidden in recipe.hidden:
        layers += [_linear(width, hidden, rng, bias=False), nn.BatchNorm1d(hidden), nn.ReLU()]
        width = hidden
    return [*layers, _scores(width, rng)]


def _convnet(_recipe: Recipe, rng: np.random.Generator) -> list[nn.Module]:
    return [
        nn.Conv2d(3, _CONVNET_FILTERS, 5, padding=2, rng=rng),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        _scores(_CONVNET_FILTERS * 16 * 16, rng),
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
    return [*layers, nn.Flatten(), _scores(channels * 4 * 4, rng)]


def _darts(channels: int, cells: int) -> _Builder:
    return lambda recipe, rng: [
        DartsNetwork(channels, cells, rng, auxiliary=recipe.auxiliary_weight > 0)
    ]


def _linear(inputs: int, outputs: int, rng: np.random.Generator, *, bias: bool = True) -> nn.Linear:
    return nn.Linear(inputs, outputs, bias=bias, rng=rng)


def _scores(inputs: int, rng: np.random.Generator) -> nn.Linear:
    """The last layer: even scores at the start, so that the loss begins at log(10)."""
    layer = _linear(inputs, CLASSES, rng)
    nn.init.zeros_(layer.weight)
    return layer
