"""Optimizer steps in one pass against the same steps written for one number."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.kernels.updates import (
    Places,
    adam_constants,
    adam_update,
    gather_momentum,
    one_pass,
    sgd_update,
    shrink_and_subtract,
    together,
)

seeds = st.integers(0, 2**32 - 1)
rates = st.floats(0.0, 1.0, width=32)


@pytest.fixture(autouse=True)
def _compiled_only(backend: str) -> None:
    if backend == "numpy":
        pytest.skip("one_pass is false without compiled kernels")


@given(
    seeds, st.integers(1, 9000), rates, rates, rates, rates, st.booleans(), st.booleans(),
    st.booleans(), st.sampled_from(["C", "F"]),
)  # fmt: skip
def test_sgd(
    seed: int, size: int, lr: float, momentum: float, decay: float, dampening: float,
    nesterov: bool, maximize: bool, with_velocity: bool, order: str,
) -> None:  # fmt: skip
    rng = np.random.default_rng(seed)
    p, g, v = (np.array(rng.normal(size=(size, 2)), order=order) for _ in range(3))
    before = [array.copy() for array in (p, g, v)]
    velocity = v if with_velocity else None
    assert one_pass(p, g, velocity)
    sgd_update(
        p, g, velocity, lr, momentum, decay,
        dampening=dampening, nesterov=nesterov, maximize=maximize,
    )  # fmt: skip
    assert np.array_equal(g, before[1])
    for at in ((0, 0), (size - 1, 1), (size // 2, 0)):
        number, seed_value, speed = (float(array[at]) for array in before)
        change = (-seed_value if maximize else seed_value) + decay * number
        if with_velocity:
            speed = momentum * speed + (1 - dampening) * change
            change = change + momentum * speed if nesterov else speed
            assert math.isclose(v[at], speed, rel_tol=1e-12, abs_tol=1e-12)
        else:
            assert v[at] == speed
        assert math.isclose(p[at], number - lr * change, rel_tol=1e-12, abs_tol=1e-12)


@given(
    seeds, st.integers(1, 9000), rates, rates, rates, st.booleans(), st.sampled_from(["C", "F"]),
    st.sampled_from([np.float32, np.float64]),
)  # fmt: skip
def test_momentum_and_the_step_apart(
    seed: int, size: int, momentum: float, scale: float, shrink: float, nesterov: bool, order: Any,
    dtype: Any,
) -> None:  # fmt: skip
    rng = np.random.default_rng(seed)
    p, g, v = (rng.normal(size=(size, 2)).astype(dtype, order=order) for _ in range(3))
    before = [array.astype(float) for array in (p, g, v)]
    out = np.full_like(v, np.nan) if nesterov else v
    with together(p.size):
        gather_momentum(v, g, momentum, nesterov, out)
        shrink_and_subtract(p, out, scale, shrink)
    speed = momentum * before[2] + before[1]
    change = before[1] + momentum * speed if nesterov else speed
    close = {"rtol": 20 * np.finfo(dtype).eps, "atol": 20 * np.finfo(dtype).eps}
    np.testing.assert_allclose(v, speed, **close)
    np.testing.assert_allclose(out, change, **close)
    np.testing.assert_allclose(p, shrink * before[0] - scale * change, **close)
    np.testing.assert_array_equal(g, before[1])


@given(seeds, st.integers(1, 9000), rates, rates, st.booleans())
def test_adam(seed: int, size: int, lr: float, decay: float, maximize: bool) -> None:
    rng = np.random.default_rng(seed)
    p, g, m = rng.normal(size=(3, size))
    s = rng.uniform(0, 1, size)
    before = [array.copy() for array in (p, g, m, s)]
    constants = adam_constants(
        lr, (0.9, 0.99), 1e-8, 0.5, shrink=0.75, weight_decay=decay, maximize=maximize
    )
    adam_update(p, g, m, s, constants)
    for at in (0, size - 1, size // 2):
        number, seed_value, mean, square = (float(array[at]) for array in before)
        change = (-seed_value if maximize else seed_value) + decay * number
        mean = 0.9 * mean + 0.1 * change
        square = 0.99 * square + 0.01 * change**2
        number = 0.75 * number - lr * mean / (math.sqrt(square) / 0.5 + 1e-8)
        for found, expected in ((p, number), (m, mean), (s, square)):
            assert math.isclose(found[at], expected, rel_tol=1e-11, abs_tol=1e-12)


def test_arrays_that_cannot_be_walked_together() -> None:
    square = np.ones((4, 4))
    assert one_pass(square, square.copy(), square.copy(), None)
    assert not one_pass(square, np.ones((4, 4), order="F"))
    assert not one_pass(square, square.astype(np.float32))
    assert not one_pass(square[:, ::2], square[:, ::2])
    assert not one_pass(square.astype(np.float16), square.astype(np.float16))


@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize("sizes", [[], [0, 5], [3, 70_000, 1, 40_001, 4096], [250_000, 250_000]])
def test_updates_together_are_those_one_by_one(sizes: list[int], same: bool) -> None:
    shared = adam_constants(0.1, (0.9, 0.99), 1e-8, 0.5, weight_decay=0.1)
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(4, size)).astype(np.float32) for size in sizes]
    arrays = [np.abs(array) for array in arrays]
    once = [array.copy() for array in arrays]

    def update(p: np.ndarray, g: np.ndarray, m: np.ndarray, s: np.ndarray) -> None:
        if p.size % 2:
            own = adam_constants(0.1 + p.size % 3, (0.9, 0.99), 1e-8, 0.5, weight_decay=0.1)
            adam_update(p, g, m, s, shared if same else own)
        else:
            sgd_update(p, g, m, 0.1, 0.9, 0.01, nesterov=True)

    with together(sum(sizes)):
        for array in arrays:
            before = array.copy()
            update(*array)
            np.testing.assert_array_equal(array, before)
    for array in once:
        update(*array)
    for array, expected in zip(arrays, once, strict=True):
        np.testing.assert_array_equal(array, expected)


def test_an_address_is_of_the_array_that_is_given() -> None:
    """Not of another that was in its place the step before."""
    p, other = np.ones(8, np.float32), np.ones(8, np.float32)
    kind = "descend_all", p.dtype
    places: Places = {}
    for array, lr in ((other, 0.25), (p, 0.5), (p, 0.125)):
        with together(8, places):
            sgd_update(array, np.ones(8, np.float32), None, lr, 0.0, 0.0)
    np.testing.assert_array_equal(p, np.full(8, 0.375, np.float32))
    np.testing.assert_array_equal(other, np.full(8, 0.75, np.float32))
    assert list(places) == [kind] and not places[kind].sharing
    (kept,) = places[kind].kept
    assert kept is p and places[kind].places[0, 0] == p.ctypes.data
    with together(8, places):  # the same array, another gradient
        sgd_update(p, np.full(8, 1.5, np.float32), None, 0.25, 0.0, 0.0)
    np.testing.assert_array_equal(p, np.zeros(8, np.float32))


def test_arrays_over_the_same_memory_are_updated_one_after_the_other(threads: int) -> None:
    """By two threads at once some of the second's changes would be lost."""
    memory: np.ndarray[Any, Any] = np.ones(1 << 18, np.float32)
    same, end = memory[:], memory[-8:]
    places: Places = {}
    for step in range(1, 40):
        with together(2 * memory.size + 8, places):
            for p in (memory, same, end):
                sgd_update(p, np.ones(p.size, np.float32), None, 0.125, 0.0, 0.0)
        expected: np.ndarray[Any, Any] = np.full(memory.size, 1 - 0.25 * step, np.float32)
        expected[-8:] = 1 - 0.375 * step
        np.testing.assert_array_equal(memory, expected)
        assert [known.sharing for known in places.values()] == [True]


def test_what_waits_is_done_when_an_exception_comes() -> None:
    p = np.ones(8, np.float32)

    def fail() -> None:
        with together(8):
            sgd_update(p, p.copy(), None, 0.5, 0.0, 0.0)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    np.testing.assert_array_equal(p, np.full(8, 0.5, np.float32))
    sgd_update(p, np.ones(8, np.float32), None, 0.5, 0.0, 0.0)
    assert p[0] == 0.0
