"""Convolutions without columns: windows are read where they lie.

`direct_images` and `direct_weight_sums` pad a few images at a time, which then stay in cache; a
thread calls them once, since Python between calls would wait for the other threads' Python. An
image is `parts` of x (N parts, H, W, C): one with all channels, or a plane for each.

Padded images are flat; window r begins at starts[r], and its entry k lies offsets[k] behind that.
Results have 2 `LANES` channels at a time; whole vectors may touch what lies behind a row, so a
part's last rows go through a buffer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled
from autograd.kernels.compiled_activations import GELU, RELU, gelu_value, relu_value
from autograd.kernels.compiled_columns import pad_images_float32
from autograd.kernels.compiled_layouts import exchange_axes_float32
from autograd.kernels.vector_maps import (
    LANES,
    NARROW_ROWS,
    ROWS,
    add_first_lanes,
    narrow_outer_sums,
    outer_sums,
    outer_sums_of_neighbours,
)

__all__ = [
    "WIDTH",
    "direct_images",
    "direct_input_sums",
    "direct_weight_sums",
]

Array = np.ndarray[Any, Any]

WIDTH = 2 * LANES
"""Channels of the result that are computed together."""

CHUNK = 256
"""Windows after which the sums of `direct_weights` go on with the next entries of the window."""


@compiled
def direct_rows(
    images: Array, starts: Array, offsets: Array, weights: Array, bias: Array, y: Array
) -> None:
    """y[r, o] = bias[o] + sum over k of images[starts[r] + offsets[k]] weights[o // WIDTH, k, o].

    weights (blocks, K, WIDTH) and bias (blocks, WIDTH) are filled up with zeros.
    """
    rows, outputs = y.shape
    blocks, depth = weights.shape[:2]
    flat = y.ravel()
    buffer = np.empty(ROWS * WIDTH, y.dtype)
    some = np.empty(ROWS, starts.dtype)
    # The last row that is written in place has WIDTH entries of `y` before it ends.
    inside = max(0, rows - -(-WIDTH // outputs))
    wide, narrow = inside // ROWS * ROWS, inside // NARROW_ROWS * NARROW_ROWS
    whole = wide
    # From the last block: what one writes behind its row is the next row's first, still to come.
    for block in range(blocks - 1, -1, -1):
        # Once for all rows: a view costs as much as a dozen products.
        factors, begin, at = weights[block].ravel(), bias[block], block * WIDTH
        if outputs - at <= LANES:
            whole = min(wide, narrow)
            for r in range(0, narrow, NARROW_ROWS):
                narrow_outer_sums(
                    images, starts, r, offsets, 0, depth, factors, WIDTH, begin, 0, 0, flat,
                    r * outputs + at, outputs,
                )  # fmt: skip
            continue
        for r in range(0, wide, ROWS):
            outer_sums(
                images, starts, r, offsets, 0, depth, factors, WIDTH, begin, 0, 0, flat,
                r * outputs + at, outputs,
            )  # fmt: skip
    for r in range(whole, rows, ROWS):
        for i in range(ROWS):
            some[i] = starts[min(r + i, rows - 1)]
        for block in range(blocks):
            last = weights[block].ravel()
            outer_sums(
                images, some, 0, offsets, 0, depth, last, WIDTH, bias[block], 0, 0, buffer, 0, WIDTH
            )
            for i in range(min(ROWS, rows - r)):
                for c in range(min(WIDTH, outputs - block * WIDTH)):
                    y[r + i, block * WIDTH + c] = buffer[i * WIDTH + c]


@compiled
def direct_weights(
    images: Array,
    starts: Array,
    offsets: Array,
    groups: Array,
    seeds: Array,
    outputs: int,
    total: Array,
) -> None:
    """total[k, o] += sum over r of images[starts[r] + offsets[k]] seeds[r outputs + o]; of the
    seeds whole vectors are read: they go on for WIDTH entries. `total` is (K, blocks * WIDTH).

    A row of `groups` says of up to ROWS entries k which is the first, how many there are, and
    whether they are neighbours in the image.
    """
    width = total.shape[1]
    buffer = np.empty(ROWS * WIDTH, total.dtype)
    nothing = np.zeros(WIDTH, total.dtype)
    some = np.empty(ROWS, offsets.dtype)
    for first in range(0, len(starts), CHUNK):
        end = min(first + CHUNK, len(starts))
        for group in range(len(groups)):
            k, size, neighbours = groups[group]
            for i in range(ROWS):
                some[i] = offsets[k + min(i, size - 1)]
            for block in range(0, width, WIDTH):
                part = seeds[block:]
                if neighbours != 0:
                    outer_sums_of_neighbours(
                        images, some, 0, starts, first, end, part, outputs, nothing, 0, 0, buffer,
                        0, WIDTH,
                    )  # fmt: skip
                else:
                    outer_sums(
                        images, some, 0, starts, first, end, part, outputs, nothing, 0, 0, buffer,
                        0, WIDTH,
                    )  # fmt: skip
                for i in range(size):
                    for c in range(WIDTH):
                        total[k + i, block + c] += buffer[i * WIDTH + c]


@compiled
def pad_parts(x: Array, before: Any, shape: Any, images: Array) -> None:
    """x (n, H, W, C) into the flat `images`, padded to `shape` (H', W', C)."""
    middle = images[: len(x) * shape[0] * shape[1] * shape[2]]
    middle = middle.reshape(len(x), shape[0], shape[1], shape[2])
    pad_images_float32(x, before[0], before[1], middle)


@compiled
def direct_images(
    x: Array,
    parts: int,
    before: Any,
    shape: Any,
    step: int,
    images: Array,
    starts: Array,
    offsets: Array,
    weights: Array,
    bias: Array,
    activation: int,
    y: Array,
) -> None:
    """`direct_rows` of all images, for y (N, P, Q, O), contiguous, and of that the activation: 0
    for none, RELU or GELU. `images` is memory for `step` images, whose parts are padded to `shape`
    (H', W', C), and SLACK; `starts` are the windows of so many.
    """
    outputs, zero = y.shape[3], y.dtype.type(0)
    for first in range(0, len(y), step):
        last = min(first + step, len(y))
        pad_parts(x[first * parts : last * parts], before, shape, images)
        flat = y[first:last].ravel()
        rows = flat.reshape(-1, outputs)
        direct_rows(images, starts[: len(rows)], offsets, weights, bias, rows)
        if activation == RELU:
            for i in range(flat.size):
                flat[i] = relu_value(flat[i], zero)
        elif activation == GELU:
            for i in range(flat.size):
                flat[i] = gelu_value(flat[i])


@compiled
def gather_seeds(g: Array, planes: Array, first: int, last: int, seeds: Array) -> None:
    """Images [first, last) of g (N, P, Q, O), or of `planes` (N, O, P Q) if that has entries, one
    pixel after the other.
    """
    _, down, across, outputs = g.shape
    flat = seeds[: (last - first) * down * across * outputs]
    if planes.size > 0:
        target = flat.reshape(last - first, down * across, outputs)
        exchange_axes_float32(planes[first:last], target)
    else:
        pixels = flat.reshape(last - first, down, across, outputs)
        for n in range(last - first):
            for p in range(down):
                for q in range(across):
                    for o in range(outputs):
                        pixels[n, p, q, o] = g[first + n, p, q, o]


@compiled
def direct_weight_sums(
    x: Array,
    parts: int,
    before: Any,
    shape: Any,
    step: int,
    images: Array,
    starts: Array,
    offsets: Array,
    groups: Array,
    g: Array,
    seed_planes: Array,
    seed_rows: Array,
    seeds: Array,
    total: Array,
) -> None:
    """`direct_weights` of all images, for g (N, P, Q, O) of any strides; or `seed_planes`
    (N, O, P Q), or `seed_rows` (N P Q O), if that has entries. `seeds` is memory for `step` of
    their images, and WIDTH entries.
    """
    count, down, across, outputs = g.shape
    # Whole vectors of the rows are read, of the last one too.
    behind = total.shape[1] - outputs
    for first in range(0, count, step):
        last = min(first + step, count)
        pad_parts(x[first * parts : last * parts], before, shape, images)
        windows = (last - first) * down * across
        if seed_rows.size > 0 and (count - last) * down * across * outputs >= behind:
            own = seed_rows[first * down * across * outputs :]
            direct_weights(images, starts[:windows], offsets, groups, own, outputs, total)
            continue
        gather_seeds(g, seed_planes, first, last, seeds)
        direct_weights(images, starts[:windows], offsets, groups, seeds, outputs, total)


@compiled
def direct_input_sums(
    g: Array,
    seed_planes: Array,
    seed_rows: Array,
    seeds: Array,
    weights: Array,
    before: Any,
    shape: Any,
    step: int,
    images: Array,
    starts: Array,
    offsets: Array,
    length: int,
    dx: Array,
) -> None:
    """dx (N, H, W, C) = for each entry, the sum of what the windows that it is in have for it:
    sum over o of g[window, o] weights[o, the entry in the window].

    weights (blocks, O, WIDTH) are filled up with zeros; the segments of `length` entries of a
    window lie `offsets` behind its start. The other arrays as in `direct_weight_sums`.
    """
    count, down, across, outputs = g.shape
    blocks = len(weights)
    # No views of the blocks, which cost as much as a dozen products: their rows are numbered on.
    factors, every = weights.ravel(), np.arange(blocks * outputs) % outputs
    nothing = np.zeros(WIDTH, g.dtype)
    some = np.empty(ROWS, starts.dtype)
    buffer = np.empty(ROWS * blocks * WIDTH + LANES, g.dtype)
    for first in range(0, count, step):
        last = min(first + step, count)
        windows = (last - first) * down * across
        if seed_rows.size > 0:
            own = seed_rows[first * down * across * outputs :]
        else:
            gather_seeds(g, seed_planes, first, last, seeds)
            own = seeds
        middle = images[: (last - first) * shape[0] * shape[1] * shape[2]]
        middle[:] = 0
        for r in range(0, windows, ROWS):
            for i in range(ROWS):
                some[i] = min(r + i, windows - 1) * outputs
            for block in range(blocks):
                outer_sums(
                    own,
                    some,
                    0,
                    every,
                    block * outputs,
                    (block + 1) * outputs,
                    factors,
                    WIDTH,
                    nothing,
                    0,
                    0,
                    buffer,
                    block * WIDTH,
                    blocks * WIDTH,
                )
            for i in range(min(ROWS, windows - r)):
                at = i * blocks * WIDTH
                for k in range(offsets.size):
                    place = starts[r + i] + offsets[k]
                    for c in range(0, length, LANES):
                        add_first_lanes(buffer, at + c, images, place + c, length - c)
                    at += length
        padded = middle.reshape(last - first, shape[0], shape[1], shape[2])
        top, left = before
        for n in range(last - first):
            for y in range(dx.shape[1]):
                for z in range(dx.shape[2]):
                    for c in range(dx.shape[3]):
                        dx[first + n, y, z, c] = padded[n, top + y, left + z, c]
