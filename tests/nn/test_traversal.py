"""Walking a module's attributes: nested containers, shared parts, cycles, paths, buffers."""

from __future__ import annotations

import numpy as np
import pytest

import nn


def paths(found):
    return [path for path, _ in found]


class Holder(nn.Module):
    def __init__(self, **attributes):
        vars(self).update(attributes)


def test_depth_of_lists_dicts_and_tuples_makes_the_path():
    layer = nn.Linear(1, 1)
    net = Holder(parts={"a": [(layer, 3, "text")], 7: nn.ReLU()}, count=2)
    assert paths(net.named_modules()) == ["", "parts.a.0.0", "parts.7"]
    assert paths(net.named_children()) == ["parts.a.0.0", "parts.7"]
    assert paths(net.named_parameters()) == ["parts.a.0.0.weight", "parts.a.0.0.bias"]
    assert paths(net.named_parameters("net")) == [f"net.{p}" for p in net.state_dict()]
    assert paths(net.named_parameters(recurse=False)) == []


def test_what_is_appended_later_is_found():
    net = Holder(layers=[])
    assert list(net.parameters()) == []
    net.layers.append(nn.Linear(1, 1))
    assert len(list(net.parameters())) == 2


def test_shared_modules_and_parameters_count_once():
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    second.weight = first.weight
    net = nn.Sequential(first, second, first)
    assert paths(net.named_modules()) == ["", "0", "1"]
    assert paths(net.named_modules(remove_duplicate=False)) == ["", "0", "1", "2"]
    assert paths(net.named_parameters()) == ["0.weight", "0.bias", "1.bias"]
    assert list(net.state_dict()) == [
        f"{i}.{name}" for i in range(3) for name in ("weight", "bias")
    ]
    x = np.ones((1, 2), np.float32)
    np.testing.assert_array_equal(net(x).data, first(second(first(x))).data)
    calls = []
    net.apply(calls.append)
    assert calls == [first, second, net]


def test_cycles_end():
    net = Holder(child=Holder(weight=nn.Parameter([1.0])), loop=[])
    net.child.parent = net
    net.loop.append(net.loop)
    assert paths(net.named_modules()) == ["", "child"]
    assert paths(net.named_modules(remove_duplicate=False)) == ["", "child"]
    assert paths(net.named_parameters(remove_duplicate=False)) == ["child.weight"]


def test_lookups_by_path():
    net = nn.Sequential(nn.Linear(1, 2), nn.BatchNorm1d(2))
    assert net.get_submodule("1") is net[1]
    assert net.get_parameter("0.weight") is net[0].weight
    assert net.get_buffer("1.running_var") is net[1].running_var
    for look in (net.get_submodule, net.get_parameter, net.get_buffer):
        with pytest.raises(AttributeError, match="'2'"):
            look("2")


def test_buffers_follow_their_attribute():
    net = nn.Module()
    net.register_buffer("kept", [1.0, 2.0])
    net.register_buffer("scratch", np.zeros(2), persistent=False)
    net.register_buffer("absent", None)
    assert paths(net.named_buffers()) == ["kept", "scratch"]
    assert list(net.state_dict()) == ["kept"]
    net.kept = np.ones(3)
    assert net.state_dict()["kept"].tolist() == [1.0, 1.0, 1.0]
    net.absent = np.zeros(1)
    assert list(net.state_dict()) == ["kept", "absent"]


def test_two_things_of_one_path_are_an_error():
    net = Holder(a={"b.weight": nn.Parameter([1.0])}, **{"a.b": nn.Linear(1, 1)})
    with pytest.raises(ValueError, match=r"a\.b\.weight"):
        net.state_dict()


@pytest.mark.parametrize(
    ("use", "error", "match"),
    [
        (lambda: nn.Module().register_buffer("a b", np.ones(1)), ValueError, "identifier"),
        (lambda: nn.Module().register_buffer("forward", np.ones(1)), ValueError, "already"),
        (lambda: nn.Module().register_buffer("name", ["text"]), TypeError, "numbers"),
        (lambda: nn.Module().train(1), TypeError, "True or False"),
        (lambda: nn.Linear(1, 1).to(int), TypeError, "floats"),
        (lambda: nn.Linear(1, 1).load_state_dict([1]), TypeError, "mapping"),
        (
            lambda: nn.Linear(1, 1).load_state_dict({"weight": np.ones((1, 1), complex)}),
            nn.StateDictError,
            "dtype mismatch for weight",
        ),
    ],
)
def test_bad_input(use, error, match):
    with pytest.raises(error, match=match):
        use()
