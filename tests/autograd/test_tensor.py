"""Tensor: construction, conversions, copies, changes in place, dtypes."""

from __future__ import annotations

import copy
import pickle
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag


def leaf(value=2.0, **options):
    return ag.Tensor(value, requires_grad=True, **options)


def test_wraps_without_a_copy():
    array = np.ones((2, 3))
    t = ag.Tensor(array)
    assert t.data is array
    assert t.numpy() is array
    assert (t.shape, t.ndim, t.size, t.dtype) == ((2, 3), 2, 6, np.float64)
    assert len(t) == 2
    assert t.detach().data is array


@pytest.mark.parametrize("value", [3.0, np.float32(3.0), np.array(3.0)])
def test_scalars(value):
    t = leaf(value)
    y = t * t
    assert isinstance(t.data, np.ndarray)
    assert isinstance(y.data, np.ndarray)
    assert y.data.shape == ()
    assert y.item() == 9.0
    assert y.dtype == t.dtype


@pytest.mark.parametrize("bad", [1j, "text", [leaf()], None, [1.0, "a"], object()])
def test_what_is_no_tensor(bad):
    with pytest.raises(TypeError):
        ag.Tensor(bad)


@pytest.mark.parametrize("value", [1, True, np.arange(3)])
def test_only_floats_require_gradients(value):
    with pytest.raises(TypeError, match="float"):
        ag.Tensor(value, requires_grad=True)


def test_requires_grad_of_leaves_can_be_switched():
    t = ag.Tensor(1.0)
    assert not t.requires_grad
    t.requires_grad = True
    assert t.is_leaf
    assert (t * 2.0).requires_grad
    with pytest.raises(RuntimeError, match="detach"):
        (t * 2.0).requires_grad = False
    t.requires_grad = False
    assert not (t * 2.0).requires_grad


@pytest.mark.parametrize(
    "convert",
    [float, int, complex, np.array, np.asarray, lambda t: range(5)[t], lambda t: np.array([t])],
)
def test_conversions_of_tracked_tensors_raise(convert):
    for t in (leaf(), leaf() * 2.0):
        with pytest.raises((TypeError, RuntimeError), match=r"detach|stack"):
            convert(t)


def test_conversions_of_untracked_tensors():
    t = ag.Tensor(2.0)
    assert float(t) == 2.0
    assert np.asarray(t) == 2.0
    assert np.asarray(ag.Tensor([1, 2]), dtype=float).dtype == float
    assert [10, 20, 30][ag.Tensor(1)] == 20
    assert f"{t:.2f}" == "2.00"
    assert bool(leaf()) is True


def test_iteration_and_unpacking():
    x = leaf([1.0, 2.0])
    a, b = x
    (a * 10.0 + b).backward()
    assert np.array_equal(x.grad.data, [10.0, 1.0])
    with pytest.raises(TypeError, match="0-d"):
        iter(leaf())
    with pytest.raises(TypeError, match="0-d"):
        len(leaf())


def test_hash_is_identity_and_weak_references_work():
    t = leaf()
    assert {t: 1}[t] == 1
    reference = weakref.ref(t)
    del t
    assert reference() is None


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
@given(value=st.lists(st.floats(allow_nan=False), max_size=4))
def test_copies_of_leaves_are_exact(clone, value):
    t = leaf(np.array(value), name="w")
    t.grad = np.array(value) / 2
    twin = clone(t)
    assert np.array_equal(twin.data, t.data)
    assert np.array_equal(twin.grad.data, t.grad.data)
    assert (twin.name, twin.requires_grad, twin.is_leaf) == ("w", True, True)
    assert not np.shares_memory(twin.data, t.data) or t.size == 0
    assert twin.node is not t.node


def test_deepcopy_keeps_sharing():
    t = leaf()
    first, second = copy.deepcopy([t, t])
    assert first is second


@pytest.mark.parametrize("clone", [copy.deepcopy, copy.copy, pickle.dumps])
def test_copies_of_computed_tensors_raise(clone):
    with pytest.raises(RuntimeError, match="detach"):
        clone(leaf() * 2.0)


def test_grad_is_checked():
    t = leaf([1.0, 2.0])
    with pytest.raises(ValueError, match=r"\(2,\).*\(3,\)"):
        t.grad = np.ones(3)
    t.grad = [3.0, 4.0]
    assert np.array_equal(t.grad.data, [3.0, 4.0])


def test_data_can_be_replaced_on_leaves_only():
    t = leaf([1.0, 2.0])
    t.data = np.array([5.0, 6.0])
    assert np.array_equal(t.data, [5.0, 6.0])
    with pytest.raises(ValueError, match="shape"):
        t.data = np.ones(3)
    with pytest.raises(RuntimeError, match="detach"):
        (t * 2.0).data = np.ones(2)


def test_in_place_under_no_grad():
    t = leaf([1.0, 2.0])
    memory = t.data
    with ag.no_grad():
        t -= 1.0
        t *= np.array([2.0, 3.0])
        t /= 2.0
        t += ag.Tensor([1.0, 1.0])
    assert t.data is memory
    assert np.array_equal(memory, [1.0, 2.5])
    with ag.no_grad(), pytest.raises(ValueError, match="broadcast"):
        t += np.ones((2, 2))


def test_float32_stays_float32():
    t = leaf(np.ones(2, np.float32))
    y = (t * 2.0 + 1.0) ** 2 / 3.0
    assert y.dtype == np.float32
    y.backward(np.ones(2))
    assert t.grad.dtype == np.float32


def test_comparisons_give_plain_arrays():
    t = leaf([1.0, 2.0])
    for result in (t < 2.0, t == t, t >= 1.5, t != np.array([1.0, 0.0]), ~(t > 1.0)):
        assert type(result) is np.ndarray
        assert result.dtype == bool


def test_repr():
    assert repr(leaf(1.5)) == "Tensor(1.5, requires_grad=True)"
    assert repr(leaf(1.5) * 2.0) == "Tensor(3., op=multiply)"
    assert (
        repr(ag.Tensor(np.zeros(1, np.float32), name="w"))
        == "Tensor([0.], dtype=float32, name='w')"
    )


def test_divmod_round_and_sign_operators():
    t = ag.Tensor([7.0, -7.0])
    quotient, rest = divmod(t, 2.0)
    assert np.array_equal(quotient.data, [3.0, -4.0])
    assert np.array_equal(rest.data, [1.0, 1.0])
    assert np.array_equal((+t).data, t.data)
    assert np.array_equal(abs(-t).data, [7.0, 7.0])
    assert np.array_equal(round(ag.Tensor([1.26]), 1).data, [1.3])
