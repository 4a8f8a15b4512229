"""Rules may overwrite a cotangent in a backward sweep, and only where nobody else will read it."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.families import Composite
from autograd.kernels.backend import compiled_for
from autograd.kernels.buffers import POOLED_FROM, empty, empty_like

overwritten = []


def _spoil(cotangent, x, factor, may_overwrite=False):
    made = factor * cotangent
    if may_overwrite:
        overwritten.append(cotangent.shape)
        cotangent[...] = np.nan
    return (made,)


spoiler = Composite(
    "spoiler",
    lambda x, factor: factor * x,
    reference=lambda x, factor: x * factor,
    pullback=lambda cotangent, _out, x, **options: _spoil(cotangent, x, **options),
    overwrites=True,
)

UNARY = {
    "turn": lambda x: ag.transpose(x),
    "reshape": lambda x: ag.reshape(x, x.shape[::-1]),
    "negative": lambda x: -x,
    "identity": lambda x: x * 1.0,
    "sin": ag.sin,
    "flip": lambda x: x[::-1],
    "halves": lambda x: ag.concatenate(ag.split(x, 2), axis=0),
    "repeat": lambda x: ag.broadcast_to(ag.mean(x, axis=0, keepdims=True), x.shape),
}
BINARY = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "where": lambda x, y: ag.where(np.eye(len(x.data)) > 0, x, y),
    "stack": lambda x, y: ag.sum(ag.stack([x, y]), axis=0),
}
SIDE = 4


@st.composite
def programs(draw):
    steps = []
    for index in range(draw(st.integers(1, 9))):
        below = st.integers(0, index + 1)
        kind = draw(st.sampled_from(["spoil", "unary", "binary"]))
        names = {"spoil": ["2.0", "-0.5"], "unary": sorted(UNARY), "binary": sorted(BINARY)}[kind]
        steps.append((kind, draw(st.sampled_from(names)), draw(below), draw(below)))
    return steps


def outputs(steps, leaves, spoil):
    values = list(leaves)
    for kind, name, first, second in steps:
        if kind == "spoil":
            values.append(spoil(values[first], float(name)))
        elif kind == "unary":
            values.append(UNARY[name](values[first]))
        else:
            values.append(BINARY[name](values[first], values[second]))
    return values


@given(programs(), st.integers(0, 2**32 - 1), st.booleans())
def test_overwritten_cotangents_are_read_by_nobody(steps, seed, seed_is_kept):
    rng = np.random.default_rng(seed)
    arrays = rng.normal(size=(2, SIDE, SIDE))
    cotangent = rng.normal(size=(SIDE, SIDE))
    found = []
    for spoil in (lambda x, factor: x * factor, lambda x, factor: spoiler(x, factor=factor)):
        leaves = [ag.Tensor(array, requires_grad=True) for array in arrays]
        final = outputs(steps, leaves, spoil)[-1]
        given_seed = cotangent.copy()
        if seed_is_kept:
            final.backward(given_seed)
            np.testing.assert_array_equal(given_seed, cotangent)
        else:
            final.backward(cotangent.copy())
        found.append([None if leaf.grad is None else leaf.grad.data for leaf in leaves])
    for right, spoilt in zip(*found, strict=True):
        assert (right is None) == (spoilt is None)
        if right is not None:
            np.testing.assert_allclose(spoilt, right, rtol=1e-12, atol=1e-12)


def _chain(x):
    return spoiler(spoiler(ag.sin(x), factor=2.0), factor=3.0)


def test_a_cotangent_that_only_the_sweep_holds_is_overwritten():
    x = ag.Tensor(np.ones((SIDE, SIDE)), requires_grad=True)
    overwritten.clear()
    ag.sum(_chain(x) * 2.0).backward()
    assert overwritten == [(SIDE, SIDE)] * 2
    np.testing.assert_allclose(x.grad.data, 12 * np.cos(1.0))


@pytest.mark.parametrize("order", ["C", "F"])
def test_so_is_one_from_the_pool_in_any_order(order):
    side = int((POOLED_FROM / 8) ** 0.5) + 1

    def pooled(cotangent, _out, _x):
        made = empty((side, side), float)
        made.fill(1.0)
        return (made if order == "C" else made.T,)

    source = Composite("source", lambda x: x + 0.0, reference=lambda x: x * 1.0, pullback=pooled)
    x = ag.Tensor(np.ones((side, side)), requires_grad=True)
    overwritten.clear()
    source(spoiler(x, factor=2.0)).backward(np.ones((side, side)))
    assert overwritten == [(side, side)]
    np.testing.assert_array_equal(x.grad.data, 2.0)


@pytest.mark.parametrize("kind", ["read-only", "weakly held", "of bytes"])
def test_others_are_left_alone(kind):
    held = []

    def rule(cotangent, _out, _x):
        made = 3.0 * cotangent
        if kind == "read-only":
            made.flags.writeable = False
        elif kind == "weakly held":  # as in a cache, which may find it again later
            held.append(weakref.ref(made))
        else:
            made = np.frombuffer(bytearray(made.tobytes())).reshape(made.shape)
        return (made,)

    source = Composite("source", lambda x: 3 * x, reference=lambda x: x * 3.0, pullback=rule)
    x = ag.Tensor(np.ones((SIDE, SIDE)), requires_grad=True)
    overwritten.clear()
    ag.sum(source(spoiler(x, factor=2.0))).backward()
    assert overwritten == []
    np.testing.assert_array_equal(x.grad.data, 6.0)


@pytest.mark.parametrize("activation", [None, "relu", "gelu"])
@pytest.mark.parametrize("shape", [(8, 16, 16, 16), (1 << 10, 1 << 7)])
def test_batch_norm_writes_its_derivative_over_a_cotangent(shape, activation):
    if not compiled_for(np.dtype(np.float32), int(np.prod(shape))):
        pytest.skip("the compiled kernels do")
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2, *shape)).astype(np.float32)
    if len(shape) == 4:
        last = values.transpose(0, 1, 3, 4, 2)
        values = np.ascontiguousarray(last).transpose(0, 1, 4, 2, 3)
    addresses = []

    def rule(cotangent, _out, _x):
        made = empty_like(cotangent)
        made[...] = cotangent
        addresses.append(made.ctypes.data)
        return (made,)

    source = Composite("source", lambda x: x + 0, reference=lambda x: x * 1.0, pullback=rule)
    found = []
    for retain in (False, True):
        x = ag.Tensor(values[0], requires_grad=True)
        y = ag.batch_norm(x, None, None, training=True, activation=activation)
        source(y).backward(values[1], retain_graph=retain)
        found.append(x.grad.data)
        assert (x.grad.data.ctypes.data == addresses[-1]) != retain
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("how", ["retain_graph", "create_graph", "pullback", "anomaly", "profile"])
def test_other_sweeps_overwrite_nothing(how, capsys):
    x = ag.Tensor(np.ones((SIDE, SIDE)), requires_grad=True)
    overwritten.clear()
    if how == "anomaly":
        with ag.detect_anomaly():
            ag.sum(_chain(x) * 2.0).backward()
    elif how == "profile":
        with ag.profile():
            ag.sum(_chain(x) * 2.0).backward()
    elif how == "pullback":
        y = ag.sum(_chain(x) * 2.0)
        (x_grad,) = ag.pullback(y, [x])
    else:
        ag.sum(_chain(x) * 2.0).backward(**{how: True})
    assert overwritten == []
    grad = x_grad if how == "pullback" else x.grad
    np.testing.assert_allclose(grad.data, 12 * np.cos(1.0))


def test_a_cotangent_for_two_is_overwritten_by_neither_that_comes_first():
    """`add` hands the same array to both sides."""
    x = ag.Tensor(np.ones((SIDE, SIDE)), requires_grad=True)
    y = ag.Tensor(np.ones((SIDE, SIDE)), requires_grad=True)
    ag.sum((spoiler(x, factor=2.0) + spoiler(y, factor=3.0)) * 5.0).backward()
    np.testing.assert_array_equal(x.grad.data, 10.0)
    np.testing.assert_array_equal(y.grad.data, 15.0)
    gc.collect()
