"""Timing steps of several sides in turn, and the machine's matrix-product peak."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.workloads import Step

LONGEST_SAMPLE = 0.02
"""Seconds: steps shorter than that are timed several at a time."""


@dataclass(frozen=True)
class Timing:
    """Seconds for a step: the median of the samples, and their quartiles."""

    median: float
    low: float
    high: float
    samples: int


def interleaved(
    sides: Mapping[str, Callable[[], Step]], samples: int, warmups: int = 3
) -> dict[str, Timing]:
    """Time every side's steps, one sample of each in turn, after its own warm-up.

    A side that raises, or whose step gives a number that is not finite, ends the measurement.
    """
    steps = {name: build() for name, build in sides.items()}
    counts = {name: _warmed_up(name, step, warmups) for name, step in steps.items()}
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for sample in range(samples):
        for name, step in steps.items():
            began = time.perf_counter()
            for index in range(counts[name]):
                result = step(sample + index)
            seconds[name].append((time.perf_counter() - began) / counts[name])
            if not np.isfinite(result):
                raise FloatingPointError(f"{name}: step {sample} gave {result}")
    return {name: _timing(found) for name, found in seconds.items()}


def _warmed_up(name: str, step: Step, warmups: int) -> int:
    """Run the first steps; how many steps make a sample long enough for the clock."""
    for index in range(warmups):
        began = time.perf_counter()
        step(index)
        last = time.perf_counter() - began
    return max(1, round(LONGEST_SAMPLE / last))


def _timing(found: list[float]) -> Timing:
    if len(found) < 2:
        return Timing(found[0], found[0], found[0], 1)
    low, middle, high = statistics.quantiles(found, n=4)
    return Timing(middle, low, high, len(found))


def matrix_peak(size: int = 2048, samples: int = 7) -> float:
    """The best rate of NumPy's float32 matrix product seen here, in FLOP/s."""
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((size, size), np.float32) for _ in range(2))
    a @ b
    best = float("inf")
    for _ in range(samples):
        began = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - began)
    return 2.0 * size**3 / best
