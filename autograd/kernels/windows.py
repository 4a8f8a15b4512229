"""Geometry of sliding windows in any number of dimensions: sizes, strides, padding, dilation."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

__all__ = [
    "channels_put_last",
    "channels_put_second",
    "effective_sizes",
    "in_bounds_counts",
    "is_channels_last",
    "offset_range",
    "output_sizes",
    "pad_spatial",
    "padding_pairs",
    "spatial_tuple",
    "window_view",
    "windows_overlap",
]

Array = np.ndarray[Any, Any]
Sizes = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]


def spatial_tuple(value: int | Sequence[int], dims: int, name: str, minimum: int = 1) -> Sizes:
    """One integer per spatial dimension, from an integer or a sequence of `dims` integers.

    Raises ValueError when the number of entries or an entry's size is wrong, TypeError when an
    entry is no integer.

    >>> spatial_tuple(3, 2, 'kernel_size')
    (3, 3)
    """
    if type(value) is int and value >= minimum:
        return (value,) * dims
    given: Any = value
    entries: tuple[Any, ...] = (given,) * dims
    if isinstance(value, (tuple, list)):
        entries = tuple(value)
        if len(entries) != dims:
            raise ValueError(
                f"{name}={value!r} has {len(entries)} entries; give one integer or "
                f"{dims} of them, one for each spatial dimension"
            )
    try:
        sizes = tuple(int(index(entry)) for entry in entries)
    except TypeError:
        raise TypeError(
            f"{name}={value!r} must be an integer or a tuple of {dims} integers"
        ) from None
    if any(size < minimum for size in sizes):
        raise ValueError(f"{name}={value!r} must be at least {minimum} in each dimension")
    return sizes


def padding_pairs(
    padding: str | int | Sequence[int | Sequence[int]],
    kernel: Sizes,
    stride: Sizes,
    dilation: Sizes,
) -> Pairs:
    """(before, after) per spatial dimension from any of the accepted spellings of padding.

    'valid' is no padding; 'same' keeps the size (stride 1 only; the larger half goes after, as in
    PyTorch); an integer or one per dimension pads both sides; pairs are taken as they are.

    >>> padding_pairs('same', (3, 4), (1, 1), (1, 1))
    ((1, 1), (1, 2))
    """
    dims = len(kernel)
    if isinstance(padding, str):
        if padding == "valid":
            return ((0, 0),) * dims
        if padding != "same":
            raise ValueError(
                f"padding={padding!r} is unknown; give 'same', 'valid', an integer, "
                f"{dims} integers or {dims} (before, after) pairs"
            )
        if any(step != 1 for step in stride):
            raise ValueError(
                f"padding='same' needs stride 1, not stride={stride}; give the padding as integers"
            )
        totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    if not isinstance(padding, Sequence):
        both = spatial_tuple(padding, dims, "padding", minimum=0)
        return tuple((p, p) for p in both)
    if len(padding) != dims:
        raise ValueError(
            f"padding={padding!r} has {len(padding)} entries; give one integer, {dims} integers "
            f"or {dims} (before, after) pairs"
        )
    pairs: list[tuple[int, int]] = []
    for entry in padding:
        if isinstance(entry, str):
            raise TypeError(f"padding={padding!r}: {entry!r} is no integer and no pair of them")
        before, after = spatial_tuple(entry, 2, "padding", minimum=0)
        pairs.append((before, after))
    return tuple(pairs)


def effective_sizes(kernel: Sizes, dilation: Sizes) -> Sizes:
    """The extent of a dilated kernel: dilation * (kernel - 1) + 1.

    >>> effective_sizes((3, 1), (2, 2))
    (5, 1)
    """
    return tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))


def output_sizes(
    in_sizes: Sizes, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes
) -> Sizes:
    """floor((in + before + after - dilation*(kernel - 1) - 1) / stride) + 1 for each dimension.

    Raises ValueError where the kernel is larger than the padded input.

    >>> output_sizes((32, 32), (3, 3), (2, 2), ((1, 1), (1, 1)), (1, 1))
    (16, 16)
    """
    sizes = []
    for size, extent, step, (before, after) in zip(
        in_sizes, effective_sizes(kernel, dilation), stride, padding, strict=True
    ):
        room = size + before + after - extent
        if room < 0:
            raise ValueError(
                f"kernel {kernel} with dilation {dilation} covers "
                f"{effective_sizes(kernel, dilation)}, more than the input {in_sizes} with "
                f"padding {padding}; use a smaller kernel or more padding"
            )
        sizes.append(room // step + 1)
    return tuple(sizes)


def windows_overlap(kernel: Sizes, stride: Sizes, dilation: Sizes) -> bool:
    """Whether two different windows can share a position of the input.

    >>> windows_overlap((2, 2), (2, 2), (1, 1)), windows_overlap((3, 3), (2, 2), (1, 1))
    (False, True)
    """
    extents = effective_sizes(kernel, dilation)
    return any(step < extent for step, extent in zip(stride, extents, strict=True))


def offset_range(offset: int, size: int, out: int, step: int) -> tuple[slice, slice]:
    """Where one kernel offset meets the unpadded input, in one dimension.

    `offset` is dilation * k - before. Output i reads input i*step + offset; the answer is the
    slice of outputs for which that lies inside [0, size), and the slice of inputs they read.

    >>> offset_range(-1, 4, 4, 1)
    (slice(1, 4, None), slice(0, 3, 1))
    """
    first = max(0, -(offset // step))
    last = min(out, (size - 1 - offset) // step + 1)
    if last <= first:
        return slice(0, 0), slice(0, 0, step)
    start = first * step + offset
    return slice(first, last), slice(start, (last - 1) * step + offset + 1, step)


def in_bounds_counts(
    in_sizes: Sizes, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes
) -> list[Array]:
    """For each dimension, how many of every window's positions lie inside the unpadded input.

    >>> in_bounds_counts((4,), (3,), (1,), ((1, 1),), (1,))[0].tolist()
    [2, 3, 3, 2]
    """
    outs = output_sizes(in_sizes, kernel, stride, padding, dilation)
    counts = []
    for size, k, step, (before, _), d, out in zip(
        in_sizes, kernel, stride, padding, dilation, outs, strict=True
    ):
        positions = np.arange(out)[:, None] * step - before + np.arange(k) * d
        counts.append(np.count_nonzero((positions >= 0) & (positions < size), axis=1))
    return counts


def window_view(x: Array, axes: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Array:
    """A read-only view with `axes` replaced by window positions and the kernel axes appended.

    The input must be padded already. No copy is made.

    >>> window_view(np.arange(5), (0,), (2,), (2,), (1,)).tolist()
    [[0, 1], [2, 3]]
    """
    shape, strides = list(x.shape), list(x.strides)
    sizes = tuple(shape[axis] for axis in axes)
    outs = output_sizes(sizes, kernel, stride, ((0, 0),) * len(axes), dilation)
    for axis, out, step, k, d in zip(axes, outs, stride, kernel, dilation, strict=True):
        shape.append(k)
        strides.append(strides[axis] * d)
        shape[axis] = out
        strides[axis] *= step
    return as_strided(x, shape, strides, writeable=False)


def is_channels_last(x: Array) -> bool:
    """Whether an (N, C, *spatial) array has its channels next to each other in memory.

    >>> x = np.zeros((2, 3, 4, 4))
    >>> is_channels_last(x), is_channels_last(np.moveaxis(np.zeros((2, 4, 4, 3)), -1, 1))
    (False, True)
    """
    if x.ndim < 3 or x.flags.c_contiguous:
        return False
    inner = [abs(s) for s, n in zip(x.strides[2:], x.shape[2:], strict=True) if n > 1]
    if x.shape[1] == 1 or not inner:
        return False
    return abs(x.strides[1]) < min(inner)


def channels_put_last(x: Array) -> Array:
    """(N, C, *spatial) as (N, *spatial, C): a view, for less than `numpy.moveaxis` takes.

    >>> channels_put_last(np.zeros((2, 3, 4, 5))).shape
    (2, 4, 5, 3)
    """
    return x.transpose(0, *range(2, x.ndim), 1)


def channels_put_second(x: Array) -> Array:
    """(N, *spatial, C) as (N, C, *spatial), a view.

    >>> channels_put_second(np.zeros((2, 4, 5, 3))).shape
    (2, 3, 4, 5)
    """
    return x.transpose(0, x.ndim - 1, *range(1, x.ndim - 1))


def pad_spatial(x: Array, first: int, padding: Pairs, value: float = 0.0) -> Array:
    """`x` with the axes from `first` on padded by `value`; `x` itself when there is no padding.

    >>> pad_spatial(np.ones((1, 2)), 1, ((1, 0),)).tolist()
    [[0.0, 1.0, 1.0]]
    """
    if not any(before or after for before, after in padding):
        return x
    shape, inside = list(x.shape), [slice(None)] * x.ndim
    for axis, (before, after) in enumerate(padding, start=first):
        inside[axis] = slice(before, before + shape[axis])
        shape[axis] += before + after
    padded = np.full(shape, value, x.dtype) if value else np.zeros(shape, x.dtype)
    padded[tuple(inside)] = x
    return padded
