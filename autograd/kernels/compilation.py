"""The decorator of the compiled kernels; importing this module imports Numba."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, TypeVar

import numba
from numba.core import event

from autograd.kernels.warm_up import compilation_began, compilation_ended

__all__ = ["compiled", "inlined"]

F = TypeVar("F", bound=Callable[..., Any])

_kernels: weakref.WeakSet[Any] = weakref.WeakSet()

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
    _kernels.add(result)
    return result


class _Reporter(event.Listener):
    """Passes on what Numba says of the library's own kernels."""

    def on_start(self, event: Any) -> None:
        if event.data["dispatcher"] in _kernels:
            compilation_began(event.data["dispatcher"].__name__)

    def on_end(self, event: Any) -> None:
        if event.data["dispatcher"] in _kernels:
            compilation_ended(event.data["dispatcher"].__name__)


event.register("numba:compile", _Reporter())  # type: ignore[no-untyped-call]


def inlined(function: F) -> F:
    """A function of scalars that compiled kernels call inside their loops."""
    options: dict[str, Any] = {"error_model": "numpy", "fastmath": _SUMS_MAY_BE_REORDERED}
    result: F = numba.njit(inline="always", **options)(function)
    return result
