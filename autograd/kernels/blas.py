"""NumPy's BLAS library: its threads, and where its functions are, for compiled kernels."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["blas_address", "blas_threads", "set_blas_threads"]

PREFIXES, SUFFIX = ("scipy_cblas_", "cblas_"), "64_"
"""What OpenBLAS's functions are called in NumPy's packages, with 64-bit integers."""

_libraries: list[Any] | None = None
_addresses: dict[str, int] = {}


def blas_threads() -> list[int]:
    """The threads of each BLAS library of NumPy's; none are found without threadpoolctl.

    >>> all(threads >= 1 for threads in blas_threads())
    True
    """
    return [library.num_threads for library in _blas_libraries()]


def set_blas_threads(count: int) -> None:
    """Let every BLAS library of NumPy's use `count` threads, for the whole process."""
    for library in _blas_libraries():
        library.set_num_threads(count)


def blas_address(name: str) -> int:
    """The address of a function of CBLAS, such as "sgemm", with 64-bit integers.

    0 if NumPy's BLAS has no such function, as other builds have, or is not found.

    >>> blas_address("sgemm") >= 0
    True
    """
    if name not in _addresses:
        _addresses[name] = _find(name)
    return _addresses[name]


def _find(name: str) -> int:
    for library in _blas_libraries():
        if library.internal_api != "openblas":
            continue
        functions = ctypes.CDLL(library.filepath)
        for prefix in PREFIXES:
            function = getattr(functions, f"{prefix}{name}{SUFFIX}", None)
            if function is not None:
                return ctypes.cast(function, ctypes.c_void_p).value or 0
    return 0


def _blas_libraries() -> Sequence[Any]:
    """NumPy's BLAS among the loaded ones, so that other packages' libraries stay as they are."""
    global _libraries
    if _libraries is None:
        _libraries = []
        if find_spec("threadpoolctl") is not None:
            from threadpoolctl import ThreadpoolController

            found = ThreadpoolController().select(user_api="blas").lib_controllers
            homes = (Path(np.__file__).parent, Path(np.__file__).parent.with_name("numpy.libs"))
            own = [c for c in found if any(h in Path(c.filepath).parents for h in homes)]
            _libraries = own or list(found)
    return _libraries
