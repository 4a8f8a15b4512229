"""Transforms: nesting in every order, containers, outer variables, errors."""

from __future__ import annotations

import itertools
from collections import namedtuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from tests.oracles import five_point


def reverse(f):
    return ag.grad(f)


def forward(f):
    return lambda x: ag.jvp(f, (x,), (np.ones_like(x),))[1]


MODES = {"reverse": reverse, "forward": forward}
PAIRS = list(itertools.product(MODES.values(), repeat=2))
TRIPLES = list(itertools.product(MODES.values(), repeat=3))


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
class TestPerturbationConfusion:
    def test_inner_variable_is_not_the_outer(self, outer, inner):
        assert float(outer(lambda x: x * inner(lambda y: x + y)(1.0))(1.0)) == 1.0

    def test_inner_derivative_of_the_outer_variable(self, outer, inner):
        assert float(outer(lambda x: inner(lambda y: x * y)(1.0))(3.0)) == 1.0

    def test_inner_function_at_the_outer_variable(self, outer, inner):
        assert float(outer(lambda x: inner(lambda y: y * y * x)(x))(3.0)) == 4 * 3.0

    def test_unused_inner_variable(self, outer, inner):
        assert float(outer(lambda x: inner(lambda y: x * x)(x) + x)(3.0)) == 1.0


@pytest.mark.parametrize(("a", "b", "c"), TRIPLES)
def test_nested_three_deep(a, b, c):
    nested = a(lambda x: x * b(lambda y: y * c(lambda z: x * y * z * z)(2.0))(x))
    # c: 4xy; b of 4 x y^2 at y = x: 8 x x; a of 8 x^3: 24 x^2
    assert float(nested(1.5)) == pytest.approx(24 * 1.5**2)
    assert float(a(b(c(ag.exp)))(0.5)) == pytest.approx(np.exp(0.5))


def test_no_grad_inside_makes_a_constant_in_both_modes():
    def f(x):
        with ag.no_grad():
            y = x * x
        return x * y

    assert float(ag.grad(f)(3.0)) == 9.0
    assert float(forward(f)(3.0)) == 9.0


@pytest.mark.parametrize("transform", [reverse, forward])
def test_transforms_record_for_their_own_level(transform):
    with ag.no_grad():
        assert float(transform(lambda x: x * x)(3.0)) == 6.0
        assert float(transform(transform(lambda x: x**3))(2.0)) == 12.0


@pytest.mark.parametrize("transform", [reverse, forward])
def test_no_grad_around_an_inner_transform_makes_a_constant(transform):
    def f(x):
        with ag.no_grad():
            slope = transform(lambda y: y * y)(x)
        return x * slope

    for outer in (reverse, forward):
        assert float(outer(f)(3.0)) == 6.0


def test_an_outer_tracked_tensor_keeps_the_result_a_tensor():
    w = ag.Tensor(2.0, requires_grad=True)
    result = ag.grad(lambda x: x * x * w)(3.0)
    assert isinstance(result, ag.Tensor)
    result.backward()
    assert w.grad.item() == 6.0
    assert not isinstance(ag.grad(lambda x: x * x + w)(3.0), ag.Tensor)


def test_tensors_in_tensors_out():
    t = ag.Tensor([1.0, 2.0])
    value, gradient = ag.value_and_grad(lambda x: (x * x).sum())(t)
    assert isinstance(value, ag.Tensor)
    assert not gradient.requires_grad
    tracked = ag.Tensor([1.0, 2.0], requires_grad=True)
    second = ag.grad(lambda x: (x**3).sum())(tracked)
    second.sum().backward()
    assert np.array_equal(tracked.grad.data, [6.0, 12.0])


def test_backward_inside_a_transform_records():
    def f(x):
        y = ag.Tensor(1.0, requires_grad=True)
        (x * x * y).backward()
        return y.grad

    assert float(ag.grad(f)(3.0)) == 6.0


def test_pullback_inside_a_transform_records():
    def f(x):
        y = x * x
        return ag.pullback(y * y, y)

    assert float(ag.grad(f)(3.0)) == 4 * 3.0
    assert float(forward(f)(3.0)) == 4 * 3.0


Point = namedtuple("Point", "x y")


def test_containers():
    def f(tree, scale):
        return tree["a"][0] * tree["a"][1].x * scale + (tree["b"] ** 2).sum()

    tree = {"a": [2.0, Point(3.0, 5.0)], "b": np.array([1.0, 2.0])}
    value, gradient = ag.value_and_grad(f)(tree, 10)
    assert float(value) == 65.0
    assert gradient["a"][0] == 30.0
    assert gradient["a"][1] == Point(20.0, 0.0)
    assert np.array_equal(gradient["b"], [2.0, 4.0])
    out, pullback = ag.vjp(lambda t: {"s": t["a"][0] * t["b"], "c": 1.0}, tree)
    assert set(out) == {"s", "c"}
    (back,) = pullback({"s": np.array([1.0, 10.0]), "c": 5.0})
    assert back["a"][0] == 21.0
    jacobian = ag.jacobian(lambda t: (t["a"][0] * t["b"], t["b"].sum()))(tree)
    assert jacobian[0]["b"].shape == (2, 2)
    assert jacobian[0]["a"][0].shape == (2,)
    assert jacobian[1]["b"].shape == (2,)
    hessian = ag.hessian(f)(tree, 10.0)
    assert hessian["b"]["b"].shape == (2, 2)
    assert hessian["a"][0]["a"][1].x == 10.0
    product = ag.hvp(lambda t: f(t, 10.0), tree, tree)
    assert np.array_equal(product["b"], [2.0, 4.0])


def test_argnums():
    def f(x, y, z=1.0):
        return x * y * y * z

    assert ag.grad(f)(2.0, 3.0) == 9.0
    assert ag.grad(f, 1)(2.0, 3.0, z=2.0) == 24.0
    assert ag.grad(f, (0, 1))(2.0, 3.0) == (9.0, 12.0)
    assert ag.grad(f, -1)(2.0, 3.0) == 12.0
    assert ag.hessian(f, (0, 1))(2.0, 3.0) == ((0.0, 6.0), (6.0, 4.0))


@given(
    st.integers(0, 3),
    st.integers(0, 3),
    st.integers(0, 2**31),
    st.sampled_from(["forward", "reverse", "auto"]),
)
def test_jacobian_equals_differences(n, m, seed, mode):
    rng = np.random.default_rng(seed)
    matrix, x = rng.normal(size=(m, n)), rng.normal(size=n)
    jacobian = ag.jacobian(lambda v: ag.sin(matrix @ v), mode=mode)(x)
    assert jacobian.shape == (m, n)
    for j in range(n):
        column = five_point(lambda v: np.sin(matrix @ v), x, np.eye(n)[j])
        np.testing.assert_allclose(jacobian[:, j], column, atol=1e-9)


@given(st.integers(1, 4), st.integers(0, 2**31))
def test_hvp_is_the_hessian_times_v_in_every_composition(n, seed):
    rng = np.random.default_rng(seed)
    x, v = rng.normal(size=(2, n))

    def f(x):
        return (ag.exp(-x) * ag.roll(x, 1) ** 2).sum() + ag.prod(x)

    hessian = ag.hessian(f)(x)
    np.testing.assert_allclose(hessian, hessian.T, atol=1e-10)
    products = [
        ag.hvp(f, x, v),
        ag.grad(lambda x: ag.jvp(f, (x,), (v,))[1])(x),
        ag.grad(lambda x: (ag.grad(f)(x) * v).sum())(x),
    ]
    for product in products:
        np.testing.assert_allclose(product, hessian @ v, atol=1e-9)


def test_pullback_and_linearize_can_be_used_again():
    out, pullback = ag.vjp(lambda x, y: x * y, 2.0, 3.0)
    assert (out, pullback(1.0), pullback(2.0)) == (6.0, (3.0, 2.0), (6.0, 4.0))
    out, push = ag.linearize(lambda x, y: x * y, 2.0, 3.0)
    assert (out, push(1.0, 0.0), push(0.0, 1.0)) == (6.0, 3.0, 2.0)


def test_a_pullback_is_linear_and_differentiable_in_its_cotangent():
    _, pullback = ag.vjp(lambda x: x * x, 3.0)
    assert float(ag.grad(lambda c: pullback(c)[0] ** 2)(2.0)) == 2 * 6.0 * 12.0


def test_results_are_kept_apart():
    x = np.ones(3)
    first, second = ag.grad(lambda a, b: (a + b).sum(), (0, 1))(x, x)
    assert not np.shares_memory(first, second)
    assert first.flags.writeable


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_constant_functions(mode):
    assert np.array_equal(
        ag.jacobian(lambda x: np.ones(2), mode=mode)(np.ones(3)), np.zeros((2, 3))
    )
    assert ag.grad(lambda x: 5.0)(2.0) == 0.0


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: ag.grad(lambda x: x)({"stride": 2}), TypeError, r"args\[0\]\['stride'\]"),
        (lambda: ag.grad(lambda x: x)([1.0, (True,)]), TypeError, r"args\[0\]\[1\]\[0\]"),
        (lambda: ag.grad(lambda x: x)(Point(1.0, None)), TypeError, r"args\[0\]\.y"),
        (lambda: ag.grad(lambda x: x)("text"), TypeError, r"args\[0\]"),
        (lambda: ag.grad(lambda x: x)(3), TypeError, r"args\[0\] is 3 .*3\.0"),
        (lambda: ag.grad(lambda x: x)(np.arange(3)), TypeError, "int64"),
        (lambda: ag.grad(lambda x: x)(np.ones(3)), ValueError, r"scalar.*\(3,\)"),
        (lambda: ag.grad(lambda x: None)(1.0), TypeError, "return"),
        (lambda: ag.grad(lambda x: (x, x))(1.0), TypeError, "tuple"),
        (lambda: ag.grad(lambda x: x, 1)(1.0), ValueError, "out of range"),
        (lambda: ag.grad(lambda x: x, "x")(1.0), TypeError, "argnums"),
        (lambda: ag.grad(lambda x, y: x, (0, 0))(1.0, 2.0), ValueError, "twice"),
        (lambda: ag.grad(3)(1.0), TypeError, "function"),
        (lambda: ag.jvp(lambda x: x, 1.0, 1.0), TypeError, "primals"),
        (lambda: ag.jvp(lambda x: x, (1.0,), (1.0, 2.0)), ValueError, "2 tangents for 1"),
        (lambda: ag.jvp(lambda x: x, (np.ones(2),), (np.ones(3),)), ValueError, r"\(3,\)"),
        (lambda: ag.vjp(lambda x: x, np.ones(2))[1](np.ones(3)), ValueError, r"\(3,\)"),
        (lambda: ag.vjp(lambda x: {"a": x}, 1.0)[1]({"b": 1.0}), ValueError, r"\['b'\]"),
        (lambda: ag.jacobian(lambda x: x, mode="sideways"), ValueError, "sideways"),
    ],
)
def test_errors(call, error, match):
    with pytest.raises(error, match=match):
        call()


@pytest.mark.parametrize("shape", [(3,), (200, 200)])
def test_results_may_be_written_to(shape):
    x = np.random.default_rng(0).normal(size=shape)
    ones = np.ones(shape)
    out, pullback = ag.vjp(ag.exp, x)
    out[...] = 0.0
    np.testing.assert_allclose(pullback(ones)[0], np.exp(x))
    out, push = ag.linearize(ag.exp, x)
    out[...] = 0.0
    np.testing.assert_allclose(push(ones), np.exp(x))
    for same in (
        ag.jvp(lambda a: a, (x,), (ones,)),
        ag.vjp(lambda a: a, x),
        ag.jvp(lambda a: (a, a), (x,), (ones,))[0],
    ):
        assert not np.shares_memory(same[0], x)
        assert not np.shares_memory(same[0], same[1] if isinstance(same[1], np.ndarray) else ones)
