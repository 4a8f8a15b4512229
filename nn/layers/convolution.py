"""Convolutional layers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nn import functional, init
from nn.checks import IntOrPair, count, pair, single
from nn.module import Module, describe
from nn.parameter import DEFAULT_DTYPE, Parameter
from nn.randomness import choose_rng


class _Convolution(Module):
    """What the convolutional layers share: sizes, weights and their names."""

    transposed = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, ...],
        groups: int,
        bias: bool,
        rng: np.random.Generator | None,
        dtype: DTypeLike,
    ) -> None:
        self.in_channels = count(in_channels, "in_channels")
        self.out_channels = count(out_channels, "out_channels")
        self.groups = count(groups, "groups")
        for name in ("in_channels", "out_channels"):
            if getattr(self, name) % self.groups:
                raise ValueError(
                    f"groups={groups} must divide in_channels={in_channels} and "
                    f"out_channels={out_channels}"
                )
        self.kernel_size = kernel_size
        first, second = self.out_channels, self.in_channels
        if self.transposed:
            first, second = second, first
        shape = (first, second // self.groups, *kernel_size)
        self.weight = Parameter(np.empty(shape, dtype or DEFAULT_DTYPE))
        self.bias = Parameter(np.empty(self.out_channels, dtype or DEFAULT_DTYPE)) if bias else None
        self.reset_parameters(rng=rng)

    def reset_parameters(self, *, rng: np.random.Generator | None = None) -> None:
        """Draw the weight and the bias anew, uniform in +-1/sqrt(inputs of one output)."""
        generator = choose_rng(rng)
        init.kaiming_uniform_(self.weight, a=math.sqrt(5), rng=generator)
        if self.bias is not None:
            bound = 1 / math.sqrt(init.fans(self.weight)[0])
            init.uniform_(self.bias, -bound, bound, rng=generator)

    def _check(self, input: Any) -> None:
        shape, dims = np.shape(input), len(self.kernel_size)
        if len(shape) not in (dims + 1, dims + 2) or shape[-dims - 1] != self.in_channels:
            axes = ", ".join(["L"] if dims == 1 else ["H", "W"])
            raise ValueError(
                f"{describe(self)} got an input of shape {shape}; expected (N, {self.in_channels}, "
                f"{axes}) or ({self.in_channels}, {axes})"
            )

    def _sizes_repr(self, **defaults: Any) -> str:
        parts = [
            f"{self.in_channels}, {self.out_channels}",
            f"kernel_size={self.kernel_size}",
            f"stride={vars(self)['stride']}",
        ]
        parts += [
            f"{name}={vars(self)[name]}"
            for name, default in defaults.items()
            if vars(self)[name] != default
        ]
        if self.bias is None:
            parts.append("bias=False")
        return ", ".join(parts)


def _sides(padding: Any, dims: int) -> Any:
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise ValueError(f"padding must be integers, 'same' or 'valid', got {padding!r}")
        return padding
    return pair(padding, "padding", 0) if dims == 2 else (single(padding, "padding", 0),)


class Conv1d(_Convolution):
    """Cross-correlation of inputs (N, C, L) or (C, L); `weight` (out, in/groups, k), `bias` (out,).

    `padding` may be 'same' or 'valid'. Raises ValueError for an input of other channels.

    >>> import nn, numpy as np
    >>> nn.Conv1d(2, 3, 3)(np.ones((1, 2, 8), np.float32)).shape
    (1, 3, 6)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int],
        stride: int | tuple[int] = 1,
        padding: int | tuple[int] | str = 0,
        dilation: int | tuple[int] = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = None,
    ) -> None:
        self.stride = (single(stride, "stride"),)
        self.padding = _sides(padding, 1)
        self.dilation = (single(dilation, "dilation"),)
        kernel = (single(kernel_size, "kernel_size"),)
        super().__init__(in_channels, out_channels, kernel, groups, bias, rng, dtype)

    def forward(self, input: Any) -> Any:
        """(N, in, L) to (N, out, L')."""
        self._check(input)
        padding = self.padding if isinstance(self.padding, str) else self.padding[0]
        return functional.conv1d(
            input,
            self.weight,
            self.bias,
            self.stride[0],
            padding,
            self.dilation[0],
            self.groups,
        )

    def extra_repr(self) -> str:
        return self._sizes_repr(padding=(0,), dilation=(1,), groups=1)


class Conv2d(_Convolution):
    """Cross-correlation of images (N, C, H, W) or (C, H, W).

    `weight` is (out, in/groups, kh, kw), `bias` (out,). Sizes become
    (H + 2 padding - dilation (kh - 1) - 1) // stride + 1; `padding` may be 'same' (stride 1) or
    'valid'. Raises ValueError for an input of other channels.

    >>> import nn, numpy as np
    >>> nn.Conv2d(3, 8, 3, padding=1)(np.ones((2, 3, 6, 6), np.float32)).shape
    (2, 8, 6, 6)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: IntOrPair,
        stride: IntOrPair = 1,
        padding: IntOrPair | str = 0,
        dilation: IntOrPair = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = None,
    ) -> None:
        self.stride = pair(stride, "stride")
        self.padding = _sides(padding, 2)
        self.dilation = pair(dilation, "dilation")
        kernel = pair(kernel_size, "kernel_size")
        super().__init__(in_channels, out_channels, kernel, groups, bias, rng, dtype)

    def forward(self, input: Any) -> Any:
        """(N, in, H, W) to (N, out, H', W')."""
        self._check(input)
        return functional.conv2d(
            input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )

    def extra_repr(self) -> str:
        return self._sizes_repr(padding=(0, 0), dilation=(1, 1), groups=1)


class ConvTranspose2d(_Convolution):
    """The transpose of a convolution: images grow to (H - 1) stride - 2 padding + dilation (kh - 1)
    + output_padding + 1.

    `weight` is (in, out/groups, kh, kw), `bias` (out,). Raises ValueError for an input of other
    channels.

    >>> import nn, numpy as np
    >>> nn.ConvTranspose2d(3, 8, 2, stride=2)(np.ones((2, 3, 6, 6), np.float32)).shape
    (2, 8, 12, 12)
    """

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: IntOrPair,
        stride: IntOrPair = 1,
        padding: IntOrPair = 0,
        output_padding: IntOrPair = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: IntOrPair = 1,
        *,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = None,
    ) -> None:
        self.stride = pair(stride, "stride")
        self.padding = pair(padding, "padding", 0)
        self.output_padding = pair(output_padding, "output_padding", 0)
        self.dilation = pair(dilation, "dilation")
        kernel = pair(kernel_size, "kernel_size")
        super().__init__(in_channels, out_channels, kernel, groups, bias, rng, dtype)

    def forward(self, input: Any) -> Any:
        """(N, in, H, W) to (N, out, H', W')."""
        self._check(input)
        return functional.conv_transpose2d(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self.output_padding,
            self.groups,
            self.dilation,
        )

    def extra_repr(self) -> str:
        return self._sizes_repr(padding=(0, 0), output_padding=(0, 0), dilation=(1, 1), groups=1)
