"""What records the common calls quickly agrees, bit for bit, with what records every call."""

from __future__ import annotations

import _thread
import contextlib
import gc
import linecache
import sys
import time
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.modes import current_modes
from autograd.node import Node
from autograd.testing import strategies

CONSTANTS = (0.5, np.float64(0.25), np.array(1.5), 2)


def results(run, arrays, seed):
    """The value, both sweeps and their second order, as bytes with shapes and dtypes."""
    leaves = [ag.Tensor(a.copy(), requires_grad=True) for a in arrays]
    out = run(leaves)
    rng = np.random.default_rng(seed)
    seeds = [rng.uniform(-1, 1, t.shape).astype(t.dtype) for t in (out, *leaves)]
    first = ag.pullback(out, leaves, seeds[0], create_graph=True)
    pushed = ag.pushforward(out, leaves, seeds[1:], create_graph=True)
    found = [out, *first, pushed]
    found += ag.pullback(out, leaves, seeds[0])
    found.append(ag.pushforward(out, leaves, seeds[1:]))
    tracked = [t for t in (*first, pushed) if t.requires_grad]
    if tracked:
        found += ag.pullback(tracked, leaves, [np.ones(t.shape, t.dtype) for t in tracked])
        found += ag.pushforward(tracked, leaves, seeds[1:])
    out.backward(seeds[0])
    found += [leaf.grad for leaf in leaves]
    return [(t.data.tobytes(), t.shape, t.dtype.str) for t in found]


@given(
    strategies.programs(6),
    st.sampled_from([(), (1,), (2, 2)]),
    st.sampled_from([np.float64, np.float32]),
    st.sampled_from(CONSTANTS),
    st.integers(0, 2**20),
    st.booleans(),
)
def test_quick_and_thorough_recording_agree(program, shape, dtype, constant, seed, numbers):
    arrays = [np.asarray(a, dtype) for a in strategies.inputs_of(program, shape, seed)]
    if numbers:
        arrays = [a[()] for a in arrays]  # of a 0-d array a number

    def run(leaves):
        x, y = leaves
        scaled = constant * x - y * constant + x / (constant + y * y)
        if shape == (2, 2):
            fixed = ag.Tensor(arrays[0])
            product = scaled @ (y - x) + fixed @ x - x @ fixed
            product = product + x @ arrays[1] - ag.matmul(arrays[1], y)
        else:
            product = scaled * (y - x)
        return program(product, x) * y

    assert current_modes().quick
    quick = results(run, arrays, seed)
    with ag.keep_values():
        assert not current_modes().quick
        assert results(run, arrays, seed) == quick


@given(
    strategies.programs(6),
    st.sampled_from([(), (1,), (2, 2)]),
    st.sampled_from([np.float64, np.float32, np.float16]),
    st.sampled_from([*CONSTANTS, np.inf, True]),
    st.integers(0, 2**20),
)
@np.errstate(all="ignore")
def test_what_is_not_recorded_is_what_is_computed_otherwise(program, shape, dtype, constant, seed):
    """Of constants, and of tracked Tensors under no_grad; next to arrays, and where one watches."""
    arrays = [np.asarray(a, dtype) for a in strategies.inputs_of(program, shape, seed)]

    def run(x, y):
        found = program(x, y) * y, constant * x - y * constant + x / constant, -x, ag.tanh(y)
        return (*found, x @ y, x @ arrays[1], arrays[0] @ y) if shape == (2, 2) else found

    def results(x, y):
        found = run(x, y)
        assert all(isinstance(t, ag.Tensor) and not t.requires_grad for t in found)
        return [(t.data.tobytes(), t.shape, t.dtype.str) for t in found]

    constants = [ag.Tensor(a) for a in arrays]
    tracked = [ag.Tensor(a, requires_grad=True) for a in arrays]
    expected = [(np.asarray(a).tobytes(), np.shape(a), a.dtype.str) for a in run(*arrays)]
    assert results(*constants) == expected
    with ag.no_grad():
        assert results(*tracked) == results(tracked[0], constants[1]) == expected
    with ag.keep_values():
        assert results(*constants) == expected


@given(
    strategies.programs(5, inputs=1),
    st.integers(0, 2**20),
    st.sampled_from([np.float64, np.float32]),
    st.sampled_from([(), (3,)]),
)
def test_quick_and_thorough_pushing_agree(f, seed, dtype, shape):
    (x,) = (np.asarray(a, dtype) for a in strategies.inputs_of(f, shape, seed))
    v = np.random.default_rng(seed).normal(size=shape).astype(dtype)
    w = np.linspace(1, 2, x.size, dtype=dtype)

    def g(x):
        return (f(x) * 0.5 - 2 / (x * x + 1.5) + np.ones(shape, dtype) * x) @ w if shape else f(x)

    def results():
        found = [*ag.jvp(f, (x,), (v,)), *ag.jvp(g, (x,), (v,))]
        if shape:
            found.append(ag.hvp(g, x, v))
        return [(np.asarray(a).tobytes(), np.shape(a), np.result_type(a)) for a in found]

    quick = results()
    with ag.profile():
        assert results() == quick


def test_tangents_give_no_warnings_and_no_errors_of_floats():
    with np.errstate(all="raise"):
        _, tangent = ag.jvp(lambda x: ag.sqrt(x) * 2.0, (np.zeros(2),), (np.ones(2),))
        _, product = ag.jvp(lambda x: x * ag.sqrt(x), (np.zeros(2),), (np.ones(2),))
    assert np.all(tangent == np.inf) and np.all(np.isnan(product))


@given(
    st.sampled_from([0.0, -0.0, 1e300, -1e-320, np.inf, -np.inf, np.nan, 3, -(2**70), 0]),
    st.sampled_from([np.float64, np.float32, np.float16]),
    st.sampled_from([(), (3,)]),
)
@np.errstate(all="ignore")
def test_unusual_numbers_agree(constant, dtype, shape):
    x = np.full(shape, -1.5, dtype)

    def run(leaves):
        (x,) = leaves
        return (constant * x + x * constant - (constant - x)) + (x - constant + (constant + x))

    quick = results(run, [x], 0)
    with ag.keep_values():
        assert results(run, [x], 0) == quick


@pytest.mark.parametrize("constant", [np.full((3, 1), 2.0, np.float32), np.full((1, 3), 2.0)])
def test_a_constant_that_broadcasts_or_widens_agrees(constant):
    x = np.linspace(0, 1, 3, dtype=np.float32)

    def run(leaves):
        (x,) = leaves
        return (constant * x - x / constant) * (constant - x)

    quick = results(run, [x], 0)
    with ag.keep_values():
        assert results(run, [x], 0) == quick


@pytest.mark.parametrize("quick", [True, False])
def test_operands_too_many_or_too_few(quick):
    x, y = ag.Tensor(np.ones(3), requires_grad=True), ag.Tensor(np.zeros(3))
    with contextlib.nullcontext() if quick else ag.keep_values():
        for call in (lambda: ag.exp(x, y), lambda: ag.exp(x.data, y.data), lambda: ag.exp()):
            with pytest.raises(TypeError, match=r"exp takes 1 operand, got [02]"):
                call()
        with pytest.raises(TypeError, match="add takes 2 operands, got 1"):
            ag.add(x)
    assert not y.data.any()


def test_a_partial_of_another_shape_or_dtype():
    x = ag.Tensor(np.ones(3, np.float32), requires_grad=True)
    for partial, expected in ((np.ones((2, 3)), 2.0), (np.float64(2.0), 2.0), (2, 2.0), (-1, -1.0)):
        op = ag.op.elementwise("odd", lambda x: x * 1, (lambda out, x, p=partial: p,))
        x.grad = None
        op(x).sum().backward()
        assert x.grad.dtype == np.float32 and x.grad.data.tolist() == [expected] * 3


@pytest.mark.parametrize("shape", [(), (3,)])
def test_intermediate_inputs_keep_their_cotangents(shape):
    x = ag.Tensor(np.full(shape, 2.0), requires_grad=True)
    one = x * 3.0
    two = one * one
    three = two * 0.5
    to_two, to_one, to_x = ag.pullback(three + two, [two, one, x], np.ones(shape))
    assert np.all(to_two.data == 1.5) and np.all(to_one.data == 18) and np.all(to_x.data == 54)


def test_a_pullback_called_again_and_again_keeps_nothing():
    w = ag.Tensor(np.ones(5), requires_grad=True)
    _, pull = ag.vjp(lambda x, y: (x * x * x).sum() + (y * w).sum(), np.arange(50.0), np.ones(5))
    _, push = ag.linearize(lambda x, y: ((x * x).sum(), (y * w).sum()), np.ones(50), np.ones(5))
    gc.collect()
    gc.disable()
    try:
        counts = []
        for _ in range(3):
            for _ in range(5):
                pull(np.float64(1.0))
                push(np.ones(50), np.ones(5))
            counts.append(sum(type(thing) is Node for thing in gc.get_objects()))
    finally:
        gc.enable()
    assert counts[0] == counts[1] == counts[2]


@pytest.mark.parametrize("both", [True, False])
def test_what_a_quick_node_saved_is_let_go_of_during_the_sweep(both):
    seen = []
    x = ag.Tensor(np.ones(20), requires_grad=True)
    slope = lambda out, x: seen.append(kept()) or 1.0  # noqa: E731
    watch = ag.op.elementwise("watch", lambda x: x * 1, (slope,))
    y = watch(x) * 2.0
    y = ag.sin(y) * ag.cos(y) if both else ag.sin(y) * np.full(20, 3.0)
    node = y._node if both else y._node.inputs[0]
    kept = weakref.ref(node.saved[1])
    del node
    y = ag.exp(y).sum()
    y.backward()
    assert seen == [None] and x.grad.shape == (20,)


def test_a_product_keeps_what_its_rules_read():
    w = ag.Tensor(np.ones((2, 2)), requires_grad=True)
    for constant in (np.full((2, 2), 3.0), ag.Tensor(np.full((2, 2), 3.0))):
        left, right = (w @ constant)._node.saved, ag.matmul(constant, w)._node.saved
        assert left[1] is None and np.all(left[2] == 3)
        assert right[2] is None and np.all(right[1] == 3)


def test_pushed_tangents_fit_their_values():
    x, v = np.ones(3, np.float32), np.arange(3, dtype=np.float32)
    wide = ag.op.elementwise("wide", lambda x: x * 1, (lambda out, x: np.full((2, 1), 2.0),))
    odd = ag.op.elementwise("odd", lambda x: x * 1, (lambda out, x: np.float64(2.0),))
    _, tangent = ag.jvp(odd, (x,), (v,))
    assert tangent.dtype == np.float32 and tangent.tolist() == [0, 2, 4]
    _, tangent = ag.jvp(lambda x: x + np.zeros((2, 3), np.float32), (x,), (v,))
    assert tangent.tolist() == [[0, 1, 2]] * 2 and tangent.dtype == np.float32
    _, tangent = ag.jvp(lambda x: (x + np.zeros((2, 3))) * 2.0, (x,), (v,))
    assert tangent.tolist() == [[0, 2, 4]] * 2 and tangent.dtype == np.float64
    with pytest.raises(ValueError, match="rule of wide made a tangent of shape"):
        ag.jvp(wide, (x,), (v,))


def test_an_inner_variable_meets_those_of_a_jvp_again_and_again():
    inner = np.array([1.0, 2.0])

    def slope(x):  # 2 x^2 y
        return ag.grad(lambda y: ((x * y) * (y * x)).sum())(inner)

    x, v = np.array([3.0, 5.0]), np.array([1.0, -1.0])
    value, tangent = ag.jvp(slope, (x,), (v,))
    np.testing.assert_array_equal(value, 2 * x**2 * inner)
    np.testing.assert_array_equal(tangent, 4 * x * v * inner)


@given(st.integers(0, 2**20), st.booleans())
def test_scalars_among_arrays_agree(seed, first):
    rng = np.random.default_rng(seed)
    arrays = [rng.uniform(-2, 2, ()), rng.uniform(-2, 2, (3,))]

    def run(leaves):
        s, a = leaves if first else leaves[::-1]
        inner = s * s - s
        return (inner * a + a * inner - s).sum() * inner + inner

    quick = results(run, arrays if first else arrays[::-1], seed)
    with ag.keep_values():
        assert results(run, arrays if first else arrays[::-1], seed) == quick


OPERATORS = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "matmul": lambda a, b: a @ b,
}


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("shape", [(), (2, 2)])
def test_the_place_of_a_node_is_the_users_line(name, quick, shape):
    if name == "matmul" and not shape:
        return
    x = ag.Tensor(np.ones(shape), requires_grad=True)
    with contextlib.nullcontext() if quick else ag.keep_values():
        made = [
            OPERATORS[name](x, x),
            getattr(ag, name)(x, x),
            OPERATORS[name](np.ones((2, 2)), x),
            OPERATORS[name](x, np.ones((2, 2))),
        ]
    places = [t.node.place for t in made]
    assert {code.co_filename for code, _ in places} == {__file__}
    assert places[0][0].co_name == "<lambda>"
    assert places[1][0].co_name == "test_the_place_of_a_node_is_the_users_line"
    assert "OPERATORS" not in linecache.getline(__file__, places[0][0].co_firstlineno)


@pytest.mark.parametrize("call", [ag.Tensor.__mul__, ag.multiply, ag.matmul])
def test_the_outermost_function_of_a_thread_may_be_an_operation(call, monkeypatch):
    shape = (2, 2) if call is ag.matmul else ()
    x, y = (ag.Tensor(np.ones(shape), requires_grad=True) for _ in range(2))
    errors, running = [], weakref.ref(y)
    monkeypatch.setattr(sys, "unraisablehook", lambda error: errors.append(str(error.exc_value)))
    _thread.start_new_thread(call, (x, y))
    del y
    deadline = time.monotonic() + 10
    while running() is not None and time.monotonic() < deadline:
        time.sleep(0.001)
    assert errors == []
    assert running() is None


@pytest.mark.parametrize("change", [lambda p: p.copy_(2.0), lambda p: p.__imul__(2.0)])
def test_a_scalar_leaf_changed_before_the_sweep_is_an_error_although_its_number_was_saved(change):
    p = ag.Tensor(3.0, requires_grad=True)
    needed, unneeded = p * p, p + p
    with ag.no_grad():
        change(p)
    with pytest.raises(RuntimeError, match="changed in place"):
        needed.backward()
    with pytest.raises(RuntimeError, match="changed in place"):
        needed.jvp({p: 1.0})
    unneeded.backward()
    assert p.grad.item() == 2.0


def test_a_number_read_from_an_array_is_not_changed_by_writing_to_the_array():
    x, factor = ag.Tensor(3.0, requires_grad=True), np.array(2.0)
    constant = ag.Tensor(factor)
    out = x * constant
    factor[...] = 5.0
    out.backward()
    assert x.grad.item() == 2.0


def test_an_inner_input_is_where_a_sweep_of_scalars_ends():
    x = ag.Tensor(2.0, requires_grad=True)
    y = x * x
    other = ag.Tensor(5.0, requires_grad=True)
    z = y * x + y * other
    to_y, to_other = ag.pullback(z, [y, other])
    assert (to_y.item(), to_other.item()) == (7.0, 4.0)
    assert ag.pullback(z, x).item() == 32.0


def test_a_scalar_graph_freed_is_freed():
    x = ag.Tensor(2.0, requires_grad=True)
    out = x * x + x
    out.backward()
    with pytest.raises(RuntimeError, match="retain_graph"):
        out.backward()
    with pytest.raises(RuntimeError, match="retain_graph"):
        ag.pullback(out, x)


def test_what_is_older_than_the_inputs_is_not_visited():
    x = ag.Tensor(2.0, requires_grad=True)
    older = x * x
    older.backward()
    y = ag.Tensor(3.0, requires_grad=True)
    for out in (older * y, y * older):
        assert ag.pullback(out, y).item() == 4.0
