"""NumPy's functions of one large array, on all threads.

Threads reach NumPy through Python; the exponential and the logarithm of float32 have kernels, and
so has what takes one instruction (see `SHARED_FROM`). Where a result is not finite, NumPy computes
it all again in the caller's thread, and warns once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from autograd.kernels.backend import LARGE, compiled_for, read_only
from autograd.kernels.buffers import empty_like, fills_memory
from autograd.kernels.checked import is_told, run_checked
from autograd.kernels.workers import SHARED_FROM, parallel_ranges

__all__ = ["in_parts", "on_threads"]

Array = np.ndarray[Any, Any]

FEWEST = SHARED_FROM

GRAIN = 1 << 12
"""Elements: parts of an array begin at multiples of it, so that cache lines are not shared."""

NANOSECONDS = 1.0
"""About what an entry takes one thread."""


_PRECISE: Final[dict[Any, str]] = {np.exp: "exp", np.log: "log"}
_SIMPLE: Final[dict[Any, str]] = {
    np.absolute: "ABSOLUTE",
    np.negative: "NEGATIVE",
    np.reciprocal: "RECIPROCAL",
    np.sqrt: "SQRT",
}
"""By their names among the compiled kernels."""


def _by_kernel(kernel: str, x: Array) -> Array | None:
    """What a kernel makes of float32; None where NumPy is to compute, and to warn."""
    from autograd.kernels import compiled_entrywise as compiled

    out = empty_like(x)
    flat = read_only(x.ravel(order="K")), out.ravel(order="K")
    finite = run_checked(getattr(compiled, kernel), flat, x.size, GRAIN, NANOSECONDS * x.size)
    return out if finite else None


def _simply(kind: str, x: Array) -> Array | None:
    from autograd.kernels import compiled_entrywise as compiled

    out = empty_like(x)
    given = getattr(compiled, kind), read_only(x.ravel(order="K")), out.ravel(order="K")
    finite = run_checked(compiled.simple, given, x.size, GRAIN, NANOSECONDS * x.size)
    return out if finite or kind in ("ABSOLUTE", "NEGATIVE") or not is_told() else None


def in_parts(compute: Callable[[Array, Array], object], x: Array) -> Array | None:
    """What `compute(source, out)` makes of an array that fills its memory, a part in each thread;
    None where something is not finite, so that NumPy computes all, and warns once.

    >>> in_parts(lambda source, out: np.add(source, 1.0, out=out), np.array([1.0])).tolist()
    [2.0]
    """
    out = empty_like(x)
    source, target = x.ravel(order="K"), out.ravel(order="K")
    strange = []

    def part(_worker: int, first: int, last: int) -> None:
        some = target[first:last]
        with np.errstate(all="ignore"):
            compute(source[first:last], some)
        if not np.isfinite(some).all():
            strange.append(first)

    parallel_ranges(part, x.size, GRAIN, NANOSECONDS * x.size)
    return None if strange else out


def on_threads(ufunc: np.ufunc) -> Callable[[Any], Any]:
    """A function that computes what `ufunc` does of one operand.

    >>> on_threads(np.exp)(np.array([0.0])).tolist()
    [1.0]
    """
    kernel, kind = _PRECISE.get(ufunc), _SIMPLE.get(ufunc)

    def compute(x: Any) -> Any:
        if (
            type(x) is not np.ndarray
            or x.size < (LARGE if kernel else FEWEST)
            or not compiled_for(x.dtype, x.size)
            or not fills_memory(x)
            or np.geterr()["under"] != "ignore"
        ):
            return ufunc(x)
        if kind or (kernel and x.dtype.char == "f"):
            found = _simply(kind, x) if kind else _by_kernel(kernel or "", x)
            return ufunc(x) if found is None else found
        if x.size < FEWEST:
            return ufunc(x)
        found = in_parts(lambda source, out: ufunc(source, out=out), x)
        return ufunc(x) if found is None else found

    compute.__name__ = compute.__qualname__ = ufunc.__name__
    return compute
