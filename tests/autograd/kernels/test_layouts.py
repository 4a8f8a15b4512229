"""Copies between memory orders keep every entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd.kernels.layouts import assign, in_order_of, reshaped

Array = np.ndarray[Any, Any]
LAYOUTS = ["C", "channels_last", "fortran", "strided"]
SHAPES = [(0, 3, 4, 4), (5, 3, 40, 41), (2, 33, 17, 16), (40, 16, 60), (1, 1, 200, 200), (9, 9)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize("there", LAYOUTS)
@pytest.mark.parametrize("here", LAYOUTS)
def test_every_entry_arrives(
    in_layout: Callable[[Array, str], Array],
    here: str,
    there: str,
    dtype: str,
    shape: tuple[int, ...],
) -> None:
    values = np.random.default_rng(0).permutation(int(np.prod(shape))).reshape(shape)
    source = in_layout(values.astype(dtype), here)
    like = in_layout(np.zeros(shape, dtype), there)
    target = like.copy(order="K")
    assign(target, source)
    np.testing.assert_array_equal(target, values)
    copied = in_order_of(target, source)
    np.testing.assert_array_equal(copied, values)
    for axis, size in enumerate(shape):
        assert size == 1 or copied.strides[axis] == target.strides[axis] or not copied.size
    np.testing.assert_array_equal(reshaped(source, (-1,)) if source.size else [], values.ravel())


@pytest.mark.parametrize("shape", [(1, 3, 4, 4), (5, 1, 4, 4), (5, 3, 1, 1), (5, 3, 4, 6)])
@pytest.mark.parametrize("layout", ["C", "channels_last"])
def test_reshaping_copies_only_where_numpy_does(
    in_layout: Callable[[Array, str], Array], layout: str, shape: tuple[int, ...]
) -> None:
    x = in_layout(np.arange(float(np.prod(shape))).reshape(shape), layout)
    n, c, h, w = shape
    for target in [(n, c, h * w), (n, c * h * w), (-1,), (c, -1), (n * c, h * w), (n, c, w, h, 1)]:
        found, expected = reshaped(x, target), np.reshape(x, target)
        np.testing.assert_array_equal(found, expected)
        assert np.shares_memory(found, x) == np.shares_memory(expected, x)
