"""Layers that go row by row or entry by entry, each with its gradient.

`nn.functional` has PyTorch's names, so that one line serves both sides.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from benchmarks.workloads.workload import BATCHES, Step, Workload, catalogue, weighed

__all__ = ["ROWS"]

CLASSES = 1000
TOLD = (0, 77, 200, -1)
"""Rows of a result or gradient that the steps with each batch tell of."""


class _Layer(NamedTuple):
    shape: tuple[int, int]
    call: Callable[..., Any]
    """(functions, x, parameter, numbers): the layer, or the loss, of a library's arrays."""
    scale: float = 1.0
    """What makes entries of the gradient about as large as 1, so that wrong ones are seen."""


LAYERS = {
    "softmax": _Layer((4096, CLASSES), lambda F, x, w, n: F.softmax(x, 1), CLASSES),
    "cross_entropy": _Layer((4096, CLASSES), lambda F, x, w, n: F.cross_entropy(x, n), 4e6),
    "layer_norm": _Layer((4096, 512), lambda F, x, w, n: F.layer_norm(x, (512,), w, w)),
    "embedding": _Layer((CLASSES, 512), lambda F, x, w, n: F.embedding(n, x)),
    "silu": _Layer((256, 1024), lambda F, x, w, n: F.silu(x)),
    "dropout": _Layer((256, 1024), lambda F, x, w, n: F.dropout(x, 0.5)),
}


def _arrays(name: str) -> tuple[list[Any], Any, Any, Any]:
    """Inputs, a parameter for each column, class numbers, and numbers for a cotangent."""
    rng = np.random.default_rng(0)
    rows, columns = shape = LAYERS[name].shape
    xs = [rng.standard_normal(shape, np.float32) for _ in range(BATCHES)]
    numbers = rng.integers(0, CLASSES, rows if rows > CLASSES else 4096)
    cotangent = rng.standard_normal((len(numbers), columns), np.float32)
    return xs, rng.standard_normal(columns, np.float32), numbers, cotangent


def _teller(name: str) -> Callable[[int, Any, Any, Any], float]:
    """(index, out, slope of x, slope of the parameter or None), arrays of either library: the
    number of the step with that index, by which all three are compared in turn.
    """
    xs, _, _, cotangent = _arrays(name)
    # What each random choice multiplies: out * slope is 4 times that where kept, else 0.
    products = [x[:8].ravel() * cotangent[:8, : x.shape[1]].ravel() for x in xs]

    def told(index: int, out: Any, by_x: Any, by_parameter: Any) -> float:
        which = index % BATCHES
        if name == "dropout":
            both = np.asarray(out[:8]).ravel() * np.asarray(by_x[:8]).ravel()
            return float(np.mean(both / products[which]))
        if which == 1:
            return weighed(out[TOLD[which]]) * scale if out.ndim else float(out)
        if which == 2 and by_parameter is not None:
            return weighed(by_parameter)
        return weighed(by_x[TOLD[which]]) * scale

    scale = LAYERS[name].scale
    return told


def _ours(name: str) -> Step:
    import autograd as ag
    import nn.functional as F

    xs, parameter, numbers, cotangents = _arrays(name)
    told = _teller(name)

    def step(index: int) -> float:
        x = ag.Tensor(xs[index % BATCHES], requires_grad=True)
        w = ag.Tensor(parameter, requires_grad=True)
        out = LAYERS[name].call(F, x, w, numbers)
        out.backward(cotangents[: len(out.data)] if out.ndim else None)
        assert x.grad is not None
        return told(index, out.data, x.grad.data, None if w.grad is None else w.grad.data)

    return step


def _torch(name: str) -> Step:
    import torch
    import torch.nn.functional as F

    arrays, *others = _arrays(name)
    xs = [torch.from_numpy(x) for x in arrays]
    parameter, numbers, cotangents = (torch.from_numpy(a) for a in others)
    told = _teller(name)

    def step(index: int) -> float:
        x = xs[index % BATCHES].detach().requires_grad_()
        w = parameter.detach().requires_grad_()
        out = LAYERS[name].call(F, x, w, numbers)
        out.backward(cotangents[: len(out)] if out.ndim else None)
        assert x.grad is not None
        return told(index, out.detach(), x.grad, w.grad)

    return step


ROWS = catalogue(
    [
        Workload(
            f"{name}_both",
            f"{name.replace('_', ' ')} of {layer.shape} with its gradient",
            partial(_ours, name),
            {"torch": {"": partial(_torch, name)}},
            1.0,
            # Sides drop entries of their own, of 8192 that are told: 2 +- 0.03.
            agreement=0.1 if name == "dropout" else 1e-3,
        )
        for name, layer in LAYERS.items()
    ]
)
