"""Planted: modules and Tensors out of the walk's sight."""

from __future__ import annotations

import functools
import types
from collections import deque

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
import nn
from tests.nn.linting.networks import problems
from tests.nn.linting.planting import PLACES, Function, Scale, insert, lint, only


class Slotted(nn.Module):
    __slots__ = ("layer",)

    def forward(self, x):
        return self.layer(x)


class Plain:
    def __init__(self, layer):
        self.layer = layer


def hide(kind, layer):
    """A block that calls a layer it holds in a way the walk does not see."""
    block = Function(None)
    if kind == "object array":
        block.held = np.array([layer, None], dtype=object)
        block.call = lambda x: block.held[0](x)
        block.call = functools.partial(_first, block)
        return block
    if kind == "slot":
        block = Slotted()
        block.layer = layer
        return block
    if kind == "class":
        return type("Shared", (nn.Module,), {"layer": layer, "forward": _call_layer})()
    if kind == "method":
        block.call = layer.forward
    elif kind == "closure":
        block.call = lambda x: layer(x)
    elif kind == "partial":
        block.call = functools.partial(lambda inner, x: inner(x), layer)
    else:
        block.held = {
            "set": lambda: {layer},
            "frozenset": lambda: frozenset([layer]),
            "deque": lambda: deque([layer]),
            "mapping": lambda: types.MappingProxyType({"layer": layer}),
            "deque in a list": lambda: [({"a": deque([layer])},)],
            "keys": lambda: {layer: "layer"},
            "object": lambda: Plain(layer),
        }[kind]()
        block.call = functools.partial(_apply_held, layer)
    return block


def _first(block, x):
    return block.held[0](x)


def _apply_held(layer, x):
    return layer(x)


def _call_layer(self, x):
    return self.layer(x)


HIDING = (
    *("set", "frozenset", "deque", "mapping", "deque in a list", "keys", "object"),
    *("object array", "slot", "class", "method", "closure", "partial"),
)


@given(problems(), PLACES, st.sampled_from(HIDING))
def test_modules_out_of_sight(problem, place, kind):
    path = insert(problem, hide(kind, Scale()), place)
    (finding,) = only(lint(problem), "hidden-module")
    assert finding.path.startswith(path)


@given(problems(), PLACES, st.sampled_from(["set", "deque", "mapping", "object array"]))
def test_dropout_out_of_sight(problem, place, kind):
    path = insert(problem, hide(kind, nn.Dropout(0.1)), place)
    (finding,) = only(lint(problem), "hidden-module")
    assert finding.path.startswith(path)


GLOBAL = Scale()


class Anew(nn.Module):
    def forward(self, x):
        return Scale()(x)


class Elsewhere(nn.Module):
    def forward(self, x):
        return GLOBAL(x)


@given(problems(), PLACES, st.sampled_from([Anew, Elsewhere]))
def test_layers_that_nothing_holds(problem, place, kind):
    path = insert(problem, kind(), place)
    (finding,) = only(lint(problem), "hidden-module")
    assert finding.path == path
    assert "return x * self.weight" in finding.place


class Bare(nn.Module):
    def __init__(self, kind):
        tensor = ag.Tensor(np.ones(1, np.float32), requires_grad=True)
        self.held = {"attribute": tensor, "list": [tensor], "dict": {"a": [tensor]}}[kind]

    def forward(self, x):
        held = self.held
        while not isinstance(held, ag.Tensor):
            held = held["a"] if isinstance(held, dict) else held[0]
        return x * held


@given(problems(), PLACES, st.sampled_from(["attribute", "list", "dict"]))
def test_tensors_that_are_no_parameters(problem, place, kind):
    path = insert(problem, Bare(kind), place)
    (finding,) = only(lint(problem), "hidden-tensor")
    assert finding.path.startswith(f"{path}.held")


def test_containers_that_load_their_items_are_left_alone():
    class Disk(dict):
        pass

    class Lazy:
        def __len__(self):
            return 3

        def __iter__(self):
            raise AssertionError("looked through")

        __contains__ = __iter__

        def items(self):
            raise AssertionError("looked through")

    model = nn.Linear(2, 1)
    model.data = Lazy()
    model.cache = Disk(a=1.0)
    assert nn.lint(model, ag.mean(model(np.ones((3, 2), np.float32)))) == []


class Sloped(nn.Module):
    """A gradient taken in `forward`, by a sweep and by a transform."""

    def __init__(self):
        self.inner = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))

    def forward(self, x):
        x = ag.Tensor(x, requires_grad=True)
        slope = ag.pullback(ag.sum(self.inner(x * x)), x, create_graph=True)
        return slope + ag.grad(lambda v: ag.sum(self.inner(v) ** 2))(x)


def test_a_gradient_taken_in_forward_is_no_hidden_layer():
    model = Sloped()
    loss = ag.mean(model(np.ones((3, 2), np.float32)) ** 2)
    assert [f for f in nn.lint(model, loss) if "hidden" in f.rule] == []
