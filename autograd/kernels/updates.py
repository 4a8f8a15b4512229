"""Steps of optimizers over one array in a single pass, for arrays that are worth a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import accumulate
from typing import Any

import numpy as np

from autograd.kernels.backend import compiled_for
from autograd.kernels.workers import parallel_ranges

__all__ = ["adam_update", "one_pass", "sgd_update", "together"]

Array = np.ndarray[Any, Any]

GRAIN = 1 << 12
"""Elements: parts of an array begin at multiples of it."""

NANOSECONDS = 0.7
"""About what an element takes."""

_Part = Callable[[int, int], None]
_batch = threading.local()


@contextmanager
def together(size: int) -> Iterator[None]:
    """Updates called inside, one of each array, are done at the end in one go that threads share.

    `size` is the number of elements of all arrays, which decides for each whether it is worth it.

    >>> p = np.ones(4, np.float32)
    >>> with together(4):
    ...     sgd_update(p, np.ones(4, np.float32), None, 0.5, 0.0, 0.0)
    ...     print(p[0])
    1.0
    >>> print(p[0])
    0.5
    """
    waiting: list[tuple[_Part, int]] = []
    _batch.waiting, _batch.size = waiting, size
    try:
        yield
    finally:
        _batch.waiting, _batch.size = None, 0
        _run(waiting)


def _update(part: _Part, size: int) -> None:
    """part(first, last) over [0, size), now or at the end of `together`."""
    waiting: list[tuple[_Part, int]] | None = getattr(_batch, "waiting", None)
    if waiting is None:
        _run([(part, size)])
    else:
        waiting.append((part, size))


def _run(parts: list[tuple[_Part, int]]) -> None:
    ends = list(accumulate(size for _, size in parts))

    def share(_worker: int, first: int, last: int) -> None:
        for (part, size), end in zip(parts, ends, strict=True):
            begin = end - size
            if first < end and begin < last:
                part(max(first, begin) - begin, min(last, end) - begin)

    total = ends[-1] if ends else 0
    parallel_ranges(share, total, GRAIN, nanoseconds=NANOSECONDS * total)


def one_pass(parameter: Array, gradient: Array, *states: Array | None) -> bool:
    """Whether the arrays can be walked together: contiguous, of one memory order, and large, or
    together with others that are.

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
        and compiled_for(parameter.dtype, max(parameter.size, getattr(_batch, "size", 0)))
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

    def part(first: int, last: int) -> None:
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

    _update(part, p.size)


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

    def part(first: int, last: int) -> None:
        here = slice(first, last)
        compiled.adapt(p[here], g[here], m[here], s[here], *constants)

    _update(part, p.size)


def _flat(array: Array) -> Array:
    """The entries as they lie in memory."""
    flat = array.ravel(order="K")
    assert np.shares_memory(flat, array) or not array.size
    return flat
