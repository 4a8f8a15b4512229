"""Partials evaluated on an array and its tangent at once, against differences and the record."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import autograd as ag
from autograd.families import Elementwise
from autograd.families.duals import Dual

VALUES = arrays.arrays(float, 3, elements=st.floats(0.25, 2.0))

EXPRESSIONS = {
    "operators": lambda x: -(2.0 * x - x / 3.0) * x**3 + 1.0 / x,
    "an array on the left": lambda x: np.array([1.0, 2.0, 3.0]) * x - np.ones(3),
    "NumPy's functions": lambda x: np.exp(-x) * np.sqrt(x) + np.square(np.sin(x)),
    "operations": lambda x: ag.tanh(ag.multiply(x, x)) - ag.log(x),
    "a constant": lambda x: np.floor_divide(x, 100.0) * x,
}


@pytest.mark.parametrize("name", sorted(EXPRESSIONS))
@given(x=VALUES, dx=VALUES)
@example(x=np.full(3, 0.9004701055121253), dx=np.ones(3))  # terms of 1.1 that leave 0.01
def test_the_tangent_is_that_of_five_points(name, x, dx):
    f = EXPRESSIONS[name]
    found = f(Dual(x, dx))
    h = 1e-3
    slope = (8 * (f(x + h * dx) - f(x - h * dx)) - (f(x + 2 * h * dx) - f(x - 2 * h * dx))) / 12
    np.testing.assert_allclose(found.value, f(x), rtol=1e-14, atol=1e-15)  # of terms of 1 or so
    np.testing.assert_allclose(np.broadcast_to(found.tangent, 3), slope / h, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "use",
    [
        bool,
        np.asarray,
        np.sum,
        lambda x: np.where(x, 1.0, 2.0),
        lambda x: x == 1.0,
        lambda x: x < 1.0,
        lambda x: np.exp(x, out=np.ones(3)),
        lambda x: np.add.reduce(x),
        lambda x: x.shape,
        lambda x: x[0],
    ],
)
def test_nothing_else_can_be_done_with_one(use):
    """It would lose the tangent; what is computed is recorded instead."""
    with pytest.raises((TypeError, AttributeError)):
        use(Dual(np.ones(3), np.ones(3)))


def test_without_a_tangent_left_there_is_none():
    assert isinstance(ag.floor_divide(Dual(np.ones(2), np.ones(2)), 2.0), np.ndarray)


def recorded_partials(function, *given):
    """What an operation has found out of its partials in a Hessian-vector product."""
    ag.hvp(lambda args: ag.sum(function(*args)), given, tuple(np.ones_like(x) for x in given))
    op = function(*(ag.Tensor(x, requires_grad=True) for x in given))._node.op
    assert isinstance(op, Elementwise)
    return op._recorded


def test_most_partials_need_no_record():
    x = np.array([0.5, 1.5])
    for function in (ag.tanh, ag.exp, ag.log, ag.sin, ag.sqrt, ag.sigmoid, ag.square):
        assert not recorded_partials(function, x), function.__name__
    for function in (ag.multiply, ag.divide):
        assert not recorded_partials(function, x, x + 1.0), function.__name__


def test_others_are_found_out_and_recorded():
    x, y = np.array([0.5, 1.5]), np.array([2.0, 0.25])
    assert recorded_partials(ag.logaddexp, x, y) == {0, 1}
    got = ag.hvp(lambda pair: ag.sum(ag.logaddexp(*pair)), (x, y), (y, x))
    share = 1.0 / (1.0 + np.exp(y - x))
    np.testing.assert_allclose(got[0], share * (1.0 - share) * (y - x), rtol=1e-12)
    np.testing.assert_allclose(got[1], -got[0], rtol=1e-12)


def test_functions_of_users_are_given_arrays_and_tensors_only():
    seen = []

    def partial(out, x):
        seen.append(type(x))
        return 2.0 * x

    square = ag.op.elementwise("own_square", lambda x: x * x, (partial,))
    x = np.array([1.0, 3.0])
    assert ag.hvp(lambda x: ag.sum(square(x) * x), x, np.ones(2)).tolist() == [6.0, 18.0]
    assert seen
    assert set(seen) <= {np.ndarray, ag.Tensor}
