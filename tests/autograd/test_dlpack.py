"""Memory is shared through DLPack, both ways; what cannot be shared is refused and explained."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd as ag

writable = pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.1.0",
    reason="NumPy 2.0 takes over memory as read-only, and passes none of that on",
)
DTYPES = ["?", "i1", "u2", "i4", "i8", "f2", "f4", "f8"]


@writable
@given(
    hnp.arrays(
        st.sampled_from(DTYPES), hnp.array_shapes(min_dims=0, min_side=0), elements=st.just(1)
    ),
    st.booleans(),
)
def test_both_ways_without_a_copy(array, turned):
    array = array.T if turned else array
    there = np.from_dlpack(ag.Tensor(array))
    back = ag.from_dlpack(there)
    assert back.data.dtype == array.dtype
    assert back.data.shape == array.shape
    assert back.data.ctypes.data == there.ctypes.data == array.ctypes.data
    if array.size:
        assert back.data.strides == array.strides
    assert not back.requires_grad


@writable
def test_each_side_sees_the_others_writes():
    tensor = ag.Tensor(np.zeros(3))
    array = np.from_dlpack(tensor)
    tensor += 1.0
    assert array.tolist() == [1, 1, 1]
    source = np.zeros(3)
    shared, own = ag.from_dlpack(source), ag.from_dlpack(source, copy=True)
    source[0] = 5.0
    assert shared.data.tolist() == [5, 0, 0]
    assert own.data.tolist() == [0, 0, 0]
    shared += 1.0
    assert source.tolist() == [6, 1, 1]


@writable
def test_only_our_own_writes_are_noticed_by_a_sweep():
    source = np.array([2.0, 3.0])
    x = ag.from_dlpack(source)
    x.requires_grad = True
    y = ag.sum(x * x)
    with ag.no_grad():
        x += 1.0
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()
    with ag.detect_anomaly():
        y = ag.sum(x * x)
        source[0] = 9.0
        with pytest.raises(RuntimeError, match="behind the engine"):
            y.backward()


def test_what_cannot_be_shared_is_explained():
    tracked = ag.Tensor([1.0], requires_grad=True)
    with pytest.raises(ag.TrackedTensorError, match=r"\.detach\(\)"):
        np.from_dlpack(tracked)
    with pytest.raises(ag.TrackedTensorError, match=r"\.detach\(\)"):
        ag.from_dlpack(tracked * 2)
    assert np.from_dlpack(tracked.detach()).tolist() == [1.0]
    with pytest.raises(BufferError, match=r"t\.copy\(\)"):
        np.from_dlpack(ag.Tensor(np.arange(3.0)[::-1]))
    with pytest.raises(TypeError, match=r"ag\.Tensor\(x\)"):
        ag.from_dlpack([1.0])
    with pytest.raises(TypeError, match="complex"):
        ag.from_dlpack(np.ones(2, complex))


def test_other_devices_and_refusals_are_explained():
    class Elsewhere:
        def __dlpack_device__(self):
            return (2, 0)

        def __dlpack__(self, **_):
            raise AssertionError("asked for memory that cannot be read")

    class Refusing(Elsewhere):
        def __dlpack_device__(self):
            return (1, 0)

        def __dlpack__(self, **_):
            raise BufferError("it is tracked")

    with pytest.raises(ValueError, match=r"x\.cpu\(\)"):
        ag.from_dlpack(Elsewhere())
    with pytest.raises(TypeError, match="Refusing: it is tracked"):
        ag.from_dlpack(Refusing())
