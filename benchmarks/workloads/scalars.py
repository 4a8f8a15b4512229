"""Graphs of scalars: what an operation costs, and whether it costs the same in a long chain."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.workloads.workload import BATCHES, Build, Step, Workload, catalogue

__all__ = ["SCALARS"]

TERMS = 200
FACTOR = 0.9999999


def _terms(a: Any, b: Any) -> Any:
    """a b + a, again and again: 2 operations each."""
    out = a
    for _ in range(TERMS):
        out = out * b + a
    return out


def _chain(nodes: int, a: Any, b: Any) -> Any:
    out = a
    for _ in range(nodes):
        out = out * b
    return out


def _backward(leaf: Callable[[float], Any], graph: Callable[[Any, Any], Any], b: float) -> Step:
    """With a method `backward` that leaves the derivatives in `grad`: their product."""

    def step(index: int) -> float:
        first, second = leaf(1.0 + index % BATCHES / 8), leaf(b)
        graph(first, second).backward()
        return float(first.grad) * float(second.grad)

    return step


def _ours(graph: Callable[[Any, Any], Any], b: float) -> Step:
    import autograd as ag

    return _backward(lambda value: ag.Tensor(value, requires_grad=True), graph, b)


def _ours_again(nodes: int, times: int) -> Step:
    """So many chains, one after the other, whose results add up to the long one's."""
    once = _ours(partial(_chain, nodes), FACTOR**times)

    def step(index: int) -> float:
        return sum(once(index) for _ in range(times))

    return step


def _torch(graph: Callable[[Any, Any], Any], b: float) -> Step:
    import torch

    return _backward(lambda value: torch.tensor(value, requires_grad=True), graph, b)


def _micrograd(graph: Callable[[Any, Any], Any], b: float) -> Step:
    from micrograd.engine import Value

    return _backward(Value, graph, b)


def _mygrad(graph: Callable[[Any, Any], Any], b: float) -> Step:
    import mygrad

    return _backward(lambda value: mygrad.tensor(value), graph, b)


def _hips(graph: Callable[[Any, Any], Any], b: float) -> Step:
    """In an environment where `autograd` is HIPS's."""
    from autograd import grad

    both = grad(graph, (0, 1))

    def step(index: int) -> float:
        by_a, by_b = both(1.0 + index % BATCHES / 8, b)
        return float(by_a) * float(by_b)

    return step


def _long(nodes: int, shorter: int, peers: dict[str, dict[str, Build]], target: float) -> Workload:
    """A chain next to shorter ones with as many nodes in all: is the time per node the same?"""
    times = nodes // shorter
    again = {f"{times} of {shorter:,}": partial(_ours_again, shorter, times)}
    return Workload(
        f"chain_{nodes}",
        "multiplications in one chain, per node",
        partial(_ours, partial(_chain, nodes), FACTOR),
        {"dagrad": again, **peers},
        target,
        "torch" if "torch" in peers else "dagrad",
        operations=nodes,
        # PyTorch's tensors are float32 here: 10^5 factors, each rounded.
        agreement=0.02,
    )


_CHAIN_PEERS: dict[str, dict[str, Build]] = {
    "torch": {"": partial(_torch, partial(_chain, 10**5), FACTOR)},
    "autograd": {"": partial(_hips, partial(_chain, 10**5), FACTOR)},
}

SCALARS = catalogue(
    [
        Workload(
            "scalars",
            "a graph of scalar additions and multiplications, per operation",
            partial(_ours, _terms, 0.5),
            {
                "torch": {"": partial(_torch, _terms, 0.5)},
                "micrograd": {"": partial(_micrograd, _terms, 0.5)},
                "mygrad": {"": partial(_mygrad, _terms, 0.5)},
                "autograd": {"": partial(_hips, _terms, 0.5)},
            },
            0.5,
            "micrograd",
            operations=2 * TERMS,
        ),
        _long(10**5, 10**3, _CHAIN_PEERS, 1.0),
        _long(10**6, 10**5, {}, 1.3),
    ]
)
