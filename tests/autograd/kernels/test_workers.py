"""Work split over threads: everything once, errors raised, and the number of threads."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
import weakref
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.kernels import workers
from autograd.kernels.crew import Crew
from autograd.kernels.workers import (
    get_num_threads,
    parallel_chunks,
    parallel_ranges,
    scratch,
    set_num_threads,
    thread_count,
)

needs_threadpoolctl = pytest.mark.skipif(
    find_spec("threadpoolctl") is None, reason="threadpoolctl is not installed"
)


@needs_threadpoolctl
@given(count=st.integers(0, 50), grain=st.integers(1, 9))
def test_ranges_and_chunks_cover_everything_once(threads: int, count: int, grain: int) -> None:
    assert thread_count() == threads
    seen: list[int] = []
    workers_seen: set[int] = set()

    def ranges(worker: int, first: int, last: int) -> None:
        workers_seen.add(worker)
        assert first % grain == 0
        seen.extend(range(first, last))

    parallel_ranges(ranges, count, grain)
    assert sorted(seen) == list(range(count))
    assert workers_seen <= set(range(threads))
    seen.clear()

    def chunks(first: int, last: int) -> None:
        assert first % grain == 0 and last - first <= grain
        seen.extend(range(first, last))

    parallel_chunks(chunks, count, grain)
    assert sorted(seen) == list(range(count))


@needs_threadpoolctl
def test_an_error_in_any_part_is_raised_and_the_next_call_works(threads: int) -> None:
    for guilty in range(threads):

        def task(worker: int, first: int, last: int, guilty: int = guilty) -> None:
            if worker == guilty:
                raise KeyError(worker)

        with pytest.raises(KeyError):
            parallel_ranges(task, 12)
    parts: list[int] = []
    parallel_ranges(lambda worker, first, last: parts.append(last - first), 12)
    assert sum(parts) == 12


@needs_threadpoolctl
def test_what_a_part_that_failed_had_is_freed_without_the_collector(threads: int) -> None:
    kept: list[weakref.ref[Any]] = []

    def task(worker: int, first: int, last: int) -> None:
        if worker == threads - 1:
            own = np.ones(3)
            kept.append(weakref.ref(own))
            raise KeyError(worker)

    gc.collect()
    gc.disable()
    try:
        try:
            parallel_ranges(task, 12)
        except KeyError:
            failed = True
        deadline = time.monotonic() + 10  # the other thread lets go of the error a little later
        while kept[0]() is not None and time.monotonic() < deadline:
            time.sleep(0.001)
        assert failed and [reference() for reference in kept] == [None]
    finally:
        gc.enable()


@needs_threadpoolctl
def test_inside_a_part_everything_is_one_part(threads: int) -> None:
    inner: list[tuple[int, int]] = []

    def task(worker: int, first: int, last: int) -> None:
        parallel_ranges(lambda _, a, b: inner.append((a, b)), 10)

    parallel_ranges(task, threads)
    assert inner == [(0, 10)] * threads


def test_scratch_memory_belongs_to_its_thread() -> None:
    mine = scratch("test", (10,), np.float64)
    assert np.shares_memory(mine, scratch("test", (5,), np.float64))
    others: list[bool] = []

    def other() -> None:
        others.append(np.shares_memory(mine, scratch("test", (10,), np.float64)))

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert others == [False]


def test_an_operation_that_interrupts_another_has_scratch_memory_of_its_own() -> None:
    """As one in a signal's handler does."""
    outer: list[np.ndarray] = []
    inner: list[np.ndarray] = []

    def interrupting(_worker: int, first: int, last: int) -> None:
        inner.append(scratch("test", (5,), np.float64))

    def task(_worker: int, first: int, last: int) -> None:
        outer.append(scratch("test", (5,), np.float64))
        parallel_ranges(interrupting, 1)
        outer.append(scratch("test", (5,), np.float64))

    parallel_ranges(task, 1)
    assert np.shares_memory(outer[0], outer[1])
    assert not np.shares_memory(outer[0], inner[0])


@pytest.mark.parametrize(
    ("count", "error"),
    [(0, ValueError), (1025, ValueError), (True, TypeError), (1.5, TypeError)],
)
def test_bad_numbers_of_threads(count: object, error: type[Exception]) -> None:
    with pytest.raises(error, match="set_num_threads"):
        set_num_threads(count)  # type: ignore[arg-type]


@pytest.mark.parametrize("given", ["0", "-1", "1025", "100000", "x", "2.0"])
def test_bad_numbers_of_threads_in_the_environment(
    given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_state", {"own": False, "wanted": None})
    monkeypatch.setenv("DAGRAD_NUM_THREADS", given)
    with pytest.raises(
        ValueError, match=rf"DAGRAD_NUM_THREADS='{given}': give a number from 1 to 1024"
    ):
        get_num_threads()
    monkeypatch.setenv("DAGRAD_NUM_THREADS", "1024")
    assert get_num_threads() == 1024


def test_threads_that_the_system_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that were started end."""
    started: list[threading.Thread] = []

    def refusing(thread: threading.Thread) -> None:
        if len(started) == 2:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    start = threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", refusing)
    with pytest.raises(
        RuntimeError, match=r"4 more threads \(can't start new thread\); give fewer"
    ):
        Crew(4)
    for thread in started:
        thread.join(10)
    assert [thread.is_alive() for thread in started] == [False, False]


PROGRAM = """
import os
import numpy as np
import autograd as ag
from autograd.kernels import workers
from autograd.kernels.convolution import convolve
x = np.random.default_rng(0).normal(size=(64, 16, 16, 16)).astype(np.float32)
w = np.random.default_rng(1).normal(size=(16, 16, 3, 3)).astype(np.float32)
y = convolve(x, w, (1, 1), ((1, 1), (1, 1)), (1, 1))
print(workers.get_num_threads(), float(y.sum(dtype=np.float64)))
child = os.fork()
if child == 0:
    again = convolve(x, w, (1, 1), ((1, 1), (1, 1)), (1, 1))
    os._exit(0 if np.array_equal(again, y) else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_the_environment_sets_the_number_and_forks_work() -> None:
    found = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", PROGRAM],
            env={**os.environ, "DAGRAD_NUM_THREADS": "3"},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        found.append(done.stdout)
    assert found[0] == found[1]
    assert found[0].split()[0] == "3"
    assert found[0].split()[-1] == "0"
