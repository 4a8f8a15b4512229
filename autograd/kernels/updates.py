"""Steps of optimizers over one array in a single pass, for arrays that are worth a thread."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.backend import compiled_for
from autograd.kernels.workers import parallel_ranges

__all__ = ["adam_update", "one_pass", "sgd_update"]

Array = np.ndarray[Any, Any]

GRAIN = 1 << 12
"""Elements: parts of an array begin at multiples of it."""


def one_pass(parameter: Array, gradient: Array, *states: Array | None) -> bool:
    """Whether the arrays can be walked together: large, contiguous and of one memory order.

    >>> one_pass(np.ones(3), np.ones(3))
    False
    """
    arrays = [parameter, gradient, *(state for state in states if state is not None)]
    return (
        (parameter.flags.c_contiguous or parameter.flags.f_contiguous)
        and all(
            array.strides == parameter.strides and array.dtype == parameter.dtype
            for array in arrays
        )
        and compiled_for(parameter.dtype, parameter.size)
    )


def sgd_update(
    parameter: Array,
    gradient: Array,
    velocity: Array | None,
    lr: float,
    momentum: float,
    weight_decay: float,
    *,
    dampening: float = 0.0,
    nesterov: bool = False,
    maximize: bool = False,
) -> None:
    """g <- +-g + weight_decay p; v <- momentum v + (1 - dampening) g; p <- p - lr v, or with
    `nesterov` p - lr (g + momentum v); without `velocity` p - lr g. In place.

    The arrays must satisfy `one_pass`.
    """
    from autograd.kernels import compiled_updates as compiled

    number = parameter.dtype.type
    sign = number(-1.0 if maximize else 1.0)
    p, g = _flat(parameter), _flat(gradient)
    v = p if velocity is None else _flat(velocity)

    def part(_worker: int, first: int, last: int) -> None:
        own, seed = p[first:last], g[first:last]
        if velocity is None:
            compiled.descend(own, seed, number(lr), number(weight_decay), sign)
        else:
            compiled.descend_with_momentum(
                own,
                seed,
                v[first:last],
                number(lr),
                number(momentum),
                number(1.0 - dampening),
                number(weight_decay),
                sign,
                nesterov,
            )

    parallel_ranges(part, p.size, GRAIN, nanoseconds=0.7 * p.size)


def adam_update(
    parameter: Array,
    gradient: Array,
    mean: Array,
    square: Array,
    step_size: float,
    betas: tuple[float, float],
    eps: float,
    correction: float,
    *,
    shrink: float = 1.0,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> None:
    """g <- +-g + weight_decay p; p <- shrink p; m <- b1 m + (1 - b1) g; s <- b2 s + (1 - b2) g^2;
    p <- p - step_size m / (sqrt(s) / correction + eps). In place.

    The arrays must satisfy `one_pass`.
    """
    from autograd.kernels import compiled_updates as compiled

    number = parameter.dtype.type
    p, g, m, s = (_flat(array) for array in (parameter, gradient, mean, square))
    constants = (
        number(step_size),
        number(betas[0]),
        number(1.0 - betas[0]),
        number(betas[1]),
        number(1.0 - betas[1]),
        number(eps),
        number(1.0 / correction),
        number(shrink),
        number(weight_decay),
        number(-1.0 if maximize else 1.0),
    )

    def part(_worker: int, first: int, last: int) -> None:
        here = slice(first, last)
        compiled.adapt(p[here], g[here], m[here], s[here], *constants)

    parallel_ranges(part, p.size, GRAIN, nanoseconds=0.7 * p.size)


def _flat(array: Array) -> Array:
    """The entries as they lie in memory."""
    flat = array.ravel(order="K")
    assert np.shares_memory(flat, array)
    return flat
