"""One message says everything that keeps a state dict from fitting, and nothing is changed."""

from __future__ import annotations

import numpy as np
import pytest

import nn


def load_error(net, state):
    before = {name: array.copy() for name, array in net.state_dict().items()}
    with pytest.raises(nn.StateDictError) as caught:
        net.load_state_dict(state)
    assert all(np.array_equal(v, before[k]) for k, v in net.state_dict().items())
    return str(caught.value)


def test_all_problems_are_in_one_message_with_close_names():
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 4), nn.Linear(4, 4))
    state = net.state_dict()
    state["1.weigth"] = state.pop("1.weight")
    state["head"] = np.ones(1)
    state["0.weight"] = state["0.weight"].T
    state["2.bias"] = np.zeros(5)
    state["2.weight"] = np.zeros((4, 4), complex)
    assert load_error(net, state).splitlines() == [
        "Error(s) in loading state_dict for Sequential (nothing was loaded):",
        '    Unexpected key(s) in state_dict: "1.weigth" (close to the missing "1.weight"), '
        '"head".',
        '    Missing key(s) in state_dict: "1.weight".',
        "    size mismatch for 0.weight: the state dict has shape (2, 3), the module has shape "
        "(3, 2). Is it transposed? Weights are (out, in).",
        "    dtype mismatch for 2.weight: the state dict has complex128, which cannot be stored in "
        "float32.",
        "    size mismatch for 2.bias: the state dict has shape (5,), the module has shape (4,).",
    ]


def test_a_prefix_is_recognised_and_its_mend_works():
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2))
    state = net.state_dict()
    wrapped = {f"module.{name}": array for name, array in state.items()}
    assert "name.removeprefix('module.')" in load_error(net, wrapped)
    mended = {name.removeprefix("module."): array for name, array in wrapped.items()}
    assert net.load_state_dict(mended) == ([], [])
    outer = nn.Module()
    outer.body = net
    assert "'body.' + name" in load_error(outer, state)
    assert "prefix" not in load_error(net, {**wrapped, "other": np.ones(1)})


def test_long_lists_are_cut():
    message = load_error(nn.Linear(1, 1), {f"layer{i}": np.ones(1) for i in range(100)})
    assert '"layer19" and 80 more.' in message
    assert "layer20" not in message


def test_not_strict_returns_the_names_but_still_refuses_shapes():
    net = nn.Linear(2, 2)
    bias = np.array([3.0, 4.0])
    assert net.load_state_dict({"bias": bias, "x": 1}, strict=False) == (["weight"], ["x"])
    assert net.bias.data.tolist() == [3, 4]
    with pytest.raises(nn.StateDictError, match="size mismatch"):
        net.load_state_dict({"bias": np.ones(3)}, strict=False)
