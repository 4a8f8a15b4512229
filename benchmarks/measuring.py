"""Timing steps of several sides in turn, and the machine's matrix-product peak."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np

from benchmarks.bystanders import bring_back, set_aside
from benchmarks.workloads import Build, Sampler, sampler_of
from benchmarks.workloads.workload import BATCHES

SAMPLE = 0.3
"""Seconds: steps shorter than that are timed several at a time, back to back as in training. The
first milliseconds after a rest are slower, for some sides and some processors more than for others,
and each sample should have its share of full garbage collections, which some sides need. They are
of what the samples made: the heap that was there before is set aside, and what the last side left
is collected before a sample begins.
"""

COMPARED = BATCHES + 1
"""Steps whose results are compared: the last takes the first one's inputs again, so that in
training it tells what the updates between did. They are the warm-up too.
"""

REST = 0.02
"""Seconds before each sample, for the threads that the last side left spinning to fall asleep."""


@dataclass(frozen=True)
class Timing:
    """Seconds for a step: the median of the samples, and their quartiles."""

    median: float
    low: float
    high: float
    samples: int


@dataclass
class Measured:
    """By side: its timing, or why it failed, or (where that is allowed) why it is missing here."""

    timings: dict[str, Timing] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)


def interleaved(
    sides: Mapping[str, Build],
    samples: int,
    *,
    optional: Collection[str] = (),
    agreement: float | None = None,
    seconds: float | None = None,
) -> Measured:
    """Time every side's steps, one sample of each in turn, after its own warm-up.

    A sample is of as many steps as take about `seconds` (None: `SAMPLE`).

    A side fails if it raises, if a step gives a number that is not finite, or if the result of one
    of its first `COMPARED` steps is not the first side's within `agreement`; the others go on. One
    of `optional` that cannot be built or take its first step is unavailable instead.
    """
    found = Measured()
    running: dict[str, _Side] = {}
    try:
        for name, build in sides.items():
            try:
                running[name] = _Side(sampler_of(build()))
                running[name].sample(1)
            except Exception as error:
                (found.unavailable if name in optional else found.failures)[name] = _said(error)
        reference = running.get(next(iter(sides)))
        for name in sides:
            if name not in found.failures and name not in found.unavailable:
                _attempt(found, name, running[name].go_on)
            if name not in found.failures and name not in found.unavailable:
                _attempt(found, name, lambda n=name: _agree(running[n], reference, agreement))
            if name not in found.failures and name not in found.unavailable:
                _attempt(found, name, lambda n=name: running[n].fill(seconds or SAMPLE))
        set_aside()
        for name in sides:
            if name not in found.failures and name not in found.unavailable:
                _attempt(found, name, running[name].set_aside)
        for _ in range(samples):
            for name in sides:
                if name not in found.failures and name not in found.unavailable:
                    gc.collect()  # what the last side left
                    time.sleep(REST)
                    _attempt(found, name, running[name].take)
    finally:
        bring_back()
        for side in running.values():
            side.close()
    for name in sides:
        if name not in found.failures and name not in found.unavailable:
            found.timings[name] = _timing(running[name].seconds)
    return found


class _Side:
    """One side's samples so far."""

    def __init__(self, sampler: Sampler) -> None:
        self.sampler = sampler
        self.steps = 0
        self.per_sample = 1
        self.last = 0.0
        self.results: list[float] = []
        self.seconds: list[float] = []

    def sample(self, count: int) -> float:
        """Seconds per step of the next `count` steps, which take the next inputs."""
        seconds, result = self.sampler.sample(self.steps, count)
        if not math.isfinite(result):
            raise FloatingPointError(f"step {self.steps + count - 1} gave {result}")
        if len(self.results) < COMPARED:
            self.results.append(result)
        self.steps += count
        self.last = seconds / count
        return self.last

    def go_on(self) -> None:
        """Run the other steps that are compared, one by one."""
        while len(self.results) < COMPARED:
            self.sample(1)

    def fill(self, seconds: float) -> None:
        """Run as many steps as fill a sample: so many are one from now on."""
        # Counted, since one step may be several times as slow as the next: samples of all sides
        # must be as long, for the first steps after a rest are slower.
        spent = self.last if self.last > seconds else 0.0
        self.per_sample = int(spent > 0)
        while spent < seconds:
            spent += self.sample(1)
            self.per_sample += 1

    def take(self) -> None:
        """One sample."""
        self.seconds.append(self.sample(self.per_sample))

    def set_aside(self) -> None:
        """Have a side with a process of its own leave alone there what is there."""
        getattr(self.sampler, "set_aside", lambda: None)()

    def close(self) -> None:
        """End the process of a side that has one."""
        getattr(self.sampler, "close", lambda: None)()


def _attempt(found: Measured, name: str, task: object) -> None:
    try:
        assert callable(task)
        task()
    except Exception as error:
        found.failures[name] = _said(error)


def _agree(side: _Side, reference: _Side | None, agreement: float | None) -> None:
    if agreement is None or reference is None:
        return
    for step, (got, expected) in enumerate(zip(side.results, reference.results, strict=False)):
        if abs(got - expected) > agreement * max(1.0, abs(expected)):
            raise ArithmeticError(f"step {step} gave {got}, ours {expected}")


def _said(error: Exception) -> str:
    """In one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:500]


def _timing(found: list[float]) -> Timing:
    if len(found) < 2:
        return Timing(found[0], found[0], found[0], 1)
    low, middle, high = statistics.quantiles(found, n=4, method="inclusive")
    return Timing(middle, low, high, len(found))


def matrix_peak(size: int = 2048, samples: int = 7) -> float:
    """The best rate of NumPy's float32 matrix product seen here, in FLOP/s.

    Measure it before the first compiled kernel runs: then NumPy's BLAS is held to one thread.
    """
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((size, size), np.float32) for _ in range(2))
    a @ b
    best = float("inf")
    for _ in range(samples):
        began = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - began)
    return 2.0 * size**3 / best
