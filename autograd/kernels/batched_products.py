"""Products of many matrices at once, some for each thread."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from autograd.kernels.backend import compiled_for
from autograd.kernels.blas_operands import SCALES, gemm, lines
from autograd.kernels.buffers import empty
from autograd.kernels.workers import parallel_parts, thread_count

__all__ = ["batched_product"]

Array = np.ndarray[Any, Any]

WORTHWHILE = 1 << 22
"""Multiplications of all products from which handing some to another thread pays."""

FEW = 1 << 10
"""Matrices up to which their places are remembered from call to call."""

NANOSECONDS = 0.02
"""About what a multiplication takes one thread."""


def batched_product(a: Array, b: Array) -> Array | None:
    """np.matmul of arrays of matrices, whose other axes broadcast; None where NumPy is as good.

    >>> batched_product(np.ones((2, 1, 1)), np.ones((2, 1, 1))) is None
    True
    """
    if min(a.ndim, b.ndim) < 2 or a.dtype != b.dtype or a.shape[-1] != b.shape[-2]:
        return None
    try:
        shape = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError:
        return None
    (rows, inner), columns, count = a.shape[-2:], b.shape[-1], math.prod(shape)
    work = count * rows * inner * columns
    if count < thread_count() or work < WORTHWHILE or not compiled_for(a.dtype, work):
        return None
    if min(a.size, b.size) == 0 or thread_count() == 1:
        return None
    left, right = lines(_first(a)), lines(_first(b))
    function = gemm(a.dtype, rows * inner * columns)
    if left is None or right is None or not function:
        return None
    from autograd.kernels.compiled_products import multiply_each

    out = empty((*shape, rows, columns), a.dtype)
    parallel_parts(
        multiply_each,
        (
            function,
            *left,
            _offsets(a, shape),
            *right,
            _offsets(b, shape),
            out.reshape(count, rows, columns),
            SCALES[a.dtype.char],
        ),
        count,
        nanoseconds=NANOSECONDS * work,
    )
    return out


def _first(a: Array) -> Array:
    matrix: Array = a[(0,) * (a.ndim - 2)]
    return matrix


def _offsets(a: Array, shape: tuple[int, ...]) -> Array:
    """Bytes from the first matrix of `a` to each of those that it has when broadcast to `shape`."""
    missing = len(shape) + 2 - a.ndim
    own = [
        0 if size == 1 else stride for size, stride in zip(a.shape[:-2], a.strides, strict=False)
    ]
    steps = (*(0,) * missing, *own)
    return _few_sums(shape, steps) if math.prod(shape) <= FEW else _sums_of_steps(shape, steps)


@lru_cache(maxsize=1 << 8)
def _few_sums(shape: tuple[int, ...], strides: tuple[int, ...]) -> Array:
    return _sums_of_steps(shape, strides)


def _sums_of_steps(shape: tuple[int, ...], strides: tuple[int, ...]) -> Array:
    found: Array = np.zeros(1, np.int64)
    for size, stride in zip(shape, strides, strict=True):
        found = np.add.outer(found, np.arange(size) * stride)
    found = found.reshape(-1)
    found.flags.writeable = False
    return found
