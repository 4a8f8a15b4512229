"""Joining and separating against np.concatenate and slices, in every memory order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.kernels import joining, layouts
from autograd.kernels.backend import LARGE
from autograd.kernels.joining import join, separate

Array = np.ndarray[Any, Any]


@pytest.fixture(autouse=True, params=[0, joining.FEWEST], scope="module")
def fewest(request: pytest.FixtureRequest) -> Iterator[None]:
    """Also small arrays are joined one after the other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(joining, "FEWEST", request.param)
        yield


def lying(shape: tuple[int, ...], order: tuple[int, ...], dtype: str, seed: int) -> Array:
    """Random values, packed in memory with the axes in this order."""
    memory = np.random.default_rng(seed).normal(size=[shape[axis] for axis in order])
    return memory.astype(dtype).transpose(np.argsort(order))


@given(
    st.sampled_from(list(permutations(range(3)))),
    st.sampled_from("fde"),
    st.integers(0, 2),
    st.lists(st.integers(0, 5), min_size=1, max_size=4),
    st.sampled_from([1, 3, 500]),
    st.booleans(),
)
def test_joined_and_taken_apart_again(
    order: tuple[int, ...], dtype: str, axis: int, lengths: list[int], other: int, small: bool
) -> None:
    sides = [3, other, 7 if small else 40]
    parts = []
    for seed, length in enumerate(lengths):
        sides[axis] = length
        parts.append(lying(tuple(sides), order, dtype, seed))
    whole = join(parts, axis)
    expected = np.concatenate(parts, axis)
    assert whole.dtype == dtype and np.array_equal(whole, expected)
    assert np.array_equal(join(parts, axis - 3), expected)

    ends = np.cumsum([0, *lengths]).tolist()
    for part, original in zip(separate(whole, ends, axis), parts, strict=True):
        assert part.dtype == dtype and np.array_equal(part, original)


def test_large_results_keep_the_order_and_share_nothing(backend: str) -> None:
    order = (0, 2, 3, 1)
    parts = [lying((4, c, 32, 32), order, "f", c) for c in (3, 1, 8)]
    whole = join(parts, 1)
    assert whole.size > LARGE and whole.transpose(order).flags.c_contiguous
    for part in separate(whole, [0, 3, 4, 12], 1):
        assert backend == "numpy" or part.transpose(order).flags.c_contiguous
    before = whole.copy()
    for part in parts:
        part[...] = 0
    assert np.array_equal(whole, before)


@pytest.mark.parametrize(
    "parts",
    [
        [np.ones((64, 2, 300)), np.ones((64, 2, 300), np.float32)],
        [np.ones((64, 2, 300)), lying((64, 2, 300), (2, 0, 1), "d", 0)],
        [np.ones((64, 2, 300)), np.ones((64, 2, 600))[..., ::2]],
        [np.ones((64, 2, 300), np.int64)] * 2,
    ],
)
def test_parts_that_differ_are_joined_as_numpy_does(parts: list[Array]) -> None:
    result, expected = join(parts, 1), np.concatenate(parts, 1)
    assert result.dtype == expected.dtype and np.array_equal(result, expected)


@pytest.mark.parametrize("axis", [3, -4])
def test_what_numpy_refuses_is_refused(axis: int) -> None:
    parts = [np.ones((64, 2, 300))] * 2
    with pytest.raises(np.exceptions.AxisError):
        join(parts, axis)
    with pytest.raises(ValueError, match="dimension"):
        join([parts[0], np.ones((65, 2, 300))], 1)


def test_parts_for_every_thread(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layouts, "NANOSECONDS_A_BYTE", np.inf)
    monkeypatch.setattr(joining, "FEWEST", 0)
    parts = [lying((2, c, 40, 40), (0, 2, 3, 1), "d", c) for c in (5, 2, 0, 9, 3)]
    whole = join(parts, 1)
    assert np.array_equal(whole, np.concatenate(parts, 1))
    again = separate(whole, [0, 5, 7, 7, 16, 19], 1)
    assert all(np.array_equal(a, b) for a, b in zip(again, parts, strict=True))
    parts = [lying((c, 40, 41), (0, 1, 2), "f", c) for c in (5, 12, 1, 9, 30)]
    assert np.array_equal(join(parts, 0), np.concatenate(parts, 0))
