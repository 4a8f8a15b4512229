"""Single layers, forward and with their gradients."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.workloads.workload import BATCHES, Build, Step, Workload, catalogue, weighed

__all__ = ["LAYERS"]

PLACES = ((0, 0, 0), (33, 1, 5), (66, 2, 10), (99, -1, -1))
"""Image, channel and row that the step with each batch tells of."""


def _layer_ours(kind: str, both: bool) -> Step:
    import autograd as ag

    x, w, b = _layer_arrays(kind)

    def forward(x: Any, w: Any, b: Any) -> Any:
        return ag.conv2d(x, w, b, stride=2, padding=1) if kind == "conv" else ag.max_pool2d(x, 2)

    out = forward(x[0], w, b)
    cotangent = np.empty_like(out)  # laid out as it is
    cotangent[...] = _numbers(out.shape)

    def step(index: int) -> float:
        if not both:
            return weighed(forward(x[index % BATCHES], w, b)[PLACES[index % BATCHES]])
        leaves = [ag.Tensor(a, requires_grad=True) for a in (x[index % BATCHES], w, b)]
        forward(*leaves).backward(cotangent)
        leaf, place = _told(kind, index)
        gradient = leaves[leaf].grad
        assert gradient is not None
        return weighed(gradient.data[place])

    return step


def _layer_torch(kind: str, both: bool, last: bool) -> Step:
    import torch

    x, w, b = _layer_arrays(kind)
    layout = torch.channels_last if last else torch.contiguous_format
    inputs = [torch.from_numpy(a).to(memory_format=layout) for a in x]
    weight, bias = torch.from_numpy(w), torch.from_numpy(b)

    def forward(x: Any, w: Any, b: Any) -> Any:
        if kind == "conv":
            return torch.nn.functional.conv2d(x, w, b, stride=2, padding=1)
        return torch.nn.functional.max_pool2d(x, 2)

    out = forward(inputs[0], weight, bias)
    cotangent = torch.empty_like(out).copy_(torch.from_numpy(_numbers(tuple(out.shape))))

    def step(index: int) -> float:
        if not both:
            with torch.no_grad():
                out = forward(inputs[index % BATCHES], weight, bias)
                return weighed(out[PLACES[index % BATCHES]])
        leaves = [a.detach().requires_grad_() for a in (inputs[index % BATCHES], weight, bias)]
        forward(*leaves).backward(cotangent)
        leaf, place = _told(kind, index)
        return weighed(leaves[leaf].grad[place])

    return step


def _layer_arrays(kind: str) -> tuple[list[Any], Any, Any]:
    rng = np.random.default_rng(0)
    side = 31 if kind == "conv" else 32
    xs = [rng.standard_normal((100, 3, side, side), np.float32) for _ in range(BATCHES)]
    return xs, rng.standard_normal((25, 3, 3, 3), np.float32), np.zeros(25, np.float32)


def _numbers(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(1).standard_normal(shape, np.float32)


def _told(kind: str, index: int) -> tuple[int, tuple[Any, ...]]:
    """The leaf that a step's number tells of, each in turn, and the place in its gradient."""
    leaf = index % BATCHES % 3 if kind == "conv" else 0
    place = PLACES[index % BATCHES]
    return leaf, (place, (11, 1), ())[leaf]


def _layer(kind: str, both: bool, summary: str) -> Workload:
    settings: dict[str, Build] = {
        name: partial(_layer_torch, kind, both, last)
        for name, last in (("NCHW", False), ("channels-last", True))
    }
    name = f"{kind}_{'both' if both else 'forward'}"
    return Workload(name, summary, partial(_layer_ours, kind, both), {"torch": settings}, 1.0)


LAYERS = catalogue(
    [
        _layer("conv", False, "(100, 3, 31, 31) x (25, 3, 3, 3), stride 2, padding 1"),
        _layer("conv", True, "the same with its gradients"),
        _layer("pool", False, "2x2 maxima of (100, 3, 32, 32)"),
        _layer("pool", True, "the same with its gradient"),
    ]
)
