"""The networks' training steps and inference in JAX, compiled as a whole by `jax.jit`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.workloads.networks import Layers, Network, batches, starting_weights
from benchmarks.workloads.workload import BATCHES, Step, weighed

__all__ = ["infer_jax", "train_jax"]

EPS, STATISTICS_MOMENTUM = 1e-5, 0.1


def _norms(layers: Layers) -> Iterator[int]:
    for kind, *sizes in layers:
        if kind == "norm":
            yield sizes[0]
        elif kind == "residual":
            yield from _norms(sizes[0])


def _forward(
    layers: Layers,
    weights: Iterator[Any],
    x: Any,
    last: bool,
    statistics: Iterator[Any],
    new_statistics: list[Any] | None,
) -> Any:
    """The layers on x; batch statistics where `new_statistics` is a list, which gets the running
    ones.
    """
    import jax
    from jax import numpy as jnp

    def per_channel(a: Any) -> Any:
        return a if last else a[:, None, None]

    spatial = (1, 2) if last else (2, 3)
    form = ("NHWC", "OIHW", "NHWC") if last else ("NCHW", "OIHW", "NCHW")
    for kind, *sizes in layers:
        if kind == "linear":
            weight, bias = next(weights), next(weights)
            x = x @ weight.T + bias
        elif kind in ("conv", "depthwise"):
            weight, bias = next(weights), next(weights)
            padding = ((sizes[-1], sizes[-1]),) * 2
            groups = sizes[0] if kind == "depthwise" else 1
            x = jax.lax.conv_general_dilated(
                x, weight, (1, 1), padding, dimension_numbers=form, feature_group_count=groups
            ) + per_channel(bias)
        elif kind == "norm":
            scale, shift = next(weights), next(weights)
            mean, variance = next(statistics)
            if new_statistics is not None:
                axes = (0, *spatial)
                old, mean, variance = (mean, variance), x.mean(axes), x.var(axes)
                count = x.size / x.shape[spatial[1] if not last else 3]
                now = (mean, variance * count / (count - 1))
                new_statistics.append(
                    tuple(o + STATISTICS_MOMENTUM * (n - o) for o, n in zip(old, now, strict=True))
                )
            factor = scale / jnp.sqrt(variance + EPS)
            x = (x - per_channel(mean)) * per_channel(factor) + per_channel(shift)
        elif kind == "pool":
            window = [1, 1, 1, 1]
            for axis in spatial:
                window[axis] = sizes[0]
            x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, window, "VALID")
        elif kind == "average":
            x = x.mean(spatial, keepdims=True)
        elif kind == "relu":
            x = jax.nn.relu(x)
        elif kind == "gelu":
            x = jax.nn.gelu(x, approximate=False)
        elif kind == "flatten":
            x = (x.transpose(0, 3, 1, 2) if last and x.ndim == 4 else x).reshape(len(x), -1)
        elif kind == "residual":
            x = x + _forward(sizes[0], weights, x, last, statistics, new_statistics)
    return x


def _start(network: Network, last: bool) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """Weights, running statistics, inputs and labels as JAX's arrays."""
    from jax import numpy as jnp

    arrays, labels = batches(network)
    inputs = [jnp.asarray(x.transpose(0, 2, 3, 1) if last else x) for x in arrays]
    weights = [jnp.asarray(w) for w in starting_weights(network.layers)]
    statistics = [(jnp.zeros(size), jnp.ones(size)) for size in _norms(network.layers)]
    return weights, statistics, inputs, [jnp.asarray(y) for y in labels]


def train_jax(network: Network, last: bool, *, rate: float, momentum: float) -> Step:
    """Steps of SGD with momentum; the state's memory is handed back to each step."""
    import jax
    from jax import numpy as jnp

    weights, statistics, inputs, labels = _start(network, last)
    state = [weights, [jnp.zeros_like(w) for w in weights], statistics]

    def loss_of(weights: Any, statistics: Any, x: Any, y: Any) -> Any:
        new: list[Any] = []
        scores = _forward(network.layers, iter(weights), x, last, iter(statistics), new)
        rows = jnp.arange(len(y))
        return -jax.nn.log_softmax(scores)[rows, y].mean(), new

    def update(weights: Any, velocities: Any, statistics: Any, x: Any, y: Any) -> Any:
        (loss, new), gradients = jax.value_and_grad(loss_of, has_aux=True)(
            weights, statistics, x, y
        )
        velocities = [momentum * v + g for v, g in zip(velocities, gradients, strict=True)]
        weights = [w - rate * v for w, v in zip(weights, velocities, strict=True)]
        return loss, weights, velocities, new

    run = jax.jit(update, donate_argnums=(0, 1, 2))

    def step(index: int) -> float:
        loss, *state[:] = run(*state, inputs[index % BATCHES], labels[index % BATCHES])
        return float(loss)

    return step


def infer_jax(network: Network, last: bool) -> Step:
    """Scores of a batch, with the running statistics."""
    import jax

    weights, statistics, inputs, _ = _start(network, last)
    run = jax.jit(lambda w, s, x: _forward(network.layers, iter(w), x, last, iter(s), None))

    def step(index: int) -> float:
        return weighed(run(weights, statistics, inputs[index % BATCHES]))

    return step
