"""Normalizations under PyTorch's names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd as ag
from nn.checks import as_floats, count


def batch_norm(
    input: Any,
    running_mean: np.ndarray | None,
    running_var: np.ndarray | None,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    activation: str | None = None,
) -> Any:
    """(x - mean) / sqrt(var + eps) weight + bias per channel (axis 1) (Ioffe & Szegedy 2015).

    The `activation`, "relu" or "gelu", is applied to that in the same pass. In training the mean
    and (biased) variance are the batch's, and the running statistics, if given, move towards them
    in place: r <- (1 - momentum) r + momentum b, with the unbiased variance. Otherwise the running
    statistics are used. Input (N, C) or (N, C, ...).

    Raises ValueError for sizes that do not fit, for training on one value per channel, and for
    evaluation without running statistics.

    >>> import numpy as np
    >>> mean, var = np.zeros(1), np.ones(1)
    >>> batch_norm(np.array([[1.0], [3.0]]), mean, var, training=True, eps=0.0)
    array([[-1.],
           [ 1.]])
    >>> mean, var
    (array([0.2]), array([1.1]))
    """
    input = as_floats(input, "batch_norm")
    if input.ndim < 2:
        raise ValueError(f"batch_norm takes an input (N, C, ...), got shape {input.shape}")
    channels = input.shape[1]
    given = {"running_mean": running_mean, "running_var": running_var}
    for name, value in {**given, "weight": weight, "bias": bias}.items():
        if value is not None and value.shape != (channels,):
            raise ValueError(
                f"batch_norm: {name} must have shape ({channels},) for an input of shape "
                f"{input.shape}, got {value.shape}"
            )
    if training:
        per_channel = input.size // channels if channels else 0
        if per_channel <= 1:
            raise ValueError(
                "batch_norm in training needs more than 1 value per channel, got input shape "
                f"{input.shape}; use a larger batch, or eval()"
            )
    elif running_mean is None or running_var is None:
        raise ValueError("batch_norm needs running_mean and running_var when not training")
    return ag.batch_norm(
        input,
        running_mean,
        running_var,
        weight,
        bias,
        training=training,
        momentum=momentum,
        eps=eps,
        activation=activation,
    )


def layer_norm(
    input: Any,
    normalized_shape: int | tuple[int, ...] | list[int],
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
) -> Any:
    """(x - mean) / sqrt(var + eps) weight + bias over the last axes (Ba et al. 2016).

    Raises ValueError unless the input ends in `normalized_shape`.

    >>> import numpy as np
    >>> layer_norm(np.array([1.0, 3.0]), 2, eps=0.0)
    array([-1.,  1.])
    """
    input = as_floats(input, "layer_norm")
    shape = sizes(normalized_shape)
    if input.shape[max(input.ndim - len(shape), 0) :] != shape:
        raise ValueError(
            f"layer_norm: the input must end in the axes {shape}, got shape {input.shape}"
        )
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and value.shape != shape:
            raise ValueError(f"layer_norm: {name} must have shape {shape}, got {value.shape}")
    return ag.layer_norm(input, shape, weight, bias, eps=eps)


def group_norm(
    input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Each sample's channels normalized in `num_groups` groups (Wu & He 2018): input (N, C, ...).

    Raises ValueError unless the groups divide the channels.

    >>> import numpy as np
    >>> group_norm(np.array([[1.0, 3.0]]), 1, eps=0.0)
    array([[-1.,  1.]])
    """
    input = as_floats(input, "group_norm")
    num_groups = count(num_groups, "num_groups")
    if input.ndim < 2 or input.shape[1] % num_groups:
        raise ValueError(
            f"group_norm: {num_groups} groups must divide the channels of an input (N, C, ...), "
            f"got shape {input.shape}"
        )
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and value.shape != input.shape[1:2]:
            raise ValueError(
                f"group_norm: {name} must have shape {input.shape[1:2]}, got {value.shape}"
            )
    return ag.group_norm(input, num_groups, weight, bias, eps=eps)


def sizes(shape: Any) -> tuple[int, ...]:
    """A shape from one size or several; ValueError if it is empty."""
    parts = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    result = tuple(count(size, "normalized_shape") for size in parts)
    if not math.prod(result) or not result:
        raise ValueError(f"normalized_shape must hold at least one size, got {shape!r}")
    return result
