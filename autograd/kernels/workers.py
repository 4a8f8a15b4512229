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
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

from autograd.kernels.placement import Placement

__all__ = [
    "blas_threads",
    "get_num_threads",
    "matrix_product",
    "parallel_chunks",
    "parallel_ranges",
    "scratch",
    "set_num_threads",
    "thread_count",
    "use_own_threads",
]

KEPT_BYTES = 16 << 20
"""The largest buffer that is kept between calls, per name and thread."""

WORTH_A_THREAD = 1e5
"""Nanoseconds of work from which handing over a part, some 50,000, pays."""

SPLIT_PRODUCT_FROM = 1 << 22
"""Multiplications from which a matrix product is worth handing a part to another thread."""

_lock = threading.RLock()
_state: dict[str, Any] = {"own": False, "wanted": None}
_inside = threading.local()


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
    same number. Raises TypeError or ValueError unless `count` is an int of at least 1.

    >>> set_num_threads(get_num_threads())
    """
    if isinstance(count, bool) or not isinstance(count, int):
        raise TypeError(f"set_num_threads takes an int, got {count!r}")
    if count < 1:
        raise ValueError(f"set_num_threads takes at least 1 thread, got {count}")
    with _lock:
        _state["wanted"] = count
        if not _state["own"]:
            _set_blas_threads(count)


def use_own_threads() -> None:
    """From now on the library splits its work itself and the BLAS uses one thread."""
    if _state["own"]:
        return
    with _lock:
        if not _state["own"] and find_spec("threadpoolctl") is not None:
            _state["wanted"] = get_num_threads()
            _set_blas_threads(1)
            _state["own"] = True


def thread_count() -> int:
    """How many parts `parallel_ranges` makes: 1 before `use_own_threads`."""
    return get_num_threads() if _state["own"] else 1


def parallel_ranges(
    task: Callable[[int, int, int], None],
    count: int,
    grain: int = 1,
    nanoseconds: float = math.inf,
) -> None:
    """task(worker, first, last) over [0, count), in contiguous parts that are multiples of `grain`.

    `nanoseconds` says roughly what one thread takes for all; little work stays on this thread. The
    parts run at the same time; the first exception of a part is raised when all have ended.
    Inside a part, everything is one part.

    >>> parts = []
    >>> parallel_ranges(lambda worker, first, last: parts.extend(range(first, last)), 5)
    >>> sorted(parts)
    [0, 1, 2, 3, 4]
    """
    alone = nanoseconds < WORTH_A_THREAD or getattr(_inside, "worker", False)
    threads = 1 if alone else thread_count()
    units = math.ceil(count / grain)
    threads = min(threads, units)
    if threads <= 1:
        if count:
            task(0, 0, count)
        return
    bounds = [min(count, grain * (units * k // threads)) for k in range(threads + 1)]
    _on_all(lambda worker: task(worker, bounds[worker], bounds[worker + 1]), threads)


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
    jobs = _waiting_crew()
    for worker in range(1, threads):
        jobs.put((part, worker, ended))
    try:
        part(0)
    finally:
        errors = [error for _ in range(1, threads) if (error := ended.get()) is not None]
    if errors:
        raise errors[0]


def matrix_product(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """np.matmul; a large product of two matrices is split over the library's own threads.

    The longest side is split: rows, columns, or what is summed over, whose parts are added in
    order. Anything but two float matrices goes to NumPy.

    >>> matrix_product(np.eye(2), np.ones((2, 1))).tolist()
    [[1.0], [1.0]]
    """
    if thread_count() == 1 or a.ndim != 2 or b.ndim != 2 or a.dtype != b.dtype:
        return np.matmul(a, b)  # type: ignore[no-any-return]
    (rows, inner), columns = a.shape, b.shape[1]
    if rows * inner * columns < SPLIT_PRODUCT_FROM or a.dtype.char not in "fd":
        return np.matmul(a, b)  # type: ignore[no-any-return]
    if inner != b.shape[0]:
        return np.matmul(a, b)  # type: ignore[no-any-return]
    from autograd.kernels.buffers import empty

    if inner > 8 * max(rows, columns):
        return _sum_of_products(a, b)
    out = empty((rows, columns), a.dtype)

    def some_rows(_worker: int, first: int, last: int) -> None:
        np.matmul(a[first:last], b, out=out[first:last])

    def some_columns(_worker: int, first: int, last: int) -> None:
        np.matmul(a, b[:, first:last], out=out[:, first:last])

    parallel_ranges(some_rows if rows >= columns else some_columns, max(rows, columns), 16)
    return out


def _sum_of_products(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """a b as the sum of one product for each thread."""
    parts = np.zeros((thread_count(), len(a), b.shape[1]), a.dtype)

    def product(worker: int, first: int, last: int) -> None:
        np.matmul(a[:, first:last], b[first:last], out=parts[worker])

    parallel_ranges(product, a.shape[1], 16)
    total: np.ndarray[Any, Any] = parts[0]
    for part in parts[1:]:
        total += part
    return total


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
        memory = np.empty(size + 64, np.uint8)
        first = -memory.ctypes.data % 64
        buffer = buffers[name] = memory[first : first + size]
    part: np.ndarray[Any, Any] = buffer[:size].view(dtype).reshape(shape)
    return part


def blas_threads() -> list[int]:
    """The threads of each BLAS library of NumPy's; none are found without threadpoolctl.

    >>> all(threads >= 1 for threads in blas_threads())
    True
    """
    return [library.num_threads for library in _blas_libraries()]


def _default_count() -> int:
    """DAGRAD_NUM_THREADS, else what the BLAS would use, else the cores this process may use."""
    with _lock:
        if "default" not in _state:
            given = os.environ.get("DAGRAD_NUM_THREADS", "")
            if given and (not given.isdecimal() or int(given) < 1):
                raise ValueError(f"DAGRAD_NUM_THREADS={given!r}: give a number of at least 1")
            found = max((library.num_threads for library in _blas_libraries()), default=0)
            _state["default"] = int(given) if given else found or _usable_cores()
        return int(_state["default"])


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _set_blas_threads(count: int) -> None:
    for library in _blas_libraries():
        library.set_num_threads(count)


def _blas_libraries() -> Iterable[Any]:
    """NumPy's BLAS among the loaded ones, so that other packages' libraries stay as they are."""
    if "libraries" not in _state:
        libraries: list[Any] = []
        if find_spec("threadpoolctl") is not None:
            from threadpoolctl import ThreadpoolController

            found = ThreadpoolController().select(user_api="blas").lib_controllers
            homes = (Path(np.__file__).parent, Path(np.__file__).parent.with_name("numpy.libs"))
            own = [c for c in found if any(h in Path(c.filepath).parents for h in homes)]
            libraries = own or list(found)
        _state["libraries"] = libraries
    return _state["libraries"]  # type: ignore[no-any-return]


_Job = tuple[Callable[[int], None], int, "SimpleQueue[BaseException | None]"]


def _waiting_crew() -> SimpleQueue[_Job | None]:
    """Where the other threads take their parts from."""
    with _lock:
        crew: _Crew | None = _state.get("crew")
        wanted = os.getpid(), max(1, get_num_threads() - 1)
        if crew is None or (crew.process, len(crew.threads)) != wanted:
            if crew is not None and crew.process == os.getpid():
                crew.dismiss()
            _state["crew"] = crew = _Crew(wanted[1])  # threads do not survive a fork
        crew.placement.avoid_caller(thread.native_id or 0 for thread in crew.threads)
        return crew.jobs


class _Crew:
    """Threads that take jobs from a queue."""

    def __init__(self, count: int) -> None:
        self.process = os.getpid()
        self.jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self.placement = Placement()
        self.threads = [
            threading.Thread(target=_work, args=(self.jobs,), name=f"autograd-{k}", daemon=True)
            for k in range(count)
        ]
        for thread in self.threads:
            thread.start()

    def dismiss(self) -> None:
        """Let the threads end when they have done what is in the queue."""
        for _ in self.threads:
            self.jobs.put(None)


def _work(jobs: SimpleQueue[_Job | None]) -> None:
    while (job := jobs.get()) is not None:
        task, worker, ended = job
        try:
            task(worker)
            ended.put(None)
        except BaseException as error:
            ended.put(error)
        # what a waiting thread holds would live on
        del job, task, ended
