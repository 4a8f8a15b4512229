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


def remainder(f, x, slope, relative=2.0**-4, dtype=float, direction=0.77):
    """`remainder_slope` of an elementwise f at one point along one direction."""
    x, v = (np.array([value], dtype).astype(float) for value in (x, direction))
    eps = float(np.finfo(dtype).eps)
    step = differences.first_step(x, v, relative, eps)

    def given(z):
        return np.asarray(f(z.astype(dtype)), float)

    scale = float(abs(given(x)[0]))
    return differences.remainder_slope(given, x, v, slope * v, step, eps, scale)


POINTS = np.linspace(0.1, 30.0, 61)


def cancelling(dtype):
    """A line whose terms are ten thousand times its value, and its slope."""
    a, b = dtype(1.3), dtype(1.2999)
    return (lambda x: a * x - b * x), float(a) - float(b)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("relative", differences.STEPS)
def test_remainders_under_measured_rounding_say_nothing(dtype, relative):
    f, slope = cancelling(dtype)
    falls = [remainder(f, x, slope, relative, dtype) for x in POINTS]
    assert all(fall is None or fall >= differences.SLOWEST_FALL for fall in falls)
    assert falls.count(None) >= 0.8 * len(falls)


@pytest.mark.parametrize("relative", differences.STEPS)
@pytest.mark.parametrize("error", [1.0, 1e-1, 1e-2, 1e-3, 1e-4])
def test_wrong_slopes_of_cancelling_lines_are_found(relative, error):
    f, slope = cancelling(np.float64)
    for x in POINTS:
        assert remainder(f, x, slope * (1 + error), relative) == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize(
    ("dtype", "relative", "smallest"),
    [
        (np.float64, differences.STEPS[0], 1e-10),
        (np.float64, differences.STEPS[1], 1e-8),
        (np.float64, differences.STEPS[2], 1e-7),
        (np.float32, differences.STEPS[0], 0.05),
        (np.float32, differences.STEPS[2], 0.05),
    ],
)
def test_wrong_slopes_of_lines_are_found_as_far_as_without_measuring(dtype, relative, smallest):
    for error in (smallest, 30 * smallest, -1.0, 1.0, 1e6):
        for x in POINTS:
            fall = remainder(lambda x: dtype(3) * x, x, 3 * (1 + error), relative, dtype)
            assert fall == pytest.approx(1.0, abs=0.3)


@pytest.mark.parametrize(("name", "error"), [("sin", 2e-3), ("exp", 1e-3), ("reciprocal", 3e-3)])
def test_wrong_slopes_of_curves_are_found(name, error):
    f, slope = FUNCTIONS[name]
    for x in np.linspace(0.5, 1.2, 15):
        assert remainder(f, x, slope(x) * (1 + error), differences.STEPS[2]) < 1.2
        assert remainder(f, x, slope(x), differences.STEPS[2]) > 1.9


@pytest.mark.parametrize(
    ("f", "x", "slope", "fall"),
    [
        (lambda x: abs(x) ** 0.01, 0.0, 0.0, 0.01),
        (lambda x: abs(x) ** 0.5, 0.0, 0.0, 0.5),
        (np.abs, 0.0, 0.0, 1.0),
        (lambda x: x + 1e-3 * (x > 1.3), 1.3, 1.0, 0.0),
        (lambda x: 1e12 * x, 1.3, 0.0, 1.0),
    ],
)
def test_cusps_kinks_jumps_and_steep_slopes_are_no_rounding(f, x, slope, fall):
    assert remainder(f, x, slope) == pytest.approx(fall, abs=1e-3)


def test_noise_is_rounding_and_neither_slope_nor_curvature():
    v = np.ones(1)

    def noise(f, x=1.3):
        return differences.noise(f, np.array([x]), v, 2.0**-4, EPS)

    assert 0.1 * EPS < noise(lambda x: 1.3 * x - 1.2999 * x) < 8 * EPS
    assert noise(lambda x: (x + 1e6) - 1e6) <= 4e6 * EPS
    assert noise(lambda x: 1024.0 * x) <= 4 * 1024 * EPS
    assert noise(lambda x: x * x, x=0.0) < 1e-2 * EPS
    assert noise(lambda x: np.where(x < 1.3, 0.0, np.nan)) == 0.0


def test_only_rounding_is_taken_for_rounding():
    """Entry by entry; neither what is too large for it nor what is another the next time."""
    x, v = np.array([1.3, 0.7]), np.array([0.9, -1.1])
    rng = np.random.default_rng(0)

    def rounded(terms):
        return lambda x: np.array([terms * x[0] - (terms - 1.0) * x[0], 0.5 * x[1]])

    found = differences.noise(rounded(16.0), x, v, 0.05, EPS)
    assert 2 * EPS < found[0] < 64 * EPS
    assert found[1] < EPS
    assert differences.noise(rounded(1e4), x, v, 0.05, EPS)[0] == 0.0
    drawn = differences.noise(lambda x: x + 1e-16 * rng.normal(size=2), x, v, 0.05, EPS)
    assert np.all(drawn == 0.0)
