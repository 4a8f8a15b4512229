"""Derivatives by differences, each with an estimate of its own error.

The functions here take flat vectors to flat vectors on plain arrays and know nothing of the
engine.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Vector = Any
FlatFunction = Callable[[Vector], Vector]

LEVELS = 7
STEPS = (2.0**-4, 2.0**-9, 2.0**-14)
"""Largest steps of the tableaus tried, relative to the point: later ones reach less far."""
MOST_TERMS = 64
"""The rounding of more numbers of the argument's size is not taken for rounding."""
SLOWEST_FALL = 1.2
"""A remainder that falls as a smaller power of the step is not a right derivative's."""


@dataclass(frozen=True)
class Estimate:
    """A numerical derivative, entry by entry, with its error estimate and the reach of its step."""

    value: Vector
    error: Vector
    reach: float


def first_step(x: Vector, direction: Vector, relative: float, eps: float) -> float:
    """A step along `direction` that moves `x` by about `relative`, larger for coarse dtypes."""
    size = float(np.max(np.abs(direction), initial=0.0))
    if size == 0.0:
        return relative
    coarse = max(relative, 4.0 * float(eps) ** 0.25)
    reach = max(1.0, 0.1 * float(np.max(np.abs(x), initial=0.0)))
    return float(coarse * reach / size)


def central(
    f: FlatFunction, x: Vector, direction: Vector, step: float, eps: float, scale: float = 0.0
) -> Estimate:
    """Extrapolated central differences (Ridders, Adv. Eng. Software 4, 1982).

    The tableau halves the step; the error of an entry is its distance from its neighbours, plus
    the rounding of the function's values over the step. `scale` is the size of what the function
    sums: a value that cancelled keeps the rounding of its terms.
    """
    return _tableau(
        lambda h: (f(x + h * direction), f(x - h * direction)), lambda h: 2 * h, step, eps, 2, scale
    )


def one_sided(
    f: FlatFunction, x: Vector, direction: Vector, step: float, eps: float, side: int
) -> Estimate:
    """The derivative from one side: extrapolated forward (+1) or backward (-1) differences."""
    here = f(x)
    return _tableau(lambda h: (f(x + side * h * direction), here), lambda h: side * h, step, eps, 1)


def _tableau(
    pair: Callable[[float], tuple[Vector, Vector]],
    width: Callable[[float], float],
    step: float,
    eps: float,
    order: int,
    scale: float = 0.0,
) -> Estimate:
    rows: list[list[Vector]] = []
    best: Vector = None
    error: Vector = None
    for level in range(LEVELS):
        h = step * 0.5**level
        high, low = pair(h)
        with np.errstate(all="ignore"):
            row = [(high - low) / width(h)]
            # Neighbours may agree by chance to less than the largest entry's rounding.
            largest = max(scale, _largest(high), _largest(low))
            floor = 4 * eps * largest / h
            for k in range(level):
                weight = 2.0 ** (order * (k + 1)) if order == 2 else 2.0 ** (k + 1)
                row.append((weight * row[k] - rows[-1][k]) / (weight - 1))
            if level == 0:
                best, error = row[0], np.full(np.shape(row[0]), np.inf)
            else:
                for k in range(1, len(row)):
                    distance = np.maximum(
                        np.abs(row[k] - row[k - 1]), np.abs(row[k] - rows[-1][k - 1])
                    )
                    estimate = distance + 2.0 * floor
                    better = estimate < error
                    best = np.where(better, row[k], best)
                    error = np.where(better, estimate, error)
                if np.all(error <= 4.0 * floor):
                    break  # half the step has twice the rounding: it could not be nearer
        rows.append(row)
    return Estimate(best, error, step)


def _largest(values: Vector) -> float:
    size = float(np.max(np.abs(values), initial=0.0))
    return size if np.isfinite(size) else 0.0


def complex_step(f: FlatFunction, x: Vector, direction: Vector) -> Estimate:
    """Im f(x + i h v) / h, exact to rounding for analytic f (Squire & Trapp, 1998)."""
    step = 1e-100
    value = np.imag(f(x + 1j * step * direction)) / step
    return Estimate(value, 64 * np.finfo(float).eps * np.abs(value), 0.0)


def jump(f: FlatFunction, x: Vector, direction: Vector, eps: float) -> bool:
    """Whether `f` seems to jump at `x`: its change over a shrinking interval does not shrink."""
    scale = first_step(x, direction, 1.0, 0.0)
    wide, narrow = (
        float(np.max(np.abs(f(x + h * direction) - f(x - h * direction)), initial=0.0))
        for h in (scale * 2.0**-10, scale * 2.0**-20)
    )
    size = float(np.max(np.abs(f(x)), initial=0.0))
    return narrow > 1e3 * eps * size and narrow > 0.25 * wide


def remainder_slope(
    f: FlatFunction,
    x: Vector,
    direction: Vector,
    slope: Vector,
    step: float,
    eps: float,
    scale: float,
) -> float | None:
    """How fast |f(x + h v) - f(x) - h slope| falls with h; None where it is under rounding.

    For a right derivative the remainder falls as h^2 (Taylor); for a wrong one as h. `scale` is
    the size of what `f` sums, which its value may hide by cancelling: where the remainder falls
    slowly, the rounding is measured too.
    """
    here = f(x)
    steepest = float(np.max(np.abs(slope), initial=0.0))
    reach = float(np.max(np.abs(x), initial=0.0)) / max(
        float(np.max(np.abs(direction), initial=0.0)), 1e-300
    )
    floor = 256 * eps * (scale + steepest * (reach + step))
    sizes = []
    for level in range(4):
        h = step * 0.25**level
        there = f(x + h * direction)
        rest = float(np.max(np.abs(there - here - h * slope), initial=0.0))
        if not np.isfinite(rest):
            continue
        sizes.append(rest)
    fall = _steepest_fall(sizes, floor)
    if fall is not None and fall < SLOWEST_FALL:
        measured = noise(f, x, direction, step, eps)
        fall = _steepest_fall(sizes, max(floor, 2.0 * float(np.max(measured, initial=0.0))))
    return fall


def _steepest_fall(sizes: list[float], floor: float) -> float | None:
    falls = [
        float(np.log(a / b) / np.log(4.0))
        for a, b in itertools.pairwise(sizes)
        if b > floor and a > 0
    ]
    return max(falls) if falls else None


def noise(f: FlatFunction, x: Vector, direction: Vector, step: float, eps: float) -> Vector:
    """The rounding of `f` near `x`: the largest |f(y + d) - 2 f(y) + f(y - d)|, d <= 16 eps |y|,
    entry by entry.

    There slopes cancel and curvature gives d^2, so that rounding remains (second differences of
    Hamming's table: More & Wild, SIAM J. Sci. Comput. 33, 2011). The y lie along `direction` up to
    `step`, and none at `x`, whose kinks are not rounding. What is more than the rounding of
    `MOST_TERMS` numbers of the size of x counts as none: it may be no rounding, and an operation
    that has more declares it. So does what another call with the same arguments does not give.
    """
    size = max(float(np.max(np.abs(direction), initial=0.0)), 1e-300)
    reach = float(np.max(np.abs(x), initial=0.0))
    largest = np.zeros(np.shape(f(x)))
    for place in range(16):
        y = x + step * 0.8**place * direction
        apart = (1 + place) * eps * float(np.max(np.abs(y), initial=0.0)) / size
        with np.errstate(all="ignore"):
            values = np.stack([f(y + k * apart * direction) for k in (-2, -1, 0, 1, 2, -2)])
            if not np.array_equal(values[0], values[-1], equal_nan=True):
                return np.zeros_like(largest)
            second = np.abs(np.diff(values[:-1], 2, axis=0))
        largest = np.maximum(largest, np.max(np.where(np.isfinite(second), second, 0.0), axis=0))
    return np.where(largest <= MOST_TERMS * eps * reach, largest, 0.0)
