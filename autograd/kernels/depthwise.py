"""Depthwise convolutions: each channel of the images is convolved alone, with one or more kernels.

Source: L. Sifre, "Rigid-motion scattering for image classification", 2014, section 6.2. Arrays are
channels-last with two spatial dimensions; they may have any strides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.kernels.backend import compiled_for
from autograd.kernels.columns import Geometry
from autograd.kernels.windows import Pairs
from autograd.kernels.workers import parallel_chunks, parallel_ranges, scratch, thread_count

__all__ = [
    "depthwise_convolve",
    "depthwise_input_gradient",
    "depthwise_pays",
    "depthwise_weight_gradient",
]

Array = np.ndarray[Any, Any]

NO_PADDING: Pairs = ((0, 0), (0, 0))

CHUNK_ENTRIES = 1 << 18
"""Entries of images and results that are worked on together, where images are copied first."""


def depthwise_pays(geometry: Geometry, batch: int, dtype: np.dtype[Any]) -> bool:
    """Whether the compiled kernels compute this convolution: a rule of shapes and dtype only."""
    if geometry.groups == 1 or geometry.channels != geometry.groups or not geometry.outputs:
        return False
    entries = batch * math.prod(geometry.kernel) * math.prod(geometry.out) * geometry.outputs
    return entries > 0 and math.prod(geometry.in_sizes) > 0 and compiled_for(dtype, entries)


def depthwise_convolve(
    x: Array, w: Array, geometry: Geometry, y: Array, bias: Array | None = None
) -> None:
    """Writes the convolution of x (N, H, W, C) with w (O, 1, KH, KW), plus the bias (O,), into the
    C-contiguous y (N, P, Q, O).
    """
    from autograd.kernels.compiled_depthwise import depthwise_rows

    each = geometry.outputs // geometry.channels
    width = _wide(geometry.outputs, y.dtype)
    weights = _kernels(w, width).reshape(-1)
    start: Array = np.zeros(width, y.dtype)
    if bias is not None:
        start[: geometry.outputs] = bias
    p, q = geometry.out
    pitches = p * q * width, q * width, width

    def task(first: int, last: int) -> None:
        images = _padded(x[first:last], geometry.padding, width, each)
        target = _room(y[first:last], width)
        depthwise_rows(
            images.reshape(-1),
            images.shape[1:],
            weights,
            geometry.kernel,
            start,
            geometry.stride,
            (0, 0),
            geometry.dilation,
            target.reshape(-1),
            0,
            pitches,
            (p, q),
        )
        if width != geometry.outputs:
            y[first:last] = target[..., : geometry.outputs]

    parallel_chunks(task, len(x), _images_at_a_time(geometry, len(x)))


def depthwise_input_gradient(g: Array, w: Array, geometry: Geometry, dx: Array) -> None:
    """Writes the partial with respect to x into the C-contiguous dx (N, H, W, C), for g
    (N, P, Q, O).

    Pixels whose places agree modulo the stride meet the same taps: they are a convolution of
    stride 1 of the cotangent with these taps, in reverse order.
    """
    from autograd.kernels.compiled_depthwise import depthwise_rows

    each = geometry.outputs // geometry.channels
    width = _wide(geometry.outputs, dx.dtype)
    weights = _kernels(w, width)
    start: Array = np.zeros(width, dx.dtype)
    height, length = geometry.in_sizes
    down, across = geometry.stride
    vertical, horizontal = _phases(geometry, 0), _phases(geometry, 1)
    padding = _covering(vertical, geometry.out[0]), _covering(horizontal, geometry.out[1])
    before = padding[0][0], padding[1][0]
    phases = [
        (v, h, np.ascontiguousarray(weights[v.taps, h.taps])) for v in vertical for h in horizontal
    ]
    pitches = height * length * width, down * length * width, across * width

    def task(first: int, last: int) -> None:
        seeds = _padded(g[first:last], padding, width, 1)
        target = _room(dx[first:last], width)
        for v, h, part in phases:
            depthwise_rows(
                seeds.reshape(-1),
                seeds.shape[1:],
                part.reshape(-1),
                part.shape[:2],
                start,
                (1, 1),
                (v.offset + before[0], h.offset + before[1]),
                (v.dilation, h.dilation),
                target.reshape(-1),
                (v.place * length + h.place) * width,
                pitches,
                (v.count, h.count),
            )
        if width != geometry.channels:
            dx[first:last] = target[..., : geometry.outputs : each]
            for k in range(1, each):
                dx[first:last] += target[..., k : geometry.outputs : each]

    parallel_chunks(task, len(g), _images_at_a_time(geometry, len(g)))


def depthwise_weight_gradient(x: Array, g: Array, geometry: Geometry) -> Array:
    """The partial with respect to w, (O, 1, KH, KW), of x (N, H, W, C) and g (N, P, Q, O)."""
    from autograd.kernels.compiled_depthwise import VECTOR_BYTES, depthwise_weights

    outputs = geometry.outputs
    each = outputs // geometry.channels
    width = _wide(outputs, x.dtype)
    lanes = VECTOR_BYTES // x.itemsize
    vectors = -(-width // lanes)
    sums: Array = np.zeros((thread_count(), *geometry.kernel, vectors, lanes))
    step = _images_at_a_time(geometry, len(x))

    def task(worker: int, first: int, last: int) -> None:
        for at in range(first, last, step):
            part = slice(at, min(at + step, last))
            images = _padded(x[part], geometry.padding, width, each)
            seeds = _padded(g[part], NO_PADDING, width, 1, "seeds")
            depthwise_weights(
                images.reshape(-1),
                images.shape[1:],
                seeds.reshape(-1),
                geometry.out,
                geometry.stride,
                geometry.dilation,
                sums[worker],
            )

    parallel_ranges(task, len(x), most=len(sums))
    total = sums.sum(axis=0)
    dw: Array = np.empty((*geometry.kernel, width), x.dtype)
    for vector in range(vectors):  # the last one begins where it ends with the channels
        first = min(vector * lanes, width - lanes)
        dw[..., first : first + lanes] = total[:, :, vector]
    return np.ascontiguousarray(dw[..., :outputs].transpose(2, 0, 1))[:, None]


@dataclass(frozen=True)
class _Phase:
    """A convolution of stride 1 of the cotangent, in one dimension: the pixels `place` + stride a,
    a < `count`, are sums over the taps m of the cotangent's entries a + m dilation + offset.
    """

    place: int
    count: int
    taps: slice
    number: int
    offset: int
    dilation: int


def _phases(geometry: Geometry, axis: int) -> list[_Phase]:
    """One for each place modulo the stride.

    Pixel place + stride a meets tap i in window p = a + (place + before - dilation i) / stride
    where that is whole, which holds for every (stride / common)-th tap, if for any.
    """
    stride, dilation = geometry.stride[axis], geometry.dilation[axis]
    kernel, before = geometry.kernel[axis], geometry.before[axis]
    common = math.gcd(stride, dilation)
    size = geometry.in_sizes[axis]
    phases = []
    for place in range(min(stride, size)):
        count = -(-(size - place) // stride)
        meeting = [i for i in range(kernel) if (place + before - dilation * i) % stride == 0]
        taps, offset = slice(0, 0), 0
        if meeting:
            first, last = meeting[0], meeting[-1]
            taps = slice(last, first - 1 if first else None, -(stride // common))
            offset = (place + before - dilation * last) // stride
        phases.append(_Phase(place, count, taps, len(meeting), offset, dilation // common))
    return phases


def _covering(phases: list[_Phase], size: int) -> tuple[int, int]:
    """The padding of a cotangent of this size within which all of the phases' entries lie; less
    than nothing where they leave out some at an end.
    """
    met = [phase for phase in phases if phase.number]
    if not met:
        met = phases
    first = min(phase.offset for phase in met)
    end = max(
        phase.offset + phase.count - 1 + phase.dilation * max(0, phase.number - 1) for phase in met
    )
    return -first, end + 1 - size


def _images_at_a_time(geometry: Geometry, batch: int) -> int:
    entries = math.prod(geometry.in_sizes) + math.prod(geometry.out)
    fitting = CHUNK_ENTRIES // (entries * geometry.outputs)
    return max(1, min(fitting, -(-batch // thread_count())))


def _wide(channels: int, dtype: np.dtype[Any]) -> int:
    """The channels that the kernels work on: at least those of a vector."""
    from autograd.kernels.compiled_depthwise import VECTOR_BYTES

    return max(channels, VECTOR_BYTES // dtype.itemsize)


def _kernels(w: Array, width: int) -> Array:
    """w (O, 1, KH, KW) as (KH, KW, width), zero behind the O-th channel."""
    weights = np.zeros((*w.shape[2:], width), w.dtype)
    weights[..., : len(w)] = w[:, 0].transpose(1, 2, 0)
    return weights


def _padded(x: Array, padding: Pairs, width: int, each: int, name: str = "padded") -> Array:
    """x (n, H, W, C), padded and C-contiguous, each channel `each` times and then zeros up to
    `width`; x itself where that is so. Negative padding cuts rows or columns off.
    """
    for axis, (before, after) in enumerate(padding, start=1):
        if before < 0 or after < 0:
            kept = slice(max(0, -before), x.shape[axis] - max(0, -after))
            x = x[(slice(None),) * axis + (kept,)]
    (top, bottom), (left, right) = [(max(0, a), max(0, b)) for a, b in padding]
    images, height, length, channels = x.shape
    if width == channels and not (top or bottom or left or right) and x.flags.c_contiguous:
        return x
    shape = images, top + height + bottom, left + length + right, width
    padded = scratch(name, shape, x.dtype)
    planes = x.transpose(0, 3, 1, 2)
    if width == channels and x.flags.c_contiguous:
        from autograd.kernels.compiled_depthwise import pad_rows

        lines = padded.reshape(images, shape[1], shape[2] * width)
        pad_rows(x.reshape(images, height, length * channels), top, left * width, lines)
    elif width == channels and planes.flags.c_contiguous:
        from autograd.kernels.compiled_columns import pad_planes

        pad_planes(planes, top, left, padded)
    else:
        padded.fill(0)
        middle = padded[:, top : top + height, left : left + length]
        for k in range(each):
            middle[..., k : channels * each : each] = x
    return padded


def _room(y: Array, width: int) -> Array:
    """y itself, or where more channels than it has find room."""
    return y if y.shape[3] == width else scratch("results", (*y.shape[:3], width), y.dtype)
