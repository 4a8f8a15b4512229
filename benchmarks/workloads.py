"""What is measured: each workload as steps of ours and of each peer, over rotating batches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from benchmarks.networks import NETWORKS, Network, ours, torchs

Step = Callable[[int], Any]
BATCHES = 4
CLASSES = 10


@dataclass(frozen=True)
class Workload:
    """`ours` and each peer's variants build a step; a step takes its number."""

    name: str
    summary: str
    ours: Callable[[], Step]
    peers: dict[str, dict[str, Callable[[], Step]]]
    """By peer and setting; the best setting counts."""
    target: float
    """The largest ratio ours / peer that is good enough."""
    against: str = "torch"
    """The peer that the target is about."""
    flops: float | None = None
    operations: int = field(default=1)
    """Recorded operations in a step: with more than one, times are shown per operation."""


def _batches(network: Network) -> tuple[list[Any], list[Any]]:
    rng = np.random.default_rng(0)
    shape = (network.batch, *network.shape)
    inputs = [rng.standard_normal(shape, np.float32) for _ in range(BATCHES)]
    return inputs, [rng.integers(0, CLASSES, network.batch) for _ in range(BATCHES)]


def _train_ours(network: Network) -> Step:
    import nn
    import optim

    nn.manual_seed(0)
    model, (inputs, labels) = ours(network), _batches(network)
    loss_of, optimizer = nn.CrossEntropyLoss(), optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)

    def step(index: int) -> float:
        loss = loss_of(model(inputs[index % BATCHES]), labels[index % BATCHES])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return float(loss.item())

    return step


def _train_torch(network: Network, last: bool, compiled: bool = False) -> Step:
    import torch

    torch.manual_seed(0)
    layout = torch.channels_last if last else torch.contiguous_format
    arrays, targets = _batches(network)
    inputs = [torch.from_numpy(x) for x in arrays]
    model = torchs(network)
    if len(network.shape) == 3:
        model = model.to(memory_format=layout)
        inputs = [x.to(memory_format=layout) for x in inputs]
    labels = [torch.from_numpy(y) for y in targets]
    loss_of = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    run = torch.compile(model) if compiled else model

    def step(index: int) -> float:
        loss = loss_of(run(inputs[index % BATCHES]), labels[index % BATCHES])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return float(loss.item())

    return step


def _infer_ours(network: Network) -> Step:
    import autograd as ag
    import nn

    nn.manual_seed(0)
    model, (inputs, _) = ours(network).eval(), _batches(network)

    def step(index: int) -> float:
        with ag.no_grad():
            return float(model(inputs[index % BATCHES]).data[0, 0])

    return step


def _infer_torch(network: Network, last: bool) -> Step:
    import torch

    torch.manual_seed(0)
    layout = torch.channels_last if last else torch.contiguous_format
    model = torchs(network).eval().to(memory_format=layout)
    inputs = [torch.from_numpy(x).to(memory_format=layout) for x in _batches(network)[0]]

    def step(index: int) -> float:
        with torch.inference_mode():
            return float(model(inputs[index % BATCHES])[0, 0])

    return step


def _torch_settings(make: Callable[..., Step], network: Network) -> dict[str, Callable[[], Step]]:
    if len(network.shape) < 3:
        return {"NCHW": partial(make, network, False)}
    return {
        "NCHW": partial(make, network, False),
        "channels-last": partial(make, network, True),
    }


SCALAR_TERMS = 200


def _scalar_graph(leaf: Callable[[float], Any], back: Callable[[Any], Any]) -> Step:
    """a b + a, again and again, of scalars: 2 operations each."""

    def step(index: int) -> float:
        a, b = leaf(1.0 + index % BATCHES / 8), leaf(0.5)
        out = a
        for _ in range(SCALAR_TERMS):
            out = out * b + a
        back(out)
        return float(a.grad if not hasattr(a.grad, "item") else a.grad.item())

    return step


def _scalars_ours() -> Step:
    import autograd as ag

    return _scalar_graph(lambda v: ag.Tensor(v, requires_grad=True), lambda y: y.backward())


def _scalars_micrograd() -> Step:
    from micrograd.engine import Value

    return _scalar_graph(Value, lambda y: y.backward())


def _scalars_mygrad() -> Step:
    import mygrad

    return _scalar_graph(lambda v: mygrad.tensor(v), lambda y: y.backward())


def _scalars_torch() -> Step:
    import torch

    return _scalar_graph(lambda v: torch.tensor(v, requires_grad=True), lambda y: y.backward())


CHAIN = 100


def _chain(x: Any, w: Any, tanh: Callable[[Any], Any]) -> Any:
    for _ in range(CHAIN):
        x = tanh(x @ w * 0.05 + 0.1)
    return x.sum()


def _chain_arrays() -> tuple[list[Any], Any]:
    rng = np.random.default_rng(0)
    xs = [rng.standard_normal((8, 16), np.float32) for _ in range(BATCHES)]
    return xs, rng.standard_normal((16, 16), np.float32)


def _chain_ours() -> Step:
    import autograd as ag

    xs, w = _chain_arrays()
    weight = ag.Tensor(w, requires_grad=True)

    def step(index: int) -> float:
        weight.grad = None
        _chain(ag.Tensor(xs[index % BATCHES]), weight, ag.tanh).backward()
        assert weight.grad is not None
        return float(weight.grad.data[0, 0])

    return step


def _chain_torch() -> Step:
    import torch

    xs, w = _chain_arrays()
    inputs, weight = [torch.from_numpy(x) for x in xs], torch.tensor(w, requires_grad=True)

    def step(index: int) -> float:
        weight.grad = None
        _chain(inputs[index % BATCHES], weight, torch.tanh).backward()
        return float(weight.grad[0, 0])

    return step


def _chain_numpy() -> Step:
    """The same derivative written by hand."""
    xs, w = _chain_arrays()

    def step(index: int) -> float:
        x, kept = xs[index % BATCHES], []
        for _ in range(CHAIN):
            y = np.tanh(x @ w * np.float32(0.05) + np.float32(0.1))
            kept.append((x, y))
            x = y
        adjoint, gradient = np.ones_like(x), np.zeros_like(w)
        for x, y in reversed(kept):
            inner = adjoint * (1 - y * y) * np.float32(0.05)
            gradient += x.T @ inner
            adjoint = inner @ w.T
        return float(gradient[0, 0])

    return step


def _layer_ours(kind: str, both: bool) -> Step:
    import autograd as ag

    x, w, b = _layer_arrays(kind)

    def forward(x: Any, w: Any, b: Any) -> Any:
        return ag.conv2d(x, w, b, stride=2, padding=1) if kind == "conv" else ag.max_pool2d(x, 2)

    cotangent = np.ones(forward(x[0], w, b).shape, np.float32)

    def step(index: int) -> float:
        if not both:
            return float(np.ravel(forward(x[index % BATCHES], w, b))[0])
        leaves = [ag.Tensor(a, requires_grad=True) for a in (x[index % BATCHES], w, b)]
        forward(*leaves).backward(cotangent)
        gradient = leaves[0].grad
        assert gradient is not None
        return float(gradient.data[0, 0, 0, 0])

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

    cotangent = torch.ones_like(forward(inputs[0], weight, bias))

    def step(index: int) -> float:
        if not both:
            with torch.no_grad():
                return float(forward(inputs[index % BATCHES], weight, bias).flatten()[0])
        leaves = [a.detach().requires_grad_() for a in (inputs[index % BATCHES], weight, bias)]
        forward(*leaves).backward(cotangent)
        return float(leaves[0].grad[0, 0, 0, 0])

    return step


def _layer_arrays(kind: str) -> tuple[list[Any], Any, Any]:
    rng = np.random.default_rng(0)
    side = 31 if kind == "conv" else 32
    xs = [rng.standard_normal((100, 3, side, side), np.float32) for _ in range(BATCHES)]
    return xs, rng.standard_normal((25, 3, 3, 3), np.float32), np.zeros(25, np.float32)


def _layer(kind: str, both: bool, summary: str) -> Workload:
    settings: dict[str, Callable[[], Step]] = {
        name: partial(_layer_torch, kind, both, last)
        for name, last in (("NCHW", False), ("channels-last", True))
    }
    name = f"{kind}_{'both' if both else 'forward'}"
    return Workload(name, summary, partial(_layer_ours, kind, both), {"torch": settings}, 1.0)


_TARGETS = {
    "softmax": 0.8,
    "mlp_small": 0.6,
    "mlp_large": 0.5,
    "convnet": 0.6,
    "vgg6": 0.5,
    "airbench94": 0.5,
}

WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload(
            "scalars",
            "a graph of scalar additions and multiplications, per operation",
            _scalars_ours,
            {
                "torch": {"": _scalars_torch},
                "micrograd": {"": _scalars_micrograd},
                "mygrad": {"": _scalars_mygrad},
            },
            0.5,
            "micrograd",
            operations=2 * SCALAR_TERMS,
        ),
        Workload(
            "chain",
            "tanh(x @ W * 0.05 + 0.1) 100 times, x (8, 16), per operation",
            _chain_ours,
            {"torch": {"": _chain_torch}, "numpy": {"by hand": _chain_numpy}},
            2.0,
            "numpy",
            operations=4 * CHAIN,
        ),
        *(
            Workload(
                name,
                f"a training step, batch {network.batch}",
                partial(_train_ours, network),
                {"torch": _torch_settings(_train_torch, network)},
                _TARGETS[name],
                flops=network.training_flops,
            )
            for name, network in NETWORKS.items()
        ),
        *(
            Workload(
                f"{name}_inference",
                f"without recording, batch {NETWORKS[name].batch}",
                partial(_infer_ours, NETWORKS[name]),
                {"torch": _torch_settings(_infer_torch, NETWORKS[name])},
                0.5,
            )
            for name in ("vgg6", "airbench94")
        ),
        _layer("conv", False, "(100, 3, 31, 31) x (25, 3, 3, 3), stride 2, padding 1"),
        _layer("conv", True, "the same with its gradients"),
        _layer("pool", False, "2x2 maxima of (100, 3, 32, 32)"),
        _layer("pool", True, "the same with its gradient"),
    )
}
