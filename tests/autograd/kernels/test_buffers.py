"""The pool of large arrays: what anyone holds is never given out again."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from autograd.kernels.buffers import (
    POOLED_FROM,
    alone_in_pool,
    empty,
    empty_like,
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


def test_no_more_is_kept_than_was_in_use_at_once() -> None:
    release()
    used, _ = held_bytes()
    for size in range(1, 30):
        empty((size, LARGE), np.float32)
    largest = 30 * LARGE * 4
    assert held_bytes()[1] <= largest * 1.2
    release()
    assert held_bytes()[0] == used


def test_shapes_orders_and_owners() -> None:
    x = np.ones((64, 8, 9, 64), np.float32).transpose(0, 3, 1, 2)
    like = empty_like(x)
    assert like.shape == x.shape and like.strides == x.strides and like.dtype == x.dtype
    assert empty_like(np.ones((2, 3), order="F")).flags.f_contiguous
    assert empty((3, 0), np.float64).shape == (3, 0)
    whole = empty((LARGE,), np.float32)
    assert alone_in_pool(whole)
    assert not alone_in_pool(whole[1:]) and not alone_in_pool(np.ones(LARGE)[:])
