"""Both sweeps against a naive engine that sums over paths, on random graphs."""

from __future__ import annotations

import itertools
import math
import operator as python_operators

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from tests.oracles import path_sum

UNARY = {
    "sin": (math.sin, lambda x: math.cos(x), ag.sin),
    "tanh": (math.tanh, lambda x: 1 - math.tanh(x) ** 2, ag.tanh),
    "half": (lambda x: 0.5 * x, lambda x: 0.5, lambda t: t * 0.5),
    "arctan": (math.atan, lambda x: 1 / (1 + x * x), ag.arctan),
}
BINARY = {
    "add": (lambda x, y: x + y, lambda x, y: (1.0, 1.0), lambda a, b: a + b),
    "sub": (lambda x, y: x - y, lambda x, y: (1.0, -1.0), lambda a, b: a - b),
    "mul": (lambda x, y: x * y, lambda x, y: (y, x), lambda a, b: a * b),
    "hypot1": (
        lambda x, y: math.sqrt(1 + x * x + y * y),
        lambda x, y: (x / math.sqrt(1 + x * x + y * y), y / math.sqrt(1 + x * x + y * y)),
        lambda a, b: ag.sqrt(1 + a * a + b * b),
    ),
}


@st.composite
def programs(draw):
    leaves = draw(st.lists(st.floats(-1, 1).map(lambda v: round(v, 2)), min_size=1, max_size=3))
    count = draw(st.integers(1, 8))
    steps = []
    for index in range(count):
        below = st.integers(0, len(leaves) + index - 1)
        if draw(st.booleans()):
            steps.append((draw(st.sampled_from(sorted(UNARY))), draw(below)))
        else:
            steps.append((draw(st.sampled_from(sorted(BINARY))), draw(below), draw(below)))
    return leaves, steps


def naive(leaves, steps):
    values, partials = list(leaves), [[] for _ in leaves]
    for step in steps:
        if len(step) == 2:
            f, slope, _ = UNARY[step[0]]
            x = values[step[1]]
            values.append(f(x))
            partials.append([(step[1], slope(x))])
        else:
            f, slopes, _ = BINARY[step[0]]
            x, y = values[step[1]], values[step[2]]
            values.append(f(x, y))
            partials.append(list(zip(step[1:], slopes(x, y), strict=True)))
    return values, partials


def recorded(leaves, steps):
    tensors = list(leaves)
    for step in steps:
        table = UNARY if len(step) == 2 else BINARY
        tensors.append(table[step[0]][2](*(tensors[i] for i in step[1:])))
    return tensors


@given(programs())
def test_both_sweeps_equal_the_sum_over_paths(program):
    leaves, steps = program
    values, partials = naive(leaves, steps)
    inputs = [ag.Tensor(value, requires_grad=True) for value in leaves]
    tensors = recorded(inputs, steps)
    out = tensors[-1]
    np.testing.assert_allclose(out.data, values[-1], rtol=1e-13, atol=1e-13)
    expected = [path_sum(partials, len(values) - 1, i) for i in range(len(leaves))]
    for leaf, slope in zip(inputs, expected, strict=True):
        assert float(out.jvp({leaf: 1.0})) == pytest.approx(slope, rel=1e-11, abs=1e-11)
    out.backward(3.0)
    for leaf, slope in zip(inputs, expected, strict=True):
        got = 0.0 if leaf.grad is None else leaf.grad.item()
        assert got == pytest.approx(3.0 * slope, rel=1e-11, abs=1e-11)


@given(programs(), st.data())
def test_intermediate_inputs(program, data):
    leaves, steps = program
    values, partials = naive(leaves, steps)
    inputs = [ag.Tensor(value, requires_grad=True) for value in leaves]
    tensors = recorded(inputs, steps)
    middle = data.draw(st.integers(0, len(tensors) - 1))
    slope = path_sum(partials, len(values) - 1, middle)
    assert ag.pullback(tensors[-1], tensors[middle]).item() == pytest.approx(slope, abs=1e-11)
    pushed = ag.pushforward(tensors[-1], tensors[middle], 1.0)
    assert pushed.item() == pytest.approx(slope, abs=1e-11)


@given(programs())
def test_second_order_is_the_same_in_all_four_compositions(program):
    leaves, steps = program

    def f(x):
        return recorded([x, *leaves[1:]], steps)[-1]

    def reverse(g):
        return ag.grad(g)

    def forward(g):
        return lambda x: ag.jvp(g, (x,), (1.0,))[1]

    def is_constant():
        return not isinstance(f(ag.Tensor(leaves[0], requires_grad=True)), ag.Tensor)

    if is_constant():
        return
    results = [
        float(outer(inner(f))(leaves[0]))
        for outer in (reverse, forward)
        for inner in (reverse, forward)
    ]
    h = 1e-4
    slopes = [
        path_sum(naive([leaves[0] + t, *leaves[1:]], steps)[1], len(leaves) + len(steps) - 1, 0)
        for t in (-2 * h, -h, h, 2 * h)
    ]
    expected = (slopes[0] - 8 * slopes[1] + 8 * slopes[2] - slopes[3]) / (12 * h)
    for result in results:
        assert result == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_several_outputs_add_up():
    x = ag.Tensor(2.0, requires_grad=True)
    y, z = x * x, x * 3.0
    assert ag.pullback([y, z], x, [1.0, 10.0]).item() == 34.0
    both = ag.pushforward([y, z], x, 1.0)
    assert [t.item() for t in both] == [4.0, 3.0]


def test_a_seed_adds_to_what_arrives():
    x = ag.Tensor(2.0, requires_grad=True)
    y = x * 5.0
    z = y * y
    assert ag.pushforward(z, [x, y], [1.0, 1.0]).item() == 2 * 10.0 * (5.0 + 1.0)


def test_an_input_the_output_does_not_depend_on_gets_zeros():
    x = ag.Tensor([1.0, 2.0], requires_grad=True)
    y = ag.Tensor(3.0, requires_grad=True)
    assert np.array_equal(ag.pullback(y * y, x).data, [0.0, 0.0])
    assert ag.pushforward(y * y, x, [1.0, 1.0]).item() == 0.0


def test_constant_and_recorded_cotangents_add_in_any_order():
    """Two constant contributions make an array of the sweep's own; a recorded one may follow."""
    terms = [lambda x: x * 2.0, lambda x: x * 3.0, ag.sin, lambda x: x * x]
    x = np.array([0.5, -1.0])
    for order in itertools.permutations(terms):

        def f(x, order=order):
            first, second, third, fourth = (term(x) for term in order)
            return ag.sum(first + (second + (third + fourth)))

        np.testing.assert_allclose(ag.grad(f)(x), 5.0 + np.cos(x) + 2 * x, rtol=1e-14)
        np.testing.assert_allclose(ag.hessian(f)(x), np.diag(2.0 - np.sin(x)), rtol=1e-14)


@pytest.mark.parametrize("operator", ["add", "sub", "mul", "truediv", "pow", "mod"])
def test_two_tracked_scalars_by_every_operator(operator):
    """Whether or not the operation has a rule for both cotangents at once."""
    f = getattr(python_operators, operator)
    values = (3.0, 2.0)
    x, y = (ag.Tensor(value, requires_grad=True) for value in values)
    pulled = [float(t.data) for t in ag.pullback(f(x, y), [x, y])]
    pushed = [f(x, y).jvp({leaf: 1.0}).item() for leaf in (x, y)]
    step = 1e-6
    expected = [
        (f(3.0 + step, 2.0) - f(3.0 - step, 2.0)) / (2 * step),
        (f(3.0, 2.0 + step) - f(3.0, 2.0 - step)) / (2 * step),
    ]
    np.testing.assert_allclose(pulled, expected, rtol=1e-7)
    np.testing.assert_allclose(pushed, expected, rtol=1e-7)
    assert f(x, y).node.inputs == (x.node, y.node)
