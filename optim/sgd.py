"""Stochastic gradient descent with momentum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from autograd.kernels.updates import one_pass, sgd_update
from optim.optimizer import Array, Group, Optimizer, State


class SGD(Optimizer):
    """g <- g + weight_decay p; v <- momentum v + (1 - dampening) g (v <- g at first);
    p <- p - lr v, or with `nesterov` p <- p - lr (g + momentum v).

    Source: Sutskever et al., On the importance of initialization and momentum in deep learning,
    2013, in PyTorch's form. Raises ValueError for options out of range, and for `nesterov` without
    momentum or with dampening.

    >>> import nn, optim
    >>> p = nn.Parameter([1.0])
    >>> p.grad = [0.5]
    >>> optim.SGD([p], lr=0.1).step()
    >>> p.data
    array([0.95], dtype=float32)
    """

    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {
        "lr": (0.0, float("inf")),
        "momentum": (0.0, float("inf")),
        "dampening": (0.0, float("inf")),
        "weight_decay": (0.0, float("inf")),
    }

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
            },
        )

    def _check_options(self, options: Mapping[str, Any]) -> None:
        super()._check_options(options)
        if options["nesterov"] and (not options["momentum"] or options["dampening"]):
            raise ValueError("SGD: nesterov needs a momentum above 0 and no dampening")

    def _update(self, parameter: Array, gradient: Array, state: State, group: Group) -> None:
        lr, momentum = float(group["lr"]), float(group["momentum"])
        velocity = state.get("momentum_buffer")
        if one_pass(parameter, gradient, velocity):
            dampening = float(group["dampening"])
            if momentum and velocity is None:
                velocity = state["momentum_buffer"] = np.zeros_like(parameter)
                dampening = 0.0
            sgd_update(
                parameter,
                gradient,
                velocity if momentum else None,
                lr,
                momentum,
                float(group["weight_decay"]),
                dampening=dampening,
                nesterov=bool(group["nesterov"]),
                maximize=bool(group["maximize"]),
            )
            return
        change = self._decayed(parameter, gradient, group)
        if momentum:
            if velocity is None:
                velocity = state["momentum_buffer"] = np.array(change)
            else:
                velocity *= momentum
                share = 1.0 - float(group["dampening"])
                if share != 1.0:
                    buffer = self._buffer(parameter, 1)
                    velocity += np.multiply(change, share, out=buffer)
                else:
                    velocity += change
            if group["nesterov"]:
                buffer = self._buffer(parameter, 1)
                np.multiply(velocity, momentum, out=buffer)
                buffer += change
                change = buffer
            else:
                change = velocity
        buffer = self._buffer(parameter)
        parameter -= np.multiply(change, lr, out=buffer)
