"""Containers behave as lists and dicts of modules with PyTorch's names."""

from __future__ import annotations

import numpy as np
import pytest

import nn


def test_sequential():
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    assert net(np.ones((4, 2), np.float32)).shape == (4, 1)
    assert list(net.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert len(net) == 3
    assert net[-1] is net[2]
    head = net[:2]
    assert isinstance(head, nn.Sequential)
    assert head[0] is net[0]
    net.append(nn.Tanh())
    assert isinstance(net[3], nn.Tanh)
    net[1] = nn.Tanh()
    assert isinstance(net[1], nn.Tanh)
    del net[0]
    assert len(net) == 3


def test_sequential_by_names():
    net = nn.Sequential({"in": nn.Linear(2, 3), "out": nn.Linear(3, 1)})
    assert list(net.state_dict()) == ["in.weight", "in.bias", "out.weight", "out.bias"]


def test_module_list_and_dict():
    layers = nn.ModuleList([nn.Linear(1, 1)])
    layers.extend([nn.ReLU(), nn.Linear(1, 2)])
    assert [name for name, _ in layers.named_parameters()] == [
        "0.weight",
        "0.bias",
        "2.weight",
        "2.bias",
    ]
    parts = nn.ModuleDict({"a": nn.ReLU()})
    parts["b"] = nn.Linear(1, 1)
    assert list(parts) == ["a", "b"]
    assert "b" in parts
    assert list(parts.keys()) == ["a", "b"]
    del parts["a"]
    assert len(parts) == 1


@pytest.mark.parametrize(
    ("use", "error", "match"),
    [
        (lambda: nn.Sequential(3), TypeError, "modules"),
        (lambda: nn.Sequential(nn.ReLU), TypeError, "class"),
        (lambda: nn.Sequential(nn.ReLU())[4], IndexError, "4|index"),
        (lambda: nn.ModuleDict({"a.b": nn.ReLU()}), KeyError, "dot"),
        (lambda: nn.ModuleDict({})["a"], KeyError, "a"),
    ],
)
def test_bad_input(use, error, match):
    with pytest.raises(error, match=match):
        use()
