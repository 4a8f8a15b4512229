"""Modules: what they hold, states, modes, copies, and calling them with other parameters."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import autograd as ag
import nn


class Nested(nn.Module):
    """Parameters and modules in lists, tuples, dicts, and shared."""

    def __init__(self) -> None:
        self.layers = [nn.Linear(2, 2, rng=np.random.default_rng(0)), nn.ReLU()]
        self.named = {"last": (nn.Linear(2, 1, rng=np.random.default_rng(1)),)}
        self.scale = nn.Parameter([2.0])
        self.again = self.scale
        self.register_buffer("seen", np.zeros(1))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.named["last"][0](x) * self.scale


NAMES = [
    "scale",
    "layers.0.weight",
    "layers.0.bias",
    "named.last.0.weight",
    "named.last.0.bias",
]


def test_parameters_are_found_wherever_they_are_held():
    net = Nested()
    assert [name for name, _ in net.named_parameters()] == NAMES
    assert len(list(net.modules())) == 4
    assert [name for name, _ in net.named_buffers()] == ["seen"]
    everywhere = dict(net.named_parameters(remove_duplicate=False))
    assert everywhere["again"] is everywhere["scale"]


def test_state_dicts_go_over_by_name_and_are_checked_before_anything_changes():
    first, second = Nested(), Nested()
    for p in first.parameters():
        p.data[...] = 7.0
    state = first.state_dict()
    second.load_state_dict(state)
    assert all((p.data == 7.0).all() for p in second.parameters())
    state["scale"][0] = 1.0
    assert first.scale.item() == 7.0

    broken = {**first.state_dict(), "layers.0.weight": np.ones((3, 3)), "more": np.ones(1)}
    del broken["seen"]
    fresh = Nested()
    before = fresh.state_dict()
    with pytest.raises(nn.StateDictError, match=r"(?s)more.*seen.*layers\.0\.weight"):
        fresh.load_state_dict(broken)
    assert all(np.array_equal(v, before[k]) for k, v in fresh.state_dict().items())
    result = fresh.load_state_dict({"scale": np.ones(1)}, strict=False)
    assert "seen" in result.missing_keys


def test_a_graph_recorded_before_loading_is_out_of_date():
    net = nn.Linear(2, 1)
    x = ag.Tensor(np.ones((1, 2), np.float32), requires_grad=True)
    loss = ag.sum(net(x) ** 2)
    net.load_state_dict(net.state_dict())
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


def test_train_eval_freeze_and_zero():
    net = nn.Sequential(nn.Dropout(), nn.Sequential(nn.BatchNorm1d(2)))
    assert not any(module.training for module in net.eval().modules())
    assert all(module.training for module in net.train().modules())
    net.requires_grad_(False)
    assert not any(p.requires_grad for p in net.parameters())
    net.requires_grad_()
    ag.sum(net(np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32))).backward()
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    assert net.to(np.float64)[1][0].weight.dtype == np.float64


def test_copies_are_exact_and_apart():
    net = Nested()
    net.scale.grad = [3.0]
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert all(
            np.array_equal(a.data, b.data) and a is not b
            for a, b in zip(net.parameters(), other.parameters(), strict=True)
        )
        assert other.again is other.scale
        assert other.scale.grad.item() == 3.0
        other.scale.data[0] = 5.0
        assert net.scale.item() == 2.0


def test_functional_call_and_a_hessian_vector_product():
    net = nn.Sequential(
        nn.Linear(2, 3, rng=np.random.default_rng(0)),
        nn.Tanh(),
        nn.Linear(3, 1, rng=np.random.default_rng(1)),
    ).double()
    x = np.random.default_rng(2).normal(size=(4, 2))
    params = {name: p.data for name, p in net.named_parameters()}

    def loss(values):
        return ag.sum(nn.functional_call(net, values, x) ** 2)

    rng = np.random.default_rng(3)
    v = {name: rng.normal(size=array.shape) for name, array in params.items()}
    product = ag.hvp(loss, params, v)
    step = 1e-5
    for name in params:
        high, low = (
            ag.grad(loss)({k: params[k] + sign * step * v[k] for k in params})[name]
            for sign in (1, -1)
        )
        np.testing.assert_allclose(product[name], (high - low) / (2 * step), rtol=1e-6, atol=1e-7)
    assert all(np.array_equal(p.data, params[name]) for name, p in net.named_parameters())
    with pytest.raises(ValueError, match="no parameter or buffer"):
        nn.functional_call(net, {"wrong": x}, x)
    with pytest.raises(ValueError, match="shape"):
        nn.functional_call(net, {"0.weight": x}, x)


def test_a_module_without_forward_says_so():
    with pytest.raises(RuntimeError, match="no forward"):
        nn.Module()(1.0)


def test_parameters_copy_the_array_they_are_given():
    source = np.zeros(2)
    p = nn.Parameter(source)
    source += 1.0
    assert p.data.tolist() == [0.0, 0.0]
    with pytest.raises(TypeError, match="float"):
        nn.Parameter(np.zeros(2, int))
