"""Adagrad."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from autograd.kernels.updates import one_pass, root_constants, root_update
from optim.optimizer import Array, Group, Optimizer, State


class Adagrad(Optimizer):
    """s <- s + g^2; p <- p - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps).

    Source: Duchi, Hazan & Singer, Adaptive subgradient methods, 2011. Raises ValueError for options
    out of range.

    >>> import nn, optim
    >>> p = nn.Parameter([1.0])
    >>> p.grad = [0.5]
    >>> optim.Adagrad([p], lr=0.1).step()
    >>> p.data.round(4)
    array([0.9], dtype=float32)
    """

    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {
        "lr": (0.0, float("inf")),
        "lr_decay": (0.0, float("inf")),
        "weight_decay": (0.0, float("inf")),
        "initial_accumulator_value": (0.0, float("inf")),
        "eps": (0.0, float("inf")),
    }

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "lr_decay": lr_decay,
                "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value,
                "eps": eps,
                "maximize": maximize,
            },
        )

    def _update(self, parameter: Array, gradient: Array, state: State, group: Group) -> None:
        if "step" not in state:
            state["step"] = 0
            state["sum"] = np.full_like(parameter, float(group["initial_accumulator_value"]))
        total = state["sum"]
        step = state["step"]
        lr = float(group["lr"]) / (1.0 + step * float(group["lr_decay"]))
        state["step"] = step + 1
        if one_pass(parameter, gradient, total):
            constants = self._common(
                (id(group), step),
                lambda: root_constants(
                    lr,
                    (1.0, 1.0),
                    0.0,
                    float(group["eps"]),
                    weight_decay=float(group["weight_decay"]),
                    maximize=bool(group["maximize"]),
                ),
            )
            root_update(parameter, gradient, total, None, constants)
            return
        change = self._decayed(parameter, gradient, group)
        buffer = self._buffer(parameter, 1)
        np.multiply(change, change, out=buffer)
        total += buffer
        np.sqrt(total, out=buffer)
        buffer += float(group["eps"])
        np.divide(change, buffer, out=buffer)
        buffer *= lr
        parameter -= buffer
