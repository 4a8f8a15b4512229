"""Normalization layers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nn import functional
from nn.checks import count
from nn.functional.normalizations import sizes
from nn.module import Module, describe
from nn.parameter import DEFAULT_DTYPE, Parameter


class _BatchNorm(Module):
    """Batch normalization over every axis but the channels' (axis 1)."""

    running_mean: np.ndarray | None
    running_var: np.ndarray | None
    num_batches_tracked: np.ndarray | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        dtype: DTypeLike = None,
    ) -> None:
        self.num_features = count(num_features, "num_features")
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        kind = np.dtype(dtype or DEFAULT_DTYPE)
        self.weight = Parameter(np.ones(num_features, kind)) if affine else None
        self.bias = Parameter(np.zeros(num_features, kind)) if affine else None
        tracked = track_running_stats
        self.register_buffer("running_mean", np.zeros(num_features, kind) if tracked else None)
        self.register_buffer("running_var", np.ones(num_features, kind) if tracked else None)
        self.register_buffer("num_batches_tracked", np.zeros((), np.int64) if tracked else None)

    def _dimensions(self) -> tuple[int, ...]:
        raise AssertionError("defined by the subclasses")

    def forward(self, input: Any) -> Any:
        """The same shape, normalized by the batch in training, else by the running statistics."""
        shape = np.shape(input)
        if len(shape) not in self._dimensions() or shape[1] != self.num_features:
            raise ValueError(
                f"{describe(self)} got an input of shape {shape}; expected "
                f"{' or '.join(map(str, self._dimensions()))} axes, the second of size "
                f"{self.num_features}"
            )
        by_batch = self.training or self.running_mean is None
        momentum = 0.0
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked += 1
            momentum = (
                1.0 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
            )
        tracking = self.training or not by_batch
        return functional.batch_norm(
            input,
            self.running_mean if tracking else None,
            self.running_var if tracking else None,
            self.weight,
            self.bias,
            by_batch,
            momentum,
            self.eps,
        )

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """(x - mean) / sqrt(var + eps) weight + bias per feature of (N, C) or (N, C, L).

    In training by the batch's statistics, which the buffers `running_mean` and `running_var` follow
    with `momentum` (None: their plain mean); in evaluation by the buffers. Source: Ioffe & Szegedy,
    Batch normalization, 2015. Raises ValueError for an input of other features.

    >>> import nn, numpy as np
    >>> nn.BatchNorm1d(1, eps=0.0)(np.array([[1.0], [3.0]], np.float32)).data
    array([[-1.],
           [ 1.]], dtype=float32)
    """

    def _dimensions(self) -> tuple[int, ...]:
        return (2, 3)


class BatchNorm2d(_BatchNorm):
    """(x - mean) / sqrt(var + eps) weight + bias per channel of images (N, C, H, W).

    As BatchNorm1d. Raises ValueError for an input of other channels.

    >>> import nn, numpy as np
    >>> nn.BatchNorm2d(3)(np.ones((2, 3, 4, 4), np.float32)).shape
    (2, 3, 4, 4)
    """

    def _dimensions(self) -> tuple[int, ...]:
        return (4,)


class LayerNorm(Module):
    """(x - mean) / sqrt(var + eps) weight + bias over the last axes, of sizes `normalized_shape`.

    Source: Ba, Kiros & Hinton, Layer normalization, 2016.

    >>> import nn, numpy as np
    >>> nn.LayerNorm(2, eps=0.0)(np.array([1.0, 3.0], np.float32)).data
    array([-1.,  1.], dtype=float32)
    """

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: DTypeLike = None,
    ) -> None:
        self.normalized_shape = sizes(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        kind = np.dtype(dtype or DEFAULT_DTYPE)
        shape = self.normalized_shape
        self.weight = Parameter(np.ones(shape, kind)) if elementwise_affine else None
        self.bias = Parameter(np.zeros(shape, kind)) if elementwise_affine and bias else None

    def forward(self, input: Any) -> Any:
        """The same shape, normalized over the last axes."""
        return functional.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class GroupNorm(Module):
    """Normalization over groups of channels of (N, C, ...), then weight and bias per channel.

    Source: Wu & He, Group normalization, 2018. Raises ValueError unless the groups divide the
    channels.

    >>> import nn, numpy as np
    >>> nn.GroupNorm(2, 4)(np.ones((2, 4, 3), np.float32)).shape
    (2, 4, 3)
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        dtype: DTypeLike = None,
    ) -> None:
        self.num_groups = count(num_groups, "num_groups")
        self.num_channels = count(num_channels, "num_channels")
        if self.num_channels % self.num_groups:
            raise ValueError(f"num_groups={num_groups} must divide num_channels={num_channels}")
        self.eps = eps
        self.affine = affine
        kind = np.dtype(dtype or DEFAULT_DTYPE)
        self.weight = Parameter(np.ones(num_channels, kind)) if affine else None
        self.bias = Parameter(np.zeros(num_channels, kind)) if affine else None

    def forward(self, input: Any) -> Any:
        """The same shape, normalized group by group."""
        shape = np.shape(input)
        if len(shape) < 2 or shape[1] != self.num_channels:
            raise ValueError(
                f"{describe(self)} got an input of shape {shape}; its second axis must have size "
                f"{self.num_channels}"
            )
        return functional.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}"
