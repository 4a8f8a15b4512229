"""RMSprop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from autograd.kernels.updates import one_pass, root_constants, root_update
from optim.optimizer import Array, Group, Optimizer, State, accumulate


class RMSprop(Optimizer):
    """s <- alpha s + (1 - alpha) g^2; p <- p - lr g / (sqrt(s) + eps).

    With `centered` the mean gradient's square is subtracted from s; with `momentum` the change goes
    through v <- momentum v + g / (sqrt(s) + eps). With `eps_inside_sqrt` the divisor is
    sqrt(s + eps), as in Hinton's lecture notes' common reading. Source: Tieleman & Hinton, Lecture
    6.5 - rmsprop, 2012; Graves, 2013, for the centred form. Raises ValueError for options out of
    range.

    >>> import nn, optim
    >>> p = nn.Parameter([1.0])
    >>> p.grad = [0.5]
    >>> optim.RMSprop([p], lr=0.01, alpha=0.99).step()
    >>> p.data.round(4)
    array([0.9], dtype=float32)
    """

    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {
        "lr": (0.0, float("inf")),
        "alpha": (0.0, 1.0),
        "eps": (0.0, float("inf")),
        "weight_decay": (0.0, float("inf")),
        "momentum": (0.0, float("inf")),
    }

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        eps_inside_sqrt: bool = False,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "alpha": alpha,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "centered": centered,
                "eps_inside_sqrt": eps_inside_sqrt,
                "maximize": maximize,
            },
        )

    def _update(self, parameter: Array, gradient: Array, state: State, group: Group) -> None:
        lr, alpha, eps = float(group["lr"]), float(group["alpha"]), float(group["eps"])
        momentum = float(group["momentum"])
        if "square_avg" not in state:
            state["square_avg"] = np.zeros_like(parameter)
        if momentum and "momentum_buffer" not in state:
            state["momentum_buffer"] = np.zeros_like(parameter)
        average = state["square_avg"]
        velocity = state["momentum_buffer"] if momentum else None
        if not group["centered"] and one_pass(parameter, gradient, average, velocity):
            inside, outside = (eps, 0.0) if group["eps_inside_sqrt"] else (0.0, eps)
            constants = self._common(
                id(group),
                lambda: root_constants(
                    lr,
                    (alpha, 1.0 - alpha),
                    inside,
                    outside,
                    momentum=momentum,
                    weight_decay=float(group["weight_decay"]),
                    maximize=bool(group["maximize"]),
                ),
            )
            root_update(parameter, gradient, average, velocity, constants)
            return
        change = self._decayed(parameter, gradient, group)
        buffer = self._buffer(parameter, 1)
        average *= alpha
        np.multiply(change, change, out=buffer)
        buffer *= 1.0 - alpha
        average += buffer
        if group["centered"]:
            if "grad_avg" not in state:
                state["grad_avg"] = np.zeros_like(parameter)
            mean = state["grad_avg"]
            accumulate(mean, change, alpha, buffer)
            np.multiply(mean, mean, out=buffer)
            np.subtract(average, buffer, out=buffer)
        else:
            np.copyto(buffer, average)
        if group["eps_inside_sqrt"]:
            buffer += eps
            np.sqrt(buffer, out=buffer)
        else:
            np.sqrt(buffer, out=buffer)
            buffer += eps
        np.divide(change, buffer, out=buffer)
        if velocity is not None:
            velocity *= momentum
            velocity += buffer
            np.multiply(velocity, lr, out=buffer)
        else:
            buffer *= lr
        parameter -= buffer
