"""Part 1: gradient descent.

1. The proximal step: the w that minimises f(w_t) + <w - w_t, grad f(w_t)> + (lambda/2) |w - w_t|^2
   is w_t - grad f(w_t) / lambda, so a step of gradient descent with eta = 1 / lambda.
2. The bound: for convex, rho-Lipschitz f with |w*| <= B, the mean iterate of T steps from 0 with
   eta = sqrt(B^2 / (rho^2 T)) is within B rho / sqrt(T) of the optimum.
3. Stochastic gradient descent on f(w) = ((w - 2)^2 + (w + 1)^2) / 2 leaves the optimum w = 1/2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import autograd as ag
from examples.homework.command_line import homework_parser, new_figure, save_figure

Array = np.ndarray[Any, np.dtype[np.float64]]
Function = Callable[[Any], Any]


def proximal_step(f: Function, w: Array, weight: float) -> Array:
    """The minimiser of the linearised f plus (weight / 2) |w - w_t|^2, found by Newton's method.

    The model is quadratic, so one Newton step from anywhere finds its minimiser.
    """
    value, slope = ag.value_and_grad(f)(w)

    def model(candidate: Any) -> Any:
        step = candidate - w
        return value + ag.sum(step * slope) + 0.5 * weight * ag.sum(step * step)

    anywhere = np.zeros_like(w)
    curvature = ag.hessian(model)(anywhere)
    step: Array = np.linalg.solve(curvature, ag.grad(model)(anywhere))
    return anywhere - step


def gradient_step(f: Function, w: Array, rate: float) -> Array:
    lower: Array = w - rate * ag.grad(f)(w)
    return lower


@dataclass(frozen=True)
class Problem:
    """A convex function with Lipschitz constant `slope` and a minimiser inside `radius`."""

    name: str
    f: Function
    slope: float
    radius: float
    lowest: float
    size: int

    def bound(self, steps: int) -> float:
        return float(self.radius * self.slope / np.sqrt(steps))


def absolute_regression(rng: np.random.Generator, rows: int = 60, size: int = 10) -> Problem:
    """f(w) = mean |A w - b| with b = A w*, so that the lowest value is 0; rho = mean |a_i|."""
    matrix = rng.standard_normal((rows, size))
    minimiser = rng.standard_normal(size)
    targets = matrix @ minimiser
    return Problem(
        name="mean |A w - b|",
        f=lambda w: ag.mean(ag.absolute(matrix @ w - targets)),
        slope=float(np.mean(np.linalg.norm(matrix, axis=1))),
        radius=float(np.linalg.norm(minimiser)),
        lowest=0.0,
        size=size,
    )


def distance_to_one() -> Problem:
    """f(w) = |w - 1| from 0: the walk to the minimiser alone costs half of the bound."""
    return Problem("|w - 1|", lambda w: ag.sum(ag.absolute(w - 1.0)), 1.0, 1.0, 0.0, 1)


def measured_gap(problem: Problem, steps: int) -> float:
    """f(mean iterate) - f(w*) after gradient descent from 0 with the step of the theorem."""
    rate = problem.radius / (problem.slope * np.sqrt(steps))
    slope_of_f = ag.grad(problem.f)
    w = np.zeros(problem.size)
    total = np.zeros(problem.size)
    for _ in range(steps):
        total += w
        w = w - rate * slope_of_f(w)
    return float(problem.f(total / steps)) - problem.lowest


def leaving_terms() -> tuple[Function, Function]:
    """The two terms of f(w) = ((w - 2)^2 + (w + 1)^2) / 2; their sum has its minimum at 1/2."""
    return (lambda w: (w - 2.0) ** 2 / 2.0, lambda w: (w + 1.0) ** 2 / 2.0)


def stochastic_path(rate: float, steps: int, rng: np.random.Generator) -> list[float]:
    """Iterates of SGD started at the optimum, with one of the two terms drawn at each step."""
    slopes = [ag.grad(term) for term in leaving_terms()]
    path = [0.5]
    for _ in range(steps):
        path.append(path[-1] - rate * float(slopes[rng.integers(2)](path[-1])))
    return path


def draw_gaps(
    problems: Sequence[Problem], horizons: Sequence[int], gaps: Sequence[Sequence[float]], out: Path
) -> Path:
    figure = new_figure(4.6 * len(problems), 3.8)
    axes = figure.subplots(1, len(problems), squeeze=False)[0]
    for axis, problem, measured in zip(axes, problems, gaps, strict=True):
        axis.loglog(horizons, [problem.bound(steps) for steps in horizons], "k--", label="bound")
        axis.loglog(horizons, measured, "o-", color="#0072b2", label="measured gap")
        axis.set_title(f"f(w) = {problem.name}")
        axis.set_xlabel("steps T")
        axis.set_ylabel("f(mean iterate) - f(w*)")
        axis.grid(alpha=0.3, which="both")
        axis.legend()
    return save_figure(figure, out, "part1_bound")


def draw_paths(paths: dict[float, list[float]], out: Path) -> Path:
    figure = new_figure(6.4, 3.6)
    axis = figure.subplots()
    styles = ("-", "--", ":", "-.")
    for style, (rate, path) in zip(styles, paths.items(), strict=False):
        axis.plot(path, style, label=f"step size {rate:g}")
    axis.axhline(0.5, color="black", linewidth=0.8)
    axis.annotate("optimum", (0, 0.5), (2, -4), textcoords="offset points", va="top")
    axis.set_xlabel("steps of SGD from the optimum")
    axis.set_ylabel("w")
    axis.legend(loc="upper left", ncols=3)
    axis.set_ylim(-1.3, 2.6)
    return save_figure(figure, out, "part1_sgd")


def show_proximal_step(rng: np.random.Generator) -> None:
    print("1. Proximal step on f(w) = sum log(1 + exp(A w)), lambda = 4")
    matrix = rng.standard_normal((6, 3))
    w = rng.standard_normal(3)

    def f(point: Any) -> Any:
        return ag.sum(ag.softplus(matrix @ point))

    minimiser = proximal_step(f, w, 4.0)
    print(f"   minimiser of the model:   {minimiser}")
    print(f"   w - grad f(w) / 4:        {gradient_step(f, w, 0.25)}")
    print(f"   largest difference:       {np.abs(minimiser - gradient_step(f, w, 0.25)).max():.1e}")


def show_bound(rng: np.random.Generator, longest: int, out: Path) -> None:
    problems = (absolute_regression(rng), distance_to_one())
    horizons = [steps for steps in (1, 4, 16, 64, 256, 1024, 4096) if steps <= longest]
    gaps = [[measured_gap(problem, steps) for steps in horizons] for problem in problems]
    print("2. The gap of the mean iterate, against B rho / sqrt(T)")
    for problem, measured in zip(problems, gaps, strict=True):
        print(f"   f(w) = {problem.name}, rho = {problem.slope:.3f}, B = {problem.radius:.3f}")
        for steps, gap in zip(horizons, measured, strict=True):
            print(f"   T = {steps:>5}   gap {gap:10.6f}   bound {problem.bound(steps):10.6f}")
    draw_gaps(problems, horizons, gaps, out)


def show_leaving(rng: np.random.Generator, steps: int, out: Path) -> None:
    slopes = [float(ag.grad(term)(0.5)) for term in leaving_terms()]
    print("3. SGD on ((w - 2)^2 + (w + 1)^2) / 2, started at the optimum w = 1/2")
    print(f"   gradients of the terms there: {slopes}, their sum {sum(slopes)}")
    paths = {rate: stochastic_path(rate, steps, rng) for rate in (0.01, 0.1, 0.5)}
    for rate, path in paths.items():
        away = np.abs(np.array(path[1:]) - 0.5)
        print(
            f"   step size {rate:<5g} |w - 1/2|: first step {away[0]:.3f}, mean {away.mean():.3f}"
        )
    draw_paths(paths, out)


def main(arguments: Sequence[str] | None = None) -> None:
    options = homework_parser("part1", __doc__, draws=True).parse_args(arguments)
    rng = np.random.default_rng(0)
    show_proximal_step(rng)
    show_bound(rng, 64 if options.smoke else 4096, options.out)
    show_leaving(rng, 20 if options.smoke else 200, options.out)


if __name__ == "__main__":
    main()
