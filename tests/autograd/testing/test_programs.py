"""Random programs: readable, and differentiated as a naive engine that sums over paths does."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.errors import NonInteractiveExampleWarning

import autograd as ag
from autograd.testing import check_grads, strategies
from tests.oracles import path_sum


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def slope_of_quotient(y):
    return -(1 - math.tanh(y) ** 2) / (1.5 + math.tanh(y)) ** 2


# Value and partial derivatives of each operation, written with the standard library's mathematics.
RULES = {
    "sin": lambda x: (math.sin(x), (math.cos(x),)),
    "cos": lambda x: (math.cos(x), (-math.sin(x),)),
    "tanh": lambda x: (math.tanh(x), (1 - math.tanh(x) ** 2,)),
    "arctan": lambda x: (math.atan(x), (1 / (1 + x * x),)),
    "sigmoid": lambda x: (sigmoid(x), (sigmoid(x) * sigmoid(-x),)),
    "softplus": lambda x: (math.log1p(math.exp(x)), (sigmoid(x),)),
    "negative": lambda x: (-x, (-1.0,)),
    "expm1_of_tanh": lambda x: (
        math.expm1(math.tanh(x)),
        (math.exp(math.tanh(x)) * (1 - math.tanh(x) ** 2),),
    ),
    "add": lambda x, y: (x + y, (1.0, 1.0)),
    "subtract": lambda x, y: (x - y, (1.0, -1.0)),
    "multiply": lambda x, y: (x * math.tanh(y), (math.tanh(y), x * (1 - math.tanh(y) ** 2))),
    "divide_safely": lambda x, y: (
        x / (1.5 + math.tanh(y)),
        (1 / (1.5 + math.tanh(y)), x * slope_of_quotient(y)),
    ),
    "hypot_safely": lambda x, y: (
        math.sqrt(1 + x * x + y * y),
        (x / math.sqrt(1 + x * x + y * y), y / math.sqrt(1 + x * x + y * y)),
    ),
}


def naive(program, inputs):
    """Values and the partials of every step, then the sum over all paths: no topological order."""
    values, partials = list(inputs), [[] for _ in inputs]
    for step in program.steps:
        value, slopes = RULES[step.operation](*(values[i] for i in step.operands))
        values.append(value)
        partials.append(list(zip(step.operands, slopes, strict=True)))
    last = len(values) - 1
    return values[-1], [path_sum(partials, last, i) for i in range(program.inputs)]


@given(strategies.programs(7), st.integers(0, 2**20))
def test_gradients_are_the_sums_over_all_paths(program, seed):
    inputs = [float(x) for x in strategies.inputs_of(program, (), seed)]
    value, slopes = naive(program, inputs)
    leaves = [ag.Tensor(x, requires_grad=True) for x in inputs]
    out = program(*leaves)
    assert out.item() == pytest.approx(value, rel=1e-12, abs=1e-12)
    forward = [out.jvp({leaf: 1.0}).item() for leaf in leaves]
    gradients = ag.pullback(out, leaves)
    np.testing.assert_allclose([g.item() for g in gradients], slopes, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(forward, slopes, rtol=1e-9, atol=1e-11)


@given(strategies.programs(5), st.integers(0, 2**20))
def test_second_order_of_programs_on_arrays(program, seed):
    inputs = strategies.inputs_of(program, (2, 2), seed)
    assert check_grads(program, *inputs, seed=seed).verdict == "right"


@given(strategies.programs(6), st.integers(0, 2**20))
def test_the_printed_source_is_the_program(program, seed):
    inputs = strategies.inputs_of(program, (3,), seed)
    space = {"ag": ag}
    exec(program.source(), space)
    np.testing.assert_array_equal(space["program"](*inputs), program(*inputs))
    assert program.source() in repr(program)


@given(strategies.programs(4), st.integers(0, 2**20))
def test_hessians_are_symmetric_and_products_agree_in_every_mixture(program, seed):
    point = np.array(strategies.inputs_of(program, (), seed))

    def f(x):
        return program(x[0], x[1])

    v = np.random.default_rng(seed).normal(size=2)
    hessian = ag.hessian(f)(point)
    np.testing.assert_allclose(hessian, hessian.T, rtol=1e-9, atol=1e-10)

    def pushed(x):
        return ag.jvp(f, (x,), (v,))[1]

    mixtures = [
        ag.hvp(f, point, v),
        ag.jvp(ag.grad(f), (point,), (v,))[1],
        ag.grad(pushed)(point),
        ag.grad(lambda x: ag.sum(ag.grad(f)(x) * v))(point),
    ]
    for product in mixtures:
        np.testing.assert_allclose(product, hessian @ v, rtol=1e-8, atol=1e-9)


def test_unknown_operations_and_wrong_counts_are_refused():
    with pytest.raises(ValueError, match="no such"):
        strategies.programs(3, ops=("no such",))
    with pytest.warns(NonInteractiveExampleWarning):
        program = strategies.programs(3).example()
    with pytest.raises(ValueError, match="2 inputs"):
        program(1.0)
