"""Whether float32 products may go to the processor's matrix units (AMX, on Linux).

They multiply bfloat16 only; three of those make a float32, and six products of parts are as exact
as float32 arithmetic (`matrix_tiles`) and faster. The operating system is asked once, when the
first product is large enough; from then on it wants larger stacks for signals (`sigaltstack`).
"""

from __future__ import annotations

import ctypes
import platform
import sys
from contextlib import AbstractContextManager
from functools import cache

from autograd.kernels.processor import compiled_features
from autograd.kernels.switches import Switch

__all__ = ["explain_matrix_units", "has_matrix_units", "matrix_units_are_on", "use_matrix_units"]

_ARCH_PRCTL, _ASK_FOR_STATE, _TILES = 158, 0x1023, 18
"""Of Linux on x86-64: the system call, ARCH_REQ_XCOMP_PERM, and the state XTILEDATA."""

_switch = Switch("use_matrix_units", "DAGRAD_MATRIX_UNITS")


def use_matrix_units(on: bool) -> AbstractContextManager[None]:
    """Allow products on the processor's matrix units inside a with block, or turn them off.

    Large products of float32 matrices go there, with compiled kernels, on processors that have them
    (AMX with bfloat16, on Linux). Each number is split into three bfloat16, x = h + m + l, and a b
    computed as h h + (h m + m h) + (h l + m m + l h), summed in float32: docs/performance.md has
    the errors, which are those of float32 arithmetic, and the conditions on magnitudes, outside of
    which the BLAS computes the product. Numbers and products under 1e-31 lose bits, and what is
    under 1e-38 counts as zero. `DAGRAD_MATRIX_UNITS=0` turns them off for a program. The choice
    holds for all threads.

    Raises TypeError unless `on` is True or False. Source: G. Henry, P. T. P. Tang and A. Heinecke,
    Leveraging the bfloat16 datatype for higher-precision computations, 2019 (arXiv:1904.06376).

    >>> import autograd as ag
    >>> with ag.use_matrix_units(False):
    ...     "off" in ag.show_config(mode="dicts")["kernels"]["matrix units"]
    True
    """
    return _switch.use(on)


def matrix_units_are_on() -> bool:
    """Whether there are matrix units that may be used; the first call asks for them.

    >>> with use_matrix_units(False):
    ...     matrix_units_are_on()
    False
    """
    return _switch.is_on() and has_matrix_units() and _compiled_for() and _granted()


def explain_matrix_units() -> tuple[bool, str]:
    """Whether matrix units may be used, and why.

    >>> with use_matrix_units(False):
    ...     explain_matrix_units()
    (False, 'use_matrix_units')
    """
    on, why = _switch.explain()
    if on and not has_matrix_units():
        return False, "none are known in this processor"
    if on and "numba" in sys.modules and not _compiled_for():
        return False, "Numba compiles for another processor"
    if on and _granted.cache_info().currsize and not _granted():
        return False, "the operating system does not allow them"
    return on, why


@cache
def has_matrix_units() -> bool:
    """Whether Linux says that the processor has them.

    >>> has_matrix_units() in (True, False)
    True
    """
    if not sys.platform.startswith("linux") or platform.machine() != "x86_64":
        return False
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            flags = next((line.split() for line in file if line.startswith("flags")), [])
    except OSError:
        return False
    return {"amx_tile", "amx_bf16", "avx512f", "avx512bw"} <= set(flags)


@cache
def _compiled_for() -> bool:
    """Whether Numba is there, compiles for this processor, and knows its matrix units."""
    return all(
        compiled_features().get(name, False) for name in ("amx-tile", "amx-bf16", "avx512bw")
    )


@cache
def _granted() -> bool:
    """Linux keeps a program's tiles only after it has been asked, once for all threads."""
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.syscall(_ARCH_PRCTL, _ASK_FOR_STATE, _TILES) == 0)
