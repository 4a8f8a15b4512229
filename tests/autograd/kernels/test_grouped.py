"""Blocks of groups hold every weight once, at its place, and zeros elsewhere."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from autograd.kernels.columns import Geometry
from autograd.kernels.grouped import DENSE_CHANNELS, group_blocks


@given(st.integers(2, 12), st.integers(1, 20), st.integers(1, 20))
def test_blocks(groups: int, channels: int, outputs: int) -> None:
    one = (1, 1)
    shape = groups * channels, groups * outputs
    geometry = Geometry(one, one, (2, 1), one, ((0, 1), (0, 0)), one, groups, *shape)
    w = np.random.default_rng(0).normal(size=(shape[1], channels, 2, 1))
    whole = np.zeros((shape[1], shape[0], 2, 1))
    back, seen = [], []
    for block in group_blocks(geometry):
        dense = block.dense(w)
        assert dense.shape == (block.geometry.outputs, block.geometry.channels, 2, 1)
        assert block.groups == 1 or max(dense.shape[:2]) <= DENSE_CHANNELS
        whole[block.outputs, block.inputs] += dense
        back.append(block.diagonal(dense))
        seen.append(block.outputs)
    assert np.array_equal(np.concatenate(back), w)
    assert seen[0].start == 0 and seen[-1].stop == shape[1]
    for o in range(shape[1]):
        first = o // outputs * channels
        assert np.array_equal(whole[o, first : first + channels], w[o])
        assert np.count_nonzero(whole[o]) == w[o].size
