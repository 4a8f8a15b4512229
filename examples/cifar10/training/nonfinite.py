"""Where a NaN or an infinity in a training step came from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import autograd as ag
import nn
from examples.cifar10.errors import TrainingError


class NonFiniteError(TrainingError):
    """The loss, a gradient or a weight is not finite; the message names the origin."""


def non_finite_state(model: nn.Module) -> list[str]:
    """Names of the parameters and buffers that hold a NaN or an infinity.

    >>> layer = nn.Linear(1, 1)
    >>> layer.bias.data[...] = np.inf
    >>> non_finite_state(layer)
    ['bias']
    """
    parameters = {name: parameter.data for name, parameter in model.named_parameters()}
    return [
        name
        for name, array in (parameters | dict(model.named_buffers())).items()
        if not np.isfinite(array).all()
    ]


def finite_gradients(model: nn.Module) -> bool:
    """Whether all gradients that parameters have are finite."""
    return all(
        bool(np.isfinite(parameter.grad.data).all())
        for parameter in model.parameters()
        if parameter.grad is not None
    )


def origin(parameters: nn.Module, compute_loss: Callable[[], ag.Tensor]) -> str:
    """The operation and the layer that made the first NaN or infinity of a step, found by doing
    the step again, up to its gradients, in anomaly mode.
    """
    broken = [name for name, p in parameters.named_parameters() if not np.isfinite(p.data).all()]
    if broken:
        more = f" and {len(broken) - 3} more" if len(broken) > 3 else ""
        return f"the update of the step before it overflowed {', '.join(broken[:3])}{more}"
    try:
        with np.errstate(all="ignore"), ag.detect_anomaly():
            compute_loss().backward()
    except ag.AnomalyError as error:
        return str(error)
    return "done again, the step has finite values (is it the same on every call?)"
