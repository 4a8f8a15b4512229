"""Which kernels compute: NumPy's, or the compiled ones of Numba (the extra `fast`).

`DAGRAD_KERNELS=numpy` or `numba` decides; otherwise Numba is used when it is installed. It is
imported when the first array arrives that is large enough to gain from it, never before. The choice
depends on shapes and dtypes only, so the same program on the same machine gives the same bits.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

import numpy as np

from autograd.kernels.workers import use_own_threads

__all__ = ["LARGE", "compiled_for", "use_kernels"]

LARGE = 1 << 14
"""Elements from which a compiled kernel is worth its call and its compilation."""

CHOICES = ("auto", "numpy", "numba")

_forced: str | None = None
_available: bool | None = None


def compiled_for(dtype: np.dtype[np.generic], size: int) -> bool:
    """Whether arrays of this dtype and size go to the compiled kernels.

    Only float32 and float64 do, from `LARGE` elements on; all sizes under `use_kernels('numba')`.

    >>> with use_kernels('numpy'):
    ...     compiled_for(np.dtype('float32'), 1 << 20)
    False
    """
    if dtype.char not in "fd" or (size < LARGE and _forced != "numba"):
        return False
    if _choice() == "numpy":
        return False
    use_own_threads()
    return True


def _choice() -> str:
    """'numpy' or 'numba'; a demand for Numba without Numba is an error."""
    global _available
    wanted = _forced or os.environ.get("DAGRAD_KERNELS", "auto")
    if wanted not in CHOICES:
        raise ValueError(f"DAGRAD_KERNELS={wanted!r}: give one of {', '.join(CHOICES)}")
    if wanted == "numpy":
        return "numpy"
    if _available is None:
        _available = find_spec("numba") is not None
    if wanted == "numba" and not _available:
        raise ImportError("DAGRAD_KERNELS=numba needs Numba: pip install 'dagrad[fast]'")
    return "numba" if _available else "numpy"


@contextmanager
def use_kernels(choice: str) -> Iterator[None]:
    """Use 'numpy' or 'numba' (whatever the size) kernels inside a with block, for tests.

    'auto' is the usual choice, by DAGRAD_KERNELS and size.

    The choice holds for all threads.

    >>> with use_kernels('auto'):
    ...     pass
    """
    global _forced
    if choice not in CHOICES:
        raise ValueError(f"kernels {choice!r}: give one of {', '.join(CHOICES)}")
    before = _forced
    _forced = None if choice == "auto" else choice
    try:
        yield
    finally:
        _forced = before
