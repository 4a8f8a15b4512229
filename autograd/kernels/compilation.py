"""The decorator of the compiled kernels; importing this module imports Numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

__all__ = ["compiled", "inlined"]

F = TypeVar("F", bound=Callable[..., Any])

_SUMS_MAY_BE_REORDERED = {"contract", "reassoc", "nsz"}


def compiled(function: F) -> F:
    """Compile at the first call, without the interpreter lock, and keep the code on disk.

    Sums may be reordered and products fused into them (always in the same way on one machine);
    NaN and infinities stay what they are. Where neither the package's folder nor the user's cache
    folder can be written, nothing is kept.
    """
    options: dict[str, Any] = {
        "nogil": True,
        "error_model": "numpy",
        "fastmath": _SUMS_MAY_BE_REORDERED,
    }
    try:
        result: F = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # Numba found no folder for its cache
        result = numba.njit(**options)(function)
    return result


def inlined(function: F) -> F:
    """A function of scalars that compiled kernels call inside their loops."""
    options: dict[str, Any] = {"error_model": "numpy", "fastmath": _SUMS_MAY_BE_REORDERED}
    result: F = numba.njit(inline="always", **options)(function)
    return result
