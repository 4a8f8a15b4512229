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


def kinds(modules):
    return "".join(type(module).__name__[0] for module in modules)


@pytest.mark.parametrize(
    "make", [lambda *parts: nn.Sequential(*parts), lambda *p: nn.ModuleList(p)]
)
def test_changing_a_list_keeps_its_numbers_in_order(make):
    net = make(nn.ReLU(), nn.Tanh())
    net.insert(1, nn.Sigmoid())
    net.insert(-1, nn.ELU())
    assert kinds(net) == "RSET"
    net += [nn.GELU()]
    assert [name for name, _ in net.named_modules()] == ["", "0", "1", "2", "3", "4"]
    assert isinstance(net.pop(0), nn.ReLU)
    assert kinds(net + make(nn.ReLU())) == "SETGR"
    del net[1:3]
    assert kinds(net) == "SG"
    assert [name for name, _ in net.named_modules()] == ["", "0", "1"]


def test_a_slice_keeps_names_and_can_grow():
    tail = nn.Sequential(nn.ReLU(), nn.Tanh(), nn.ELU())[1:].append(nn.Sigmoid())
    assert [name for name, _ in tail.named_children()] == ["1", "2", "3"]
    named = nn.Sequential({"a": nn.ReLU(), "b": nn.Tanh()}).append(nn.ELU())
    del named[0]
    assert [name for name, _ in named.named_children()] == ["b", "1"]

    class Pair(nn.Sequential):
        def __init__(self, width):
            super().__init__(nn.Linear(width, width), nn.ReLU())

    assert kinds(Pair(2)[:1]) == "L"


def test_an_empty_sequential_is_the_identity():
    assert len(nn.Sequential()) == 0
    assert nn.Sequential()(3.0) == 3.0


def test_module_dict_as_a_dict():
    parts = nn.ModuleDict([("a", nn.ReLU())])
    parts.update({"b": nn.Tanh(), "a": nn.ELU()})
    assert kinds(parts.values()) == "ET"
    assert [name for name, _ in parts.items()] == ["a", "b"]
    assert isinstance(parts.pop("a"), nn.ELU)
    parts.clear()
    assert list(parts) == []


@pytest.mark.parametrize(
    ("use", "error", "match"),
    [
        (lambda: nn.Sequential(3), TypeError, "modules"),
        (lambda: nn.Sequential(nn.ReLU), TypeError, "class"),
        (lambda: nn.Sequential(nn.ReLU())[4], IndexError, "4|index"),
        (lambda: nn.ModuleDict({"a.b": nn.ReLU()}), KeyError, "dot"),
        (lambda: nn.ModuleDict({})["a"], KeyError, "a"),
        (lambda: nn.ModuleDict({"forward": nn.ReLU()}), KeyError, "already"),
        (lambda: nn.Sequential(nn.ReLU())[True], TypeError, "integers"),
        (lambda: nn.ModuleList([nn.ReLU()])(1.0), RuntimeError, "ModuleList has no forward"),
    ],
)
def test_bad_input(use, error, match):
    with pytest.raises(error, match=match):
        use()
