"""The strategies draw what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.registry import REGISTRY
from autograd.testing import strategies


@given(strategies.shapes(max_dims=2, max_side=3))
def test_shapes(shape):
    assert len(shape) <= 2
    assert all(0 <= side <= 3 for side in shape)


@given(strategies.arrays(dtype=np.float32, low=-1.0, high=1.0))
def test_arrays(array):
    assert array.dtype == np.float32
    assert np.all(np.abs(array) <= 1.0)


@pytest.mark.parametrize("layout", strategies.LAYOUTS)
def test_layouts_keep_the_values(layout):
    array = np.arange(6.0).reshape(2, 3)
    changed = strategies.in_layout(array, layout)
    assert np.array_equal(changed, array)
    if layout == "strided":
        assert not changed.flags.c_contiguous
    if layout == "read-only":
        assert not changed.flags.writeable


@given(strategies.tensors())
def test_tensors(tensor):
    assert isinstance(tensor, ag.Tensor)
    assert tensor.requires_grad


@given(strategies.broadcastable(3))
def test_broadcastable(shapes):
    assert len(shapes) == 3
    np.broadcast_shapes(*shapes)


@given(st.data(), st.integers(0, 3))
def test_valid_axes(data, ndim):
    np.sum(np.ones((2,) * ndim), axis=data.draw(strategies.valid_axes(ndim)))


@given(st.data(), st.sampled_from(sorted(REGISTRY)))
def test_op_calls_can_be_called(data, name):
    function, args, kwargs = data.draw(strategies.op_calls(name))
    function(*args, **kwargs)
