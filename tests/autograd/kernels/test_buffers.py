"""The pool of large arrays: what anyone holds is never given out again."""

from __future__ import annotations

import ctypes
import gc
import operator
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.kernels import buffers
from autograd.kernels.buffers import (
    POOLED_FROM,
    alone_in_pool,
    empty,
    fills_memory,
    held_bytes,
    release,
)

LARGE = POOLED_FROM // 4

actions = st.lists(
    st.tuples(
        st.sampled_from(["new", "view", "drop", "release"]), st.integers(1, 8), st.integers(0, 99)
    ),
    max_size=40,
)


@given(actions)
def test_living_arrays_keep_their_values(steps: list[tuple[str, int, int]]) -> None:
    held: list[tuple[np.ndarray[Any, Any], int]] = []
    for number, (action, size, choice) in enumerate(steps):
        if action == "new":
            array = empty((size, LARGE), np.float32)
            array.fill(number)
            held.append((array, number))
        elif action == "view" and held:
            array, value = held[choice % len(held)]
            held.append((array[::2, 3:].T, value))
        elif action == "drop" and held:
            held.pop(choice % len(held))
        elif action == "release":
            release()
        for array, value in held:
            assert array.size == 0 or (array.flat[0] == value and array.flat[-1] == value)
        assert all(
            not np.shares_memory(a, b)
            for i, (a, first) in enumerate(held)
            for b, second in held[:i]
            if first != second
        )


def test_memory_returns_without_the_collector_and_is_used_again() -> None:
    release()
    used, _ = held_bytes()
    gc.disable()
    try:
        array = empty((4, LARGE), np.float32)
        address = array.ctypes.data
        assert address % 64 == 0
        part = array[1]
        del array
        assert held_bytes()[0] > used  # the view holds it
        del part
        assert held_bytes()[0] == used
        assert empty((4, LARGE), np.float32).ctypes.data == address
    finally:
        gc.enable()
        release()
    assert held_bytes() == (used, 0)


@pytest.fixture(params=["free addresses", "no free addresses"])
def addresses(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the system gives addresses without memory: as it is here, and where it does not."""
    if request.param == "no free addresses":
        monkeypatch.setattr(buffers, "_free_addresses", lambda: 0)
    release()
    return buffers._free_addresses() > 0


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    "part", [lambda x: x[1:], lambda x: x.T, lambda x: x.view(np.int32)], ids=["some", "T", "view"]
)
def test_an_array_is_alone_until_another_is_made_of_it(
    part: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]], turned: bool
) -> None:
    array = empty((3, LARGE), np.float32)
    if turned:
        array = array.reshape(3, 2, -1).transpose(2, 0, 1)
    assert alone_in_pool(array)
    other = part(array)
    assert not alone_in_pool(other)
    if turned:  # both are of the same base
        assert not alone_in_pool(array)
    del other
    assert alone_in_pool(array)


def test_arrays_of_others_are_not_in_the_pool() -> None:
    own = np.empty((2, LARGE), np.float32)
    for other in (own, own.T, np.frombuffer(bytearray(8)), np.frombuffer(bytes(8))):
        assert not alone_in_pool(other)
    assert not alone_in_pool(np.ctypeslib.as_array((ctypes.c_double * 3)()))
    assert not alone_in_pool(np.lib.stride_tricks.as_strided(own, (3,), (4,)))


def test_neither_are_parts_of_an_array_and_entries_in_one_place() -> None:
    part = empty((3, LARGE), np.float32).reshape(LARGE, 3)[1:]
    assert not alone_in_pool(part)
    whole = empty((1, LARGE), np.float32)
    same = np.ndarray(whole.shape, whole.dtype, whole, 0, (0, 0))
    del whole
    assert not alone_in_pool(same)


@given(st.permutations(range(4)), st.tuples(*[st.integers(1, 3)] * 4), st.data())
def test_what_fills_its_memory(
    order: list[int], shape: tuple[int, ...], data: st.DataObject
) -> None:
    x = np.empty(shape).transpose(order)
    assert fills_memory(x)
    assert fills_memory(x[::-1, :, ::-1])
    axis = data.draw(st.integers(0, 3))
    wide = np.repeat(x, 2, axis=axis)[(*[slice(None)] * axis, slice(None, None, 2))]
    places = {8 * k for k in range(x.size)}
    offsets = {sum(map(operator.mul, at, wide.strides)) for at in np.ndindex(wide.shape)}
    assert fills_memory(wide) == (offsets == places)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_that_outlives_a_release_goes_back_to_the_system() -> None:
    program = (
        "from autograd.kernels import buffers\n"
        "def resident():\n"
        "    return int(open('/proc/self/statm').read().split()[1]) * buffers.GRAIN\n"
        "array, other = (buffers.empty((1 << 26,), 'u1') for _ in range(2))\n"
        "array.fill(1)\n"
        "buffers.release()\n"
        "full = resident()\n"
        "del array\n"
        "print(full - resident() > 1 << 25, buffers.held_bytes()[1])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "True 0\n", done.stderr


def test_a_forked_process_begins_with_no_free_memory() -> None:
    """Another thread may have been changing what is free."""
    release()
    kept, gone = empty((1, LARGE), np.float32), empty((1, LARGE), np.float32)
    kept.fill(1)
    del gone
    buffers._forget_all()
    used, free = held_bytes()
    assert free == 0
    other = empty((1, LARGE), np.float32)
    other.fill(2)
    assert (kept == 1).all()
    del kept, other
    assert held_bytes()[0] == used - LARGE * 4
    release()


def test_no_more_is_kept_than_was_in_use_at_once(addresses: bool) -> None:
    used, _ = held_bytes()
    for size in range(1, 30):
        empty((size, LARGE), np.float32)
    assert held_bytes()[1] == 29 * LARGE * 4
    release()
    assert held_bytes()[0] == used


def test_steps_of_mixed_sizes_need_no_new_memory_after_a_few(
    addresses: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Results of a forward pass, and gradients that meet no free block of their size."""
    sizes = [5, 5, 13, 3, 3, 14, 3, 1, 4, 1]

    def step() -> None:
        saved = [empty((size, LARGE), np.float32) for size in sizes]
        gradient = empty((2, LARGE), np.float32)
        while saved:
            after = empty((len(saved[-1]), LARGE), np.float32)
            saved.pop()
            gradient = after
        del gradient

    for _ in range(4):
        step()
    held = sum(held_bytes())
    made = []
    real = buffers._Chunk
    monkeypatch.setattr(buffers, "_Chunk", lambda size: made.append(size) or real(size))
    for _ in range(4):
        step()
    assert made == []
    assert sum(held_bytes()) == held
    most = (sum([5, 5, 13, 3, 3, 14]) + 3 + 14) * LARGE * 4  # in use at one time
    assert held <= (1.1 if addresses else 1.5) * most
    release()


def test_an_array_lies_where_one_of_its_size_lay() -> None:
    """Though a gradient that lives on from step to step is elsewhere each time by first fit."""
    release()
    places: list[list[int]] = []
    kept: dict[str, np.ndarray[Any, Any]] = {}
    sizes = {"y": 20, "dx": 20, "dw": 1}
    # The arrays of a step of a small network, and which of them end before each is made.
    ends = {
        "y": (),
        "pooled": (),
        "index": (),
        "relu": ("y",),
        "features": ("pooled",),
        "cotangent": ("dw",),
        "dw": (),
        "turned": ("cotangent", "features"),
        "after relu": ("turned", "relu"),
        "dx": (),
    }
    for _ in range(6):
        places.append([])
        for name, ended in ends.items():
            for other in ended:
                kept.pop(other, None)
            kept[name] = empty((sizes.get(name, 5), LARGE), np.float32)
            places[-1].append(kept[name].ctypes.data)
        kept = {"dw": kept["dw"]}
    assert places[3] == places[4] == places[5]
    kept.clear()
    release()


def test_a_former_place_breaks_no_free_range_in_two() -> None:
    release()
    before = sum(held_bytes())
    kept = [empty((size, LARGE), np.float32) for size in (5, 1, 4)]
    kept.clear()
    kept = [empty((size, LARGE), np.float32) for size in (1, 9)]
    assert sum(held_bytes()) - before == 10 * LARGE * 4
    kept.clear()
    release()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_addresses_cost_no_memory() -> None:
    program = (
        "from autograd.kernels import buffers\n"
        "def resident():\n"
        "    return int(open('/proc/self/statm').read().split()[1]) * buffers.GRAIN\n"
        "before = resident()\n"
        "kept = buffers.empty((1 << 24,), 'u1')\n"
        "kept.fill(1)\n"
        "print(resident() - before, buffers.held_bytes(), buffers._free_addresses() > 1 << 30)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    grown, *rest = done.stdout.split(maxsplit=1)
    assert 1 << 24 <= int(grown) <= 1 << 25
    assert rest == [f"({1 << 24}, 0) True\n"], done.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits as Linux has them")
def test_where_addresses_are_limited_chunks_are_exact() -> None:
    program = (
        "import resource\n"
        "from autograd.kernels import buffers\n"
        "limit = 1 << 32\n"
        "resource.setrlimit(resource.RLIMIT_AS, (limit, limit))\n"
        "assert buffers._free_addresses() == 0\n"
        "array = buffers.empty((1 << 24,), 'u1')\n"
        "array.fill(1)\n"
        "print([chunk.size for chunk in buffers._chunks])\n"
        "try:\n"
        "    buffers.empty((1 << 32,), 'u1')\n"
        "except MemoryError as error:\n"
        "    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == f"[{1 << 24}]\nno memory for arrays of {1 << 32} bytes\n", done.stderr


def test_what_ends_or_begins_within_the_pool_waits_or_passes_it() -> None:
    """The garbage collector and a signal's handler may come anywhere."""
    release()
    used, _ = held_bytes()
    first = empty((2, LARGE), np.float32)
    first.fill(1)
    buffers._state["busy"] = True
    try:
        within = empty((1, LARGE), np.float32)
        within.fill(2)
        del first
        assert held_bytes()[0] == used + 3 * LARGE * 4  # it is still to be taken back
        release()
    finally:
        buffers._state["busy"] = False
    assert (within == 2).all()
    after = empty((2, LARGE), np.float32)
    after.fill(3)
    assert (within == 2).all()
    del after, within
    assert held_bytes()[0] == used
    release()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_writes_to_memory_of_its_own() -> None:
    array = empty((2, LARGE), np.float32)
    array.fill(1)
    with warnings.catch_warnings():  # of threads that other tests started
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        status = 1
        try:
            array.fill(2)
            empty((2, LARGE), np.float32).fill(3)
            status = int(not (array == 2).all())
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert (array == 1).all()


def test_an_array_that_is_too_large_leaves_the_pool_usable() -> None:
    release()
    empty((2, LARGE), np.float32)
    used, _ = held_bytes()
    with pytest.raises(MemoryError, match="bytes"):
        empty((1 << 61,), np.uint8)
    assert held_bytes()[0] == used
    assert empty((2, LARGE), np.float32).nbytes == 2 * LARGE * 4
    assert sum(held_bytes()) <= 3 * LARGE * 4
    release()


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 6), st.integers(0, 99)), max_size=60))
def test_free_ranges_are_what_is_not_cut_and_as_long_as_they_can_be(
    steps: list[tuple[bool, int, int]],
) -> None:
    pages = 24
    chunk = buffers._Chunk(pages * buffers.GRAIN)
    cut: list[tuple[int, int]] = []
    for new, count, choice in steps:
        size = count * buffers.GRAIN
        fitting = [k for k, (first, end) in enumerate(chunk.free) if end - first >= size]
        if new and fitting:
            number = fitting[choice % len(fitting)]
            first, end = chunk.free[number]
            first += choice % ((end - first - size) // buffers.GRAIN + 1) * buffers.GRAIN
            assert chunk.cut(number, first, size) == first
            cut.append((first, first + size))
        elif cut:
            chunk.put(*cut.pop(choice % len(cut)))
        taken = {page for first, end in cut for page in range(first, end, buffers.GRAIN)}
        free: list[tuple[int, int]] = []
        for first in range(0, chunk.size, buffers.GRAIN):
            end = first + buffers.GRAIN
            if first not in taken:
                joined = bool(free) and free[-1][1] == first
                free.append((free.pop()[0] if joined else first, end))
        assert chunk.free == free


def test_arrays_that_outlive_the_interpreters_modules_end_in_silence() -> None:
    program = (
        "import ctypes, threading\n"
        "from autograd.kernels.buffers import empty\n"
        "ctypes.kept, threading.kept = empty((1 << 20,), 'f4'), empty((1 << 20,), 'f4')\n"
        "empty.__globals__['kept'] = empty((1 << 20,), 'f4')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
