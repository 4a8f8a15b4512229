"""Convolutions of each channel alone, over vectors of channels that lie next to each other.

Images are padded, so that all taps of a window lie in one. Where a number of channels or windows is
no multiple of those worked on together, the last of these begin earlier and overlap others.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled
from autograd.kernels.vector_maps import ROWS
from autograd.kernels.vector_taps import VECTOR_BYTES, row_sums, seed_sums, tap_sums

__all__ = ["VECTOR_BYTES", "depthwise_rows", "depthwise_weights", "pad_rows"]

Array = np.ndarray[Any, Any]
Sizes = tuple[int, ...]

_HALF = ROWS // 2

_three = row_sums(ROWS, 3, 1, 1)
_three_dilated = row_sums(ROWS, 3, 1, 2)
_three_strided = row_sums(ROWS, 3, 2, 1)
_five = row_sums(ROWS, 5, 1, 1)
_five_dilated = row_sums(ROWS, 5, 1, 2)
_many = tap_sums(ROWS)
_some = tap_sums(_HALF)
_one = tap_sums(1)

_three_by_three = seed_sums(3, 3)
_one_by_five = seed_sums(1, 5)
_one_by_three = seed_sums(1, 3)
_one_by_one = seed_sums(1, 1)


@compiled
def pad_rows(x: Array, top: int, left: int, padded: Array) -> None:
    """x (N, H, K) into padded (N, H', K'), from row `top` and entry `left` on, zero around it."""
    images, height, length = x.shape
    zero = padded.dtype.type(0)
    for n in range(images):
        padded[n, :top] = zero
        padded[n, top + height :] = zero
        for y in range(height):
            row, line = padded[n, top + y], x[n, y]
            row[:left] = zero
            row[left + length :] = zero
            middle = row[left : left + length]
            for k in range(length):
                middle[k] = line[k]


@compiled
def depthwise_rows(
    images: Array,
    sizes: Sizes,
    w: Array,
    kernel: Sizes,
    start: Array,
    stride: Sizes,
    offset: Sizes,
    dilation: Sizes,
    y: Array,
    origin: int,
    pitches: Sizes,
    out: Sizes,
) -> None:
    """y[n, p, q] = start + the sum of w[i, j] images[n, stride (p, q) + dilation (i, j) + offset].

    By channel: `images` is flat, of (N, *sizes) = (N, H, W, C), w flat of (KH, KW, C), start (C,).
    Result (n, p, q) of the `out` lies in the flat y from `origin` + the products of n, p and q with
    the `pitches` on.
    """
    height, width, channels = sizes
    kh, kw = kernel
    lanes = VECTOR_BYTES // y.itemsize
    down, across = dilation[0] * width * channels, dilation[1] * channels
    step = stride[1] * channels
    together = ROWS if out[1] >= ROWS else (_HALF if out[1] >= _HALF else 1)
    kind = 100 * kw + 10 * stride[1] + dilation[1] if together == ROWS and dilation[1] < 10 else 0
    for n in range(images.size // (height * width * channels)):
        for p in range(out[0]):
            row = ((n * height + p * stride[0] + offset[0]) * width + offset[1]) * channels
            target = origin + n * pitches[0] + p * pitches[1]
            for block in range(0, out[1], together):
                q = min(block, out[1] - together)
                for vector in range(0, channels, lanes):
                    c = min(vector, channels - lanes)
                    at, to = row + q * step + c, target + q * pitches[2] + c
                    if kind == 311:
                        _three(images, at, down, w, c, channels, kh, start, c, y, to, pitches[2])
                    elif kind == 312:
                        _three_dilated(
                            images, at, down, w, c, channels, kh, start, c, y, to, pitches[2]
                        )
                    elif kind == 321:
                        _three_strided(
                            images, at, down, w, c, channels, kh, start, c, y, to, pitches[2]
                        )
                    elif kind == 511:
                        _five(images, at, down, w, c, channels, kh, start, c, y, to, pitches[2])
                    elif kind == 512:
                        _five_dilated(
                            images, at, down, w, c, channels, kh, start, c, y, to, pitches[2]
                        )
                    elif together == ROWS:
                        _many(
                            images,
                            at,
                            step,
                            down,
                            across,
                            w,
                            c,
                            channels,
                            kh,
                            kw,
                            start,
                            c,
                            y,
                            to,
                            pitches[2],
                        )
                    elif together == _HALF:
                        _some(
                            images,
                            at,
                            step,
                            down,
                            across,
                            w,
                            c,
                            channels,
                            kh,
                            kw,
                            start,
                            c,
                            y,
                            to,
                            pitches[2],
                        )
                    else:
                        _one(
                            images,
                            at,
                            step,
                            down,
                            across,
                            w,
                            c,
                            channels,
                            kh,
                            kw,
                            start,
                            c,
                            y,
                            to,
                            pitches[2],
                        )


@compiled
def depthwise_weights(
    images: Array,
    sizes: Sizes,
    g: Array,
    out: Sizes,
    stride: Sizes,
    dilation: Sizes,
    sums: Array,
) -> None:
    """Adds to sums[i, j] the sum of g[n, p, q] images[n, stride (p, q) + dilation (i, j)].

    By channel: `images` is flat, of (N, *sizes) = (N, H, W, C), g flat of (N, *out, C). sums (KH,
    KW, vectors, lanes) is of double precision; each image's sums in its dtype are added to it.
    """
    height, width, channels = sizes
    kh, kw, vectors, lanes = sums.shape
    step, across = stride[1] * channels, dilation[1] * channels
    down = dilation[0] * width * channels
    some = np.empty(sums.size, images.dtype)
    beside = vectors * lanes
    below = kw * beside
    totals = sums.reshape(-1)
    square = kh == 3 and kw == 3
    for n in range(images.size // (height * width * channels)):
        some[:] = 0
        for p in range(out[0]):
            row = (n * height + p * stride[0]) * width * channels
            seeds = (n * out[0] + p) * out[1] * channels
            for vector in range(vectors):
                c = min(vector * lanes, channels - lanes)
                seed, to = seeds + c, vector * lanes
                if square:
                    _three_by_three(
                        images,
                        row + c,
                        step,
                        down,
                        across,
                        g,
                        seed,
                        channels,
                        out[1],
                        some,
                        to,
                        below,
                        beside,
                    )
                    continue
                for i in range(kh):
                    at, tap = row + i * down + c, to + i * below
                    j = 0
                    while j < kw:
                        if kw - j >= 5:
                            _one_by_five(
                                images,
                                at,
                                step,
                                down,
                                across,
                                g,
                                seed,
                                channels,
                                out[1],
                                some,
                                tap,
                                below,
                                beside,
                            )
                            taken = 5
                        elif kw - j >= 3:
                            _one_by_three(
                                images,
                                at,
                                step,
                                down,
                                across,
                                g,
                                seed,
                                channels,
                                out[1],
                                some,
                                tap,
                                below,
                                beside,
                            )
                            taken = 3
                        else:
                            _one_by_one(
                                images,
                                at,
                                step,
                                down,
                                across,
                                g,
                                seed,
                                channels,
                                out[1],
                                some,
                                tap,
                                below,
                                beside,
                            )
                            taken = 1
                        j += taken
                        at += taken * across
                        tap += taken * beside
        for k in range(some.size):
            totals[k] += some[k]
