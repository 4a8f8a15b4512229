"""A convolution's weights (O, C, KH, KW) in the order of its products' factors, and back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.kernels.backend import compiled_for, read_only
from autograd.kernels.workers import parallel_parts

__all__ = ["weight_blocks", "weight_matrix", "weights_of_sums"]

Array = np.ndarray[Any, Any]

NANOSECONDS = 1.0
"""About what an entry takes."""


def weight_blocks(w: Array, width: int) -> Array:
    """w (O, C, KH, KW) as (blocks, KH * KW * C, width), for `width` outputs at a time, zeros behind
    the last.

    >>> weight_blocks(np.arange(3.0).reshape(3, 1, 1, 1), 2).tolist()
    [[[0.0, 1.0]], [[2.0, 0.0]]]
    """
    outputs, channels, *kernel = w.shape
    depth, blocks = channels * math.prod(kernel), -(-outputs // width)
    out = np.empty((blocks, depth, width), w.dtype)
    if w.size and compiled_for(w.dtype, w.size):
        from autograd.kernels.compiled_layouts import pack_weights

        given = read_only(w), out
        parallel_parts(pack_weights, given, channels, nanoseconds=NANOSECONDS * w.size)
        return out
    rows = w.transpose(2, 3, 1, 0).reshape(depth, outputs)
    for block in range(blocks):
        part = rows[:, block * width : (block + 1) * width]
        out[block, :, : part.shape[1]] = part
        out[block, :, part.shape[1] :] = 0
    return out


def weight_matrix(w: Array, groups: int) -> Array:
    """w (O, C/g, KH, KW) as (groups, KH * KW * C/g, O/g), the order of the columns.

    >>> weight_matrix(np.ones((4, 3, 1, 2)), 2).shape
    (2, 6, 2)
    """
    outputs, *window = w.shape
    if not outputs:
        return np.empty((groups, math.prod(window), 0), w.dtype)
    return weight_blocks(w, outputs // groups)


def weights_of_sums(sums: Array, kernel: tuple[int, ...], outputs: int) -> Array:
    """The sum of parts (parts, groups, KH * KW * C/g, at least O/g) in the order of `weight_matrix`
    as (O, C/g, KH, KW).

    >>> weights_of_sums(np.ones((3, 2, 6, 2)), (1, 2), 4).shape
    (4, 3, 1, 2)
    """
    groups, depth = sums.shape[1:3]
    own = outputs // groups
    shape = (outputs, depth // math.prod(kernel), *kernel)
    dw = np.empty(shape, sums.dtype)
    if dw.size and compiled_for(dw.dtype, dw.size):
        from autograd.kernels.compiled_layouts import unpack_weights

        flat = dw.reshape(*shape[:2], -1)
        parallel_parts(unpack_weights, (sums, flat), shape[1], nanoseconds=NANOSECONDS * sums.size)
        return dw
    total = sums.sum(axis=0)[..., :own].reshape(groups, *kernel, shape[1], own)
    dw[...] = total.transpose(0, 4, 3, 1, 2).reshape(shape)
    return dw
