"""The largest entry of each window and where it lies, and what is put back there."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled, inlined

__all__ = [
    "largest_in_planes",
    "largest_in_windows",
    "largest_of_four_in_planes",
    "largest_of_four_pixels",
    "scatter_planes",
    "scatter_tiles",
]

Array = np.ndarray[Any, Any]


@compiled
def largest_in_windows(
    x: Array,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    before: tuple[int, ...],
    dilation: tuple[int, ...],
    best: Array,
    index: Array,
) -> None:
    """x is (N, H, W, C), best and index (N, P, Q, C); the first of equals or the first NaN wins."""
    images, height, width, channels = x.shape
    rows, columns = best.shape[1:3]
    for n in range(images):
        for p in range(rows):
            for q in range(columns):
                fresh = True
                for i in range(kernel[0]):
                    y = p * stride[0] - before[0] + i * dilation[0]
                    if y < 0 or y >= height:
                        continue
                    for j in range(kernel[1]):
                        z = q * stride[1] - before[1] + j * dilation[1]
                        if z < 0 or z >= width:
                            continue
                        place = y * width + z
                        if fresh:
                            for c in range(channels):
                                best[n, p, q, c] = x[n, y, z, c]
                                index[n, p, q, c] = place
                            fresh = False
                        else:
                            for c in range(channels):
                                old, new = best[n, p, q, c], x[n, y, z, c]
                                better = (not new <= old) & (old == old)
                                best[n, p, q, c] = new if better else old
                                index[n, p, q, c] = place if better else index[n, p, q, c]


@inlined
def _take_larger(line: Array, step: int, place: int, best: Array, index: Array) -> None:
    """best[q] = the larger of itself and line[q], which lies at place + q step."""
    for q in range(best.size):
        old, new = best[q], line[q]
        better = (index[q] < 0) | ((not new <= old) & (old == old))
        best[q] = new if better else old
        index[q] = place + q * step if better else index[q]


@compiled
def largest_in_planes(
    x: Array,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    before: tuple[int, ...],
    dilation: tuple[int, ...],
    best: Array,
    index: Array,
) -> None:
    """The same for planes x (N, H, W) with best and index (N, P, Q), a row of windows at a time."""
    planes, height, width = x.shape
    rows, columns = best.shape[1:]
    none = index.dtype.type(-1)
    for n in range(planes):
        for p in range(rows):
            largest, places = best[n, p], index[n, p]
            places[:] = none
            for i in range(kernel[0]):
                y = p * stride[0] - before[0] + i * dilation[0]
                if y < 0 or y >= height:
                    continue
                line = x[n, y]
                for j in range(kernel[1]):
                    shift = j * dilation[1] - before[1]
                    first = -(shift // stride[1]) if shift < 0 else 0
                    last = min(columns, (width - 1 - shift) // stride[1] + 1)
                    begin = first * stride[1] + shift
                    end = (last - 1) * stride[1] + shift + 1
                    best_here, places_here = largest[first:last], places[first:last]
                    place = y * width + begin
                    if stride[1] == 2:  # a step that is known makes vector instructions
                        _take_larger(line[begin:end:2], 2, place, best_here, places_here)
                    else:
                        part = line[begin : end : stride[1]]
                        _take_larger(part, stride[1], place, best_here, places_here)


@inlined
def _largest_of_four(
    first: Any, second: Any, third: Any, fourth: Any, here: Any, right: Any, below: Any
) -> Any:
    """The first largest, or the first NaN, and its place: the third lies `below` the first."""
    better = (not second <= first) & (first == first)
    value, place = second if better else first, here + right if better else here
    better = (not third <= value) & (value == value)
    value, place = third if better else value, here + below if better else place
    better = (not fourth <= value) & (value == value)
    return fourth if better else value, here + below + right if better else place


@compiled
def largest_of_four_in_planes(x: Array, best: Array, index: Array) -> None:
    """`largest_in_planes` for windows of 2x2 that lie side by side from the first entry on; what is
    compared stays in registers.
    """
    planes, _, width = x.shape
    rows, columns = best.shape[1:]
    right, below = index.dtype.type(1), index.dtype.type(width)
    for n in range(planes):
        for p in range(rows):
            upper, lower = x[n, 2 * p], x[n, 2 * p + 1]
            largest, places = best[n, p], index[n, p]
            # Unsigned: LLVM finds no vector instructions where an index might be below 0.
            for q in range(np.uint32(columns)):
                left, next_to_it = upper[2 * q], upper[2 * q + 1]
                under, across = lower[2 * q], lower[2 * q + 1]
                here = index.dtype.type(2 * p * width + 2 * q)
                largest[q], places[q] = _largest_of_four(
                    left, next_to_it, under, across, here, right, below
                )


@compiled
def largest_of_four_pixels(x: Array, best: Array, index: Array) -> None:
    """`largest_in_windows` for windows of 2x2 that lie side by side from the first pixel on."""
    images, _, width, channels = x.shape
    rows, columns = best.shape[1:3]
    right, below = index.dtype.type(1), index.dtype.type(width)
    for n in range(images):
        for p in range(rows):
            for q in range(columns):
                left, next_to_it = x[n, 2 * p, 2 * q], x[n, 2 * p, 2 * q + 1]
                under, across = x[n, 2 * p + 1, 2 * q], x[n, 2 * p + 1, 2 * q + 1]
                largest, places = best[n, p, q], index[n, p, q]
                here = index.dtype.type(2 * p * width + 2 * q)
                for c in range(channels):
                    largest[c], places[c] = _largest_of_four(
                        left[c], next_to_it[c], under[c], across[c], here, right, below
                    )


@compiled
def scatter_planes(g: Array, index: Array, x: Array) -> None:
    """x[n, index[n, p, c], c] += g[n, p, c], after clearing x (N, positions, C)."""
    images, windows, channels = g.shape
    zero = x.dtype.type(0)
    for n in range(images):
        x[n] = zero
        for p in range(windows):
            for c in range(channels):
                x[n, index[n, p, c], c] += g[n, p, c]


@compiled
def scatter_tiles(g: Array, index: Array, tile: tuple[int, ...], x: Array) -> None:
    """The same for x (N, H, W, C) and g, index (N, P, Q, C), where position (p, q) holds one of the
    `tile` at (p, q) times its size: one pass over x.
    """
    images, height, width, channels = x.shape
    rows, columns = g.shape[1:3]
    zero = x.dtype.type(0)
    for n in range(images):
        for y in range(height):
            p = y // tile[0]
            if p >= rows:
                x[n, y] = zero
                continue
            for z in range(width):
                q = z // tile[1]
                pixel = x[n, y, z]
                if q >= columns:
                    pixel[:] = zero
                    continue
                values, places = g[n, p, q], index[n, p, q]
                place = y * width + z
                for c in range(channels):
                    pixel[c] = values[c] if places[c] == place else zero
