"""Statistics of channels and affine maps by channel, over planes: the entries of one channel of one
example, which lie together. Plane p is of channel p modulo their number.

Sums of a plane are in the dtype of x over `BLOCK` entries, and float64 over blocks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled

__all__ = [
    "affine_planes",
    "gradient_planes",
    "plane_gradient_sums",
    "plane_moments",
    "plane_sums",
]

Array = np.ndarray[Any, Any]

BLOCK = 1 << 10


@compiled
def _sum(x: Array) -> float:
    total: Any = 0.0
    for begin in range(0, len(x), BLOCK):
        part = x.dtype.type(0)
        for j in range(np.uint64(begin), np.uint64(min(begin + BLOCK, len(x)))):
            part += x[j]
        total += part
    result: float = total
    return result


@compiled
def plane_sums(x: Array, sums: Array, _worker: int, first: int, last: int) -> None:
    """sums[p] = the sum of plane p, for planes [first, last)."""
    for p in range(first, last):
        sums[p] = _sum(x[p])


@compiled
def plane_moments(
    x: Array, means: Array, squares: Array, _worker: int, first: int, last: int
) -> None:
    """The mean of each plane and its sum of squared distances from that, in two passes.

    Sums are of distances from the first entry, so that those of a constant plane are exact.
    """
    for p in range(first, last):
        plane = x[p]
        origin = plane[0]
        away: Any = 0.0
        for begin in range(0, len(plane), BLOCK):
            some = x.dtype.type(0)
            for j in range(np.uint64(begin), np.uint64(min(begin + BLOCK, len(plane)))):
                gap = plane[j] - origin
                some += gap
            away += some
        mean = origin + away / len(plane)
        centre = x.dtype.type(mean)
        total: Any = 0.0
        for begin in range(0, len(plane), BLOCK):
            part = x.dtype.type(0)
            for j in range(np.uint64(begin), np.uint64(min(begin + BLOCK, len(plane)))):
                distance = plane[j] - centre
                part += distance * distance
            total += part
        means[p] = mean
        squares[p] = max(0.0, total - len(plane) * (mean - centre) ** 2)


@compiled
def affine_planes(
    x: Array,
    centre: Array,
    scale: Array,
    shift: Array,
    y: Array,
    _worker: int,
    first: int,
    last: int,
) -> None:
    """y = (x - centre) scale + shift."""
    channels = len(centre)
    for p in range(first, last):
        c = p % channels
        middle, factor, offset = centre[c], scale[c], shift[c]
        for j in range(np.uint64(x.shape[1])):
            y[p, j] = (x[p, j] - middle) * factor + offset


@compiled
def plane_gradient_sums(
    g: Array,
    x: Array,
    mean: Array,
    sums: Array,
    products: Array,
    _worker: int,
    first: int,
    last: int,
) -> None:
    """The sums of g and of g (x - mean) of each plane."""
    channels, size = len(mean), x.shape[1]
    for p in range(first, last):
        centre = mean[p % channels]
        total: Any = 0.0
        product: Any = 0.0
        for begin in range(0, size, BLOCK):
            part = x.dtype.type(0)
            both = x.dtype.type(0)
            for j in range(np.uint64(begin), np.uint64(min(begin + BLOCK, size))):
                part += g[p, j]
                both += g[p, j] * (x[p, j] - centre)
            total += part
            product += both
        sums[p] = total
        products[p] = product


@compiled
def gradient_planes(
    g: Array,
    x: Array,
    mean: Array,
    scale: Array,
    slope: Array,
    shift: Array,
    dx: Array,
    _worker: int,
    first: int,
    last: int,
) -> None:
    """dx = scale g + slope (x - mean) + shift; dx may not be g."""
    channels = len(mean)
    for p in range(first, last):
        c = p % channels
        centre, factor, share, offset = mean[c], scale[c], slope[c], shift[c]
        for j in range(np.uint64(x.shape[1])):
            dx[p, j] = factor * g[p, j] + share * (x[p, j] - centre) + offset
