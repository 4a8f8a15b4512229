"""A chain of small arrays: what an operation costs where NumPy's share is a microsecond."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.workloads.workload import BATCHES, Step, Workload, catalogue, weighed

__all__ = ["SMALL_ARRAYS"]

LINKS = 300


def _chain(x: Any, w: Any, tanh: Callable[[Any], Any]) -> Any:
    for _ in range(LINKS):
        x = tanh(x @ w * 0.05 + 0.1)
    return x.sum()


def _arrays() -> tuple[list[Any], Any]:
    rng = np.random.default_rng(0)
    xs = [rng.standard_normal((8, 16), np.float32) for _ in range(BATCHES)]
    return xs, rng.standard_normal((16, 16), np.float32)


def _ours() -> Step:
    import autograd as ag

    xs, w = _arrays()
    weight = ag.Tensor(w, requires_grad=True)

    def step(index: int) -> float:
        weight.grad = None
        _chain(ag.Tensor(xs[index % BATCHES]), weight, ag.tanh).backward()
        assert weight.grad is not None
        return weighed(weight.grad.data)

    return step


def _torch() -> Step:
    import torch

    xs, w = _arrays()
    inputs, weight = [torch.from_numpy(x) for x in xs], torch.tensor(w, requires_grad=True)

    def step(index: int) -> float:
        weight.grad = None
        _chain(inputs[index % BATCHES], weight, torch.tanh).backward()
        return weighed(weight.grad)

    return step


def _jax() -> Step:
    import jax
    from jax import numpy as jnp

    xs, w = _arrays()
    inputs, weight = [jnp.asarray(x) for x in xs], jnp.asarray(w)
    slope = jax.jit(jax.grad(lambda w, x: _chain(x, w, jnp.tanh)))

    def step(index: int) -> float:
        return weighed(slope(weight, inputs[index % BATCHES]))

    return step


def _mygrad() -> Step:
    import mygrad

    xs, w = _arrays()
    weight = mygrad.tensor(w)

    def step(index: int) -> float:
        weight.null_grad()
        _chain(mygrad.tensor(xs[index % BATCHES], constant=True), weight, mygrad.tanh).backward()
        return weighed(weight.grad)

    return step


def _hips() -> Step:
    """In an environment where `autograd` is HIPS's."""
    from importlib import import_module

    hips = import_module("autograd.numpy")
    from autograd import grad

    xs, w = _arrays()
    slope = grad(lambda w, x: _chain(x, w, hips.tanh))

    def step(index: int) -> float:
        return weighed(slope(w, xs[index % BATCHES]))

    return step


def _numpy() -> Step:
    """The same derivative written by hand."""
    xs, w = _arrays()

    def step(index: int) -> float:
        x, kept = xs[index % BATCHES], []
        for _ in range(LINKS):
            y = np.tanh(x @ w * np.float32(0.05) + np.float32(0.1))
            kept.append((x, y))
            x = y
        adjoint, gradient = np.ones_like(x), np.zeros_like(w)
        for x, y in reversed(kept):
            inner = adjoint * (1 - y * y) * np.float32(0.05)
            gradient += x.T @ inner
            adjoint = inner @ w.T
        return weighed(gradient)

    return step


SMALL_ARRAYS = catalogue(
    [
        Workload(
            "small_arrays",
            f"tanh(x @ W * 0.05 + 0.1) {LINKS} times, x (8, 16), per operation",
            _ours,
            {
                "numpy": {"by hand": _numpy},
                "torch": {"": _torch},
                "jax": {"jit": _jax},
                "mygrad": {"": _mygrad},
                "autograd": {"": _hips},
            },
            2.0,
            "numpy",
            operations=4 * LINKS,
            agreement=1e-5,  # of a gradient of 1e-2
        )
    ]
)
