"""Changes in place between forward and backward are detected and named."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn
import optim


def test_linear_step_second_backward():
    layer = nn.Linear(3, 2)
    optimizer = optim.SGD(layer.parameters(), lr=0.1)
    x = ag.Tensor(np.ones((4, 3), np.float32), requires_grad=True)
    out = layer(x).sum()  # saved here
    out.backward(retain_graph=True)
    optimizer.step()  # changed here
    with pytest.raises(RuntimeError, match=r"(?s)saved at.*saved here.*changed at.*changed here"):
        out.backward()


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.copy_(p.data + 1),
        lambda p: p.__isub__(1.0),
        lambda p: p.__imul__(2.0),
        lambda p: p.__iadd__(np.ones(3)),
        lambda p: p.__itruediv__(3.0),
    ],
)
def test_every_way_to_change_a_leaf(change):
    p = ag.Tensor(np.ones(3), requires_grad=True)
    out = (p * p).sum()
    with ag.no_grad():
        change(p)
    with pytest.raises(RuntimeError, match="changed in place"):
        out.backward()
    with pytest.raises(RuntimeError, match="changed in place"):
        out.jvp({p: np.ones(3)})


@pytest.mark.parametrize("view", [lambda w: w[1:], lambda w: w.T[::2], lambda w: w.reshape(-1)])
def test_a_step_changes_every_view_of_its_parameters(view):
    layer = nn.Linear(4, 3)
    out = ag.square(view(layer.weight)).sum()
    other = ag.square(nn.Linear(4, 3).weight).sum()
    for parameter in layer.parameters():
        parameter.grad = np.ones(parameter.shape)
    optim.SGD(layer.parameters(), lr=0.1).step()
    with pytest.raises(RuntimeError, match="changed in place"):
        out.backward()
    other.backward()


def test_a_view_sees_its_bases_change():
    w = ag.Tensor(np.ones((2, 3)), requires_grad=True)
    x = ag.Tensor(np.ones((4, 3)), requires_grad=True)
    out = (x @ w.T).sum()
    with ag.no_grad():
        w *= 2.0
    with pytest.raises(RuntimeError, match="changed in place"):
        out.backward()


def test_a_change_elsewhere_in_the_same_memory_is_no_change():
    memory = np.ones(10)
    first = ag.Tensor(memory[:5], requires_grad=True)
    second = ag.Tensor(memory[5:], requires_grad=True)
    out = (first * first).sum()
    with ag.no_grad():
        second += 1.0
    out.backward()
    assert np.array_equal(first.grad.data, 2 * np.ones(5))


def test_a_change_before_the_forward_pass_or_of_an_unsaved_value_is_fine():
    p = ag.Tensor(np.ones(3), requires_grad=True)
    with ag.no_grad():
        p += 1.0
    out = (p + 1.0).sum()
    with ag.no_grad():
        p += 1.0
    out.backward()
    assert np.array_equal(p.grad.data, np.ones(3))


def test_a_tracked_leaf_outside_no_grad_raises_and_a_non_leaf_is_functional():
    p = ag.Tensor(np.ones(3), requires_grad=True)
    with pytest.raises(RuntimeError, match="no_grad"):
        p += 1.0
    with pytest.raises(RuntimeError, match="no_grad"):
        p.copy_(np.zeros(3))
    a = b = p * 2.0
    a += p
    assert np.array_equal(b.data, 2 * np.ones(3))
    a.sum().backward()
    assert np.array_equal(p.grad.data, 3 * np.ones(3))


def test_setitem_names_at():
    with pytest.raises(TypeError, match=r"\.at\[i\]\.set"):
        ag.Tensor(np.ones(3))[0] = 2.0
