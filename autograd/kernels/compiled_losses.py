"""Cross-entropies of float32 logits: losses, probabilities and gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled
from autograd.kernels.compiled_smooth_activations import exponential_below, log_one_more
from autograd.kernels.compiled_softmaxes import softmax_rows

__all__ = [
    "cross_entropy_gradient_rows",
    "cross_entropy_rows",
    "logistic_gradients",
    "logistic_losses",
]

Array = np.ndarray[Any, Any]


@compiled
def _sum_of_weights(weight: Array, classes: int) -> float:
    total = 0.0
    for j in range(len(weight)):
        total += weight[j]
    return total if len(weight) > 1 else total * classes


@compiled
def cross_entropy_rows(
    x: Array,
    bits: Array,
    targets: Array,
    weight: Array,
    smoothing: Any,
    ignored: int,
    out: Array,
    tops: Array,
    logs: Array,
    losses: Array,
    strange: Array,
    wrong: Array,
    worker: int,
    first: int,
    last: int,
) -> None:
    """The losses of rows [first, last) of x, and `softmax_rows` of them.

    One `weight` is that of all classes. `wrong` becomes true where a target is no class.
    """
    softmax_rows(x, bits, False, out, tops, logs, strange, worker, first, last)
    classes = x.shape[1]
    step = 1 if len(weight) > 1 else 0
    mass = _sum_of_weights(weight, classes)
    for i in range(first, last):
        target = targets[i]
        if target == ignored:
            losses[i] = 0
        elif not 0 <= target < classes:
            wrong[0] = True
        else:
            # In float64, or the difference might become x - (top + log), which cancels.
            loss = weight[target * step] * (logs[i] - np.float64(x[i, target] - tops[i]))
            if smoothing > 0:
                spread = 0.0
                for j in range(classes):
                    spread += np.float64(x[i, j] - tops[i]) * weight[j * step]
                loss = (1.0 - smoothing) * loss + (mass * logs[i] - spread) * (smoothing / classes)
            losses[i] = loss


@compiled
def cross_entropy_gradient_rows(
    p: Array,
    targets: Array,
    seed: Array,
    weight: Array,
    smoothing: Any,
    ignored: int,
    result: Array,
    _worker: int,
    first: int,
    last: int,
) -> None:
    """The gradient of rows [first, last) for probabilities p and cotangents `seed` of the losses,
    of which one is that of all rows; as one `weight` is that of all classes.
    """
    classes = p.shape[1]
    step, pace = 1 if len(weight) > 1 else 0, 1 if len(seed) > 1 else 0
    total = _sum_of_weights(weight, classes)
    for i in range(first, last):
        target = targets[i]
        if target == ignored:
            result[i, :] = 0
            continue
        whole = np.float64(seed[i * pace])
        hard = np.float32((1.0 - smoothing) * whole * weight[target * step])
        if smoothing > 0:
            soft = whole * smoothing / classes
            mass = np.float32(hard + soft * total)
            for j in range(classes):
                result[i, j] = p[i, j] * mass - np.float32(soft) * weight[j * step]
        else:
            for j in range(classes):
                result[i, j] = p[i, j] * hard
        result[i, target] -= hard


@compiled
def logistic_losses(gains: Array, y: Array, x: Array, losses: Array) -> None:
    """gains log(1 + exp(-x)) + (1 - y) log(1 + exp(x)), neither of which is a difference."""
    zero, one = np.float32(0), np.float32(1)
    for i in range(x.size):
        value, gain, rest = x[i], gains[i], one - y[i]
        more = log_one_more(exponential_below(-abs(value)))
        above = value if value > zero else zero
        below = zero if value > zero else -value
        # A half that has no share is left out, so that infinite logits of it are no NaN.
        positive = gain * (below + more) if gain != zero else zero
        negative = rest * (above + more) if rest != zero else zero
        losses[i] = positive + negative


@compiled
def logistic_gradients(g: Array, gains: Array, y: Array, x: Array, dx: Array) -> None:
    """g ((1 - y) s(x) - gains s(-x)), s the sigmoid."""
    zero, one = np.float32(0), np.float32(1)
    for i in range(x.size):
        small = exponential_below(-abs(x[i]))
        up, down = (one, small) if x[i] > zero else (small, one)
        dx[i] = g[i] * ((one - y[i]) * up - gains[i] * down) / (one + small)
