"""Numbers as arrays: NumPy computes the same with them, bit for bit."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.kernels import constants
from autograd.kernels.constants import MOST, as_operand

NUMBERS = st.floats() | st.integers(-(2**60), 2**60) | st.sampled_from([0.0, -0.0, 1e300, 1e-320])


@given(
    NUMBERS,
    st.sampled_from("efd"),
    st.sampled_from([operator.add, operator.sub, operator.mul, operator.truediv]),
    st.booleans(),
)
def test_results_are_those_of_the_number(
    number: float, dtype: str, compute: Callable[[Any, Any], Any], first: bool
) -> None:
    x = np.array([0.0, -0.0, 1.5, -3.0, np.inf, np.nan, 1e-30], dtype)
    other = as_operand(number, x.dtype)
    with np.errstate(all="ignore"):
        try:
            expected = compute(number, x) if first else compute(x, number)
        except OverflowError:
            assert other is number
            return
        found = compute(other, x) if first else compute(x, other)
    assert found.dtype == expected.dtype and found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_is_made_once_and_cannot_be_changed(dtype: Any) -> None:
    known = as_operand(0.3, np.dtype(dtype))
    assert known.dtype == dtype and known.shape == () and as_operand(0.3, np.dtype(dtype)) is known
    with pytest.raises(ValueError, match="read-only"):
        known[...] = 1.0


def test_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    table: dict[float, Any] = {}
    monkeypatch.setattr(constants, "_doubles", table)
    for k in range(2 * MOST + 5):
        assert as_operand(1.0 + k, np.dtype(np.float64)) == 1.0 + k
        assert len(table) <= MOST
    assert len(table) == 5


@pytest.mark.parametrize("dtype", [np.float16, np.int64, np.complex128, ">f4"])
def test_other_dtypes_get_the_number(dtype: Any) -> None:
    assert type(as_operand(0.5, np.dtype(dtype))) is float
