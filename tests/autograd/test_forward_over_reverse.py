"""The reverse sweep inside a jvp carries pairs; the recorded sweep is what it is compared with."""

from __future__ import annotations

import gc
import warnings
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd import forward_over_reverse, tracing
from autograd.registry import REGISTRY
from autograd.testing import strategies
from autograd.testing.operation_checks import differentiable_call

PROGRAMS = strategies.programs(6, inputs=2)
SEEDS = st.integers(0, 2**20)


@pytest.fixture
def swept(monkeypatch):
    """How often a sweep inside a jvp carried pairs, and how often that came to nothing."""
    counts = {"pairs": 0, "recorded": 0}
    reverse = forward_over_reverse.reverse

    def counted(*given):
        found = reverse(*given)
        counts["recorded" if found is None else "pairs"] += 1
        return found

    monkeypatch.setattr(tracing.forward_over_reverse, "reverse", counted)
    return counts


def recorded(function):
    """`function()` where every sweep inside a jvp is recorded."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tracing.forward_over_reverse, "serves", lambda *_: False)
        return function()


def flat(tree):
    if isinstance(tree, dict):
        tree = [tree[key] for key in sorted(tree)]
    if isinstance(tree, tuple | list):
        return [leaf for part in tree for leaf in flat(part)]
    return [np.asarray(tree)]


def assert_same(got, expected, rtol=1e-10):
    for one, other in zip(flat(got), flat(expected), strict=True):
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        scale = np.max(np.abs(other), initial=1e-300)
        np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol * scale)


@given(PROGRAMS, SEEDS, st.sampled_from([(), (3,), (2, 2)]), st.sampled_from("fd"))
def test_hessian_vector_products_are_those_of_recorded_sweeps(f, seed, shape, dtype):
    x, y = (array.astype(dtype) for array in strategies.inputs_of(f, shape, seed))
    rng = np.random.default_rng(seed)
    v, u = (rng.normal(size=shape).astype(dtype) for _ in range(2))

    def product():
        def loss(pair):
            return ag.sum(f(*pair) * f(pair[1], pair[0]))

        return ag.jvp(ag.grad(loss), ((x, y),), ((v, u),))

    def directly():
        def loss(pair):
            return ag.sum(f(*pair) * f(pair[1], pair[0]))

        return ag.hvp(loss, (x, y), (v, u))

    tolerance = 1e-10 if dtype == "d" else 2e-4
    with np.errstate(all="ignore"):
        expected = recorded(product)
        assert_same(product(), expected, tolerance)
        assert_same(directly(), expected[1], tolerance)


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_operation_is_swept_with_pairs(name, swept):
    entry = REGISTRY[name]
    rng = np.random.default_rng(0)
    for sample in entry.samples:
        f, arrays = differentiable_call(entry.function, sample, 1, np.float64)

        def loss(*given, f=f):
            leaves = [leaf for leaf in tensors(f(*given)) if leaf.dtype.kind == "f"]
            return sum((ag.sum(leaf * leaf) for leaf in leaves), start=0.0 * ag.sum(first(given)))

        def product(loss=loss, arrays=arrays):
            return ag.jvp(ag.grad(loss, tuple(range(len(arrays)))), arrays, directions)  # noqa: B023

        directions = moved(arrays, rng)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            expected = recorded(product)
            assert_same(product(), expected)
            packed = ag.hvp(lambda given: loss(*given), arrays, directions)
            assert_same(packed, expected[1])
    assert swept == {"pairs": 2 * len(entry.samples), "recorded": 0}


def tensors(out):
    if isinstance(out, tuple | list):
        return [leaf for part in out for leaf in tensors(part)]
    return [out] if isinstance(out, ag.Tensor) else []


def first(tree):
    return first(tree[0]) if isinstance(tree, tuple | list) else tree


def moved(tree, rng):
    if isinstance(tree, tuple | list):
        return type(tree)(moved(part, rng) for part in tree)
    return rng.normal(size=np.shape(tree))


def second_slopes(x):
    """Functions of x that sweep inside, and their Hessians times (1, 2)."""
    ones = np.ones(2)
    pulled = []

    def in_place(a):
        g = ag.grad(lambda y: ag.sum(y**3))(a)
        g += a
        g *= a
        return ag.sum(g)

    def from_outside(a):
        if not pulled:
            pulled.append(ag.vjp(lambda y: y * y, ones * 3.0)[1])
        return ag.sum(pulled[0](a * a)[0])

    def allowed(a):
        with ag.no_grad(), ag.enable_grad():
            return ag.sum(ag.grad(lambda y: ag.sum(y**4))(a))

    v = np.array([1.0, 2.0])
    return [
        (lambda a: ag.sum(ag.grad(lambda y: ag.sum(y**4))(a)), 24 * x * v),
        (
            lambda a: ag.sum(ag.grad(lambda y: ag.sum(ag.sin(y) * a))(ones) * a * a),
            6 * x * v * np.cos(1),
        ),
        (lambda a: ag.sum(ag.vjp(lambda y: y**3, a)[1](a)[0]), 18 * x * v),
        (
            lambda a: ag.sum(ag.grad(lambda y: ag.sum(ag.grad(lambda z: ag.sum(z**5))(y)))(a)),
            120 * x * v,
        ),
        (lambda a: ag.sum(ag.pullback(ag.sum(a**4), a) * a), 0.0 * v),
        (in_place, (18 * x + 2) * v),
        (from_outside, 12.0 * v),
        (allowed, 24 * x * v),
        (lambda a: ag.sum(ag.jacobian(lambda y: y**3, mode="reverse")(a) @ a), 18 * x * v),
        (lambda a: ag.value_and_grad(lambda y: ag.sum(y**3))(a)[1] @ a, 18 * x * v),
    ]


@pytest.mark.parametrize("number", range(10))
def test_functions_that_sweep_inside(number):
    x, v = np.array([0.3, 0.7]), np.array([1.0, 2.0])
    f, expected = second_slopes(x)[number]
    as_before = ag.linearize(ag.grad(f), x)[1](v)
    np.testing.assert_allclose(ag.jvp(ag.grad(f), (x,), (v,))[1], as_before)
    if number == 4:  # a pullback without create_graph is a constant for grad, and not for jvp
        expected = as_before
    np.testing.assert_allclose(ag.hvp(f, x, v), as_before)
    np.testing.assert_allclose(as_before, expected)


def test_hvp_inside_other_transforms():
    x, v, u = np.array([0.3, 0.7]), np.array([1.0, 2.0]), np.array([-1.0, 0.5])

    def loss(a):
        return ag.sum(ag.sin(a) * a * a)

    def product(a):
        return ag.hvp(loss, a, v)

    def recorded_product(a):
        return ag.linearize(ag.grad(loss), a)[1](v)

    for there in (
        lambda f: ag.jvp(f, (x,), (u,))[1],
        lambda f: ag.grad(lambda a: ag.sum(f(a) * u))(x),
        lambda f: ag.hvp(lambda a: ag.sum(f(a) * a), x, u),
        lambda f: ag.jacobian(f)(x),
    ):
        np.testing.assert_allclose(there(product), there(recorded_product), rtol=1e-10)
    w = ag.Tensor(np.array([1.5, 0.5]), requires_grad=True)
    got = ag.pullback(ag.sum(ag.hvp(lambda a: ag.sum(w * a**3), x, v)), w)
    np.testing.assert_allclose(got.data, 6 * x * v)


def test_hvp_needs_no_tangent_of_the_loss_itself():
    def not_known(*_):
        raise NotImplementedError

    loss = ag.op.composite(
        "loss", lambda z: np.sum(z * z), lambda z: ag.sum(z * z), pushforward=not_known
    )
    np.testing.assert_allclose(ag.hvp(loss, np.ones(2), np.array([1.0, 2.0])), [2.0, 4.0])


@pytest.mark.parametrize("one", [np.ones(2), 1.0])
def test_a_gradient_whose_tangent_is_zero_is_still_a_tensor(one):
    def f(a):
        slope = ag.grad(lambda y: ag.sum(y * ag.floor(a)))(one)
        assert isinstance(slope, ag.Tensor)
        return slope.detach() + slope

    assert not np.any(ag.jvp(f, (one * 0.3,), (one,))[1])


def test_a_rule_that_closes_over_a_tracked_tensor_is_recorded(swept):
    w = ag.Tensor(np.full(2, 2.0), requires_grad=True)
    odd = ag.op.bilinear(
        "odd", lambda a, b: a * b * 2.0, lambda c, y: c * y * w, lambda c, x: c * x * w
    )
    tangent = ag.jvp(
        lambda a: ag.grad(lambda y: ag.sum(odd(y, a)))(np.ones(2)), (np.ones(2),), (np.ones(2),)
    )[1]
    np.testing.assert_allclose(tangent.data, [2.0, 2.0])
    assert swept == {"pairs": 0, "recorded": 1}


def test_a_linear_rule_that_closes_over_a_tracked_tensor_is_recorded(swept):
    w = ag.Tensor(np.full(2, 2.0), requires_grad=True)
    odd = ag.op.linear("odd", lambda x: x * 2.0, lambda c: c * w)

    def f(a):
        return ag.grad(lambda y: ag.sum(odd(y)) + ag.sum(y * a))(np.ones(2))

    value, tangent = ag.jvp(f, (np.ones(2),), (np.array([1.0, 3.0]),))
    np.testing.assert_array_equal(ag.pullback(ag.sum(value), w).data, [1.0, 1.0])
    np.testing.assert_array_equal(np.asarray(tangent), [1.0, 3.0])
    assert swept == {"pairs": 0, "recorded": 1}


def test_mixed_dtypes_give_each_argument_its_own(swept):
    rng = np.random.default_rng(0)
    x, v = (rng.normal(size=3).astype(np.float32) for _ in range(2))
    wide = rng.normal(size=3)

    def product():
        return ag.jvp(ag.grad(lambda a: ag.sum(a * a * wide * a)), (x,), (v,))

    assert_same(product(), recorded(product), 1e-6)
    assert ag.hvp(lambda a: ag.sum(a * a * wide * a), x, v).dtype == np.float32
    assert swept["recorded"] == 0


@pytest.mark.parametrize("graph", [False, True])  # what has a graph may depend on more
def test_pullbacks_inside_are_given_tangents(swept, graph):
    x, v = np.array([0.3, 0.7]), np.array([1.0, -2.0])

    def f(x):
        out, pullback = ag.vjp(lambda y: ag.sin(y) * x, ag.exp(x))
        return pullback(ag.cos(x))[0] + (pullback(out * x)[0] if graph else 0.0)

    def product():
        return ag.jvp(f, (x,), (v,))

    assert_same(product(), recorded(product))
    assert swept == {"pairs": 1, "recorded": 0}


def test_what_more_depends_on_is_recorded(swept):
    x = np.array([0.3, 0.7])
    ones = np.ones(2)
    w = ag.Tensor(np.array([1.5, 0.5]), requires_grad=True)

    def slope(f):
        return lambda x: ag.jvp(f, (x,), (ones,))[1]

    def loss(x):
        return ag.sum(ag.sin(x) * x)

    slope(slope(ag.grad(loss)))(x)
    ag.linearize(slope(ag.grad(loss)), x)
    with ag.detect_anomaly():
        slope(ag.grad(loss))(x)
    with ag.keep_values():
        slope(ag.grad(loss))(x)
    with ag.profile():
        slope(ag.grad(loss))(x)
    assert swept["pairs"] == 0
    hessian = np.diag(2 * np.cos(x) - x * np.sin(x))
    np.testing.assert_allclose(slope(ag.grad(loss))(x), hessian @ ones)
    assert swept == {"pairs": 1, "recorded": 0}

    # d/dw of the sum of d/dx of (w sin x)' along ones
    got = ag.pullback(ag.sum(slope(ag.grad(lambda x: ag.sum(w * ag.sin(x))))(x)), w)
    np.testing.assert_allclose(got.data, -np.sin(x))
    third = ag.grad(lambda v: ag.sum(ag.jvp(ag.grad(loss), (x,), (v * v,))[1]))(ones)
    np.testing.assert_allclose(third, 2 * np.diag(hessian))
    assert swept["pairs"] == 1


def test_grad_of_grad_inside_is_swept_with_pairs_once(swept):
    def f(x):
        return ag.grad(ag.grad(lambda y: y**4 * x))(x)

    assert float(ag.jvp(f, (2.0,), (1.0,))[1]) == pytest.approx(36 * 2.0**2)
    assert swept["pairs"] == 1


def test_gradients_inside_can_be_asked_for_their_graph():
    calls = []

    def f(x):
        calls.append(x)
        slope = ag.grad(lambda y: ag.sin(y) * y)(x)
        return ag.pullback(slope * slope, x)

    value, tangent = ag.jvp(f, (0.4,), (1.0,))
    expected, push = ag.linearize(f, 0.4)
    assert value == expected
    assert tangent == pytest.approx(push(1.0))
    assert len(calls) == 3


def test_a_rule_that_raises_matters_only_where_it_is_needed(swept):
    broken = ag.op.elementwise("broken", np.sin, (lambda out, x: also_broken(x),))
    also_broken = ag.op.elementwise("also_broken", np.cos, (lambda out, x: 1 / 0,))

    def f(x, both):
        slopes = ag.grad(lambda a, b: broken(a) + a * b * b, (0, 1))(x, x * 2.0)
        return slopes if both else slopes[1]

    assert float(ag.jvp(lambda x: f(x, False), (1.0,), (1.0,))[1]) == pytest.approx(8.0)
    with pytest.raises(ZeroDivisionError):
        ag.jvp(lambda x: f(x, True), (1.0,), (1.0,))
    assert swept == {"pairs": 0, "recorded": 2}


def test_an_array_changed_between_is_found():
    w = ag.Tensor(np.ones(3))

    def f(x):
        _, pullback = ag.vjp(lambda z: ag.sum(z * z * w * x), x * 1.0)
        if change:
            w.copy_(np.full(3, 2.0))
        return pullback(1.0)[0]

    for change in (False, True):
        if change:
            with pytest.raises(RuntimeError, match="changed in place"):
                ag.jvp(f, (np.ones(3),), (np.ones(3),))
        else:
            ag.jvp(f, (np.ones(3),), (np.ones(3),))


def test_gradients_inside_keep_nothing_of_their_graph():
    gc.collect()
    gc.disable()
    seen = []

    def f(x):
        def loss(y):
            z = ag.tanh(y * x)
            seen.append(weakref.ref(z._node))
            return ag.sum(z * z)

        slope = ag.grad(loss)(x)
        assert seen[-1]() is None
        return slope * slope

    try:
        ag.jvp(f, (np.linspace(0.1, 1.0, 5),), (np.ones(5),))
    finally:
        gc.enable()
    assert len(seen) == 1


def test_results_share_no_memory():
    x, ones = np.linspace(0.1, 1.0, 4), np.ones(4)

    def f(x):
        return ag.grad(lambda a, b: ag.sum((a + b) * x), (0, 1))(ones, ones)

    (first, second), (third, fourth) = ag.jvp(f, (x,), (np.ones(4),))
    arrays = [first, second, third, fourth]
    for i, array in enumerate(arrays):
        assert array.flags.writeable
        assert not any(np.shares_memory(array, other) for other in (x, ones, *arrays[:i]))
    np.testing.assert_array_equal(first, x)
    np.testing.assert_array_equal(fourth, np.ones(4))
