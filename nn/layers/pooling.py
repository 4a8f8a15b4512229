"""Pooling of images."""

from __future__ import annotations

from typing import Any

from nn import functional as F
from nn.checks import IntOrPair, as_floats, pair
from nn.module import Module, describe


class _Pooling(Module):
    def _checked(self, input: Any) -> Any:
        input = as_floats(input, type(self).__name__)
        if input.ndim not in (3, 4):
            raise ValueError(
                f"{describe(self)} takes an input (N, C, H, W) or (C, H, W), "
                f"got shape {input.shape}"
            )
        return input


class MaxPool2d(_Pooling):
    """The largest element of each window; the stride is the kernel's size unless given.

    >>> import nn, numpy as np
    >>> nn.MaxPool2d(2)(np.array([[[1.0, 3.0], [2.0, 0.0]]]))
    array([[[3.]]])
    """

    def __init__(
        self,
        kernel_size: IntOrPair,
        stride: IntOrPair | None = None,
        padding: IntOrPair = 0,
        dilation: IntOrPair = 1,
    ) -> None:
        _check_window(kernel_size, stride, padding)
        pair(dilation, "dilation")
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation

    def forward(self, input: Any) -> Any:
        """The maxima; ValueError for an input of other axes."""
        return F.max_pool2d(
            self._checked(input), self.kernel_size, self.stride, self.padding, self.dilation
        )

    def extra_repr(self) -> str:
        """The window."""
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}"
        )


class AvgPool2d(_Pooling):
    """The mean of each window; padding counts as zeros unless `count_include_pad=False`.

    >>> import nn, numpy as np
    >>> nn.AvgPool2d(2)(np.array([[[1.0, 3.0], [2.0, 0.0]]]))
    array([[[1.5]]])
    """

    def __init__(
        self,
        kernel_size: IntOrPair,
        stride: IntOrPair | None = None,
        padding: IntOrPair = 0,
        *,
        count_include_pad: bool = True,
    ) -> None:
        _check_window(kernel_size, stride, padding)
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.count_include_pad = count_include_pad

    def forward(self, input: Any) -> Any:
        """The means; ValueError for an input of other axes."""
        return F.avg_pool2d(
            self._checked(input),
            self.kernel_size,
            self.stride,
            self.padding,
            count_include_pad=self.count_include_pad,
        )

    def extra_repr(self) -> str:
        """The window."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AdaptiveAvgPool2d(_Pooling):
    """Means over windows that divide the image into `output_size`; None keeps a side's size.

    >>> import nn, numpy as np
    >>> nn.AdaptiveAvgPool2d(1)(np.array([[[1.0, 3.0], [2.0, 0.0]]]))
    array([[[1.5]]])
    """

    def __init__(self, output_size: int | tuple[int | None, int | None] | None) -> None:
        sides = output_size if isinstance(output_size, (tuple, list)) else (output_size,) * 2
        pair([1 if side is None else side for side in sides], "output_size")
        self.output_size = output_size

    def forward(self, input: Any) -> Any:
        """The means; ValueError for an input of other axes."""
        return F.adaptive_avg_pool2d(self._checked(input), self.output_size)

    def extra_repr(self) -> str:
        """The size."""
        return f"output_size={self.output_size}"


def _check_window(kernel_size: Any, stride: Any, padding: Any) -> None:
    kernel = pair(kernel_size, "kernel_size")
    if stride is not None:
        pair(stride, "stride")
    width = pair(padding, "padding", 0)
    if any(2 * p > k for p, k in zip(width, kernel, strict=True)):
        raise ValueError(f"padding {padding} must be at most half the kernel_size {kernel_size}")
