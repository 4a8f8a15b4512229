"""Sums of large arrays are NumPy's, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from autograd.kernels.accumulation import accumulate, sum_of

Array = np.ndarray[Any, Any]

SHAPES = [(), (0, 3), (7,), (3, 5), (2, 3, 60, 61), (40000,), (1, 5, 80, 81)]


@given(st.sampled_from(SHAPES), st.sampled_from("efdD"), st.sampled_from("efdD"), st.data())
def test_sums(
    in_layout: Callable[[Array, str], Array],
    layouts: tuple[str, ...],
    shape: tuple[int, ...],
    first: str,
    second: str,
    data: st.DataObject,
) -> None:
    rng = np.random.default_rng(sum(shape))
    a, b = rng.normal(size=shape).astype(first), rng.normal(size=shape).astype(second)
    if shape:
        a, b = (in_layout(array, data.draw(st.sampled_from(layouts))) for array in (a, b))
    total = sum_of(a, b)
    assert total.dtype == (a + b).dtype and np.array_equal(total, a + b)
    assert not np.shares_memory(total, a) and not np.shares_memory(total, b)
    assert type(total) is type(a + b)
    if first == second and shape:
        own = a.copy(order="K")
        accumulate(own, b)
        assert np.array_equal(own, a + b)


def test_gaps_in_memory_stay_as_they_are() -> None:
    wide = np.zeros((200, 400))
    accumulate(wide[:, ::2], np.ones((200, 400))[:, ::2])
    assert np.all(wide[:, ::2] == 1) and np.all(wide[:, 1::2] == 0)


def test_an_array_is_added_to_itself() -> None:
    a = np.arange(40000.0)
    accumulate(a, a)
    assert np.array_equal(a, 2 * np.arange(40000.0))
