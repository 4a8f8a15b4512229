"""Scaling and shifting each channel of (N, C, ...), and sums over all but the channels."""

from __future__ import annotations

from typing import Any

from autograd.dispatch import operations
from autograd.families import Affine, Composite, Multilinear
from autograd.kernels import normalization as kernels
from autograd.kernels.activations import FUSED
from autograd.tensor import Tensor

__all__ = [
    "activated",
    "activated_channels",
    "affine_channels",
    "check_activation",
    "per_channel",
    "sums_of_channels",
]


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


def check_activation(name: str, activation: str | None) -> None:
    """Raise ValueError for an activation that kernels do not have."""
    if activation is not None and activation not in FUSED:
        raise ValueError(
            f"{name}: activation must be None, {' or '.join(map(repr, FUSED))}, got {activation!r}"
        )


def activated(x: Any, activation: str | None) -> Any:
    """The activation of that name of x, or x."""
    if activation is None:
        return x
    return operations.relu(x) if activation == "relu" else operations.gelu(x)


activated_channels: Composite = Composite(
    "activated_channels",
    kernels.channel_affine,
    reference=lambda x, scale, shift, activation: activated(
        affine_channels(x, scale, shift), activation
    ),
    analytic=False,
)
"""The activation of `affine_channels(x, scale, shift)`, in one pass."""
