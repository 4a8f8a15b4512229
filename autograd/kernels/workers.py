"""A batch split over a few Python threads, each with single-threaded matrix products.

The kernels and NumPy's loops release the interpreter lock, so threads that each take a chunk
through packing, product and unpacking keep it in their core's cache. Threads of the BLAS library
beside them would fight for the cores, so NumPy's BLAS is set to one thread, for the whole process
and once: when the first compiled kernel runs, and never with NumPy's kernels. From then on the
library's own large products are split here. The split depends on the sizes and the number of
threads only, so results are reproducible for a fixed number.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable
from contextvars import copy_context
from functools import cache, lru_cache
from importlib.util import find_spec
from queue import SimpleQueue
from types import ModuleType
from typing import Any

import numpy as np

from autograd.kernels.blas import blas_threads, set_blas_threads
from autograd.kernels.crew import Crew

__all__ = [
    "SHARED_FROM",
    "WORTH_A_PART",
    "get_num_threads",
    "parallel_chunks",
    "parallel_cuts",
    "parallel_kernel",
    "parallel_parts",
    "parallel_ranges",
    "scratch",
    "set_num_threads",
    "thread_count",
    "threads_are_own",
    "use_own_threads",
]

KEPT_BYTES = 16 << 20
"""The largest buffer that is kept between calls, per name and thread."""

MOST_THREADS = 1 << 10
"""More than machines have, and fewer than systems refuse to start."""

WORTH_A_THREAD = 1e5
"""Nanoseconds of work from which handing over a part, some 50,000, pays."""

WORTH_A_PART = 2e4
"""The same where the parts are compiled and a thread that is awake takes one in a microsecond."""

SHARED_FROM = 1 << 17
"""Entries from which all threads work on an array, also where one alone would be as quick: a thread
that the next operation gives a part would fetch it from the first one's cache, and that one take it
back to write there, which takes ten times as long. So each works on the same part every time.
"""

_lock = threading.RLock()
_state: dict[str, Any] = {"own": False, "wanted": None}
_inside = threading.local()


def _forget_lock() -> None:
    """Whoever held it is not in the forked process."""
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_lock)


def get_num_threads() -> int:
    """The number of threads that large operations are split over.

    >>> get_num_threads() >= 1
    True
    """
    wanted = _state["wanted"]
    return int(wanted) if wanted is not None else _default_count()


def set_num_threads(count: int) -> None:
    """Split large operations over `count` threads; DAGRAD_NUM_THREADS sets it from outside.

    With the extra `fast` these are the library's own threads, and NumPy's BLAS is set to one thread
    for the whole process at the first compiled kernel; without it, they are NumPy's BLAS threads,
    which are set if threadpoolctl is installed. Results are the same, bit for bit, only for the
    same number. Raises TypeError or ValueError unless `count` is an int from 1 to 1024.

    >>> set_num_threads(get_num_threads())
    """
    if isinstance(count, bool) or not isinstance(count, int):
        raise TypeError(f"set_num_threads takes an int, got {count!r}")
    if not 1 <= count <= MOST_THREADS:
        raise ValueError(f"set_num_threads takes 1 to {MOST_THREADS} threads, got {count}")
    with _lock:
        _state["wanted"] = count
        if not _state["own"]:
            set_blas_threads(count)


def use_own_threads() -> None:
    """From now on the library splits its work itself and the BLAS uses one thread."""
    if _state["own"]:
        return
    with _lock:
        if not _state["own"] and find_spec("threadpoolctl") is not None:
            _state["wanted"] = get_num_threads()
            set_blas_threads(1)
            _state["own"] = True


def threads_are_own() -> bool:
    """Whether `use_own_threads` was called.

    >>> threads_are_own() in (True, False)
    True
    """
    return bool(_state["own"])


def thread_count() -> int:
    """How many parts `parallel_ranges` makes: 1 before `use_own_threads`."""
    return get_num_threads() if _state["own"] else 1


def parallel_ranges(
    task: Callable[[int, int, int], None],
    count: int,
    grain: int = 1,
    nanoseconds: float = math.inf,
    most: int | None = None,
) -> None:
    """task(worker, first, last) over [0, count), in contiguous parts that are multiples of `grain`.

    `nanoseconds` says roughly what one thread takes for all; little work stays on this thread. The
    parts run at the same time; the first exception of a part is raised when all have ended.
    Inside a part, everything is one part. There are as many parts as threads, or `most`, which
    whoever has memory for so many must say: another thread may change `thread_count` meanwhile.

    >>> parts = []
    >>> parallel_ranges(lambda worker, first, last: parts.extend(range(first, last)), 5)
    >>> sorted(parts)
    [0, 1, 2, 3, 4]
    """
    bounds = (0, count) if nanoseconds < WORTH_A_THREAD else _bounds(count, grain, most)
    with _level:
        if len(bounds) == 2:
            if count:
                task(0, 0, count)
            return
        _on_all(lambda worker: task(worker, bounds[worker], bounds[worker + 1]), len(bounds) - 1)


def parallel_kernel(
    kernel: Callable[..., object],
    arguments: Callable[[int, int, int], tuple[Any, ...]],
    count: int,
    grain: int = 1,
    nanoseconds: float = math.inf,
    most: int | None = None,
) -> None:
    """kernel(*arguments(worker, first, last)) for parts of [0, count), as in `parallel_ranges`.

    The kernel is compiled and returns nothing: the threads take parts without the interpreter lock,
    so much less work is worth it. Scratch memory in the arguments must be another for each worker.
    Raises MemoryError if a part fails, which kernels do for nothing else.
    """
    bounds = (0, count) if nanoseconds < WORTH_A_PART else _bounds(count, grain, most)
    with _level:
        if len(bounds) == 2:
            if count:
                kernel(*arguments(0, 0, count))
            return
        sharing = _compiled_sharing()
        pack, parts = sharing.packed(kernel), sharing.new_parts(len(bounds) - 1)
        given = []  # which keeps alive what the parts refer to
        for worker in range(len(parts)):
            part = arguments(worker, bounds[worker], bounds[worker + 1])
            given.append(part)
            pack(part, parts, worker)
        if not sharing.fork_join(_current_crew().board(), parts):
            raise MemoryError(f"no memory for {kernel.__name__}")


def parallel_parts(
    kernel: Callable[..., object],
    given: tuple[Any, ...],
    count: int,
    grain: int = 1,
    nanoseconds: float = math.inf,
    most: int | None = None,
) -> None:
    """kernel(*given, worker, first, last) for parts of [0, count): `parallel_kernel` where all
    parts are given the same, and need no scratch memory, in half of the time it takes to begin.
    """
    bounds = (0, count) if nanoseconds < WORTH_A_PART else _bounds(count, grain, most)
    if len(bounds) == 2:
        if count:
            kernel(*given, 0, 0, count)
        return
    share = _compiled_sharing().shared(kernel)
    if not share(_current_crew().board(), _as_array(bounds), given):
        raise MemoryError(f"no memory for {kernel.__name__}")


def parallel_cuts(
    kernel: Callable[..., object],
    vectors: tuple[np.ndarray[Any, Any], ...],
    numbers: tuple[Any, ...],
    grain: int,
    nanoseconds: float,
) -> None:
    """kernel(*vectors, *numbers) for parts of contiguous vectors of one length: `parallel_parts`
    for kernels that know nothing of parts.
    """
    count = vectors[0].size
    bounds = (0, count) if nanoseconds < WORTH_A_PART else _bounds(count, grain, None)
    if len(bounds) == 2:
        if count:
            kernel(*vectors, *numbers)
        return
    share = _compiled_sharing().shared_cuts(kernel)
    if not share(_current_crew().board(), _as_array(bounds), vectors, numbers):
        raise MemoryError(f"no memory for {kernel.__name__}")


@lru_cache(maxsize=1 << 10)
def _as_array(bounds: tuple[int, ...]) -> np.ndarray[Any, Any]:
    return np.array(bounds, np.int64)


@cache
def _compiled_sharing() -> ModuleType:
    """Imported when it is needed; the import statement takes a microsecond each time."""
    from autograd.kernels import compiled_sharing

    return compiled_sharing


def _bounds(count: int, grain: int, most: int | None) -> tuple[int, ...]:
    """Where the parts of [0, count) begin, and the end: as many parts as there are threads."""
    if getattr(_inside, "worker", False):
        return 0, count
    return _even_bounds(count, grain, thread_count() if most is None else most)


@lru_cache(maxsize=1 << 10)
def _even_bounds(count: int, grain: int, threads: int) -> tuple[int, ...]:
    units = math.ceil(count / grain)
    threads = max(1, min(threads, units))
    return tuple(min(count, grain * (units * k // threads)) for k in range(threads + 1))


class _Level:
    """How many operations are under way in this thread: one more inside.

    A signal's handler may call one while another has scratch memory, which is kept by level.
    """

    def __enter__(self) -> None:
        _inside.level = getattr(_inside, "level", 0) + 1

    def __exit__(self, *_: object) -> None:
        _inside.level -= 1


_level = _Level()


def parallel_chunks(task: Callable[[int, int], None], count: int, size: int) -> None:
    """task(first, last) over [0, count) in chunks of `size`; a free thread takes the next.

    For tasks whose results depend on their chunk only: which thread does one is chance.

    >>> parts = []
    >>> parallel_chunks(lambda first, last: parts.extend(range(first, last)), 5, 2)
    >>> sorted(parts)
    [0, 1, 2, 3, 4]
    """
    threads = 1 if getattr(_inside, "worker", False) else thread_count()
    starts = iter(range(0, count, size))

    def take(_worker: int) -> None:
        for first in starts:  # next() of a range's iterator is atomic
            task(first, min(first + size, count))

    threads = min(threads, math.ceil(count / size))
    with _level:
        if threads <= 1:
            take(0)
        else:
            _on_all(take, threads)


def _on_all(task: Callable[[int], None], threads: int) -> None:
    """task(worker) on this thread (0) and the others at once."""

    def part(worker: int) -> None:
        _inside.worker = True
        try:
            task(worker)
        finally:
            _inside.worker = False

    ended: SimpleQueue[BaseException | None] = SimpleQueue()
    crew = _current_crew()
    left = [
        k
        for k in range(1, threads)
        if not crew.hand_over(k - 1, (_in_present_context(part), k, ended))
    ]
    try:
        for worker in (0, *left):
            part(worker)
    finally:
        waited_for = threads - 1 - len(left)
        errors = [error for _ in range(waited_for) if (error := ended.get()) is not None]
    if errors:
        try:
            raise errors[0]
        finally:
            del errors, error  # which would be a cycle with the frames that the error holds


def _in_present_context(task: Callable[[int], None]) -> Callable[[int], None]:
    """`task` in another thread as if in this one: NumPy keeps in the context what errors do."""
    context = copy_context()
    return lambda worker: context.run(task, worker)


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
    buffers: dict[Any, np.ndarray[Any, Any]] = _inside.__dict__.setdefault("buffers", {})
    key = name, getattr(_inside, "level", 0)
    buffer = buffers.get(key)
    if buffer is None or buffer.size < size:
        memory = np.empty(size + 64, np.uint8)
        first = -memory.ctypes.data % 64
        buffer = buffers[key] = memory[first : first + size]
    part: np.ndarray[Any, Any] = buffer[:size].view(dtype).reshape(shape)
    return part


def _default_count() -> int:
    """DAGRAD_NUM_THREADS, else what the BLAS would use, else the cores this process may use."""
    with _lock:
        if "default" not in _state:
            given = os.environ.get("DAGRAD_NUM_THREADS", "")
            if given and not (given.isdecimal() and 1 <= int(given) <= MOST_THREADS):
                raise ValueError(
                    f"DAGRAD_NUM_THREADS={given!r}: give a number from 1 to {MOST_THREADS}"
                )
            found = max(blas_threads(), default=0)
            _state["default"] = int(given) if given else found or _usable_cores()
        return int(_state["default"])


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _current_crew() -> Crew:
    """The other threads; new ones if their number has changed, or in a forked process."""
    wanted = os.getpid(), max(1, get_num_threads() - 1)
    crew: Crew | None = _state.get("crew")
    if crew is not None and (crew.process, len(crew.threads)) == wanted:
        return crew
    with _lock:
        crew = _state.get("crew")
        if crew is None or (crew.process, len(crew.threads)) != wanted:
            if crew is not None and crew.process == os.getpid():
                crew.dismiss()
            _state["crew"] = crew = Crew(wanted[1])
        return crew
