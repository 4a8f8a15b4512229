"""Steps of the optimizers alone, over parameters and gradients of a network's shapes."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.workloads.networks import NETWORKS, starting_weights
from benchmarks.workloads.workload import BATCHES, Step, Workload, catalogue

__all__ = ["OPTIMIZERS"]

RATE = 1e-3
ADAM = {"lr": RATE}
MUON = {"lr": RATE, "momentum": 0.6, "weight_decay": 0.0, "nesterov": True}
TOLD = 4096
"""The last entries of a parameter, of which a step tells."""


def _arrays(muon: bool) -> tuple[list[np.ndarray], list[list[np.ndarray]]]:
    """Parameters and gradients; for Muon the 3x3 kernels of airbench94 as matrices."""
    if muon:
        weights = starting_weights(NETWORKS["airbench94"].layers)
        weights = [w.reshape(len(w), -1) for w in weights if w.shape[2:] == (3, 3)]
    else:
        weights = starting_weights(NETWORKS["vgg6"].layers)
    rng = np.random.default_rng(2)
    return weights, [
        [rng.standard_normal(w.shape, np.float32) for w in weights] for _ in range(BATCHES)
    ]


class _Teller:
    """A step's number: how far the entries of one parameter, each in turn, have come from where
    they began along the step's gradient, in learning rates, in the mean.
    """

    def __init__(self, muon: bool) -> None:
        weights, gradients = _arrays(muon)
        self.start = [w.reshape(-1)[-TOLD:] for w in weights]
        self.along = [[g.reshape(-1)[-TOLD:] for g in some] for some in gradients]
        # Muon moves a matrix of many entries by little in each.
        self.unit = RATE / 10 if muon else RATE

    def which(self, index: int) -> int:
        """The parameter that the step with that index tells of."""
        return 5 * index % len(self.start)

    def __call__(self, index: int, parameter: np.ndarray) -> float:
        which = self.which(index)
        start = self.start[which]
        moved = start - parameter.reshape(-1)[-TOLD:]
        return float(moved @ self.along[index % BATCHES][which]) / (self.unit * start.size)


def _ours(muon: bool) -> Step:
    import autograd as ag
    import nn
    import optim

    weights, gradients = _arrays(muon)
    told = _Teller(muon)
    parameters = [nn.Parameter(w) for w in weights]
    handed = [[ag.Tensor(g) for g in some] for some in gradients]
    make: Any = optim.Muon if muon else optim.Adam
    optimizer = make(parameters, **(MUON if muon else ADAM))

    def step(index: int) -> float:
        for parameter, gradient in zip(parameters, handed[index % BATCHES], strict=True):
            parameter.grad = gradient
        optimizer.step()
        return told(index, parameters[told.which(index)].data)

    return step


def _torch(muon: bool, **options: Any) -> Step:
    import torch

    weights, gradients = _arrays(muon)
    told = _Teller(muon)
    parameters = [torch.nn.Parameter(torch.from_numpy(w)) for w in weights]
    handed = [[torch.from_numpy(g) for g in some] for some in gradients]
    make: Any = torch.optim.Muon if muon else torch.optim.Adam
    optimizer = make(parameters, **(MUON if muon else ADAM), **options)

    def step(index: int) -> float:
        for parameter, gradient in zip(parameters, handed[index % BATCHES], strict=True):
            parameter.grad = gradient
        optimizer.step()
        return told(index, parameters[told.which(index)].detach().numpy())

    return step


OPTIMIZERS = catalogue(
    [
        Workload(
            "adam",
            "Adam's update of VGG-6's parameters",
            partial(_ours, False),
            {
                "torch": {
                    "": partial(_torch, False),
                    "foreach": partial(_torch, False, foreach=True),
                    "fused": partial(_torch, False, fused=True),
                }
            },
            1.0,
            memory_target=1.0,
        ),
        Workload(
            "muon",
            "Muon's update of airbench94's 3x3 kernels, as matrices",
            partial(_ours, True),
            {"torch": {"": partial(_torch, True)}},
            1.0,
            memory_target=1.0,
            # PyTorch iterates in bfloat16.
            agreement=1e-2,
        ),
    ]
)
