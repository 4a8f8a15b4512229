"""The first layer of a model, from pixels 0..255 to numbers around 0, and doing it ahead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd as ag
import nn
from autograd import Tensor
from examples.cifar10.presets import Recipe

_PUBLISHED_MEAN = 255.0 * np.array([0.4914, 0.4822, 0.4465])
_PUBLISHED_DEVIATION = 255.0 * np.array([0.2470, 0.2435, 0.2616])


@dataclass(frozen=True)
class Prepared:
    """What a model's first layer makes of images; given to the model, that layer passes it on."""

    pixels: np.ndarray


class Pixels(nn.Module):
    """A first layer without parameters, so that a model takes pixels as they are, and a thread
    may do its work ahead.
    """

    def __init__(self, channels_last: bool = False) -> None:
        # How the result lies in memory.
        self.channels_last = channels_last

    def prepare(self, images: np.ndarray) -> Prepared:
        """The layer's result for images (N, C, H, W), in NumPy alone, for the layer to pass on."""
        return Prepared(self.on_array(images))

    def forward(self, images: np.ndarray | Tensor | Prepared) -> Any:
        """Images of shape (N, C, H, W), of any dtype if an array."""
        if isinstance(images, Prepared):
            return images.pixels
        return self.on_tensor(images) if isinstance(images, Tensor) else self.on_array(images)

    def on_array(self, images: np.ndarray) -> np.ndarray:
        """A new array of floats."""
        raise NotImplementedError

    def on_tensor(self, images: Tensor) -> Tensor:
        """The same, recorded."""
        raise NotImplementedError

    def new_array(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """An array (N, C, H, W) for the result."""
        if not self.channels_last:
            return np.empty(shape, dtype)
        count, channels, height, width = shape
        return np.empty((count, height, width, channels), dtype).transpose(0, 3, 1, 2)


class Standardise(Pixels):
    """(pixel - mean) / deviation, in the dtype of the two."""

    mean: np.ndarray
    deviation: np.ndarray

    def __init__(self, shape: tuple[int, int, int], channels_last: bool = False) -> None:
        super().__init__(channels_last)
        self.register_buffer("mean", np.zeros(shape, np.float32))
        self.register_buffer("deviation", np.ones(shape, np.float32))

    def fit(self, mean: np.ndarray, deviation: np.ndarray) -> None:
        """Take over statistics of the shape given at the start."""
        self.mean[...] = mean
        self.deviation[...] = deviation

    def on_array(self, images: np.ndarray) -> np.ndarray:
        """A new array of the dtype of the statistics."""
        pixels = self.new_array(images.shape, self.mean.dtype)
        factor = 1.0 / self.deviation
        # A channel at a time: half the time when channels lie together.
        for channel in range(images.shape[1]):
            part = pixels[:, channel]
            np.subtract(images[:, channel], self.mean[channel], out=part)
            part *= factor[channel]
        return pixels

    def on_tensor(self, images: Tensor) -> Tensor:
        """The same, recorded."""
        return (images - self.mean) / self.deviation


class WhitenChannels(Pixels):
    """Every channel of every image with mean 0 and deviation 1, in float32: differences in
    brightness, contrast and tint between images go.

    A deviation below 1, of one grey level, counts as 1, so that an even channel becomes zeros.

    >>> image = np.full((1, 3, 2, 2), 7, np.uint8)
    >>> image[0, 0] = [[10, 20], [20, 10]]
    >>> WhitenChannels()(image)[0, :2].tolist()
    [[[-1.0, 1.0], [1.0, -1.0]], [[0.0, 0.0], [0.0, 0.0]]]
    """

    def on_array(self, images: np.ndarray) -> np.ndarray:
        """A new array of float32."""
        pixels = self.new_array(images.shape, np.float32)
        for channel in range(images.shape[1]):
            plane = images[:, channel].astype(np.float32)
            plane -= plane.mean(axis=(1, 2), keepdims=True)
            variance = np.square(plane).mean(axis=(1, 2), keepdims=True)
            np.divide(plane, np.sqrt(np.maximum(variance, 1.0)), out=pixels[:, channel])
        return pixels

    def on_tensor(self, images: Tensor) -> Tensor:
        """The same, recorded."""
        centred = images - ag.mean(images, axis=(2, 3), keepdims=True)
        variance = ag.mean(centred**2, axis=(2, 3), keepdims=True)
        whitened: Tensor = centred / ag.sqrt(ag.maximum(variance, 1.0))
        return whitened


def preparing(model: nn.Module) -> Callable[[np.ndarray], np.ndarray | Prepared]:
    """What can be done to images ahead of the model: its first layer's work, if that is Pixels."""
    first = model[0] if isinstance(model, nn.Sequential) and len(model) else None
    return first.prepare if isinstance(first, Pixels) else lambda images: images


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
