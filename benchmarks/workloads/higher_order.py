"""Forward mode and second order: the JVP of a deep function, a Hessian, Hessian-vector products."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.workloads.workload import BATCHES, Step, Workload, catalogue, weighed

__all__ = ["HIGHER_ORDER"]

DEPTH, ROWS, WIDTH = 100, 8192, 128
STRETCHED = 100.0
"""About what the layers multiply a direction by."""
VARIABLES = 100
MLP_WIDTHS, MLP_BATCH = (64, 128, 128, 1), 128


def _deep(x: Any, w: Any, tanh: Callable[[Any], Any]) -> Any:
    for _ in range(DEPTH):
        x = tanh(x @ w)
    return x


def _told(out: Any, tangent: Any) -> float:
    """By the first row, which depends on the inputs' first rows alone."""
    return weighed(out[0]) + weighed(tangent[0]) / STRETCHED


def _deep_arrays() -> tuple[list[Any], Any, Any]:
    rng = np.random.default_rng(0)
    shape = (ROWS, WIDTH)
    xs = [rng.standard_normal(shape, np.float32) for _ in range(BATCHES)]
    w = rng.standard_normal((WIDTH, WIDTH), np.float32) * np.float32(1.5 * WIDTH**-0.5)
    return xs, rng.standard_normal(shape, np.float32), w


def _jvp_ours() -> Step:
    import autograd as ag

    xs, direction, w = _deep_arrays()

    def step(index: int) -> float:
        x = xs[index % BATCHES]
        out, tangent = ag.jvp(lambda x: _deep(x, w, ag.tanh), (x,), (direction,))
        return _told(out, tangent)

    return step


def _tangent_by_hand(x: np.ndarray, tangent: np.ndarray, w: np.ndarray) -> np.ndarray:
    """In float64, so that the plain function has something to be compared by."""
    x, tangent, w = (a.astype(np.float64) for a in (x, tangent, w))
    for _ in range(DEPTH):
        x = np.tanh(x @ w)
        tangent = (tangent @ w) * (1 - x * x)
    return tangent


def _plain_ours() -> Step:
    import autograd as ag

    xs, direction, w = _deep_arrays()
    tangents = [_tangent_by_hand(x[:1], direction[:1], w) for x in xs]

    def step(index: int) -> float:
        with ag.no_grad():  # the library's own product, which is not that of plain arrays
            y = _deep(ag.Tensor(xs[index % BATCHES]), w, ag.tanh)
        return _told(y.data, tangents[index % BATCHES])

    return step


def _jvp_torch() -> Step:
    import torch

    arrays, *others = _deep_arrays()
    xs = [torch.from_numpy(x) for x in arrays]
    direction, w = (torch.from_numpy(a) for a in others)

    def step(index: int) -> float:
        x = xs[index % BATCHES]
        out, tangent = torch.func.jvp(lambda x: _deep(x, w, torch.tanh), (x,), (direction,))
        return _told(out, tangent)

    return step


def _jvp_jax() -> Step:
    import jax
    from jax import numpy as jnp

    arrays, *others = _deep_arrays()
    xs = [jnp.asarray(x) for x in arrays]
    direction, w = (jnp.asarray(a) for a in others)
    run = jax.jit(lambda x: jax.jvp(lambda x: _deep(x, w, jnp.tanh), (x,), (direction,)))

    def step(index: int) -> float:
        out, tangent = run(xs[index % BATCHES])
        return _told(np.asarray(out), np.asarray(tangent))

    return step


def _rosenbrock(p: Any) -> Any:
    return (100.0 * (p[1:] - p[:-1] ** 2) ** 2 + (1.0 - p[:-1]) ** 2).sum()


def _points() -> list[Any]:
    rng = np.random.default_rng(0)
    return [rng.uniform(-1, 1, VARIABLES).astype(np.float32) for _ in range(BATCHES)]


def _of_arrays(hessian: Callable[[Any], Any], points: list[Any]) -> Step:
    """Steps that tell of a row each: three entries by the diagonal, and zeros."""

    def step(index: int) -> float:
        which = index % BATCHES
        return weighed(np.asarray(hessian(points[which]))[which * VARIABLES // BATCHES + 1])

    return step


def _hessian_ours() -> Step:
    import autograd as ag

    return _of_arrays(ag.hessian(_rosenbrock), _points())


def _hessian_torch() -> Step:
    import torch

    return _of_arrays(torch.func.hessian(_rosenbrock), [torch.from_numpy(p) for p in _points()])


def _hessian_jax() -> Step:
    import jax

    return _of_arrays(jax.jit(jax.hessian(_rosenbrock)), [jax.numpy.asarray(p) for p in _points()])


def _hessian_hips() -> Step:
    """In an environment where `autograd` is HIPS's."""
    from importlib import import_module

    import_module("autograd.numpy")
    from autograd import hessian

    return _of_arrays(hessian(_rosenbrock), _points())


def _mlp(weights: Any, x: Any, tanh: Callable[[Any], Any]) -> Any:
    for w in weights[:-1]:
        x = tanh(x @ w)
    return ((x @ weights[-1]) ** 2).mean()


def _mlp_arrays() -> tuple[list[Any], list[Any], list[Any]]:
    """Weights, a direction and inputs."""
    rng = np.random.default_rng(0)
    shapes = list(itertools.pairwise(MLP_WIDTHS))
    weights = [rng.standard_normal(s, np.float32) * np.float32(s[0] ** -0.5) for s in shapes]
    direction = [rng.standard_normal(s, np.float32) for s in shapes]
    shape = (MLP_BATCH, MLP_WIDTHS[0])
    return weights, direction, [rng.standard_normal(shape, np.float32) for _ in range(BATCHES)]


def _product_told(index: int, product: Any) -> float:
    """By a column for each of the weights in turn."""
    return weighed(product[index % BATCHES % len(product)][:, 0])


def _hvp_ours() -> Step:
    import autograd as ag

    weights, direction, xs = _mlp_arrays()

    def step(index: int) -> float:
        x = xs[index % BATCHES]
        return _product_told(index, ag.hvp(lambda w: _mlp(w, x, ag.tanh), weights, direction))

    return step


def _hvp_torch(backward_twice: bool) -> Step:
    import torch

    weights, direction, xs = ([torch.from_numpy(a) for a in part] for part in _mlp_arrays())
    leaves = [w.clone().requires_grad_() for w in weights]

    def twice(index: int) -> float:
        loss = _mlp(leaves, xs[index % BATCHES], torch.tanh)
        slopes = torch.autograd.grad(loss, leaves, create_graph=True)
        return _product_told(index, torch.autograd.grad(slopes, leaves, direction))

    def forward_over_reverse(index: int) -> float:
        slope = torch.func.grad(lambda w: _mlp(w, xs[index % BATCHES], torch.tanh))
        return _product_told(index, torch.func.jvp(slope, (weights,), (direction,))[1])

    return twice if backward_twice else forward_over_reverse


def _hvp_jax() -> Step:
    import jax
    from jax import numpy as jnp

    weights, direction, xs = ([jnp.asarray(a) for a in part] for part in _mlp_arrays())
    run = jax.jit(
        lambda x: jax.jvp(jax.grad(lambda w: _mlp(w, x, jnp.tanh)), (weights,), (direction,))[1]
    )

    def step(index: int) -> float:
        return _product_told(index, [np.asarray(a) for a in run(xs[index % BATCHES])])

    return step


def _hvp_hips() -> Step:
    """In an environment where `autograd` is HIPS's: backward over backward."""
    from importlib import import_module

    hips = import_module("autograd.numpy")
    product = import_module("autograd").make_hvp
    weights, direction, xs = _mlp_arrays()

    def step(index: int) -> float:
        x = xs[index % BATCHES]
        found = product(lambda w: _mlp(w, x, hips.tanh))(weights)[0](direction)
        return _product_told(index, found)

    return step


HIGHER_ORDER = catalogue(
    [
        Workload(
            "jvp_deep",
            f"value and JVP of tanh(x @ W) {DEPTH} times, x ({ROWS}, {WIDTH})",
            _jvp_ours,
            {"dagrad": {"plain": _plain_ours}, "torch": {"": _jvp_torch}, "jax": {"jit": _jvp_jax}},
            3.0,
            "dagrad",
            memory_target=3.0,
            agreement=1e-2,  # the layers stretch rounding errors as they do directions
            flops=4.0 * DEPTH * ROWS * WIDTH**2,
        ),
        Workload(
            "hessian_rosenbrock",
            f"the Hessian of a Rosenbrock function of {VARIABLES} variables",
            _hessian_ours,
            {
                "torch": {"func": _hessian_torch},
                "jax": {"jit": _hessian_jax},
                "autograd": {"": _hessian_hips},
            },
            1.0,
        ),
        Workload(
            "hvp_mlp",
            f"Hessian times a vector, MLP {'-'.join(map(str, MLP_WIDTHS))}, batch {MLP_BATCH}",
            _hvp_ours,
            {
                "torch": {
                    "twice backward": lambda: _hvp_torch(True),
                    "func": lambda: _hvp_torch(False),
                },
                "jax": {"jit": _hvp_jax},
                "autograd": {"": _hvp_hips},
            },
            1.0,
        ),
    ]
)
