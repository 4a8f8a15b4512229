"""Softmax and its logarithm along an axis, and their derivatives; large float32 arrays compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np

from autograd.kernels import special
from autograd.kernels.backend import compiled_for, read_only
from autograd.kernels.buffers import empty
from autograd.kernels.workers import parallel_parts

__all__ = [
    "NANOSECONDS",
    "Rows",
    "along",
    "log_softmax",
    "log_softmax_pullback",
    "rows_of",
    "softmax",
    "softmax_change",
    "softmax_of_rows",
]

Array = np.ndarray[Any, Any]

NANOSECONDS: Final = {"softmax": 1.2, "change": 0.5, "log_softmax": 1.1, "cross_entropy": 0.5}
"""About what an entry takes."""


PASSES = 16
"""About as many sums of the entries take as long as the calls of NumPy's softmax."""


class Rows(NamedTuple):
    """The softmax of a matrix's rows, or its logarithm, and log(sum(exp(x - tops))) of each."""

    out: Array
    tops: Array
    logs: Array


def softmax(x: Any, axis: int = -1) -> Any:
    """exp(x) / sum(exp(x)) along an axis; infinities as in `special.softmax`.

    >>> softmax(np.array([[0.0, -np.inf]])).tolist()
    [[1.0, 0.0]]
    """
    rows = rows_of(axis, x)
    if rows is None:
        return special.softmax(x, axis)
    return along(softmax_of_rows(rows[0]).out, x, axis)


def log_softmax(x: Any, axis: int = -1) -> Any:
    """x - log(sum(exp(x))) along an axis; infinities as in `special.log_softmax`.

    >>> log_softmax(np.array([[1000.0, 0.0]])).tolist()
    [[0.0, -1000.0]]
    """
    rows = rows_of(axis, x)
    if rows is None:
        return special.log_softmax(x, axis)
    return along(softmax_of_rows(rows[0], logarithm=True).out, x, axis)


def softmax_change(out: Any, change: Any, axis: int = -1) -> Any:
    """(diag(out) - out out^T) change along an axis: the softmax's Jacobian, which is symmetric.

    >>> softmax_change(np.array([0.5, 0.5]), np.array([4.0, 0.0])).tolist()
    [1.0, -1.0]
    """
    rows = rows_of(axis, out, change)
    if rows is None:
        weighted = out * change
        return weighted - out * np.sum(weighted, axis=axis, keepdims=True)
    from autograd.kernels.compiled_softmaxes import softmax_change_rows

    return along(_by_rows(softmax_change_rows, NANOSECONDS["change"], *rows), out, axis)


def log_softmax_pullback(cotangent: Any, out: Any, axis: int = -1) -> Any:
    """cotangent - exp(out) sum(cotangent) along an axis, for a logarithm `out` of a softmax.

    >>> log_softmax_pullback(np.array([4.0, 0.0]), np.log([0.5, 0.5])).tolist()
    [2.0, -2.0]
    """
    rows = rows_of(axis, cotangent, out)
    if rows is None:
        return cotangent - np.exp(out) * np.sum(cotangent, axis=axis, keepdims=True)
    from autograd.kernels.compiled_softmaxes import log_softmax_gradient_rows

    result = _by_rows(log_softmax_gradient_rows, NANOSECONDS["log_softmax"], *rows)
    return along(result, out, axis)


def rows_of(axis: int, *arrays: Any, passes: int = PASSES) -> tuple[Array, ...] | None:
    """Arrays of one shape as matrices whose rows lie along an axis, for the compiled kernels.

    None where NumPy is to compute: for small arrays and others than float32, and where the axis is
    not the nearest in memory.
    """
    rows = []
    for array in arrays:
        if (
            type(array) is not np.ndarray
            or array.dtype.char != "f"
            or array.shape != arrays[0].shape
            or not array.size
            or not compiled_for(array.dtype, passes * array.size)
        ):
            return None
        turned = array if axis in (-1, array.ndim - 1) else np.moveaxis(array, axis, -1)
        if not turned.flags.c_contiguous or not turned.flags.aligned:
            return None
        rows.append(read_only(turned.reshape(-1, turned.shape[-1])))
    return tuple(rows)


def softmax_of_rows(x: Array, logarithm: bool = False) -> Rows:
    """The softmax of each row of what `rows_of` gave, or its logarithm.

    Where it is undefined, `special.softmax` says what it is.
    """
    from autograd.kernels.compiled_softmaxes import softmax_rows

    out = empty(x.shape, x.dtype)
    tops, logs = np.empty(len(x), x.dtype), np.zeros(len(x))
    strange = np.zeros(len(x), np.bool_)
    parallel_parts(
        softmax_rows,
        (x, x.view(np.int32), logarithm, out, tops, logs, strange),
        len(x),
        nanoseconds=NANOSECONDS["softmax"] * x.size,
    )
    if np.count_nonzero(strange):  # in a fifth of the time of any()
        some = x[strange]
        out[strange] = special.log_softmax(some) if logarithm else special.softmax(some)
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            tops[strange] = special.finite_top(some, -1)[:, 0]
            logs[strange] = np.log(np.exp(some - tops[strange, None]).sum(axis=-1))
    return Rows(out, tops, logs)


def _by_rows(kernel: Callable[..., None], cost: float, *rows: Array) -> Array:
    """What a kernel makes of the rows of matrices, at `cost` nanoseconds an entry."""
    result = empty(rows[0].shape, rows[0].dtype)
    parallel_parts(kernel, (*rows, result), len(result), nanoseconds=cost * result.size)
    return result


def along(rows: Array, like: Array, axis: int) -> Array:
    """Rows as an array of `like`'s shape, along an axis."""
    shape = like.shape
    if axis in (-1, like.ndim - 1):
        return rows.reshape(shape)
    return np.moveaxis(rows.reshape(np.moveaxis(like, axis, -1).shape), -1, axis)
