"""Windows of images copied into rows (im2col), and rows added back (its transpose)."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compilation import compiled
from autograd.kernels.vector_maps import LANES, vector_map

__all__ = [
    "SLACK",
    "add_segments",
    "gather_segments",
    "gather_segments_float32",
    "pad_images",
    "pad_images_float32",
    "pad_planes",
]

Array = np.ndarray[Any, Any]

SLACK = LANES
"""Entries behind the images and the rows that whole vectors may touch."""

_copy = vector_map(lambda x: (x,), 1)


@compiled
def pad_images(x: Array, top: int, left: int, padded: Array) -> None:
    """x (N, H, W, C) of any strides into the middle of padded (N, H', W', C), zero around it."""
    images, height, width, channels = x.shape
    columns = padded.shape[2]
    zero = padded.dtype.type(0)
    for n in range(images):
        padded[n, :top] = zero
        padded[n, top + height :] = zero
        for y in range(height):
            padded[n, top + y, :left] = zero
            for z in range(width):
                for c in range(channels):
                    padded[n, top + y, left + z, c] = x[n, y, z, c]
            for z in range(left + width, columns):
                for c in range(channels):
                    padded[n, top + y, z, c] = zero


@compiled
def pad_images_float32(x: Array, top: int, left: int, padded: Array) -> None:
    """The same, in vectors where the pixels of a row lie next to each other."""
    images, height, width, channels = x.shape
    rows, columns = padded.shape[1:3]
    within = x.strides[3] == x.itemsize and x.strides[2] == x.itemsize * channels
    if not within or x.strides[0] % x.itemsize != 0 or x.strides[1] % x.itemsize != 0:
        pad_images(x, top, left, padded)
        return
    flat, zero = padded.ravel(), padded.dtype.type(0)
    length = width * channels
    whole = length // LANES * LANES
    for n in range(images):
        padded[n, :top] = zero
        padded[n, top + height :] = zero
        for y in range(height):
            begin = (n * x.strides[0] + y * x.strides[1]) // x.itemsize
            start = (n * rows + top + y) * columns * channels
            for i in range(start, start + left * channels):
                flat[i] = zero
            start += left * channels
            for i in range(0, whole, LANES):
                _copy(x, begin + i, 0, flat, start + i, 0)
            if whole > 0:  # the last vector begins within the one before
                _copy(x, begin + length - LANES, 0, flat, start + length - LANES, 0)
            else:
                for i in range(length):
                    flat[start + i] = x[n, y, i // channels, i % channels]
            for i in range(start + length, start + (columns - left) * channels):
                flat[i] = zero


@compiled
def pad_planes(x: Array, top: int, left: int, padded: Array) -> None:
    """The same for x (N, C, H, W), contiguous."""
    images, channels, height, width = x.shape
    zero = padded.dtype.type(0)
    for n in range(images):
        padded[n, :top] = zero
        padded[n, top + height :] = zero
        for y in range(height):
            row = padded[n, top + y]
            row[:left] = zero
            row[left + width :] = zero
            middle = row[left : left + width]
            if channels == 3:  # written out, the loop becomes vector instructions
                red, green, blue = x[n, 0, y], x[n, 1, y], x[n, 2, y]
                pixels = middle.reshape(-1)
                for z in range(width):
                    pixels[3 * z] = red[z]
                    pixels[3 * z + 1] = green[z]
                    pixels[3 * z + 2] = blue[z]
            else:
                for c in range(channels):
                    line = x[n, c, y]
                    for z in range(width):
                        middle[z, c] = line[z]


@compiled
def gather_segments_float32(
    images: Array, starts: Array, offsets: Array, length: int, columns: Array
) -> None:
    """columns[r] = the segments of `length` entries from images[starts[r] + offsets[k]], k by k.

    In vectors that may run over a segment's end, where the next one is written afterwards: flat
    `images` and `columns` have SLACK entries more than they need.
    """
    at = 0
    for r in range(starts.size):
        for k in range(offsets.size):
            first = starts[r] + offsets[k]
            for block in range(0, length, LANES):
                _copy(images, first + block, 0, columns, at + block, 0)
            at += length


@compiled
def gather_segments(
    images: Array, starts: Array, offsets: Array, length: int, columns: Array
) -> None:
    """The same for any dtype."""
    at = 0
    for r in range(starts.size):
        for k in range(offsets.size):
            first = starts[r] + offsets[k]
            for c in range(length):
                columns[at + c] = images[first + c]
            at += length


@compiled
def add_segments(columns: Array, starts: Array, offsets: Array, length: int, images: Array) -> None:
    """The transpose of `gather_segments`: adds to images."""
    at = 0
    for r in range(starts.size):
        for k in range(offsets.size):
            first = starts[r] + offsets[k]
            for c in range(length):
                images[first + c] += columns[at + c]
            at += length
