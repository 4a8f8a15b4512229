"""The layers of airbench94 (K. Jordan, 94% on CIFAR-10 in 3.29 seconds on a single GPU, 2024)."""

from __future__ import annotations

from typing import Any

import numpy as np

import nn
from autograd import no_grad
from examples.cifar10.data.images import CLASSES

WIDTHS = (64, 256, 256)
# How many of the training images the whitening filters are computed from.
WHITENING_IMAGES = 5000
_WHITENING_EPS = 5e-4
# Bounds the memory of the patches.
_CHUNK = 250


def airbench_layers(rng: np.random.Generator) -> list[nn.Module]:
    """Whitening, GELU, three groups of convolutions, the maximum of what is left, a linear head."""
    first = Whitening(rng)
    layers: list[nn.Module] = [first, nn.GELU()]
    channels = first.out_channels
    for width in WIDTHS:
        layers.append(ConvolutionGroup(channels, width, rng))
        channels = width
    return [*layers, nn.MaxPool2d(3), nn.Flatten(), Head(channels, rng)]


class Whitening(nn.Conv2d):
    """A 2x2 convolution that makes patches of colour images uncorrelated, and the negatives.

    The 24 filters, of shape (24, 3, 2, 2), are fixed by `fit`; only the bias is trained.

    >>> layer = Whitening(np.random.default_rng(0))
    >>> layer(np.zeros((1, 3, 32, 32), np.float32)).shape
    (1, 24, 31, 31)
    """

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__(3, 24, 2, rng=rng)
        self.weight.requires_grad = False

    def fit(self, images: np.ndarray) -> None:
        """Compute the filters from floats of shape (N, 3, H, W)."""
        with no_grad():
            self.weight.copy_(whitening_filters(images))


class ConvolutionGroup(nn.Sequential):
    """Two 3x3 convolutions, each with batch norm and GELU; the first is pooled before the norm."""

    def __init__(self, inputs: int, width: int, rng: np.random.Generator) -> None:
        super().__init__(
            _convolution(inputs, width, rng),
            nn.MaxPool2d(2),
            ShiftedNorm(width),
            nn.GELU(),
            _convolution(width, width, rng),
            ShiftedNorm(width),
            nn.GELU(),
        )


class ShiftedNorm(nn.BatchNorm2d):
    """Batch norm that learns a bias and no scale, and follows the batches' statistics fast."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-12, momentum=0.4)
        self.weight = None


class Head(nn.Linear):
    """(x W^T) / (number of features), the entries of W of deviation 1 at the start.

    Large weights under a small factor: the effective learning rate is small, and decay matters
    little.
    """

    def __init__(self, features: int, rng: np.random.Generator) -> None:
        super().__init__(features, CLASSES, bias=False, rng=rng)
        with no_grad():
            self.weight.copy_(self.weight.data / self.weight.data.std(ddof=1))

    def forward(self, input: Any) -> Any:
        """Scores (N, 10)."""
        return super().forward(input) / self.in_features


def whitening_filters(images: np.ndarray) -> np.ndarray:
    """Filters (24, 3, 2, 2) that whiten the 2x2 patches of images (N, 3, H, W): v / sqrt(l + eps)
    for each eigenvalue l and eigenvector v of the patches' second moments, then their negatives.

    The signs of the eigenvectors are fixed by their largest entries, so that the filters do not
    depend on the linear algebra library.

    >>> noise = np.random.default_rng(0).standard_normal((20, 3, 32, 32))
    >>> filters = whitening_filters(noise)
    >>> filters.shape, bool(np.allclose(filters[:12], -filters[12:]))
    ((24, 3, 2, 2), True)
    """
    moments = np.zeros((12, 12))
    patches = 0
    for start in range(0, len(images), _CHUNK):
        chunk = images[start : start + _CHUNK].astype(np.float64)
        corners = [
            chunk[:, c, i : i - 1 or None, j : j - 1 or None].ravel()
            for c in range(3)
            for i in range(2)
            for j in range(2)
        ]
        rows = np.stack(corners)
        moments += rows @ rows.T
        patches += rows.shape[1]
    values, vectors = np.linalg.eigh(moments / patches)
    vectors *= np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(12)])
    filters = (vectors / np.sqrt(values + _WHITENING_EPS)).T.reshape(12, 3, 2, 2)
    return np.concatenate([filters, -filters])


def _convolution(inputs: int, width: int, rng: np.random.Generator) -> nn.Conv2d:
    """Starts as the identity on its first channels, at random on the others (dirac)."""
    convolution = nn.Conv2d(inputs, width, 3, padding=1, bias=False, rng=rng)
    nn.init.dirac_(convolution.weight.data[:inputs])
    return convolution
