"""Cotangents of the extremes of rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled

__all__ = ["share_rows"]

Array = np.ndarray[Any, Any]


@compiled
def share_rows(
    x: Array, extremes: Array, cotangent: Array, out: Array, _worker: int, first: int, last: int
) -> None:
    """Entries of each row that equal its extreme get equal shares of its cotangent, others 0."""
    columns = x.shape[1]
    zero = x.dtype.type(0)
    one = x.dtype.type(1)
    for i in range(first, last):
        extreme = extremes[i]
        ties = zero  # of the dtype, or the loop would use no vectors
        for begin in range(0, columns, 1 << 20):  # so that single precision can count them
            some = zero
            for j in range(np.uint64(begin), np.uint64(min(begin + (1 << 20), columns))):
                some += one if x[i, j] == extreme else zero
            ties += some
        share = cotangent[i] / max(ties, one)
        for j in range(np.uint64(columns)):
            out[i, j] = share if x[i, j] == extreme else zero
