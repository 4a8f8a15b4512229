"""Layers that go row by row or entry by entry, each with its gradient.

`nn.functional` has PyTorch's names, so that one line serves both sides.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from benchmarks.workloads.workload import BATCHES, Step, Workload, catalogue

__all__ = ["ROWS"]

CLASSES = 1000


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


def _ours(name: str) -> Step:
    import autograd as ag
    import nn.functional as F

    xs, parameter, numbers, cotangents = _arrays(name)

    def step(index: int) -> float:
        x = ag.Tensor(xs[index % BATCHES], requires_grad=True)
        w = ag.Tensor(parameter, requires_grad=True)
        out = LAYERS[name].call(F, x, w, numbers)
        out.backward(cotangents[: len(out.data)] if out.ndim else None)
        assert x.grad is not None
        return float(x.grad.data[0, :8].sum()) * LAYERS[name].scale + float(
            xs[index % BATCHES][0, 0]
        )

    return step


def _torch(name: str) -> Step:
    import torch
    import torch.nn.functional as F

    arrays, *others = _arrays(name)
    xs = [torch.from_numpy(x) for x in arrays]
    parameter, numbers, cotangents = (torch.from_numpy(a) for a in others)

    def step(index: int) -> float:
        x = xs[index % BATCHES].detach().requires_grad_()
        w = parameter.detach().requires_grad_()
        out = LAYERS[name].call(F, x, w, numbers)
        out.backward(cotangents[: len(out)] if out.ndim else None)
        assert x.grad is not None
        return float(x.grad[0, :8].sum()) * LAYERS[name].scale + float(xs[index % BATCHES][0, 0])

    return step


ROWS = catalogue(
    [
        Workload(
            f"{name}_both",
            f"{name.replace('_', ' ')} of {layer.shape} with its gradient",
            partial(_ours, name),
            {"torch": {"": partial(_torch, name)}},
            1.0,
            agreement=None if name == "dropout" else 1e-3,
        )
        for name, layer in LAYERS.items()
    ]
)
