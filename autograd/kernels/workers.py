"""A batch split over a few Python threads, each with single-threaded matrix products.

The kernels and NumPy's loops release the interpreter lock, so threads that each take a chunk
through packing, product and unpacking keep it in their core's cache. A threaded product leaves a
BLAS thread spinning for some 20 ms that takes half a core from what follows, so kernels that use
these threads avoid threaded products also around them. The split depends on the sizes and the
number of threads only.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import numpy as np

__all__ = ["parallel_ranges", "scratch", "single_threaded_products", "thread_count"]

KEPT_BYTES = 16 << 20
"""The largest buffer that is kept between calls, per name and thread."""

_lock = threading.Lock()
_state: dict[str, Any] = {}
_inside = threading.local()


def thread_count() -> int:
    """How many threads the matrix products use by default; 1 where threadpoolctl is missing."""
    return int(_state["threads"]) if "threads" in _state else _find_libraries()


def parallel_ranges(task: Callable[[int, int, int], None], count: int, grain: int = 1) -> None:
    """task(worker, first, last) over [0, count), in contiguous parts that are multiples of `grain`.

    The parts run at the same time, with single-threaded matrix products; the first exception of a
    part is raised when all have ended. Inside a part, everything is one part.

    >>> parts = []
    >>> parallel_ranges(lambda worker, first, last: parts.extend(range(first, last)), 5)
    >>> sorted(parts)
    [0, 1, 2, 3, 4]
    """
    threads = 1 if getattr(_inside, "worker", False) else thread_count()
    pieces = -(-count // grain)
    threads = min(threads, pieces)
    if threads <= 1:
        if count:
            task(0, 0, count)
        return
    bounds = [min(count, grain * (pieces * i // threads)) for i in range(threads + 1)]

    def part(worker: int) -> None:
        _inside.worker = True
        try:
            task(worker, bounds[worker], bounds[worker + 1])
        finally:
            _inside.worker = False

    with single_threaded_products():
        others = [_pool().submit(part, worker) for worker in range(1, threads)]
        try:
            part(0)
        finally:
            errors = [error for other in others if (error := other.exception())]
    if errors:
        raise errors[0]


def scratch(name: str, shape: tuple[int, ...], dtype: Any) -> np.ndarray[Any, Any]:
    """An uninitialised buffer that this thread keeps under `name`; it never leaves a kernel.

    Fresh large buffers cost a page fault for every 4 KiB. Up to `KEPT_BYTES` are kept.

    >>> scratch('example', (2, 3), np.float32).shape
    (2, 3)
    """
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    if size > KEPT_BYTES:
        return np.empty(shape, dtype)
    buffers: dict[str, np.ndarray[Any, Any]] = _inside.__dict__.setdefault("buffers", {})
    buffer = buffers.get(name)
    if buffer is None or buffer.size < size:
        buffer = buffers[name] = np.empty(size, np.uint8)
    part: np.ndarray[Any, Any] = buffer[:size].view(dtype).reshape(shape)
    return part


@contextmanager
def single_threaded_products() -> Iterator[None]:
    """Matrix products use one thread inside; nested and concurrent uses are counted."""
    thread_count()
    with _lock:
        _state["depth"] = _state.get("depth", 0) + 1
        if _state["depth"] == 1:
            _set_threads([1] * len(_state["libraries"]))
    try:
        yield
    finally:
        with _lock:
            _state["depth"] -= 1
            if _state["depth"] == 0:
                _set_threads(_state["defaults"])


def _set_threads(counts: list[int]) -> None:
    for library, count in zip(_state["libraries"], counts, strict=True):
        library.set_num_threads(count)


def _find_libraries() -> int:
    with _lock:
        if "threads" in _state:
            return int(_state["threads"])
        libraries: list[Any] = []
        if find_spec("threadpoolctl") is not None:
            from threadpoolctl import ThreadpoolController

            found = ThreadpoolController().select(user_api="blas")
            libraries = list(found.lib_controllers)
        defaults = [library.num_threads for library in libraries]
        _state.update(libraries=libraries, defaults=defaults, threads=max(defaults, default=1))
        return int(_state["threads"])


def _pool() -> ThreadPoolExecutor:
    with _lock:
        if _state.get("process") != os.getpid():  # threads do not survive a fork
            _state["pool"] = ThreadPoolExecutor(_other_threads(), "autograd-kernels")
            _state["process"] = os.getpid()
        pool: ThreadPoolExecutor = _state["pool"]
        return pool


def _other_threads() -> int:
    return max(1, int(_state["threads"]) - 1)
