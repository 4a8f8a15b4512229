"""Layers that go row by row: softmax, cross-entropy, dropout, each with its gradient."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.workloads.workload import BATCHES, Step, Workload, catalogue

__all__ = ["ROWS"]

EXAMPLES, CLASSES = 4096, 1000
DROPPED = 256, 1024


def _arrays(kind: str) -> tuple[list[Any], Any, Any]:
    """Inputs, a cotangent and class numbers."""
    rng = np.random.default_rng(0)
    shape = DROPPED if kind == "dropout" else (EXAMPLES, CLASSES)
    xs = [rng.standard_normal(shape, np.float32) for _ in range(BATCHES)]
    return xs, rng.standard_normal(shape, np.float32), rng.integers(0, CLASSES, EXAMPLES)


def _ours(kind: str) -> Step:
    import autograd as ag
    import nn.functional as F

    xs, cotangent, classes = _arrays(kind)
    rng = np.random.default_rng(0)

    def step(index: int) -> float:
        x = ag.Tensor(xs[index % BATCHES], requires_grad=True)
        if kind == "cross_entropy":
            F.cross_entropy(x, classes).backward()
        elif kind == "softmax":
            F.softmax(x, 1).backward(cotangent)
        else:
            F.dropout(x, 0.5, rng=rng).backward(cotangent)
        assert x.grad is not None
        return float(x.grad.data[0, :8].sum()) * len(x.data)

    return step


def _torch(kind: str) -> Step:
    import torch
    import torch.nn.functional as F

    arrays, *others = _arrays(kind)
    xs = [torch.from_numpy(x) for x in arrays]
    cotangent, classes = (torch.from_numpy(a) for a in others)

    def step(index: int) -> float:
        x = xs[index % BATCHES].detach().requires_grad_()
        if kind == "cross_entropy":
            F.cross_entropy(x, classes).backward()
        elif kind == "softmax":
            F.softmax(x, 1).backward(cotangent)
        else:
            F.dropout(x, 0.5).backward(cotangent)
        assert x.grad is not None
        return float(x.grad[0, :8].sum()) * len(x)

    return step


def _layer(kind: str, shape: tuple[int, int]) -> Workload:
    return Workload(
        f"{kind}_both",
        f"{kind.replace('_', '-')} of {shape} with its gradient",
        partial(_ours, kind),
        {"torch": {"": partial(_torch, kind)}},
        1.0,
        agreement=None if kind == "dropout" else 1e-3,
    )


ROWS = catalogue(
    [
        _layer("softmax", (EXAMPLES, CLASSES)),
        _layer("cross_entropy", (EXAMPLES, CLASSES)),
        _layer("dropout", DROPPED),
    ]
)
