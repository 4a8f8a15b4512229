"""Running sums against sums of slices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.kernels import scans
from autograd.kernels.scans import running_sums

Array = np.ndarray[Any, Any]


@given(
    st.lists(st.integers(0, 7), min_size=1, max_size=4),
    st.sampled_from("efd"),
    st.booleans(),
    st.integers(0, 2**32 - 1),
    st.data(),
)
def test_every_sum(
    threads: int,
    in_layout: Callable[[Array, str], Array],
    layouts: tuple[str, ...],
    shape: list[int],
    dtype: str,
    backwards: bool,
    seed: int,
    data: st.DataObject,
) -> None:
    axis = data.draw(st.integers(0, len(shape) - 1))
    values = np.random.default_rng(seed).normal(size=shape).astype(dtype)
    x = in_layout(values, data.draw(st.sampled_from(layouts)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scans, "NANOSECONDS", np.inf)
        found = running_sums(x, axis, backwards)
    assert found.dtype == x.dtype and found.shape == x.shape
    moved, sums = np.moveaxis(values.astype(float), axis, 0), np.moveaxis(found, axis, 0)
    eps = 20 * float(np.finfo(dtype).eps)
    for k in range(len(moved)):
        part = moved[k:] if backwards else moved[: k + 1]
        np.testing.assert_allclose(
            sums[k], part.sum(0), atol=eps * (1 + abs(part).sum(0)).max(initial=1)
        )
    assert np.array_equal(values, x)


def test_sums_are_numpy_s_bit_for_bit() -> None:
    x = np.random.default_rng(0).normal(size=(7, 300, 11)).astype(np.float32)
    for axis in range(3):
        assert np.array_equal(running_sums(x, axis), np.cumsum(x, axis))


@pytest.mark.parametrize("backwards", [False, True])
def test_what_is_not_finite_is_told(backwards: bool) -> None:
    x = np.full((3, 200), 1e308)
    with pytest.warns(RuntimeWarning, match="overflow"):
        assert np.isinf(running_sums(x, 1, backwards)).any()
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        running_sums(x, 1, backwards)
    y = np.zeros((3, 200))
    y[1, 50], y[1, 150] = np.inf, -np.inf
    with pytest.warns(RuntimeWarning, match="invalid"):
        assert np.isnan(running_sums(y, 1, backwards)).any()
