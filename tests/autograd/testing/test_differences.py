"""Numerical derivatives and the estimates of their errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autograd.testing import differences

EPS = float(np.finfo(float).eps)

FUNCTIONS = {
    "cubic": (lambda x: x**3, lambda x: 3 * x**2),
    "sin": (np.sin, np.cos),
    "exp": (np.exp, np.exp),
    "reciprocal": (lambda x: 1 / x, lambda x: -1 / x**2),
    "linear": (lambda x: 3 * x, lambda x: 3 + 0 * x),
}


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
@given(
    st.lists(st.floats(0.5, 3.0), min_size=1, max_size=4),
    st.sampled_from(["central", "forward", "backward"]),
)
def test_the_error_is_no_larger_than_estimated(name, point, kind):
    f, slope = FUNCTIONS[name]
    x = np.array(point)
    direction = np.linspace(1.0, 2.0, len(point))
    if kind == "central":
        found = differences.central(f, x, direction, 2.0**-4, EPS)
    else:
        side = 1 if kind == "forward" else -1
        found = differences.one_sided(f, x, direction, 2.0**-4, EPS, side)
    expected = slope(x) * direction
    assert np.all(abs(found.value - expected) <= found.error + 4 * EPS * abs(expected))
    assert np.all(found.error <= (1e-9 if kind == "central" else 1e-6) * (1 + abs(expected)))


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
@given(st.floats(0.5, 3.0))
@example(1.5703125)
def test_all_steps_would_give_the_same(name, point):
    """Evaluation ends when no smaller step can be nearer, and only then."""
    f, _ = FUNCTIONS[name]
    x, direction = np.array([point]), np.ones(1)
    scale = float(abs(f(x)[0]))  # for both: next to a NaN no other size is seen
    estimate = differences.central(f, x, direction, 2.0**-4, EPS, scale=scale)
    never_satisfied = np.array([np.nan])
    padded = differences.central(
        lambda x: np.append(f(x[:1]), never_satisfied),
        np.append(x, 0.0),
        np.append(direction, 0.0),
        2.0**-4,
        EPS,
        scale=scale,
    )
    assert padded.value[0] == pytest.approx(estimate.value[0], rel=1e-12, abs=1e-12)
    assert padded.error[0] <= estimate.error[0] * (1 + 1e-6)
    assert padded.error[0] >= estimate.error[0] / 2


def test_a_straight_line_needs_two_steps_and_a_kink_all():
    def count(f):
        calls = []
        differences.central(
            lambda x: calls.append(0) or f(x), np.array([0.3]), np.ones(1), 2.0**-4, EPS
        )
        return len(calls)

    assert count(lambda x: 2 * x) == 4
    assert 4 < count(np.exp) < 2 * differences.LEVELS
    assert count(lambda x: np.where(x > 0.301, 1.0, 0.0) * x) == 2 * differences.LEVELS
