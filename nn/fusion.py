"""Neighbours in a Sequential that run as one: the same function with fewer passes over the memory.

- Batch norm, then ReLU or GELU: one operation.
- Conv2d, then batch norm in evaluation, then ReLU or GELU, then MaxPool2d(2) (not after GELU), or
  some of these, where nothing is recorded: one convolution, the norm's factors in its weights.
- Linear, then ReLU, or GELU where nothing is recorded: one operation.
- ReLU, then MaxPool2d: pooled first, since max(relu(x)) = relu(max(x)), derivatives and ties too.

Only for large arrays, whose passes cost more than the operations' overhead, so that small graphs
show every layer; never while values are looked at (anomaly detection, kept values, exports), and
only for modules that are called as these classes are: a `forward` or `__call__` of their own, of a
class or of one module, is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

import autograd as ag
from autograd.modes import current_modes, scope
from nn.checks import pair
from nn.layers.activation import GELU, ReLU
from nn.layers.convolution import Conv2d
from nn.layers.linear import Linear
from nn.layers.normalization import BatchNorm1d, BatchNorm2d
from nn.layers.pooling import MaxPool2d
from nn.module import Module

SMALLEST: Final = 1 << 17
"""Entries of an input from which neighbours are fused."""

_CALLS: Final = Module.__call__
_CONVOLVES: Final = Conv2d.forward
_MAPS: Final = Linear.forward
_NORMALISES: Final = BatchNorm2d.forward
_ACTIVATES: Final = {ReLU.forward: "relu", GELU.forward: "gelu"}
_POOLS: Final = MaxPool2d.forward
assert BatchNorm1d.forward is _NORMALISES


def run_fused(modules: Sequence[Module], input: Any) -> Any:
    """The output of modules called one after another."""
    modes = current_modes()
    watched = modes.anomaly is not None or modes.calls is not None or modes.keep_values
    at = 0
    while at < len(modules):
        count = 0
        if not watched and getattr(input, "size", 0) >= SMALLEST:
            count, output = _fused(modules[at : at + 4], input, modes.recording)
        if count:
            input = output
        else:
            input = modules[at](input)
        at += max(count, 1)
    return input


def _fused(neighbours: Sequence[Module], input: Any, recording: bool) -> tuple[int, Any]:
    """How many modules ran as one, 0 where the first has to run alone, and their output."""
    if len(neighbours) < 2:
        return 0, None
    first, second = neighbours[:2]
    forward = _forward(first)
    if forward is _NORMALISES:
        activation = _activation(second)
        if activation is not None:
            with scope(first):
                return 2, first.forward(input, activation=activation)
    elif forward is _CONVOLVES and not recording and input.ndim == 4:
        weights = _folded(first, second)
        count = 1 if weights is None else 2
        activation = _activation(neighbours[count]) if count < len(neighbours) else None
        count += activation is not None
        pool = count < len(neighbours) and activation != "gelu" and _halves(neighbours[count])
        count += pool
        if count > 1:
            options = {"activation": activation, "max_pool": pool}
            with scope(first):
                return count, first.forward(input, weights=weights, **options)
    elif forward is _MAPS and isinstance(first, Linear):
        activation = _activation(second)
        if activation == "relu" or (activation is not None and not recording):
            with scope(first):
                return 2, first.activated(input, activation)
    elif _activation(first) == "relu" and _forward(second) is _POOLS:
        # Windows of padding alone, where the two would differ, are refused.
        return 2, first(second(input))
    return 0, None


def _forward(module: Module) -> Any:
    """The function that calling a module comes down to, None where that is not its class's."""
    if type(module).__call__ is not _CALLS or "forward" in vars(module):
        return None
    return type(module).forward


def _activation(module: Module) -> str | None:
    if isinstance(module, GELU) and module.approximate != "none":
        return None
    return _ACTIVATES.get(_forward(module))


def _halves(module: Module) -> bool:
    """Whether it takes the maxima of windows of 2x2, side by side."""
    if _forward(module) is not _POOLS or type(module) is not MaxPool2d:
        return False
    kernel = pair(module.kernel_size, "kernel_size")
    stride = kernel if module.stride is None else pair(module.stride, "stride")
    padding, dilation = pair(module.padding, "padding", 0), pair(module.dilation, "dilation")
    return (kernel, stride, padding, dilation) == ((2, 2), (2, 2), (0, 0), (1, 1))


def _folded(convolution: Module, norm: Module) -> tuple[Any, Any] | None:
    """Weight and bias of a convolution and the batch norm after it, which follows its running
    statistics; None for anything else, and for other dtypes or channels than the weight's.
    """
    assert isinstance(convolution, Conv2d)
    if _forward(norm) is not _NORMALISES or not isinstance(norm, BatchNorm2d):
        return None
    mean, variance = norm.running_mean, norm.running_var
    if norm.training or mean is None or variance is None:
        return None
    weight = _data(convolution.weight)
    if len(mean) != len(weight) or mean.dtype != weight.dtype:
        return None
    scale = 1.0 / np.sqrt(variance + variance.dtype.type(norm.eps))
    if norm.weight is not None:
        scale = scale * _data(norm.weight)
    shift = -mean * scale
    if norm.bias is not None:
        shift = shift + _data(norm.bias)
    if convolution.bias is not None:
        shift = shift + _data(convolution.bias) * scale
    if scale.dtype != weight.dtype or shift.dtype != weight.dtype:
        return None
    return weight * scale[:, None, None, None], shift


def _data(parameter: Any) -> np.ndarray:
    return parameter.data if isinstance(parameter, ag.Tensor) else np.asarray(parameter)
