"""What the processor has that Numba compiles for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from typing import Any

__all__ = ["compiled_features"]


@cache
def compiled_features() -> Mapping[str, bool]:
    """LLVM's names of the features of this processor; empty if Numba is not there, or is told to
    compile for another (`NUMBA_CPU_NAME`, `NUMBA_CPU_FEATURES`) or without AVX.

    >>> compiled_features().get("no such feature", False)
    False
    """
    if find_spec("numba") is None:
        return {}
    from llvmlite.binding import get_host_cpu_features
    from numba.core import config

    settings: Any = config
    other = settings.CPU_NAME is not None or settings.CPU_FEATURES is not None
    if other or not settings.ENABLE_AVX or settings.DISABLE_JIT:
        return {}
    features: Mapping[str, bool] = get_host_cpu_features()
    return features
