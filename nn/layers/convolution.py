"""Convolutions (cross-correlations) and their transpose."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from nn import functional as F
from nn.checks import IntOrPair, as_floats, count, pair, single
from nn.layers.starts import start_uniform, zeros_parameter
from nn.module import Module, describe
from nn.parameter import Parameter

_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")
_AXES = {1: "(N, {0}, L) or ({0}, L)", 2: "(N, {0}, H, W) or ({0}, H, W)"}


class _Convolution(Module):
    """What the convolutions share: sizes, parameters, checks."""

    _spatial: ClassVar[int]
    _transposed: ClassVar[bool] = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        groups: int,
        bias: bool,
        padding_mode: str,
        dtype: DTypeLike | None,
        rng: np.random.Generator | None,
    ) -> None:
        self.in_channels = count(in_channels, "in_channels")
        self.out_channels = count(out_channels, "out_channels")
        self.groups = count(groups, "groups")
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise ValueError(
                f"{type(self).__name__}: groups={groups} must divide in_channels={in_channels} "
                f"and out_channels={out_channels}"
            )
        self.kernel_size = self._sizes(kernel_size, "kernel_size")
        self.stride = self._sizes(stride, "stride")
        self.dilation = self._sizes(dilation, "dilation")
        self.padding: tuple[int, ...] | str = self._padding(padding)
        self.padding_mode = padding_mode
        if padding_mode not in _PADDING_MODES:
            raise ValueError(
                f"padding_mode must be one of {', '.join(_PADDING_MODES)}; got {padding_mode!r}"
            )
        channels = (self.out_channels, self.in_channels // self.groups)
        if self._transposed:
            channels = (self.in_channels, self.out_channels // self.groups)
        self.weight: Parameter = zeros_parameter((*channels, *self.kernel_size), dtype)
        self.bias: Parameter | None = zeros_parameter((self.out_channels,), dtype) if bias else None
        self.reset_parameters(rng)

    def reset_parameters(self, rng: np.random.Generator | None = None) -> None:
        """Draw the initial values again."""
        start_uniform(self.weight, self.bias, rng)

    def _sizes(self, value: Any, name: str, minimum: int = 1) -> tuple[int, ...]:
        if self._spatial == 1:
            return (single(value, name, minimum),)
        return pair(value, name, minimum)

    def _padding(self, padding: Any) -> tuple[int, ...] | str:
        if not isinstance(padding, str):
            return self._sizes(padding, "padding", 0)
        if padding not in ("same", "valid"):
            raise ValueError(f"padding must be numbers, 'same' or 'valid', got {padding!r}")
        if padding == "same" and any(step != 1 for step in self.stride):
            raise ValueError(f"padding='same' needs stride 1, got {self.stride}")
        return padding

    def _checked(self, input: Any) -> Any:
        input = as_floats(input, type(self).__name__)
        unbatched = self._spatial + 1
        if input.ndim not in (unbatched, unbatched + 1) or (
            input.shape[-unbatched] != self.in_channels
        ):
            raise ValueError(
                f"{describe(self)} takes an input {_AXES[self._spatial].format(self.in_channels)}, "
                f"got shape {input.shape}"
            )
        return input

    def _padded(self, input: Any) -> tuple[Any, Any]:
        """The input and the padding still to do: other modes than zeros pad here."""
        if self.padding_mode == "zeros":
            return input, self.padding
        sides: list[int] = []
        for axis in reversed(range(self._spatial)):
            if self.padding == "same":
                whole = self.dilation[axis] * (self.kernel_size[axis] - 1)
                sides += [whole // 2, whole - whole // 2]
            elif not isinstance(self.padding, str):
                sides += [self.padding[axis], self.padding[axis]]
        return F.pad(input, tuple(sides), mode=self.padding_mode), 0

    def extra_repr(self) -> str:
        """The sizes; of the rest what is not the default."""
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}"]
        parts.append(f"stride={self.stride}")
        if self.padding != (0,) * self._spatial:
            parts.append(f"padding={self.padding}")
        if self.dilation != (1,) * self._spatial:
            parts.append(f"dilation={self.dilation}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)


class Conv1d(_Convolution):
    """Cross-correlation of sequences (N, C, L) or (C, L).

    `weight` (out_channels, in_channels / groups, kernel) and `bias` (out_channels,), or None,
    start uniform on +-1/sqrt(in_channels / groups kernel).

    >>> import nn, numpy as np
    >>> nn.Conv1d(3, 8, 5)(np.zeros((2, 3, 9), np.float32)).shape
    (2, 8, 5)
    """

    _spatial = 1

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int | str = 0,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        dtype: DTypeLike | None = None,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            bias,
            padding_mode,
            dtype,
            rng,
        )

    def forward(self, input: Any) -> Any:
        """The convolution; ValueError for an input of other channels or axes."""
        input, padding = self._padded(self._checked(input))
        return F.conv1d(
            input,
            self.weight,
            self.bias,
            self.stride[0],
            padding if isinstance(padding, str) else single(padding, "padding", 0),
            self.dilation[0],
            self.groups,
        )


class Conv2d(_Convolution):
    """Cross-correlation of images (N, C, H, W) or (C, H, W).

    `weight` (out_channels, in_channels / groups, kh, kw) and `bias` (out_channels,), or None,
    start uniform on +-1/sqrt(in_channels / groups kh kw). `padding` is a number, two, 'same' or
    'valid'; `padding_mode` is zeros, reflect, replicate or circular.

    >>> import nn, numpy as np
    >>> nn.Conv2d(3, 8, 5, padding=2)(np.zeros((2, 3, 9, 9), np.float32)).shape
    (2, 8, 9, 9)
    """

    _spatial = 2

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
        padding_mode: str = "zeros",
        *,
        dtype: DTypeLike | None = None,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            bias,
            padding_mode,
            dtype,
            rng,
        )

    def forward(
        self,
        input: Any,
        *,
        weights: tuple[Any, Any] | None = None,
        activation: str | None = None,
        max_pool: bool = False,
    ) -> Any:
        """The convolution; ValueError for an input of other channels or axes.

        `weights` are a weight and a bias in the place of its own; the `activation`, "relu" or
        "gelu", is applied to the result, and with `max_pool` the largest of each 2x2 is given.
        """
        input, padding = self._padded(self._checked(input))
        weight, bias = (self.weight, self.bias) if weights is None else weights
        return F.conv2d(
            input,
            weight,
            bias,
            pair(self.stride, "stride"),
            padding,
            pair(self.dilation, "dilation"),
            self.groups,
            activation,
            max_pool,
        )


class ConvTranspose2d(_Convolution):
    """The transpose of Conv2d in its input: enlarges images (N, C, H, W) or (C, H, W).

    `weight` is (in_channels, out_channels / groups, kh, kw). Sizes become
    (H - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1.

    >>> import nn, numpy as np
    >>> nn.ConvTranspose2d(3, 8, 2, stride=2)(np.zeros((2, 3, 4, 4), np.float32)).shape
    (2, 8, 8, 8)
    """

    _spatial = 2
    _transposed = True

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
        padding_mode: str = "zeros",
        *,
        dtype: DTypeLike | None = None,
        rng: np.random.Generator | None = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(
                f"ConvTranspose2d knows only padding_mode='zeros', got {padding_mode!r}"
            )
        if isinstance(padding, str):
            raise TypeError(f"ConvTranspose2d takes padding as numbers, got {padding!r}")
        self.output_padding = pair(output_padding, "output_padding", 0)
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            bias,
            padding_mode,
            dtype,
            rng,
        )
        limits = [max(s, d) for s, d in zip(self.stride, self.dilation, strict=True)]
        if any(o >= limit for o, limit in zip(self.output_padding, limits, strict=True)):
            raise ValueError(
                f"output_padding {self.output_padding} must be smaller than stride {self.stride} "
                f"or dilation {self.dilation}"
            )

    def forward(self, input: Any) -> Any:
        """The transposed convolution; ValueError for an input of other channels or axes."""
        return F.conv_transpose2d(
            self._checked(input),
            self.weight,
            self.bias,
            pair(self.stride, "stride"),
            pair(self.padding, "padding", 0),
            self.output_padding,
            self.groups,
            pair(self.dilation, "dilation"),
        )

    def extra_repr(self) -> str:
        """The sizes; of the rest what is not the default."""
        extra = super().extra_repr()
        if self.output_padding != (0, 0):
            extra += f", output_padding={self.output_padding}"
        return extra
