"""The classifiers, from a linear one to an architecture-searched network."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import nn
from examples.cifar10.data.images import CLASSES, IMAGE_BYTES, IMAGE_SHAPE
from examples.cifar10.models.airbench import WHITENING_IMAGES, Whitening, airbench_layers
from examples.cifar10.models.darts import DartsNetwork
from examples.cifar10.models.pixels import Pixels, Standardise, WhitenChannels, pixel_statistics
from examples.cifar10.presets import ModelName, Recipe

_CONVNET_FILTERS = 32
_VGG_WIDTHS = (32, 64, 128)

_Builder = Callable[[Recipe, np.random.Generator], list[nn.Module]]


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
    # Convolutions are faster on images whose channels lie together in memory.
    channels_last = name not in ("softmax", "two_layer", "mlp")
    first: Pixels
    if recipe.pixels == "whitened":
        first = WhitenChannels(channels_last)
    else:
        shape = IMAGE_SHAPE if recipe.pixels == "centred" else (3, 1, 1)
        first = Standardise(shape, channels_last)
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
    first = model[0]
    if isinstance(first, Standardise):
        first.fit(*pixel_statistics(images, recipe))
    for module in model:
        if isinstance(module, Whitening):
            module.fit(first(images[:WHITENING_IMAGES]))


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
