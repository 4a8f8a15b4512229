"""Part 1: the proximal step, the bound on convex Lipschitz functions, and SGD at the optimum."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from examples.homework import part1


@given(
    seed=st.integers(0, 2**32 - 1), size=st.integers(1, 5), weight=st.sampled_from([0.1, 1.0, 30.0])
)
def test_the_proximal_step_is_a_gradient_step(seed: int, size: int, weight: float) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((4, size))
    w = rng.standard_normal(size)

    def f(point: Any) -> Any:
        return ag.sum(ag.softplus(matrix @ point))

    by_hand = w - matrix.T @ (1 / (1 + np.exp(-matrix @ w))) / weight
    np.testing.assert_allclose(part1.proximal_step(f, w, weight), by_hand, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(part1.gradient_step(f, w, 1 / weight), by_hand, rtol=1e-12)


@given(seed=st.integers(0, 2**32 - 1), steps=st.integers(1, 60))
def test_the_gap_is_within_the_bound(seed: int, steps: int) -> None:
    problem = part1.absolute_regression(np.random.default_rng(seed), rows=8, size=3)
    gap = part1.measured_gap(problem, steps)
    assert 0 <= gap <= problem.bound(steps)


@given(seed=st.integers(0, 2**32 - 1))
def test_the_slope_is_a_lipschitz_constant(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem = part1.absolute_regression(rng, rows=8, size=3)
    here, there = rng.standard_normal((2, 3))
    rise = abs(float(problem.f(here)) - float(problem.f(there)))
    assert rise <= problem.slope * np.linalg.norm(here - there) * (1 + 1e-12)


@pytest.mark.parametrize("steps", [1, 4, 64, 256])
def test_the_walk_to_the_minimiser_costs_half_of_the_bound(steps: int) -> None:
    # With eta = 1 / sqrt(T), exact in binary for these T, the iterates are 0, eta, ..., 1, 1, ...
    gap = part1.measured_gap(part1.distance_to_one(), steps)
    root = int(np.sqrt(steps))
    assert gap == pytest.approx((root + 1) / 2 / steps, rel=1e-9)


def test_sgd_leaves_the_optimum() -> None:
    slopes = [float(ag.grad(term)(0.5)) for term in part1.leaving_terms()]
    assert slopes == [-1.5, 1.5]
    path = part1.stochastic_path(0.1, 50, np.random.default_rng(1))
    assert path[0] == 0.5
    assert abs(path[1] - 0.5) == pytest.approx(0.15)
    # Each step moves w towards 2 or towards -1 by a tenth of the way.
    for before, after in itertools.pairwise(path):
        towards = [0.9 * before + 0.1 * target for target in (2.0, -1.0)]
        assert min(abs(after - target) for target in towards) < 1e-12


def test_smoke(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    part1.main(["--smoke", "--out", str(tmp_path)])
    said = capsys.readouterr().out
    assert "gradients of the terms there: [-1.5, 1.5], their sum 0.0" in said
    pictures = {path.name for path in tmp_path.iterdir()}
    assert pictures == {"part1_bound.png", "part1_sgd.png"}
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in pictures)
