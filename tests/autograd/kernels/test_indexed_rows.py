"""Rows that an index names, read and added to, against NumPy's, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.kernels.indexed_rows import add_at, read_at


@pytest.mark.usefixtures("threads")
@given(
    st.integers(1, 6),
    st.sampled_from([(), (1,), (5,), (40,), (3, 7)]),
    st.sampled_from([(), (4,), (0,), (2, 3), (50,)]),
    st.sampled_from(["f", "d", "e"]),
    st.sampled_from([np.int64, np.int8, np.uint16]),
    st.integers(0, 2**20),
    st.booleans(),
)
def test_as_numpy(rows, row, shape, dtype, kind, seed, in_tuple):
    rng = np.random.default_rng(seed)
    index = rng.integers(0 if np.dtype(kind).kind == "u" else -rows, rows, shape).astype(kind)
    values = rng.normal(size=(*shape, *row)).astype(dtype)
    out = rng.normal(size=(rows, *row)).astype(dtype)
    expected = out.copy()
    np.add.at(expected, index, values)
    add_at(out, (index,) if in_tuple else index, values)
    np.testing.assert_array_equal(out, expected)
    read = read_at(out, (index,) if in_tuple else index)
    np.testing.assert_array_equal(read, out[index])
    assert read.dtype == out.dtype
    assert not np.shares_memory(read, out)


@pytest.mark.parametrize("index", [[3], [-4], [0, 1, 7]])
def test_an_index_out_of_bounds(index):
    with pytest.raises(IndexError, match="out of bounds"):
        add_at(np.zeros((3, 2)), np.array(index), np.ones((len(index), 2)))
    with pytest.raises(IndexError, match="out of bounds"):
        read_at(np.zeros((3, 2)), np.array(index))


def test_more_rows_than_the_index_can_name():
    out = np.zeros((1000, 2))
    add_at(out, np.array([-1, 5], np.int8), np.ones((2, 2)))
    assert out[999].tolist() == out[5].tolist() == [1.0, 1.0]


def test_other_indices_and_layouts(in_layout, layouts):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(4, 5))
    index = np.array([0, 2, 2, 1])
    for layout in layouts:
        out = np.zeros((3, 5))
        add_at(out, index, in_layout(values, layout))
        expected = np.zeros((3, 5))
        np.add.at(expected, index, values)
        np.testing.assert_array_equal(out, expected)
    turned = np.zeros((5, 3)).T
    add_at(turned, index, values)
    np.testing.assert_array_equal(turned, expected)
    both = np.zeros((3, 5))
    add_at(both, (index, index), values[:, 0])
    assert both[2, 2] == values[1, 0] + values[2, 0]
    add_at(both, (slice(None), index), values[:3, :4])
