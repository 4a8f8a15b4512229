"""Adam, and AdamW with weight decay of its own."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any, ClassVar

import numpy as np

from autograd.kernels.updates import adam_constants, adam_update, one_pass
from optim.optimizer import Array, Group, Optimizer, State, accumulate


class Adam(Optimizer):
    """m <- beta1 m + (1 - beta1) g; v <- beta2 v + (1 - beta2) g^2;
    p <- p - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps).

    `weight_decay` is added to the gradient. With `amsgrad` the largest v so far is used. Source:
    Kingma & Ba, Adam, 2015; Reddi et al., On the convergence of Adam and beyond, 2018. Raises
    ValueError for options out of range.

    >>> import nn, optim
    >>> p = nn.Parameter([1.0])
    >>> p.grad = [0.5]
    >>> optim.Adam([p], lr=0.1).step()
    >>> p.data.round(4)
    array([0.9], dtype=float32)
    """

    decoupled: ClassVar[bool] = False
    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {
        "lr": (0.0, float("inf")),
        "betas": (0.0, 1.0 - 1e-15),
        "eps": (0.0, float("inf")),
        "weight_decay": (0.0, float("inf")),
    }

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
            },
        )

    def _check_options(self, options: Mapping[str, Any]) -> None:
        betas = options["betas"]
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise ValueError(f"{type(self).__name__}: betas must be two numbers, got {betas!r}")
        super()._check_options(options)

    def _constants(self, group: Group, step: int) -> tuple[float, ...]:
        """Of a group's parameters that take this step."""
        lr, decay = float(group["lr"]), float(group["weight_decay"])
        beta1, beta2 = map(float, group["betas"])
        return adam_constants(
            lr / (1.0 - beta1**step),
            (beta1, beta2),
            float(group["eps"]),
            sqrt(1.0 - beta2**step),
            shrink=1.0 - lr * decay if self.decoupled else 1.0,
            weight_decay=0.0 if self.decoupled else decay,
            maximize=bool(group["maximize"]),
        )

    def _update(self, parameter: Array, gradient: Array, state: State, group: Group) -> None:
        if "step" not in state:
            state["step"] = 0
            state["exp_avg"] = np.zeros_like(parameter)
            state["exp_avg_sq"] = np.zeros_like(parameter)
        if group["amsgrad"] and "max_exp_avg_sq" not in state:
            state["max_exp_avg_sq"] = np.zeros_like(parameter)
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        largest = state["max_exp_avg_sq"] if group["amsgrad"] else None
        step = state["step"] = state["step"] + 1
        if one_pass(parameter, gradient, mean, square, largest):
            constants = self._common((id(group), step), lambda: self._constants(group, step))
            adam_update(parameter, gradient, mean, square, constants, largest)
            return
        lr, eps = float(group["lr"]), float(group["eps"])
        beta1, beta2 = map(float, group["betas"])
        step_size, correction = lr / (1.0 - beta1**step), sqrt(1.0 - beta2**step)
        if self.decoupled:
            if group["weight_decay"]:
                parameter *= 1.0 - lr * float(group["weight_decay"])
            group = {**group, "weight_decay": 0.0}
        change = self._decayed(parameter, gradient, group)
        buffer = self._buffer(parameter, 1)
        accumulate(mean, change, beta1, buffer)
        np.multiply(change, change, out=buffer)
        buffer *= 1.0 - beta2
        square *= beta2
        square += buffer
        if largest is not None:
            square = np.maximum(largest, square, out=largest)
        np.sqrt(square, out=buffer)
        buffer *= 1.0 / correction
        buffer += eps
        np.divide(mean, buffer, out=buffer)
        buffer *= step_size
        parameter -= buffer


class AdamW(Adam):
    """Adam with p <- (1 - lr weight_decay) p before the step instead of decay in the gradient.

    Source: Loshchilov & Hutter, Decoupled weight decay regularization, 2019. Raises ValueError for
    options out of range.

    >>> import nn, optim
    >>> p = nn.Parameter([1.0])
    >>> p.grad = [0.0]
    >>> optim.AdamW([p], lr=0.1, weight_decay=0.5).step()
    >>> p.data.round(4)
    array([0.95], dtype=float32)
    """

    decoupled: ClassVar[bool] = True

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)
