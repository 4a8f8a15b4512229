"""Grouped convolutions as a few dense ones, each on a slice of the channels.

Groups of few channels are put together, so that the products are of a size that computes well:
their weights are a block-diagonal matrix, with zeros between channels of different groups.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd.kernels.backend import compiled_for
from autograd.kernels.columns import Geometry

__all__ = ["GroupBlock", "group_blocks", "grouped_pays"]

Array = np.ndarray[Any, Any]

DENSE_CHANNELS = 16
"""Groups are put together up to so many channels: those of a vector."""


def grouped_pays(geometry: Geometry, batch: int, dtype: np.dtype[Any]) -> bool:
    """Whether dense convolutions of slices take the place of one in groups: a rule of shapes."""
    if geometry.groups == 1 or not geometry.outputs or not geometry.channels:
        return False
    entries = batch * math.prod(geometry.out) * geometry.depth * geometry.groups
    return entries > 0 and compiled_for(dtype, entries)


@dataclass(frozen=True)
class GroupBlock:
    """Groups that are convolved together: their channels of the image and of the result."""

    inputs: slice
    outputs: slice
    geometry: Geometry
    groups: int

    def dense(self, w: Array) -> Array:
        """Weights (O, C, KH, KW) of the block out of w (all outputs, channels of a group, KH, KW).

        >>> geometry = Geometry((1, 1), (1, 1), (1, 1), (1, 1), ((0, 0),) * 2, (1, 1), 2, 2, 2)
        >>> block = next(group_blocks(geometry))
        >>> block.dense(np.ones((2, 1, 1, 1)))[:, :, 0, 0].tolist()
        [[1.0, 0.0], [0.0, 1.0]]
        """
        part = w[self.outputs]
        if self.groups == 1:
            return part
        outputs, channels = len(part) // self.groups, part.shape[1]
        kernel = part.shape[2:]
        whole = np.zeros((self.groups, outputs, self.groups, channels, *kernel), w.dtype)
        for group in range(self.groups):
            whole[group, :, group] = part[group * outputs : (group + 1) * outputs]
        return whole.reshape(len(part), self.groups * channels, *kernel)

    def diagonal(self, dw: Array) -> Array:
        """The transpose of `dense`: the entries of dw (O, C, KH, KW) that w has, (O, C/g, ...)."""
        outputs, channels = dw.shape[0] // self.groups, dw.shape[1] // self.groups
        whole = dw.reshape(self.groups, outputs, self.groups, channels, *dw.shape[2:])
        return np.concatenate([whole[group, :, group] for group in range(self.groups)])


def group_blocks(geometry: Geometry) -> Iterator[GroupBlock]:
    """The dense convolutions that one in groups consists of."""
    channels = geometry.channels // geometry.groups
    outputs = geometry.outputs // geometry.groups
    fitting = max(1, DENSE_CHANNELS // max(channels, outputs))
    together = max(m for m in range(1, fitting + 1) if geometry.groups % m == 0)
    part = replace(geometry, groups=1, channels=channels * together, outputs=outputs * together)
    for first in range(0, geometry.groups, together):
        yield GroupBlock(
            slice(first * channels, (first + together) * channels),
            slice(first * outputs, (first + together) * outputs),
            part,
            together,
        )
