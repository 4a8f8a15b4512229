"""The decorator of the compiled kernels; importing this module imports Numba."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core import event

from autograd.kernels.warm_up import compilation_began, compilation_ended

__all__ = ["compiled", "inlined", "save_code"]

F = TypeVar("F", bound=Callable[..., Any])

_kernels: weakref.WeakSet[Any] = weakref.WeakSet()

_SUMS_MAY_BE_REORDERED = {"contract", "reassoc", "nsz"}


def compiled(function: F) -> F:
    """Compile at the first call, without the interpreter lock, and keep the code on disk.

    Sums may be reordered and products fused into them (always in the same way on one machine);
    NaN and infinities stay what they are. Where neither the package's folder nor the user's cache
    folder can be written, or the disk is full, nothing is kept. What is kept holds until any
    kernel's source changes.
    """
    options: dict[str, Any] = {
        "nogil": True,
        "error_model": "numpy",
        "fastmath": _SUMS_MAY_BE_REORDERED,
    }
    try:
        result: F = numba.njit(cache=True, **options)(function)
        _stamp(result)
    except RuntimeError:  # Numba found no folder for its cache
        result = numba.njit(**options)(function)
    _kernels.add(result)
    return result


def _stamp(dispatcher: Any) -> None:
    """Tie the code on disk to the sources of all kernels.

    Numba looks at the file of the function alone, and would go on with what other files' functions
    were when they were built into it.
    """
    kept: Any = getattr(dispatcher, "_cache", None)
    files: Any = getattr(kept, "_cache_file", None)
    if hasattr(files, "_source_stamp"):
        files._source_stamp = (files._source_stamp, _digest_of_sources())
        files.save = partial(save_code, files)
        kept.save_overload = partial(_save_if_possible, kept.save_overload)


def _save_if_possible(save: Callable[..., None], *given: Any) -> None:
    """The kernel is compiled by then, and a program on a full disk can go on with it."""
    with suppress(OSError):
        save(*given)


def save_code(files: Any, key: Any, data: Any) -> None:
    """Numba's `save` of a function's compiled code, for several processes at once.

    Numba numbers the files by their index, so that two processes that compile a function for
    different arrays at the same time may write the same file; the next then runs code for other
    arrays than it has. Here files are named by what they are for, and are there before the index
    says so, which at worst forgets one. What the index could not be told of is removed.
    """
    function = files._index_name.removesuffix(".nbi")
    if not files._load_index():  # of these sources
        _remove_all(Path(files._cache_path), f"{function}.*.nbc")
    purpose = hashlib.sha256(files._dump((files._source_stamp, key))).hexdigest()
    name = f"{function}.{purpose[:24]}.nbc"
    files._save_data(name, data)
    try:
        files._save_index({**files._load_index(), key: name})
    except OSError:
        with suppress(OSError):
            Path(files._cache_path, name).unlink()
        raise


def _remove_all(folder: Path, pattern: str) -> None:
    for path in folder.glob(pattern):
        with suppress(OSError):  # another process may be reading or removing it
            path.unlink()


@cache
def _digest_of_sources() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


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
