"""Derivatives computed without the engine: differences, complex steps and sums over paths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def five_point(f: Callable[[Any], Any], x: Any, direction: Any, step: float = 1e-3) -> np.ndarray:
    """The directional derivative of `f` on plain arrays, to O(step^4)."""
    x, direction = np.asarray(x, float), np.asarray(direction, float)

    def at(t: float) -> np.ndarray:
        return np.asarray(f(x + t * direction), float)

    return (at(-2 * step) - 8 * at(-step) + 8 * at(step) - at(2 * step)) / (12 * step)


def complex_step(f: Callable[[Any], Any], x: Any, direction: Any) -> np.ndarray:
    """The directional derivative of an analytic `f`, to rounding (Squire & Trapp, 1998)."""
    step = 1e-30
    return np.imag(f(np.asarray(x) + 1j * step * np.asarray(direction))) / step


def path_sum(partials: Sequence[Sequence[tuple[int, float]]], output: int, source: int) -> float:
    """d output / d source: the sum over all paths of the products along them, path by path.

    `partials[k]` holds `(operand, d k / d operand)` for every operand of variable k.
    """
    if output == source:
        return 1.0
    return sum(
        partial * path_sum(partials, operand, source) for operand, partial in partials[output]
    )
