"""Single operations on a square matrix x, and what they are in PyTorch.

Each call is a function of x and of `Given`: what else it takes, as either side's arrays. Two such
functions where the sides' names differ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.workloads.workload import BATCHES, Step

__all__ = ["CALLS", "SIDES", "build", "torch_build"]

PLACES = (0, -1, 1, -2)
"""Along each axis, of the entry that the step with each input tells of."""

SIDES = (32, 128, 512, 2048)
"""Rows and columns: 4 KiB, 64 KiB, 1 MiB and 16 MiB of float32."""


@dataclass(frozen=True)
class Given:
    """What calls take besides x: positive entries, a mask, labels, a row, a column and indices."""

    lib: Any
    functions: Any
    positive: Any
    mask: Any
    labels: Any
    row: Any
    column: Any
    indices: Any


Call = Callable[[Any, Given], Any]


def _same(name: str) -> Call:
    return lambda x, given: getattr(given.lib, name)(x)


def _layer(name: str) -> Call:
    return lambda x, given: getattr(given.functions, name)(x)


CALLS: dict[str, Call | tuple[Call, Call]] = {
    "x + x": lambda x, given: x + x,
    "0.5 x": lambda x, given: 0.5 * x,
    "-x": lambda x, given: -x,
    "x * y": lambda x, given: x * given.positive,
    "x / y": lambda x, given: x / given.positive,
    "x + row": lambda x, given: x + given.row,
    "x * column": lambda x, given: x * given.column,
    "x + x.T": lambda x, given: x + x.T,
    "x ** 2": lambda x, given: x**2,
    "x ** 3": lambda x, given: x**3,
    "x ** -2": lambda x, given: x**-2,
    "y ** 1.5 x": lambda x, given: (given.positive * x) ** 2 * given.positive**1.5,
    "exp": _same("exp"),
    "log(y + x x)": lambda x, given: given.lib.log(given.positive + x * x),
    "sqrt(y + x x)": lambda x, given: given.lib.sqrt(given.positive + x * x),
    "sin": _same("sin"),
    "tanh": _same("tanh"),
    "erf": _same("erf"),
    "absolute": _same("absolute"),
    "relu": _layer("relu"),
    "leaky_relu": _layer("leaky_relu"),
    "elu": _layer("elu"),
    "gelu": _layer("gelu"),
    "silu": _layer("silu"),
    "sigmoid": _same("sigmoid"),
    "softplus": _layer("softplus"),
    "clip": lambda x, given: given.lib.clip(x, -1.0, 1.0),
    "maximum": (
        lambda x, given: given.lib.maximum(x, 0.5),
        lambda x, given: given.lib.clamp_min(x, 0.5),
    ),
    "where": lambda x, given: given.lib.where(given.mask, x, 0.0),
    "sum": lambda x, given: x.sum(),
    "sum of columns": lambda x, given: x.sum(0),
    "sum of rows": lambda x, given: x.sum(1),
    "mean": lambda x, given: x.mean(),
    "variances of rows": (
        lambda x, given: given.lib.var(x, axis=1),
        lambda x, given: x.var(1, unbiased=False),
    ),
    "max of columns": (lambda x, given: x.max(0), lambda x, given: x.amax(0)),
    "max of rows": (lambda x, given: x.max(1), lambda x, given: x.amax(1)),
    "norm": (lambda x, given: given.lib.norm(x), lambda x, given: given.lib.linalg.norm(x)),
    "products of rows": lambda x, given: given.lib.prod(x, 1),
    "cumsum": lambda x, given: given.lib.cumsum(x, 1),
    "cumprod": lambda x, given: given.lib.cumprod(x, 1),
    "logsumexp": lambda x, given: given.lib.logsumexp(x, 1),
    "softmax": lambda x, given: given.lib.softmax(x, -1),
    "log_softmax": lambda x, given: given.lib.log_softmax(x, -1),
    "layer_norm": lambda x, given: given.functions.layer_norm(
        x, (x.shape[1],), given.row, given.row
    ),
    "mse_loss": lambda x, given: given.functions.mse_loss(x, given.positive),
    "binary cross-entropy": lambda x, given: given.functions.binary_cross_entropy_with_logits(
        x, given.labels
    ),
    "x.T copied": (
        lambda x, given: given.lib.reshape(x.T, -1),
        lambda x, given: x.T.reshape(-1),
    ),
    "concatenate rows": lambda x, given: given.lib.concatenate([x, x], 0),
    "concatenate columns": lambda x, given: given.lib.concatenate([x, x], 1),
    "stack": lambda x, given: given.lib.stack([x, x]),
    "tile": lambda x, given: given.lib.tile(x, (2, 1)),
    "repeat": (
        lambda x, given: given.lib.repeat(x, 2, 1),
        lambda x, given: given.lib.repeat_interleave(x, 2, 1),
    ),
    "pad": (
        lambda x, given: given.lib.pad(x, 1),
        lambda x, given: given.functions.pad(x, (1, 1, 1, 1)),
    ),
    "roll": lambda x, given: given.lib.roll(x, 3, 1),
    "2 x[1:, 1:]": lambda x, given: 2.0 * x[1:, 1:],
    "take": (
        lambda x, given: given.lib.take(x, given.indices, 0),
        lambda x, given: given.lib.index_select(x, 0, given.indices),
    ),
    "sort": (lambda x, given: given.lib.sort(x), lambda x, given: given.lib.sort(x)[0]),
    "tril": _same("tril"),
    "x @ x.T": lambda x, given: x @ x.T,
    "einsum": lambda x, given: given.lib.einsum("ij,ij->i", x, x),
}
"""By what to call them in a table. PyTorch has NumPy's names for most."""


def _arrays(side: int) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    xs = [rng.standard_normal((side, side), np.float32) for _ in range(BATCHES)]
    mask = rng.random((side, side)) < 0.5
    return xs, {
        "positive": rng.random((side, side), np.float32) + np.float32(0.5),
        "mask": mask,
        "labels": mask.astype(np.float32),
        "row": rng.random(side, np.float32),
        "column": rng.random((side, 1), np.float32),
        "indices": rng.integers(0, side, side),
    }


def build(name: str, side: int, gradient: bool) -> Step:
    """Steps of ours: the call alone, unrecorded, or with the gradient of x for a cotangent."""
    import autograd as ag

    chosen = CALLS[name]
    call = chosen[0] if isinstance(chosen, tuple) else chosen
    xs, others = _arrays(side)
    given = Given(ag, ag, **others)
    return _step(
        [ag.Tensor(x) for x in xs],
        lambda x: call(x, given),
        gradient,
        ag.no_grad,
        lambda x: ag.Tensor(x.data, requires_grad=True),
        np.asarray,
    )


def torch_build(name: str, side: int, gradient: bool) -> Step:
    """The same of PyTorch."""
    import torch

    chosen = CALLS[name]
    call = chosen[1] if isinstance(chosen, tuple) else chosen
    xs, others = _arrays(side)
    given = Given(
        torch,
        torch.nn.functional,
        **{key: torch.from_numpy(array) for key, array in others.items()},
    )
    return _step(
        [torch.from_numpy(x) for x in xs],
        lambda x: call(x, given),
        gradient,
        torch.no_grad,
        lambda x: x.detach().requires_grad_(),
        torch.from_numpy,
    )


def _step(
    xs: list[Any],
    call: Callable[[Any], Any],
    gradient: bool,
    no_grad: Callable[[], Any],
    variable: Callable[[Any], Any],
    as_array: Callable[[np.ndarray], Any],
) -> Step:
    with no_grad():
        shape = tuple(call(xs[0]).shape)
    cotangent = as_array(np.asarray(np.random.default_rng(1).random(shape, np.float32)))

    def step(index: int) -> float:
        x = xs[index % BATCHES]
        if not gradient:
            with no_grad():
                return float(_entry(call(x), index))
        leaf = variable(x)
        call(leaf).backward(cotangent)
        return float(_entry(leaf.grad, index))

    return step


def _entry(array: Any, index: int) -> Any:
    return array[(PLACES[index % BATCHES],) * len(array.shape)]
