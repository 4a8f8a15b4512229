"""A convolution's partial with respect to its input, as convolutions of stride 1 of the cotangent.

An input pixel i takes part in window p by the kernel's entry k where stride*p + dilation*k = i +
before. So the pixels whose i + before leave the same remainder by the stride share the entries k
they meet, and what arrives at them is a convolution of the cotangent with these entries, in reverse
order: one `Piece` for each remainder. With stride 1 there is one. Source: V. Dumoulin and F. Visin,
A guide to convolution arithmetic for deep learning, 2016, chapter 4.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from autograd.kernels.backend import compiled_for
from autograd.kernels.columns import Geometry
from autograd.kernels.workers import parallel_parts

__all__ = ["Piece", "covers", "is_wasteful", "pieces_of", "spread"]

Array = np.ndarray[Any, Any]

WASTEFUL = 2.5
"""How many times as much; measured."""

NANOSECONDS = 0.3
"""About what an entry takes to be spread."""


@dataclass(frozen=True)
class Piece:
    """A convolution of a part of the cotangent with a part of the kernels, and where in the input
    its result goes. All slices are of the two spatial dimensions.
    """

    cotangent: tuple[slice, slice]
    kernel: tuple[slice, slice]
    target: tuple[slice, slice]
    geometry: Geometry


@lru_cache(maxsize=256)
def pieces_of(geometry: Geometry) -> tuple[Piece, ...] | None:
    """The pieces of a convolution's input gradient; pixels in none of them get zero.

    None where a dilated kernel meets strides.
    """
    if any(s > 1 and d > 1 for s, d in zip(geometry.stride, geometry.dilation, strict=True)):
        return None
    pieces = []
    for rows, columns in itertools.product(_along(geometry, 0), _along(geometry, 1)):
        cotangent, kernel, target, size, out, entries, padding = zip(rows, columns, strict=True)
        own = replace(
            geometry,
            in_sizes=size,
            out=out,
            kernel=entries,
            stride=(1, 1),
            padding=padding,
            channels=geometry.outputs,
            outputs=geometry.channels,
        )
        pieces.append(Piece(cotangent, kernel, target, own))
    return tuple(pieces)


def _along(geometry: Geometry, axis: int) -> list[tuple[Any, ...]]:
    """For each remainder by the stride: what `Piece` has of one dimension, and the sizes of the
    cotangent's part, the result and the part of the kernel, and the padding.
    """
    size, windows = geometry.in_sizes[axis], geometry.out[axis]
    entries, stride = geometry.kernel[axis], geometry.stride[axis]
    before, dilation = geometry.padding[axis][0], geometry.dilation[axis]
    found = []
    for rest in range(min(stride, entries)):
        own = -(-(entries - rest) // stride)
        # Window m - dilation * j meets pixel stride * m + rest - before by the part's entry j.
        first, last = -((rest - before) // stride), (size - 1 + before - rest) // stride
        left, right = dilation * (own - 1) - first, last - (windows - 1)
        start, stop = max(0, -left), windows - max(0, -right)
        count = last - first + 1
        if count <= 0 or stop <= start:
            continue
        begin = stride * first + rest - before
        found.append(
            (
                slice(start, stop),
                slice(rest + stride * (own - 1), None, -stride),
                slice(begin, begin + stride * (count - 1) + 1, stride),
                stop - start,
                count,
                own,
                (max(0, left), max(0, right)),
            )
        )
    return found


def covers(pieces: tuple[Piece, ...], geometry: Geometry) -> bool:
    """Whether every pixel of the input is in one of the pieces."""
    return sum(math.prod(piece.geometry.out) for piece in pieces) == math.prod(geometry.in_sizes)


def spread(part: Array, target: tuple[slice, slice], dx: Array) -> None:
    """dx[:, rows, columns] = part, for images (N, H, W, C), threads sharing a large one."""
    rows, columns = target
    if not compiled_for(dx.dtype, part.size):
        dx[:, rows, columns] = part
        return
    from autograd.kernels.compiled_layouts import spread_pixels

    given = part, rows.start, rows.step, columns.start, columns.step, dx
    count = part.shape[0] * part.shape[1]
    parallel_parts(spread_pixels, given, count, nanoseconds=NANOSECONDS * part.size)


def is_wasteful(geometry: Geometry) -> bool:
    """Whether the pieces, convolutions of all pixels of the input, gather that much more than the
    columns of all pixels of the output, of the input's channels, are.
    """
    gathered = math.prod(geometry.in_sizes) * geometry.outputs / math.prod(geometry.stride)
    return gathered >= WASTEFUL * math.prod(geometry.out) * geometry.channels
