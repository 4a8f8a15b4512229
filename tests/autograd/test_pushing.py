"""jvp pushes tangents while its function runs: memory, nesting, and what asks for the graph."""

from __future__ import annotations

import gc
import threading
import tracemalloc
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.modes import current_modes
from autograd.testing import strategies

PROGRAMS = strategies.programs(5, inputs=1)
SEEDS = st.integers(0, 2**20)
CLOSE = {"rtol": 1e-9, "atol": 1e-10}


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def slope(f):
    return lambda x: ag.jvp(f, (x,), (np.ones_like(x),))[1]


def recorded_slope(f):
    return lambda x: ag.linearize(f, x)[1](np.ones_like(x))


@given(PROGRAMS, SEEDS)
def test_the_tangent_is_the_recorded_graphs(f, seed):
    (x,) = strategies.inputs_of(f, (3,), seed)
    direction = np.random.default_rng(seed).normal(size=3)
    value, tangent = ag.jvp(f, (x,), (direction,))
    expected, push = ag.linearize(f, x)
    np.testing.assert_array_equal(value, expected)
    np.testing.assert_allclose(tangent, push(direction), **CLOSE)


@given(PROGRAMS, SEEDS)
def test_nested_in_itself_and_in_either_recorded_sweep(f, seed):
    (x,) = strategies.inputs_of(f, (), seed)
    expected = recorded_slope(recorded_slope(f))(x)
    around = [slope(slope(f)), recorded_slope(slope(f)), slope(recorded_slope(f))]
    for second in (*around, ag.grad(slope(f)), slope(ag.grad(f))):
        np.testing.assert_allclose(second(x), expected, rtol=1e-8, atol=1e-8)


@given(PROGRAMS, SEEDS)
def test_the_tangents_are_variables_as_well(f, seed):
    """d/dv of J(x) v times u is J(x) u, and J(x) v is J(x) 1 for v = 1, for any x."""
    (x,) = strategies.inputs_of(f, (), seed)
    by_tangent = ag.grad(lambda v: ag.jvp(f, (x,), (v,))[1])(0.5)
    np.testing.assert_allclose(by_tangent, slope(f)(x), **CLOSE)
    forward = slope(lambda v: ag.jvp(f, (x,), (v * v,))[1])(0.5)
    np.testing.assert_allclose(forward, slope(f)(x), **CLOSE)


def test_kernels_for_arrays_are_given_no_tensors():
    def plain(*values):
        assert not any(isinstance(value, ag.Tensor) for value in values)

    def pushforward(tangents, out, x):
        plain(*tangents, out, x)
        return tangents[0] * np.cos(x)

    f = ag.op.composite("kernel", np.sin, ag.sin, pushforward=pushforward)
    x = np.linspace(0.1, 1.0, 3)
    np.testing.assert_allclose(slope(f)(x), np.cos(x), **CLOSE)
    np.testing.assert_allclose(slope(slope(f))(x), -np.sin(x), **CLOSE)
    along = slope(lambda v: ag.jvp(f, (x,), (v * v,))[1])(x)
    np.testing.assert_allclose(along, 2 * x * np.cos(x), **CLOSE)


def nodes_alive_in(depth, transform):
    """The most nodes of a chain that are alive at once while `transform` runs its function."""
    seen, most = [], 0

    def f(x):
        nonlocal most
        y = x
        for _ in range(depth):
            y = ag.sin(y) * 1.5
            seen.append(weakref.ref(y._node))
            most = max(most, sum(reference() is not None for reference in seen))
        return y

    transform(f)(0.3)
    assert len(seen) == depth
    assert not any(reference() is not None for reference in seen)
    return most


@pytest.mark.usefixtures("no_collector")
def test_nodes_are_let_go_as_the_function_goes_on():
    for transform in (slope, lambda f: slope(slope(f))):
        assert nodes_alive_in(50, transform) <= 2
    assert nodes_alive_in(50, recorded_slope) == 50


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("depth", [5, 100])
def test_memory_does_not_grow_with_depth(depth):
    x = np.linspace(0.1, 1.0, 2**15)
    direction = np.ones_like(x)

    def f(x):
        y = x * 0.5
        for _ in range(depth):
            y = ag.tanh(y) * ag.cos(y) + y
        return y

    ag.jvp(f, (x,), (direction,))
    tracemalloc.start()
    ag.jvp(f, (x,), (direction,))
    _, pushed = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    f(x)
    _, plain = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert pushed <= 3 * plain


@pytest.mark.usefixtures("no_collector")
def test_what_an_outer_leaf_reaches_stays_and_is_freed_with_the_result():
    w = ag.Tensor(2.0, requires_grad=True)
    seen = []

    def f(x):
        y = ag.exp(x * w)
        seen.append(weakref.ref(y._node))
        return ag.sin(y * ag.exp(w))

    value, tangent = ag.jvp(f, (0.5,), (1.0,))
    assert seen[0]() is not None
    expected = ag.grad(lambda w: recorded_slope(lambda x: ag.sin(ag.exp(x * w) * ag.exp(w)))(0.5))
    assert ag.pullback(tangent, w).item() == pytest.approx(float(expected(2.0)))
    del value, tangent
    assert seen[0]() is None


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("rule", ["value", "tangent"])
def test_an_exception_leaves_nothing_behind(rule):
    seen, before = [], current_modes()
    broken = ag.op.elementwise("broken", np.sin, (lambda out, v: 1 / 0,))

    def f(x):
        y = ag.exp(x) * w
        seen.append(weakref.ref(y._node))
        return y * (1 / 0 if rule == "value" else broken(y))

    w = ag.Tensor(2.0, requires_grad=True)
    for g in (slope(f), slope(slope(f)), ag.grad(slope(f))):
        try:
            g(0.5)
        except ZeroDivisionError:
            pass
        else:
            pytest.fail("the broken rule did not raise")
        assert current_modes() is before
    assert len(seen) == 3
    assert all(reference() is None for reference in seen)


def test_a_rule_that_raises_matters_only_to_outputs_that_need_it():
    calls = []
    broken = ag.op.elementwise("broken", np.sin, (lambda out, v: 1 / 0,))

    def f(x, used):
        calls.append(used)
        unused = ag.exp(broken(x)) + ag.split(broken(x) * np.ones(2), 2)[0]
        return x * 3.0 + (unused if used else 0.0)

    assert ag.jvp(lambda x: f(x, False), (2.0,), (1.0,))[1] == 3.0
    with pytest.raises(ZeroDivisionError):
        ag.jvp(lambda x: f(x, True), (2.0,), (1.0,))
    assert calls == [False, True]


def test_tangents_are_checked_before_the_function_is_called():
    with pytest.raises(ValueError, match=r"\(3,\)"):
        ag.jvp(lambda x: pytest.fail("called"), (np.ones(2),), (np.ones(3),))


def test_a_function_is_called_once_unless_it_asks_for_its_graph():
    calls = []

    def f(x, ask):
        calls.append(x)
        y = ag.sin(x)
        z = y * y * x
        return ask(x, y, z)

    def count(ask):
        calls.clear()
        value, tangent = ag.jvp(lambda x: f(x, ask), (0.7,), (1.0,))
        expected, push = ag.linearize(lambda x: f(x, ask), 0.7)
        np.testing.assert_allclose(value, expected)
        np.testing.assert_allclose(tangent, push(1.0), **CLOSE)
        return len(calls) - 1

    assert count(lambda x, y, z: z) == 1
    assert count(lambda x, y, z: ag.grad(lambda y: y * y * x)(y)) == 1
    assert count(lambda x, y, z: ag.pullback(z, z) * z) == 1
    assert count(lambda x, y, z: ag.pullback(z, x)) == 2
    assert count(lambda x, y, z: ag.pullback(z, [x, y], create_graph=True)[0]) == 2
    assert count(lambda x, y, z: ag.pullback(z * ag.exp(y), y)) == 2
    assert count(lambda x, y, z: z.jvp({y: 2.0})) == 2
    assert count(lambda x, y, z: ag.pushforward([y, z], x, 2.0)[1]) == 2


def test_the_jvp_that_is_asked_begins_again_and_no_other():
    calls = []

    def inner(y, x):
        calls.append("inner")
        return ag.pullback(y * y * x, y)

    def outer(x):
        calls.append("outer")
        return ag.jvp(lambda y: inner(y, x), (x,), (1.0,))[1] * x

    # d/dx of (d/dy 2yx) x = 2 x^2
    assert float(slope(outer)(3.0)) == 12.0
    assert calls == ["outer", "inner", "outer", "inner"] or calls == ["outer", "inner", "inner"]
    calls.clear()

    def asks_for_outer(x):
        calls.append("outer")
        z = x * x * x
        return ag.jvp(lambda y: y * ag.pullback(z, x, create_graph=True), (2.0,), (1.0,))[1]

    assert float(slope(asks_for_outer)(3.0)) == 18.0
    assert calls == ["outer", "outer"]


def test_a_request_that_the_function_swallows_is_still_heard():
    def f(x):
        y = x * x
        try:
            return ag.pullback(y * y, y)
        except BaseException:
            return x

    assert float(slope(f)(3.0)) == 12.0


def test_drawings_and_nodes_inside_are_of_the_whole_graph():
    w = ag.Tensor(2.0, requires_grad=True)
    seen, nodes = [], []

    def f(x, ask):
        y = ag.sin(x) * 2.0
        ask(x, y)
        return y

    asked = (
        lambda x, y: seen.append(ag.draw(y, tangents={x: 1.0}).source.count("sin")),
        lambda x, y: seen.append(ag.draw(y * w).source.count("sin")),
        lambda x, y: nodes.append(y.node),
        lambda x, y: seen.append(repr(y)),
    )
    for ask in asked:
        tangent = ag.jvp(lambda x: f(x, ask), (0.5,), (1.0,))[1]  # noqa: B023
        assert tangent == 2.0 * np.cos(0.5)
        ag.linearize(lambda x: f(x, ask), 0.5)  # noqa: B023
    assert [node.inputs[0].op.name for node in nodes] == ["sin", "sin"]
    assert seen[0] == seen[1] > 0
    assert seen[2] == seen[3] > 0
    assert seen[4] == seen[5]


def test_a_value_that_outlives_its_jvp_is_a_constant():
    leaked = []

    def f(x):
        leaked.extend([x * 1.0, x * x])
        return leaked[1]

    ag.jvp(f, (3.0,), (1.0,))
    early, late = leaked
    assert float(slope(lambda y: y * late)(5.0)) == 9.0
    assert float(ag.grad(lambda y: y * late)(5.0)) == 9.0
    assert float(slope(lambda y: y * early * late)(5.0)) == 27.0
    assert float(slope(lambda y: ag.grad(lambda z: z * (early * y))(2.0))(5.0)) == 3.0
    later = early * late
    with pytest.raises(RuntimeError, match=r"ag\.linearize"):
        ag.pullback(later, early)


def test_leaves_and_backward_inside():
    def f(x):
        w = ag.Tensor(2.0, requires_grad=True)
        h = ag.exp(x)
        (h * h * w * w).backward()
        return w.grad

    assert slope(f)(0.5).item() == pytest.approx(2 * 4 * np.exp(1.0))
    assert slope(slope(f))(0.5).item() == pytest.approx(4 * 4 * np.exp(1.0))


def test_what_other_threads_record_has_its_tangent():
    def branch(x, power):
        return ag.sin(x) ** power * x

    def f(x):
        with ThreadPoolExecutor(2) as pool:
            parts = list(pool.map(branch, [x, x], [2, 3]))
        return parts[0] * parts[1] + x

    def alone(x):
        return branch(x, 2) * branch(x, 3) + x

    for d in (slope, lambda f: slope(slope(f)), lambda f: slope(ag.grad(f))):
        np.testing.assert_allclose(d(f)(0.7), d(alone)(0.7), **CLOSE)
    last = []

    def unjoined(x):
        thread = threading.Thread(target=lambda: last.append(x * x))
        thread.start()
        thread.join()
        return last.pop()

    assert float(slope(unjoined)(3.0)) == 6.0


def test_several_outputs_containers_and_constants():
    def f(x, tree):
        q, r = ag.linalg.qr(x)
        parts = ag.split(tree["a"], 2)
        return {"r": r * parts[0].sum(), "q": (q, parts[1]), "c": 2.0, "x": x}

    rng = np.random.default_rng(0)
    primals = (rng.normal(size=(3, 2)), {"a": rng.normal(size=4)})
    tangents = (rng.normal(size=(3, 2)), {"a": rng.normal(size=4)})
    value, tangent = ag.jvp(f, primals, tangents)
    expected, push = ag.linearize(f, *primals)
    for got, want in ((value, expected), (tangent, push(*tangents))):
        np.testing.assert_array_equal(got["r"], want["r"])
        np.testing.assert_array_equal(got["q"][0], want["q"][0])
        np.testing.assert_array_equal(got["q"][1], want["q"][1])
        np.testing.assert_array_equal(got["x"], want["x"])
        assert got["c"] == want["c"]
    assert not np.shares_memory(tangent["x"], tangents[0])
    assert tangent["x"].flags.writeable


def test_anomalies_are_found_in_the_tangents_outputs_need():
    def f(x):
        return ag.sum(ag.sqrt(x * 0.0) + x)

    with ag.detect_anomaly(), pytest.raises(RuntimeError, match="sqrt made a NaN in a tangent"):
        ag.jvp(f, (np.ones(2),), (np.ones(2),))
    with ag.detect_anomaly():
        ag.jvp(lambda x: (f(x), x)[1], (np.ones(2),), (np.ones(2),))


def test_in_place_methods_know_computed_values_from_variables():
    def f(x):
        y = x * 2.0
        assert x.is_leaf
        assert not y.is_leaf
        y += x
        with pytest.raises(RuntimeError, match="leaf"):
            x += 1.0
        with pytest.raises(RuntimeError, match="switched off"):
            y.requires_grad = False
        return y

    assert np.array_equal(slope(f)(np.ones(2)), [3.0, 3.0])
