"""A user's own operations, of every family."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import autograd as ag
from tests.oracles import five_point

cube = ag.op.elementwise("cube", lambda x: x**3, (lambda out, x: 3 * x**2,))
ratio = ag.op.elementwise(
    "ratio", lambda x, y: x / y, (lambda out, x, y: 1 / y, lambda out, x, y: -x / y**2)
)
flip = ag.op.linear("flip", lambda x: x[::-1], lambda c: ag.flip(c, 0))
total = ag.op.linear("total", lambda x: x.sum(), lambda c, in_shape: ag.broadcast_to(c, in_shape))
outer = ag.op.bilinear("outer", np.outer, lambda c, y: c @ y, lambda c, x: np.transpose(c) @ x)
triple = ag.op.multilinear(
    "triple",
    lambda x, y, z: x * y * z,
    (lambda c, y, z: c * y * z, lambda c, x, z: c * x * z, lambda c, x, y: c * x * y),
)
squares = ag.op.linearised(
    "squares", lambda x: (x * x).sum(), lambda out, x, dx: 2 * ag.sum(x * dx)
)
soft = ag.op.composite("soft", lambda x: np.logaddexp(x, 0), lambda x: ag.log(1 + ag.exp(x)))
masked = ag.op.composite(
    "masked",
    lambda x, rng: (lambda m: (x * m, (m,)))(rng.integers(0, 2, x.shape).astype(x.dtype)),
    lambda x, mask, rng: x * mask,
    auxiliaries=True,
)

X = np.array([0.5, -1.5, 2.0])
SCALAR_FUNCTIONS = {
    "cube": lambda x: cube(x).sum(),
    "ratio": lambda x: (ratio(x, 2.0 + x * x)).sum(),
    "flip": lambda x: (flip(x) * x**2).sum(),
    "total": lambda x: total(x * x) * total(x),
    "outer": lambda x: (outer(x, x * x) ** 2).sum(),
    "triple": lambda x: triple(x, x * x, ag.sin(x)).sum(),
    "squares": lambda x: squares(x * x) * squares(x),
    "soft": lambda x: (soft(x) * x).sum(),
}


@pytest.mark.parametrize("name", SCALAR_FUNCTIONS)
def test_first_and_second_order(name):
    f = SCALAR_FUNCTIONS[name]
    v = np.array([0.3, -0.7, 1.1])
    gradient = ag.grad(f)(X)
    slope = five_point(f, X, v)
    assert gradient @ v == pytest.approx(float(slope), rel=1e-7)
    assert float(ag.jvp(f, (X,), (v,))[1]) == pytest.approx(float(slope), rel=1e-7)
    curvature = five_point(ag.grad(f), X, v)

    def reverse(g):
        return lambda x: ag.vjp(g, x)[1]

    products = [
        ag.hvp(f, X, v),
        ag.grad(lambda x: ag.jvp(f, (x,), (v,))[1])(X),
        ag.grad(lambda x: (ag.grad(f)(x) * v).sum())(X),
    ]
    for product in products:
        np.testing.assert_allclose(product, curvature, rtol=1e-6, atol=1e-7)
    twice = ag.jvp(lambda x: ag.jvp(f, (x,), (v,))[1], (X,), (v,))[1]
    assert float(twice) == pytest.approx(float(curvature @ v), rel=1e-6)


@pytest.mark.parametrize("name", SCALAR_FUNCTIONS)
def test_arrays_in_arrays_out(name):
    assert not isinstance(SCALAR_FUNCTIONS[name](X), ag.Tensor)


def test_auxiliaries_are_drawn_once():
    x = ag.Tensor(np.ones(50), requires_grad=True)
    y = masked(x, rng=np.random.default_rng(0))
    drawn = y.data.copy()
    for _ in range(2):
        first = ag.pullback(y, x, np.ones(50), create_graph=True)
        assert np.array_equal(first.data, drawn)
        assert np.array_equal(y.jvp({x: np.ones(50)}).data, drawn)


def test_python_numbers_may_be_returned():
    import math

    half = ag.op.elementwise("half", lambda x: math.sin(x), (lambda out, x: ag.cos(x),))
    assert float(ag.grad(half)(0.0)) == 1.0


def test_third_order_in_every_mode():
    def reverse(f):
        return ag.grad(f)

    def forward(f):
        return lambda x: ag.jvp(f, (x,), (1.0,))[1]

    for a, b, c in itertools.product((reverse, forward), repeat=3):
        assert float(a(b(c(cube)))(2.0)) == 6.0


@pytest.mark.parametrize(
    ("define", "match"),
    [
        (lambda: ag.op.elementwise("f", np.sin, lambda out, x: x), r"\(f,\)"),
        (lambda: ag.op.elementwise("f", np.sin, (lambda x: x,)), "2 positional arguments"),
        (lambda: ag.op.elementwise("f", None, (lambda out, x: x,)), "forward of f"),
        (lambda: ag.op.elementwise("", np.sin, (lambda out, x: x,)), "name"),
        (lambda: ag.op.elementwise("f", np.sin, ("x",)), r"partials\[0\]"),
        (lambda: ag.op.linear("f", np.sin, None), "transpose"),
        (lambda: ag.op.multilinear("f", np.sin, ()), "transposes"),
        (lambda: ag.op.composite("f", np.sin, None), "reference"),
        (lambda: ag.op.linearised("f", np.sin, 3), "jvp"),
    ],
)
def test_a_bad_definition_says_what_is_wrong(define, match):
    with pytest.raises(TypeError, match=match):
        define()


def test_a_forward_that_returns_nothing():
    nothing = ag.op.elementwise("nothing", lambda x: None, (lambda out, x: x,))
    with pytest.raises(TypeError, match=r"nothing.*NoneType"):
        nothing(ag.Tensor(1.0, requires_grad=True))


def test_a_rule_of_the_wrong_shape_is_named():
    wrong = ag.op.linear("wrong", lambda x: x, lambda c: np.ones(7))
    with pytest.raises(ValueError, match=r"wrong.*\(7,\).*\(3,\)"):
        ag.vjp(wrong, X)[1](X)


def test_products_that_give_back_an_operand_are_not_added_to():
    same = ag.op.bilinear(
        "same",
        lambda a, b: a if np.ndim(b) == 0 and float(b) == 1.0 else a * b,
        lambda c, b: c * b,
        lambda c, a: ag.sum(c * a),
    )
    spread = ag.op.bilinear(
        "spread",
        lambda a, b: np.broadcast_to(a * b, (3, 2)),
        lambda c, b: ag.sum(c, axis=0) * b,
        lambda c, a: ag.sum(c, axis=0) * a,
    )
    x, v = np.array([0.25, 0.75]), np.array([1.0, 2.0])
    tangent, other = ag.jvp(lambda a: (same(a, ag.sum(a)), a * 3.0), (x,), (v,))[1]
    np.testing.assert_array_equal(v, [1.0, 2.0])
    np.testing.assert_array_equal(tangent, [1.75, 4.25])
    np.testing.assert_array_equal(other, [3.0, 6.0])
    tangent = ag.jvp(lambda a: spread(a, a * a), (x,), (v,))[1]
    np.testing.assert_allclose(tangent, np.broadcast_to(3 * x**2 * v, (3, 2)))
