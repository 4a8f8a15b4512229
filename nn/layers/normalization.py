"""Normalizations: by the batch, the features of a sample, or groups of its channels."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from nn import functional as F
from nn import init
from nn.checks import as_floats, count
from nn.functional.normalizations import sizes
from nn.layers.starts import float_dtype, ones_parameter, zeros_parameter
from nn.module import Module, describe
from nn.parameter import Parameter


class _BatchNorm(Module):
    """What the batch normalizations share; they differ in the axes they take."""

    _ndims: ClassVar[tuple[int, ...]]
    _axes: ClassVar[str]

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
        dtype: DTypeLike | None = None,
    ) -> None:
        self.num_features = count(num_features, "num_features")
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        shape = (self.num_features,)
        self.weight: Parameter | None = ones_parameter(shape, dtype) if affine else None
        self.bias: Parameter | None = zeros_parameter(shape, dtype) if affine else None
        kept = track_running_stats
        wanted = float_dtype(dtype)
        self.register_buffer("running_mean", np.zeros(shape, wanted) if kept else None)
        self.register_buffer("running_var", np.ones(shape, wanted) if kept else None)
        self.register_buffer("num_batches_tracked", np.zeros((), np.int64) if kept else None)

    def reset_running_stats(self) -> None:
        """Mean 0, variance 1, no batches."""
        for name, value in (("running_mean", 0), ("running_var", 1), ("num_batches_tracked", 0)):
            buffer = getattr(self, name)
            if buffer is not None:
                buffer.fill(value)

    def reset_parameters(self) -> None:
        """Running statistics, weight 1 and bias 0 as at the start."""
        self.reset_running_stats()
        _reset_affine(self.weight, self.bias)

    def forward(self, input: Any, *, activation: str | None = None) -> Any:
        """Normalized; ValueError for other axes, or one value per channel in training.

        The `activation`, "relu" or "gelu", is applied to the result in the same pass.
        """
        input = as_floats(input, type(self).__name__)
        if input.ndim not in self._ndims or input.shape[1] != self.num_features:
            raise ValueError(
                f"{describe(self)} takes an input {self._axes.format(self.num_features)}, "
                f"got shape {input.shape}"
            )
        by_batch = self.training or self.running_mean is None
        if by_batch and input.size <= self.num_features:
            raise ValueError(
                f"{describe(self)} needs more than 1 value per channel in training, got input "
                f"shape {input.shape}; use a larger batch, or eval()"
            )
        return F.batch_norm(
            input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            training=by_batch,
            momentum=self._next_momentum(),
            eps=self.eps,
            activation=activation,
        )

    def _next_momentum(self) -> float:
        """Counts a training batch; momentum None averages all batches equally."""
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked += 1
            if self.momentum is None:
                return 1.0 / float(self.num_batches_tracked)
        return 0.0 if self.momentum is None else self.momentum

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """Each of `num_features` channels to mean 0 and variance 1 over the batch (and the length).

    Input (N, C) or (N, C, L). In training the batch's statistics are used and the running ones
    move towards them by `momentum` (None: their mean over all batches); in evaluation the running
    ones are used. Then times `weight`, plus `bias` (Ioffe & Szegedy 2015).

    >>> import nn, numpy as np
    >>> nn.BatchNorm1d(1, eps=0.0, dtype="float64")(np.array([[1.0], [3.0]])).data
    array([[-1.],
           [ 1.]])
    """

    _ndims = (2, 3)
    _axes = "(N, {0}) or (N, {0}, L)"


class BatchNorm2d(_BatchNorm):
    """The same for images (N, C, H, W), over the batch and both sides.

    >>> import nn
    >>> list(nn.BatchNorm2d(3).state_dict())
    ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked']
    """

    _ndims = (4,)
    _axes = "(N, {0}, H, W)"


class LayerNorm(Module):
    """Each sample to mean 0 and variance 1 over its last axes, of sizes `normalized_shape`.

    Then times `weight`, plus `bias`, both of that shape (Ba et al. 2016).

    >>> import nn, numpy as np
    >>> nn.LayerNorm(2, eps=0.0, dtype="float64")(np.array([1.0, 3.0])).data
    array([-1.,  1.])
    """

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...] | list[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        shape = self.normalized_shape = sizes(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        biased = elementwise_affine and bias
        self.weight: Parameter | None = ones_parameter(shape, dtype) if elementwise_affine else None
        self.bias: Parameter | None = zeros_parameter(shape, dtype) if biased else None

    def reset_parameters(self) -> None:
        """Weight 1 and bias 0."""
        _reset_affine(self.weight, self.bias)

    def forward(self, input: Any) -> Any:
        """Normalized; ValueError unless the input ends in `normalized_shape`."""
        input = as_floats(input, "LayerNorm")
        shape = self.normalized_shape
        if input.shape[max(input.ndim - len(shape), 0) :] != shape:
            raise ValueError(
                f"{describe(self)} takes an input that ends in the axes {shape}, "
                f"got shape {input.shape}"
            )
        return F.layer_norm(input, shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class GroupNorm(Module):
    """Each sample's channels to mean 0 and variance 1 in `num_groups` groups: input (N, C, ...).

    Then per channel times `weight`, plus `bias` (Wu & He 2018).

    >>> import nn, numpy as np
    >>> nn.GroupNorm(1, 2, eps=0.0, dtype="float64")(np.array([[1.0, 3.0]])).data
    array([[-1.,  1.]])
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        self.num_groups = count(num_groups, "num_groups")
        self.num_channels = count(num_channels, "num_channels")
        if self.num_channels % self.num_groups:
            raise ValueError(f"num_groups={num_groups} must divide num_channels={num_channels}")
        self.eps = eps
        self.affine = affine
        shape = (self.num_channels,)
        self.weight: Parameter | None = ones_parameter(shape, dtype) if affine else None
        self.bias: Parameter | None = zeros_parameter(shape, dtype) if affine else None

    def reset_parameters(self) -> None:
        """Weight 1 and bias 0."""
        _reset_affine(self.weight, self.bias)

    def forward(self, input: Any) -> Any:
        """Normalized; ValueError for other channels."""
        input = as_floats(input, "GroupNorm")
        if input.ndim < 2 or input.shape[1] != self.num_channels:
            raise ValueError(
                f"{describe(self)} takes an input (N, {self.num_channels}, ...), "
                f"got shape {input.shape}"
            )
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The settings."""
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}"


def _reset_affine(weight: Parameter | None, bias: Parameter | None) -> None:
    if weight is not None:
        init.ones_(weight)
    if bias is not None:
        init.zeros_(bias)
