"""Pooling layers."""

from __future__ import annotations

from typing import Any

from nn import functional
from nn.checks import IntOrPair, pair
from nn.module import Module


class MaxPool2d(Module):
    """The largest entry of each window of images (N, C, H, W); the stride is the kernel's unless given.

    >>> import nn, numpy as np
    >>> nn.MaxPool2d(2)(np.ones((1, 3, 6, 6), np.float32)).shape
    (1, 3, 3, 3)
    """

    def __init__(
        self,
        kernel_size: IntOrPair,
        stride: IntOrPair | None = None,
        padding: IntOrPair = 0,
        dilation: IntOrPair = 1,
    ) -> None:
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.stride = self.kernel_size if stride is None else pair(stride, "stride")
        self.padding = pair(padding, "padding", 0)
        self.dilation = pair(dilation, "dilation")

    def forward(self, input: Any) -> Any:
        """(N, C, H, W) to (N, C, H', W')."""
        return functional.max_pool2d(
            input, self.kernel_size, self.stride, self.padding, self.dilation
        )

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}"
        )


class AvgPool2d(Module):
    """The mean of each window of images (N, C, H, W); the stride is the kernel's unless given.

    >>> import nn, numpy as np
    >>> nn.AvgPool2d(3)(np.ones((1, 3, 6, 6), np.float32)).shape
    (1, 3, 2, 2)
    """

    def __init__(
        self,
        kernel_size: IntOrPair,
        stride: IntOrPair | None = None,
        padding: IntOrPair = 0,
        count_include_pad: bool = True,
    ) -> None:
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.stride = self.kernel_size if stride is None else pair(stride, "stride")
        self.padding = pair(padding, "padding", 0)
        self.count_include_pad = count_include_pad

    def forward(self, input: Any) -> Any:
        """(N, C, H, W) to (N, C, H', W')."""
        return functional.avg_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            count_include_pad=self.count_include_pad,
        )

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AdaptiveAvgPool2d(Module):
    """Means over `output_size` bins of images (N, C, H, W); None keeps a size.

    >>> import nn, numpy as np
    >>> nn.AdaptiveAvgPool2d(1)(np.ones((1, 3, 6, 6), np.float32)).shape
    (1, 3, 1, 1)
    """

    def __init__(self, output_size: int | tuple[int | None, int | None]) -> None:
        self.output_size = output_size

    def forward(self, input: Any) -> Any:
        """(N, C, H, W) to (N, C, *output_size)."""
        return functional.adaptive_avg_pool2d(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"
