"""Compiled parts that threads claim from a board: each done once, whoever is awake or beside."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from itertools import repeat
from queue import SimpleQueue
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numba")
pytest.importorskip("threadpoolctl")

from autograd.kernels import (
    channel_rows,
    columns,
    depthwise,
    direct,
    products,
    winograd,
    workers,
)
from autograd.kernels.compilation import compiled
from autograd.kernels.compiled_sharing import new_board, new_parts, packed, publish, take
from autograd.kernels.convolution import convolve_weight_gradient
from autograd.kernels.crew import TIMES, Crew
from autograd.kernels.products import matrix_product
from autograd.kernels.workers import (
    get_num_threads,
    parallel_kernel,
    parallel_parts,
    parallel_ranges,
    set_num_threads,
)


@compiled
def count(x: Any, counts: Any, offset: Any) -> None:
    """counts += x + offset."""
    for i in range(counts.size):
        counts[i] += x[i] + offset


@compiled
def refuse(x: Any, negative: Any) -> None:
    if x[0] < negative:
        raise ValueError("no")
    x[0] += 1


@compiled
def windows(x: Any, sums: Any) -> None:
    """sums[i] = x[i, 0] + ... by views of views, which Numba counts references to."""
    for i in range(len(sums)):
        for j in range(x.shape[1]):
            sums[i] += x[i : i + 1].ravel()[j : j + 1].copy()[0]


def add(x: Any, counts: Any, offset: int, grain: int = 1) -> None:
    def arguments(worker: int, first: int, last: int) -> tuple[Any, ...]:
        assert first % grain == 0
        return x[first:last], counts[first:last], offset

    parallel_kernel(count, arguments, len(counts), grain)


@given(size=st.integers(0, 40), grain=st.integers(1, 9), step=st.integers(1, 2))
def test_every_entry_once(threads: int, size: int, grain: int, step: int) -> None:
    x = np.arange(float(size * step))[::step]
    counts = np.zeros(size)
    for k in range(3):
        add(x, counts, k, grain)
    np.testing.assert_array_equal(counts, 3 * x + 3)


@compiled
def note_order(order: Any, number: int) -> None:
    """order[0] is how many parts there were so far."""
    order[0] += 1
    order[number] = order[0]


@given(turns=st.lists(st.booleans(), max_size=9), count=st.integers(1, 9))
def test_who_publishes_begins_with_the_first_part_and_others_with_the_last(
    turns: list[bool], count: int
) -> None:
    order = np.zeros(count + 1, np.int64)
    board, parts = new_board(), new_parts(count)
    for k in range(count):
        packed(note_order)((order, k + 1), parts, k)
    for _ in range(2):
        publish(board, parts.ctypes.data, count)
        order[:] = 0
        left = list(range(1, count + 1))
        for number, publisher in enumerate(turns, 1):
            assert take(board, publisher) is bool(left)
            if left:
                assert order[left.pop(0 if publisher else -1)] == number
        assert (order[left] == 0).all()


@compiled
def count_rows(
    x: Any, counts: Any, workers: Any, offset: Any, worker: int, first: int, last: int
) -> None:
    """As `count`, for entries [first, last)."""
    for i in range(first, last):
        counts[i] += x[i] + offset
        workers[i] = worker
    if x[first] < 0:
        raise ValueError("no")


@given(size=st.integers(0, 40), grain=st.integers(1, 9), step=st.integers(1, 2))
def test_every_entry_once_where_all_parts_are_given_the_same(
    threads: int, size: int, grain: int, step: int
) -> None:
    x = np.arange(float(size * step))[::step]
    counts, workers = np.zeros(size), np.full(size, -1)
    for k in range(3):
        parallel_parts(count_rows, (x, counts, workers, k), size, grain)
    np.testing.assert_array_equal(counts, 3 * x + 3)
    assert np.all(np.diff(workers) >= 0) and np.all((workers >= 0) & (workers < threads))
    changes = np.flatnonzero(np.diff(workers)) + 1
    assert not np.any(changes % grain) and len(changes) == max(
        0, min(threads, -(-size // grain)) - 1
    )


def test_at_most_so_many_parts_and_one_for_little_work(threads: int) -> None:
    x, counts, workers = np.ones(64), np.zeros(64), np.zeros(64)
    for limits in ({"most": 1}, {"nanoseconds": 10.0}):
        parallel_parts(count_rows, (x, counts, workers, 0), 64, **limits)
        assert not workers.any()
    with pytest.raises(MemoryError if threads > 1 else ValueError):
        parallel_parts(count_rows, (-x, counts, workers, 0), 64)
    parallel_parts(count_rows, (x, counts, workers, 0), 64)
    assert len(np.unique(workers)) == threads


def test_parts_of_different_memory_layouts(threads: int) -> None:
    """A part of one row counts as contiguous in both orders, the others do not."""

    def rows(first: int, last: int) -> Any:
        return wide[first:last, :1].reshape(-1) if last - first == 1 else wide[first:last, 0]

    wide = np.zeros((threads + 1, 4))
    ones = np.ones(threads + 1)
    parallel_kernel(count, lambda _, a, b: (ones[a:b], rows(a, b), 1), len(wide))
    np.testing.assert_array_equal(wide[:, 0], 2)
    np.testing.assert_array_equal(wide[:, 1:], 0)


def test_kernels_may_make_views_and_arrays(threads: int) -> None:
    x = np.random.default_rng(0).normal(size=(300, 7))
    for _ in range(20):
        sums = np.zeros(300)
        parallel_kernel(windows, lambda _, a, b, out=sums: (x[a:b] + 0.0, out[a:b]), 300)
        np.testing.assert_allclose(sums, x.sum(axis=1), rtol=1e-12)


def test_a_packed_array_owns_nothing() -> None:
    """Its first word is Numba's owner, whose count ends with the call that packs; data is fifth."""
    x = np.arange(3.0)
    parts = new_parts(1)
    count(x, x, 0)
    packed(count)((x, x, 0), parts, 0)
    first_array = parts[0, 2:]
    assert first_array[0] == 0
    assert first_array[4] == x.ctypes.data


def test_parts_are_as_many_as_there_is_memory_for(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another thread may raise the number of threads between the two."""
    rng = np.random.default_rng(0)
    a = rng.normal(size=(24, 8192))
    x = rng.normal(size=(12, 3, 16, 16)).astype(np.float32)
    deep = rng.normal(size=(12, 24, 16, 16)).astype(np.float32)
    g = np.moveaxis(rng.normal(size=(12, 16, 16, 24)).astype(np.float32), -1, 1)
    geometry: Any = ((1, 1), ((1, 1), (1, 1)), (1, 1))
    calls: dict[Any, Any] = {
        products: lambda: matrix_product(a, a.T),
        channel_rows: lambda: channel_rows.channel_sums(g),
        direct: lambda: convolve_weight_gradient(x, g, (3, 3), *geometry),
        winograd: lambda: convolve_weight_gradient(deep, g, (3, 3), *geometry),
        columns: lambda: convolve_weight_gradient(deep, g[..., 1:], (3, 4), *geometry),
        depthwise: lambda: convolve_weight_gradient(deep, g, (3, 3), *geometry, groups=24),
    }
    for module, call in calls.items():
        expected = call()
        with monkeypatch.context() as patch:
            numbers = iter([2, 1]) if module is products else repeat(1)
            patch.setattr(module, "thread_count", lambda numbers=numbers: next(numbers, 1))
            np.testing.assert_allclose(call(), expected, rtol=1e-3, atol=1e-3)


def test_parts_of_a_dismissed_crew_are_done(threads: int) -> None:
    """As when another thread changes the number of threads just before they are handed over."""
    done: list[int] = []
    crew = workers._current_crew()
    crew.dismiss()
    assert not crew.hand_over(0, (done.append, 1, SimpleQueue()))
    x, counts = np.arange(30.0), np.zeros(30)

    def call() -> None:
        parallel_ranges(lambda worker, first, last: done.extend(range(first, last)), 30)
        add(x, counts, 0)

    caller = threading.Thread(target=call, daemon=True)
    caller.start()
    caller.join(60)
    workers._state["crew"] = None
    assert sorted(done) == list(range(30))
    np.testing.assert_array_equal(counts, x)


def test_every_thread_that_sleeps_is_woken(threads: int) -> None:
    """A thread that is awake does not take what should wake another."""
    x, counts = np.arange(1000.0), np.zeros(1000)
    crew = workers._current_crew()
    for _ in range(5):
        add(x, counts, 0)
        time.sleep(0.02)
    limit = time.monotonic() + 20
    while len(crew._asleep) < threads - 1 and time.monotonic() < limit:
        time.sleep(0.005)
    assert len(crew._asleep) >= threads - 1
    assert all(queue.empty() for queue in crew._queues)


def test_the_number_of_threads_may_change_meanwhile(threads: int) -> None:
    x, counts = np.arange(300.0), np.zeros(300)
    stop = threading.Event()
    before = get_num_threads()

    def change() -> None:
        for k in range(10_000):
            if stop.is_set():
                break
            set_num_threads(1 + k % 4)

    def part(_worker: int, first: int, last: int) -> None:
        counts[first:last] += 1

    changer = threading.Thread(target=change)
    changer.start()
    try:
        rng = np.random.default_rng(0)
        a = rng.normal(size=(24, 8192))
        expected = np.einsum("ij,kj->ik", a, a)
        for _ in range(100):
            add(x, counts, 0)
            parallel_ranges(part, 300)
            np.testing.assert_allclose(matrix_product(a, a.T), expected, rtol=1e-9, atol=1e-9)
    finally:
        stop.set()
        changer.join()
        set_num_threads(before)
    np.testing.assert_array_equal(counts, 100 * x + 100)


def test_threads_that_sleep_are_woken_and_never_waited_for(threads: int) -> None:
    x, counts = np.arange(1000.0), np.zeros(1000)
    for pause in (0.0, 0.02, 0.0, 0.001, 0.05):
        time.sleep(pause)
        add(x, counts, 0)
    np.testing.assert_array_equal(counts, 5 * x)


def test_compiled_and_other_parts_in_turn(threads: int) -> None:
    x, counts = np.arange(300.0), np.zeros(300)

    def part(_worker: int, first: int, last: int) -> None:
        counts[first:last] += 1
        add(x[first:last], counts[first:last], 0)  # inside a part, one part

    for _ in range(50):
        add(x, counts, 0)
        parallel_ranges(part, 300)
    np.testing.assert_array_equal(counts, 100 * x + 50)


def test_several_callers_at_once(threads: int) -> None:
    x = np.arange(100_000.0)  # so many that calls overlap
    results = [np.zeros(len(x)) for _ in range(4)]
    failures: list[BaseException] = []

    def call(counts: np.ndarray) -> None:
        try:
            for _ in range(200):
                add(x, counts, 1)
        except BaseException as error:
            failures.append(error)

    callers = [threading.Thread(target=call, args=(counts,)) for counts in results]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not failures
    for counts in results:
        np.testing.assert_array_equal(counts, 200 * (x + 1))


def test_a_part_that_fails(threads: int) -> None:
    values = np.zeros(threads)
    values[-1] = -1
    error = MemoryError if threads > 1 else ValueError
    with pytest.raises(error):
        parallel_kernel(refuse, lambda _, a, b: (values[a:b], 0.0), threads)
    values[-1] = 0
    before = values.copy()
    parallel_kernel(refuse, lambda _, a, b: (values[a:b], 0.0), threads)
    np.testing.assert_array_equal(values, before + 1)


def test_little_work_stays_here(threads: int) -> None:
    seen: list[tuple[int, int, int]] = []
    x, counts = np.ones(50), np.zeros(50)

    def arguments(worker: int, first: int, last: int) -> tuple[Any, ...]:
        seen.append((worker, first, last))
        return x[first:last], counts[first:last], 0

    parallel_kernel(count, arguments, 50, nanoseconds=10.0)
    assert seen == [(0, 0, 50)]
    parallel_kernel(count, arguments, 0, nanoseconds=1e9)
    assert len(seen) == 1


PROGRAM = """
import os, sys
sys.path.insert(0, {folder!r})
import numpy as np
from test_sharing import add
from autograd.kernels import workers
workers.use_own_threads()
workers.set_num_threads(3)
x, counts = np.arange(100.0), np.zeros(100)
add(x, counts, 0)
child = os.fork()
add(x, counts, 0)
fine = np.array_equal(counts, 2 * x)
if child == 0:
    os._exit(0 if fine else 1)
print(fine, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_has_threads_of_its_own() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM.format(folder=os.path.dirname(__file__))],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout.split() == ["True", "0"]


def test_the_caller_s_processor_is_asked_for_now_and_then() -> None:
    crew = Crew(1)
    asked = []
    crew.placement.avoid_caller = lambda threads: asked.append(list(threads))  # type: ignore[method-assign]
    try:
        for _ in range(2 * TIMES + 1):
            crew.board()
    finally:
        crew.dismiss()
    assert asked == [[crew.threads[0].native_id]] * 3
