"""Running sums, from either end."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.kernels.backend import compiled_for
from autograd.kernels.buffers import empty
from autograd.kernels.workers import parallel_parts

__all__ = ["running_sums"]

Array = np.ndarray[Any, Any]

NANOSECONDS = 1.2
"""About what an entry takes one thread: each sum waits for the one before."""


def running_sums(x: Any, axis: int, backwards: bool = False) -> Any:
    """x[0] + ... + x[k] along an axis, or `backwards` x[k] + ... + x[-1].

    >>> running_sums(np.array([1.0, 2.0, 3.0]), 0).tolist()
    [1.0, 3.0, 6.0]
    >>> running_sums(np.array([1.0, 2.0, 3.0]), 0, backwards=True).tolist()
    [6.0, 5.0, 3.0]
    """
    if (
        type(x) is not np.ndarray
        or not x.ndim
        or not x.size
        or not compiled_for(x.dtype, x.size)
        or not x.flags.c_contiguous
    ):
        return _by_numpy(x, axis, backwards)
    from autograd.kernels import compiled_scans

    shape = math.prod(x.shape[:axis]), x.shape[axis], math.prod(x.shape[axis + 1 :])
    out = empty(x.shape, x.dtype)
    parallel_parts(
        compiled_scans.running_sums,
        (x.reshape(shape), backwards, out.reshape(shape)),
        shape[0],
        nanoseconds=NANOSECONDS * x.size,
    )
    ends = np.take(out, 0 if backwards else -1, axis)
    if not np.isfinite(ends).all():  # from where on a sum is not, and NumPy may say so
        return _by_numpy(x, axis, backwards)
    return out


def _by_numpy(x: Any, axis: int, backwards: bool) -> Any:
    if backwards:
        return np.flip(np.cumsum(np.flip(x, axis), axis), axis)
    return np.cumsum(x, axis)
