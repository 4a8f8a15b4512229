"""Compiled kernels that say whether a result is not finite.

NumPy warns of what overflows or is undefined. Where it would, it computes again, and says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.kernels.workers import parallel_parts, thread_count

__all__ = ["is_told", "run_checked"]

LINE = 1 << 5
"""int32 between what threads say: two cache lines, since neighbours are fetched in pairs."""


def run_checked(
    kernel: Callable[..., object],
    given: tuple[Any, ...],
    count: int,
    grain: int,
    nanoseconds: float,
) -> bool:
    """kernel(*given, strange, worker, first, last) for parts of [0, count), as in `parallel_parts`;
    whether none set strange[worker, 0].
    """
    strange = np.zeros((thread_count(), LINE), np.int32)
    parallel_parts(kernel, (*given, strange), count, grain, nanoseconds, most=len(strange))
    return not any(strange[:, 0].tolist())


def is_told() -> bool:
    """Whether NumPy would say something of a result that is not finite.

    >>> with np.errstate(all="ignore"):
    ...     is_told()
    False
    """
    handling = np.geterr()
    return any(handling[kind] != "ignore" for kind in ("over", "divide", "invalid"))
