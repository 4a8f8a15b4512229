"""Running sums along the middle axis of (outer, length, inner) arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled

__all__ = ["running_sums"]

Array = np.ndarray[Any, Any]


@compiled
def running_sums(
    x: Array, backwards: bool, out: Array, _worker: int, first: int, last: int
) -> None:
    """out[o, k] = x[o, 0] + ... + x[o, k], or the sum from the other end, for o in [first, last).

    In the order in which NumPy adds.
    """
    length, inner = x.shape[1], x.shape[2]
    for o in range(first, last):
        start, step = (length - 1, -1) if backwards else (0, 1)
        if inner == 1:
            total = x[o, start, 0]
            out[o, start, 0] = total
            for k in range(1, length):
                total += x[o, start + k * step, 0]
                out[o, start + k * step, 0] = total
            continue
        for i in range(inner):
            out[o, start, i] = x[o, start, i]
        for k in range(1, length):
            at = start + k * step
            for i in range(inner):
                out[o, at, i] = out[o, at - step, i] + x[o, at, i]
