"""The operations that a cell of an architecture-searched network is made of.

Attributes have the names of the networks published with H. Liu, K. Simonyan & Y. Yang, "DARTS:
Differentiable architecture search", 2019, so that their weights load by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

import autograd as ag
import nn

Operation = Literal[
    "skip_connect",
    "max_pool_3x3",
    "avg_pool_3x3",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
]


def make_operation(
    name: Operation, channels: int, stride: int, rng: np.random.Generator
) -> nn.Module:
    """An operation that keeps the channels of images (N, C, H, W); stride 2 halves the sides."""
    makers: dict[Operation, Callable[[], nn.Module]] = {
        "skip_connect": lambda: (
            nn.Identity() if stride == 1 else FactorizedReduce(channels, channels, rng)
        ),
        "max_pool_3x3": lambda: nn.MaxPool2d(3, stride, 1),
        "avg_pool_3x3": lambda: nn.AvgPool2d(3, stride, 1, count_include_pad=False),
        "sep_conv_3x3": lambda: SeparableConvolution(channels, 3, stride, rng),
        "sep_conv_5x5": lambda: SeparableConvolution(channels, 5, stride, rng),
        "dil_conv_3x3": lambda: DilatedConvolution(channels, 3, stride, rng),
        "dil_conv_5x5": lambda: DilatedConvolution(channels, 5, stride, rng),
    }
    return makers[name]()


class _Wrapped(nn.Module):
    """Layers in a row, under the name that the published weights have them by."""

    op: nn.Sequential

    def forward(self, images: Any) -> Any:
        """Images (N, C, H, W)."""
        return self.op(images)


class Projection(_Wrapped):
    """ReLU, 1x1 convolution, batch norm: what brings a cell's inputs to its own channels.

    >>> layer = Projection(4, 6, np.random.default_rng(0))
    >>> layer(np.ones((1, 4, 8, 8), np.float32)).shape
    (1, 6, 8, 8)
    """

    def __init__(self, inputs: int, outputs: int, rng: np.random.Generator) -> None:
        self.op = nn.Sequential(
            nn.ReLU(), nn.Conv2d(inputs, outputs, 1, bias=False, rng=rng), nn.BatchNorm2d(outputs)
        )


class SeparableConvolution(_Wrapped):
    """Twice ReLU, a convolution of each channel alone, a 1x1 convolution and batch norm.

    >>> layer = SeparableConvolution(4, 3, 2, np.random.default_rng(0))
    >>> layer(np.ones((1, 4, 8, 8), np.float32)).shape
    (1, 4, 4, 4)
    """

    def __init__(self, channels: int, kernel: int, stride: int, rng: np.random.Generator) -> None:
        self.op = nn.Sequential(
            *_depthwise_separable(channels, kernel, stride, 1, rng),
            *_depthwise_separable(channels, kernel, 1, 1, rng),
        )


class DilatedConvolution(_Wrapped):
    """Once ReLU, a convolution of each channel alone with dilation 2, a 1x1 convolution and batch
    norm.

    >>> layer = DilatedConvolution(4, 3, 1, np.random.default_rng(0))
    >>> layer(np.ones((1, 4, 8, 8), np.float32)).shape
    (1, 4, 8, 8)
    """

    def __init__(self, channels: int, kernel: int, stride: int, rng: np.random.Generator) -> None:
        self.op = nn.Sequential(*_depthwise_separable(channels, kernel, stride, 2, rng))


class FactorizedReduce(nn.Module):
    """Halves the sides of images without losing pixels: two 1x1 convolutions of stride 2, one of
    them from the second row and column on, give half of the channels each; then batch norm.

    >>> layer = FactorizedReduce(4, 6, np.random.default_rng(0))
    >>> layer(np.ones((1, 4, 8, 8), np.float32)).shape
    (1, 6, 4, 4)
    """

    def __init__(self, inputs: int, outputs: int, rng: np.random.Generator) -> None:
        if outputs % 2:
            raise ValueError(f"FactorizedReduce needs an even number of channels, got {outputs}")
        self.relu = nn.ReLU()
        self.conv_1 = nn.Conv2d(inputs, outputs // 2, 1, 2, bias=False, rng=rng)
        self.conv_2 = nn.Conv2d(inputs, outputs // 2, 1, 2, bias=False, rng=rng)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, images: Any) -> Any:
        """Images (N, C, H, W) of even sides."""
        images = self.relu(images)
        halves = [self.conv_1(images), self.conv_2(images[:, :, 1:, 1:])]
        return self.bn(ag.concatenate(halves, axis=1))


def _depthwise_separable(
    channels: int, kernel: int, stride: int, dilation: int, rng: np.random.Generator
) -> list[nn.Module]:
    depthwise = nn.Conv2d(
        channels,
        channels,
        kernel,
        stride,
        padding=dilation * (kernel // 2),
        dilation=dilation,
        groups=channels,
        bias=False,
        rng=rng,
    )
    pointwise = nn.Conv2d(channels, channels, 1, bias=False, rng=rng)
    return [nn.ReLU(), depthwise, pointwise, nn.BatchNorm2d(channels)]
