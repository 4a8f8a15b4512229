"""Orders found on threads are NumPy's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.kernels import sorting
from autograd.kernels.sorting import stable_order

Array = np.ndarray[Any, Any]


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=4),
    st.sampled_from("fdi"),
    st.integers(0, 2**32 - 1),
    st.data(),
)
def test_every_axis(
    backend: str,
    threads: int,
    in_layout: Callable[[Array, str], Array],
    layouts: tuple[str, ...],
    shape: list[int],
    dtype: str,
    seed: int,
    data: st.DataObject,
) -> None:
    values = np.random.default_rng(seed).integers(0, 4, shape).astype(dtype)
    if dtype != "i":
        values[values == 3] = np.nan
    x = in_layout(values, data.draw(st.sampled_from(layouts)))
    axis = data.draw(st.integers(0, len(shape) - 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorting, "NANOSECONDS", np.inf)
        found = stable_order(x, axis)
    expected = np.argsort(values, axis=axis, kind="stable")
    assert found.dtype == expected.dtype
    assert np.array_equal(found, expected)
