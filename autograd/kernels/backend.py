"""Which kernels compute: NumPy's, or the compiled ones of Numba (the extra `fast`).

`DAGRAD_KERNELS=numpy` or `numba` decides, as it is when first asked for; otherwise Numba is used
when it is installed. It is imported when the first array arrives that is large enough to gain from
it, never before. The choice depends on shapes and dtypes only (on matrix units also on the values),
so the same program on the same machine gives the same bits.
`DAGRAD_WINOGRAD=0` turns Winograd's convolutions off.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from typing import Any

import numpy as np

from autograd.kernels.environment import setting
from autograd.kernels.switches import Switch
from autograd.kernels.workers import use_own_threads

__all__ = [
    "LARGE",
    "compiled_for",
    "explain_choice",
    "explain_winograd",
    "read_only",
    "use_kernels",
    "use_winograd",
    "winograd_is_on",
]

Array = np.ndarray[Any, Any]

LARGE = 1 << 14
"""Elements from which a compiled kernel is worth its call and its compilation."""

CHOICES = ("auto", "numpy", "numba")

fewest = LARGE
"""Elements that compiled kernels are used from."""

_forced: str | None = None
_winograd = Switch("use_winograd", "DAGRAD_WINOGRAD")
_available: bool | None = None


def compiled_for(dtype: np.dtype[np.generic], size: int) -> bool:
    """Whether arrays of this dtype and size go to the compiled kernels.

    Only float32 and float64 do, from `LARGE` elements on; all sizes under `use_kernels('numba')`.

    >>> with use_kernels('numpy'):
    ...     compiled_for(np.dtype('float32'), 1 << 20)
    False
    """
    if size < fewest or dtype.char not in "fd" or not dtype.isnative:
        return False
    if _choice() == "numpy":
        return False
    use_own_threads()
    return True


def read_only(array: Array) -> Array:
    """A view that nobody writes through.

    Kernels are compiled for each kind of array that they are given. With such views for what they
    only read, one serves what may be written and what may not, and none that wrote would compile.

    >>> read_only(np.zeros(2)).flags.writeable
    False
    """
    view = array.view()
    view.setflags(write=False)  # in half of the time that its flags take
    return view


def _choice() -> str:
    """'numpy' or 'numba'; a demand for Numba without Numba is an error."""
    global _available
    wanted = _forced
    if wanted is None:
        wanted = setting("DAGRAD_KERNELS")
        if wanted is None:
            wanted = "auto"
    if wanted not in CHOICES:
        raise ValueError(f"DAGRAD_KERNELS={wanted!r}: give one of {', '.join(CHOICES)}")
    if wanted == "numpy":
        return "numpy"
    if _available is None:
        _available = find_spec("numba") is not None and not _compiler_is_off()
    if wanted == "numba" and not _available:
        raise ImportError("DAGRAD_KERNELS=numba needs Numba: pip install 'dagrad[fast]'")
    return "numba" if _available else "numpy"


def _compiler_is_off() -> bool:
    return os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")


@contextmanager
def use_kernels(choice: str) -> Iterator[None]:
    """Use 'numpy' or 'numba' (whatever the size) kernels inside a with block, for tests.

    'auto' is the usual choice, by DAGRAD_KERNELS and size.

    The choice holds for all threads.

    >>> with use_kernels('auto'):
    ...     pass
    """
    global _forced, fewest
    if choice not in CHOICES:
        raise ValueError(f"kernels {choice!r}: give one of {', '.join(CHOICES)}")
    before = _forced, fewest
    _forced = None if choice == "auto" else choice
    fewest = 0 if choice == "numba" else LARGE
    try:
        yield
    finally:
        _forced, fewest = before


def explain_choice() -> tuple[str, str]:
    """'numpy' or 'numba', for large arrays, and why.

    >>> with use_kernels('numpy'):
    ...     explain_choice()
    ('numpy', 'use_kernels')
    """
    choice = _choice()
    if _forced is not None:
        return choice, "use_kernels"
    if setting("DAGRAD_KERNELS") not in (None, "auto"):
        return choice, f"DAGRAD_KERNELS={choice}"
    if choice == "numba":
        return choice, "Numba is installed"
    if _compiler_is_off():
        return choice, "NUMBA_DISABLE_JIT turns Numba's compiler off"
    return choice, "Numba is not installed: pip install 'dagrad[fast]'"


def use_winograd(on: bool) -> AbstractContextManager[None]:
    """Allow Winograd's convolutions inside a with block, or turn them off.

    They compute 3x3 convolutions of stride 1 in float32 with a quarter of the multiplications,
    where shapes make that worthwhile and compiled kernels are in use (input gradients of strided
    5x5 and 6x6 ones are such convolutions too); docs/performance.md has their errors, under 1e-4 of
    the largest entry. `DAGRAD_WINOGRAD=0` turns them off for a program. The
    choice holds for all threads.

    Raises TypeError unless `on` is True or False. Source: Lavin and Gray, Fast algorithms for
    convolutional neural networks, 2015.

    >>> import autograd as ag
    >>> with ag.use_winograd(False):
    ...     "off" in ag.show_config(mode="dicts")["kernels"]["Winograd"]
    True
    """
    return _winograd.use(on)


def winograd_is_on() -> bool:
    """Whether Winograd's convolutions may be used.

    >>> with use_winograd(False):
    ...     winograd_is_on()
    False
    """
    return _winograd.is_on()


def explain_winograd() -> tuple[bool, str]:
    """Whether Winograd's convolutions may be used, and why.

    >>> with use_winograd(True):
    ...     explain_winograd()
    (True, 'use_winograd')
    """
    return _winograd.explain()
