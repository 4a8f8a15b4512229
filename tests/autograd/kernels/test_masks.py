"""Floats cut off by a mask agree with np.where, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.kernels.choosing import choose
from autograd.kernels.masks import cut_off, cut_off_in_place

DTYPES = ["<f2", "<f4", "<f8", ">f4", ">f8", np.longdouble]
SPECIAL = np.array([np.nan, -np.nan, np.inf, -np.inf, -0.0, 0.0, 1e-45, 5e-324, 1.0, -2.0])


def same(found: Any, expected: Any) -> bool:
    """To the sign of zeros, and for all but padded floats to the bits of NaN."""
    if found.dtype != expected.dtype or found.shape != expected.shape:
        return False
    if found.dtype.itemsize > 8:
        signs = np.signbit(found) == np.signbit(expected)
        return bool(np.array_equal(found, expected, equal_nan=True) and np.all(signs))
    return bool(found.tobytes() == expected.tobytes())


def drawn(seed: int, shape: tuple[int, ...], dtype: Any) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    with np.errstate(over="ignore", under="ignore"):
        x = rng.choice(SPECIAL, shape).astype(dtype)
    return x, rng.random(shape) < 0.5


@pytest.mark.parametrize("dtype", DTYPES)
@given(
    seed=st.integers(0, 2**20),
    shape=st.lists(st.integers(0, 4), max_size=3).map(tuple),
    order=st.sampled_from(["C", "F", "reversed"]),
)
def test_as_where(dtype: Any, seed: int, shape: tuple[int, ...], order: str) -> None:
    x, kept = drawn(seed, shape, dtype)
    if order == "F" and x.ndim:
        x = np.asfortranarray(x)
    elif order == "reversed" and x.ndim:
        x = x[..., ::-1]
    before = x.copy()
    expected = np.where(kept, x, np.zeros((), x.dtype))
    for found in (cut_off(x, kept), choose(kept, x, 0.0), choose(kept, x, 0)):
        assert same(np.asarray(found), expected)
    assert same(x, before)
    if x.ndim:
        assert cut_off_in_place(x, kept) is x
        assert same(x.astype(expected.dtype), expected)


@given(seed=st.integers(0, 2**20))
def test_masks_that_broadcast(seed: int) -> None:
    x, kept = drawn(seed, (3, 1), np.float32), drawn(seed + 1, (2, 1, 4), np.float32)
    expected = np.where(kept[1], x[0], np.float32(0))
    assert cut_off(x[0], kept[1]).tobytes() == expected.tobytes()
    assert choose(kept[1], x[0], 0.0).tobytes() == expected.tobytes()


@pytest.mark.parametrize("other", [-0.0, 1, True, np.float64(0.0), np.zeros(3)])
@pytest.mark.parametrize("x", [np.array([1.0, -2.0, 3.0], np.float32), np.array([1, 2, 3])])
def test_what_is_no_cut_is_left_to_where(x: Any, other: Any) -> None:
    kept = np.array([True, False, True])
    found, expected = choose(kept, x, other), np.where(kept, x, other)
    assert found.dtype == expected.dtype
    assert found.tobytes() == expected.tobytes()
