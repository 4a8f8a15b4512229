"""What a workload is: steps of ours and of each peer that do the same work."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

__all__ = [
    "BATCHES",
    "COMPILED",
    "Build",
    "Sampler",
    "Step",
    "Workload",
    "catalogue",
    "sampler_of",
    "weighed",
]

BATCHES = 4
"""Different inputs that the steps take in turn."""

COMPILED = "compiled"
"""The setting of PyTorch that may be missing on a machine (it needs a C++ compiler)."""

Step = Callable[[int], float]
"""Takes its number, which chooses the inputs, and gives a number that depends on what it did."""


class Sampler(Protocol):
    """A side that measures its own steps: another process, say."""

    def sample(self, first: int, count: int) -> tuple[float, float]:
        """Run the steps `first` to `first + count - 1`: seconds in all, and the last result."""


Build = Callable[[], Step | Sampler]


@dataclass(frozen=True)
class _Local:
    step: Step

    def sample(self, first: int, count: int) -> tuple[float, float]:
        result = 0.0
        began = time.perf_counter()
        for index in range(first, first + count):
            result = self.step(index)
        return time.perf_counter() - began, float(result)


def sampler_of(built: Any) -> Sampler:
    """What a side built, as a Sampler."""
    found: Sampler = built if hasattr(built, "sample") else _Local(built)
    return found


@dataclass(frozen=True)
class Workload:
    """`ours` and each peer's settings build a step."""

    name: str
    summary: str
    ours: Build
    peers: Mapping[str, Mapping[str, Build]]
    """By peer and setting; a peer's fastest setting counts."""
    target: float | None = None
    """The largest ratio ours / peer that is good enough, for the peer `against`."""
    against: str = "torch"
    memory_target: float | None = None
    """The same for peak memory."""
    with_memory: bool = True
    """Whether the work is done in the process that is measured."""
    limit: float | None = None
    """The longest time, in seconds per operation, that is good enough."""
    flops: float | None = None
    """Multiplications and additions of a step's products and convolutions."""
    operations: int = 1
    """Recorded operations in a step: with more than one, times are shown per operation."""
    agreement: float | None = 1e-3
    """How far the results of two sides' first steps may differ, relative to 1 or to their size;
    None where nothing is computed that could be compared.
    """


_WEIGHTS = np.random.default_rng(7).standard_normal(4096, np.float32)


def weighed(array: Any) -> float:
    """A number to which each of up to 4096 entries contributes by a weight of its own, about as
    large as an entry.

    NumPy reads the arrays of PyTorch and JAX without copying, so it costs all sides the same.
    """
    flat = np.asarray(array).reshape(-1)
    return float(flat @ _WEIGHTS[: flat.size]) / math.sqrt(flat.size)


def catalogue(workloads: Iterable[Workload]) -> dict[str, Workload]:
    """Workloads by name. Raises ValueError if two have the same."""
    found: dict[str, Workload] = {}
    for workload in workloads:
        if workload.name in found:
            raise ValueError(f"two workloads are called {workload.name}")
        found[workload.name] = workload
    return found
