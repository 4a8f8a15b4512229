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


@given(strategies.arrays(shape=(3, 2), layouts=("broadcast",)))
def test_broadcast_arrays_repeat_their_first_axis(array):
    assert array.strides[0] == 0


@given(strategies.well_conditioned_matrices(3, batch=(2,)))
def test_well_conditioned_matrices(matrices):
    assert matrices.shape[0] == 2
    assert np.linalg.cond(matrices).max() < 3.001


@given(strategies.away_from([-1.0, 0.5], 0.25, low=-2.0, high=1.0))
def test_away_from(array):
    assert np.all((array >= -2.0) & (array <= 1.0))
    for kink in (-1.0, 0.5):
        assert np.all(np.abs(array - kink) >= 0.25 - 1e-12)


def test_a_gap_that_leaves_nothing_is_refused():
    with pytest.raises(ValueError, match="leaves nothing"):
        strategies.away_from([0.0], 3.0)


@given(strategies.on([-1.0, 2.0], shape=(3,)))
def test_on(array):
    assert set(array) <= {-1.0, 2.0}


@given(strategies.conv_cases(1), strategies.conv_cases(2))
def test_conv_cases_fit(one, two):
    assert ag.conv1d(**one).size
    assert ag.conv2d(**two).size


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
