"""Muon: momentum whose matrix is orthogonalised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from autograd import Tensor
from autograd.kernels.newton_schulz import MUON_COEFFICIENTS, orthogonalise
from autograd.kernels.updates import gather_momentum, one_pass, shrink_and_subtract
from optim.optimizer import Array, Group, Optimizer, State


class Muon(Optimizer):
    """v <- momentum v + g; u = g + momentum v (v without `nesterov`);
    p <- (1 - lr weight_decay) p - lr sqrt(max(1, rows / columns)) orthogonalised(u).

    For weights of hidden layers: matrices, or kernels (out, ...) seen as matrices. The
    orthogonalisation is `ns_steps` rounds of Newton and Schulz's iteration. Biases, norms and
    embeddings belong to another optimizer. With `renormalize`, p is first rescaled to the Frobenius
    norm sqrt(rows), that of orthonormal rows: for weights whose scale a normalization removes, as
    in airbench94; a weight of zeros stays. Source: K. Jordan et al., Muon: an optimizer for hidden
    layers in neural networks, 2024.

    Raises ValueError for a parameter of fewer than two axes, or options out of range.

    >>> import nn, optim, numpy as np
    >>> p = nn.Parameter(np.zeros((2, 2)))
    >>> p.grad = np.eye(2)
    >>> optim.Muon([p], lr=0.1).step()
    >>> bool(np.all(np.abs(np.diag(p.data) + 0.1) < 0.05))
    True
    """

    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {
        "lr": (0.0, float("inf")),
        "momentum": (0.0, 1.0),
        "weight_decay": (0.0, float("inf")),
        "ns_steps": (1, 100),
    }

    def __init__(
        self,
        params: Any,
        lr: float = 0.02,
        weight_decay: float = 0.0,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_steps: int = 5,
        ns_coefficients: tuple[float, float, float] = MUON_COEFFICIENTS,
        eps: float = 1e-7,
        *,
        renormalize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "nesterov": nesterov,
                "ns_steps": ns_steps,
                "ns_coefficients": tuple(ns_coefficients),
                "eps": eps,
                "renormalize": renormalize,
            },
        )

    def _check_parameter(self, parameter: Tensor, options: Mapping[str, Any]) -> None:
        if parameter.ndim < 2:
            raise ValueError(
                f"Muon orthogonalises matrices, got a parameter of shape {parameter.shape}; give "
                "biases and norms to another optimizer, such as AdamW"
            )

    def _update(self, parameter: Array, gradient: Array, state: State, group: Group) -> None:
        lr, momentum = float(group["lr"]), float(group["momentum"])
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = np.zeros_like(parameter)
        velocity, nesterov = state["momentum_buffer"], bool(group["nesterov"])
        direction = self._buffer(parameter) if nesterov else velocity
        if one_pass(parameter, gradient, velocity):
            gather_momentum(velocity, gradient, momentum, nesterov, direction)
        else:
            velocity *= momentum
            velocity += gradient
            if nesterov:
                np.multiply(velocity, momentum, out=direction)
                direction += gradient
        rows = parameter.shape[0]
        matrix = direction.reshape(rows, -1)
        change = orthogonalise(
            matrix,
            int(group["ns_steps"]),
            group["ns_coefficients"],
            float(group["eps"]),
            overwrite=nesterov,
        ).reshape(parameter.shape)
        shrink = 1.0 - lr * float(group["weight_decay"])
        if group["renormalize"] and (norm := float(np.linalg.norm(parameter))):
            shrink *= rows**0.5 / norm
        scale = lr * max(1.0, rows / matrix.shape[1]) ** 0.5
        if one_pass(parameter, change):
            shrink_and_subtract(parameter, change, scale, shrink)
            return
        if shrink != 1.0:
            parameter *= shrink
        change *= scale
        parameter -= change
