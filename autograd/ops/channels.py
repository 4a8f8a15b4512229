"""Scaling and shifting each channel of (N, C, ...), and sums over all but the channels."""

from __future__ import annotations

from typing import Any

from autograd.dispatch import operations
from autograd.families import Affine, Multilinear
from autograd.kernels import normalization as kernels
from autograd.tensor import Tensor

__all__ = ["affine_channels", "per_channel", "sums_of_channels"]


def per_channel(b: Any, dims: int) -> Any:
    """b (C,) as (1, C, 1, ...) of `dims` axes."""
    return operations.reshape(b, (1, -1, *(1,) * (dims - 2)))


def sums_of_channels(cotangent: Any) -> Any:
    """The sum of (N, C, ...) over all but axis 1."""
    if isinstance(cotangent, Tensor):
        return operations.sum(cotangent, (0, *range(2, cotangent.ndim)))
    return kernels.channel_sums(cotangent)


_scale: Multilinear = Multilinear(
    "scale_channels",
    kernels.channel_affine,
    (
        lambda cotangent, w: _scale(cotangent, w),
        lambda cotangent, x: sums_of_channels(cotangent * x),
    ),
    analytic=True,
)

affine_channels: Affine = Affine(
    "affine_channels",
    kernels.channel_affine,
    product=_scale,
    spread=per_channel,
    collect=sums_of_channels,
    analytic=True,
)
"""`affine_channels(x, scale, shift)`: x scale + shift for x (N, C, ...)."""
