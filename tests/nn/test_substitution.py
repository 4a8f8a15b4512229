"""functional_call: what is replaced, what is left, and the module afterwards."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn


def test_what_is_left_out_keeps_its_value():
    net = nn.Linear(2, 1)
    net.load_state_dict({"weight": np.ones((1, 2)), "bias": np.array([5.0])})
    out = nn.functional_call(net, {"weight": np.zeros((1, 2))}, np.ones(2))
    assert out.data.tolist() == [5.0]
    assert net.weight.data.tolist() == [[1.0, 1.0]]
    assert nn.functional_call(net, {}, np.ones(2)).data.tolist() == [7.0]


def test_the_module_is_restored_after_an_exception():
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    before = dict(net.named_parameters())
    with pytest.raises(ValueError, match="layer '0'"):
        nn.functional_call(net, {"1.bias": np.ones(1)}, np.ones((1, 4), np.float32))
    assert all(p is before[name] for name, p in net.named_parameters())


def test_a_shared_parameter_is_replaced_everywhere():
    net = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False))
    net[1].weight = net[0].weight
    slope = ag.grad(lambda w: ag.sum(nn.functional_call(net, {"0.weight": w}, np.ones((1, 1)))))
    assert slope(np.array([[3.0]])).tolist() == [[6.0]]
    same = np.ones((1, 1))
    nn.functional_call(net, {"0.weight": same, "1.weight": same}, np.ones((1, 1)))
    with pytest.raises(ValueError, match="shared"):
        nn.functional_call(net, {"0.weight": same, "1.weight": same + 1}, np.ones((1, 1)))


def test_parameters_in_containers_and_seen_from_inside():
    class Sum(nn.Module):
        def __init__(self):
            self.parts = {"a": [nn.Parameter([1.0])], "b": (nn.Parameter([2.0]),)}

        def forward(self):
            assert [name for name, _ in self.named_parameters()] == ["parts.a.0", "parts.b.0"]
            return self.parts["a"][0] * self.parts["b"][0]

    net = Sum()
    held = net.parts
    values = {"parts.a.0": np.array([3.0]), "parts.b.0": np.array([5.0])}
    out, (tangent) = ag.jvp(lambda p: nn.functional_call(net, p), (values,), (values,))
    assert (out.tolist(), tangent.tolist()) == ([15.0], [30.0])
    assert net.parts is held
    assert net().data.tolist() == [2.0]


def test_replaced_running_statistics_are_the_ones_updated():
    net = nn.BatchNorm1d(1)
    mean = np.zeros(1, np.float32)
    nn.functional_call(net, {"running_mean": mean}, np.array([[1.0], [3.0]], np.float32))
    assert mean.tolist() == pytest.approx([0.2])
    assert net.running_mean.tolist() == [0.0]


def test_params_must_be_a_mapping():
    net = nn.Linear(1, 1)
    with pytest.raises(TypeError, match="mapping"):
        nn.functional_call(net, list(net.parameters()), np.ones(1))
