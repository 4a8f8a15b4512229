"""Laws of calculus, on random programs: they hold for any right engine."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.testing import strategies

PROGRAMS = strategies.programs(5, inputs=1)
SEEDS = st.integers(0, 2**20)
CLOSE = {"rtol": 1e-9, "atol": 1e-10}


def forward(f):
    return lambda x: ag.jvp(f, (x,), (np.ones_like(x),))[1]


def reverse(f):
    return lambda x: ag.vjp(f, x)[1](np.ones_like(x))[0]


MODES = {"forward": forward, "reverse": reverse}
each_mode = pytest.mark.parametrize("d", MODES.values(), ids=MODES)


@each_mode
@given(PROGRAMS, PROGRAMS, SEEDS)
def test_linearity_product_quotient_and_chain_rule(d, f, g, seed):
    (x,) = strategies.inputs_of(f, (3,), seed)
    df, dg = d(f)(x), d(g)(x)
    np.testing.assert_allclose(d(lambda x: 2 * f(x) - 3 * g(x))(x), 2 * df - 3 * dg, **CLOSE)
    np.testing.assert_allclose(d(lambda x: f(x) * g(x))(x), df * g(x) + f(x) * dg, **CLOSE)
    np.testing.assert_allclose(d(lambda x: f(g(x)))(x), d(f)(g(x)) * dg, **CLOSE)
    square = 1 + g(x) ** 2
    quotient = (df * square - f(x) * 2 * g(x) * dg) / square**2
    np.testing.assert_allclose(d(lambda x: f(x) / (1 + g(x) ** 2))(x), quotient, **CLOSE)


@each_mode
@given(PROGRAMS, SEEDS)
def test_constants_and_outer_variables(d, f, seed):
    (x,) = strategies.inputs_of(f, (2,), seed)
    constant = f(x)
    np.testing.assert_array_equal(d(lambda y: constant + 0 * y)(x), np.zeros(2))
    outer = ag.Tensor(x, requires_grad=True)
    out = d(lambda y: f(outer) * y)(x)
    np.testing.assert_allclose(out.data, constant, **CLOSE)
    np.testing.assert_allclose(ag.pullback(ag.sum(out), outer).data, reverse(f)(x), **CLOSE)


@given(SEEDS, st.integers(1, 4), st.integers(1, 3))
def test_eulers_theorem(seed, degree, size):
    """<grad f(x), x> = k f(x) for a homogeneous f of degree k."""
    x = np.random.default_rng(seed).uniform(0.5, 2, size)

    def f(x):
        return ag.sum(x**degree) + ag.norm(x) ** degree

    assert float(ag.grad(f)(x) @ x) == pytest.approx(degree * float(f(x)), rel=1e-10)


@given(SEEDS)
def test_the_transpose_of_a_transpose_is_the_map(seed):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(3, 2))

    def linear(x):
        return ag.conv1d(ag.reshape(matrix @ x, (1, 1, 3)), np.ones((1, 1, 2)))

    x = rng.normal(size=2)
    out, transpose = ag.vjp(linear, x)
    _, again = ag.vjp(lambda c: transpose(c)[0], np.zeros_like(out))
    np.testing.assert_allclose(again(x)[0], linear(x), **CLOSE)


@given(SEEDS)
def test_an_inverse_function_has_the_inverse_jacobian(seed):
    x = np.random.default_rng(seed).uniform(-1, 1, 3)
    matrix = np.array([[2.0, 1.0, 0.0], [0.0, 2.0, 1.0], [0.5, 0.0, 2.0]])

    def there(x):
        return ag.sinh(matrix @ x)

    def back(y):
        return ag.linalg.solve(matrix, ag.arcsinh(y))

    product = ag.jacobian(back)(there(x)) @ ag.jacobian(there)(x)
    np.testing.assert_allclose(product, np.eye(3), atol=1e-9)


@pytest.mark.parametrize("order", list(itertools.product(MODES, repeat=3)), ids="-".join)
@given(PROGRAMS, SEEDS)
def test_every_mixture_of_three_modes_is_the_third_derivative(order, f, seed):
    (x,) = strategies.inputs_of(f, (), seed)
    a, b, c = (MODES[name] for name in order)
    expected = forward(forward(forward(f)))(x)
    np.testing.assert_allclose(a(b(c(f)))(x), expected, rtol=1e-8, atol=1e-8)


@given(PROGRAMS, SEEDS)
def test_jacobians_by_either_mode(f, seed):
    (x,) = strategies.inputs_of(f, (2, 2), seed)

    def mixed(x):
        return ag.matmul(f(x), x)

    np.testing.assert_allclose(
        ag.jacobian(mixed, mode="forward")(x), ag.jacobian(mixed, mode="reverse")(x), **CLOSE
    )
