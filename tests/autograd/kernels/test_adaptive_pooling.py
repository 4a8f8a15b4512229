"""Averages over bins and over whole planes against plain loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.kernels import adaptive_pooling
from autograd.kernels.adaptive_pooling import (
    adaptive_average_pool,
    adaptive_average_pool_transpose,
    plane_means,
    spread_over_planes,
)
from autograd.kernels.pooling import average_pool, average_pool_transpose
from autograd.kernels.windows import is_channels_last
from autograd.kernels.workers import use_own_threads

Array = np.ndarray[Any, Any]
Layout = Callable[[Array, str], Array]


@given(
    st.lists(st.tuples(st.integers(1, 7), st.integers(1, 8)), min_size=1, max_size=2),
    st.integers(0, 2),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["float32", "complex128"]),
    st.data(),
)
def test_adaptive_average_pool_and_its_transpose(
    in_layout: Layout,
    layouts: tuple[str, ...],
    dims: list[tuple[int, int]],
    batch: int,
    seed: int,
    dtype: str,
    data: st.DataObject,
) -> None:
    shape = (batch, 3, *(size for size, _ in dims))
    bins = tuple(out for _, out in dims)
    rng = np.random.default_rng(seed)
    x = in_layout(rng.normal(size=shape).astype(dtype), data.draw(st.sampled_from(layouts)))
    g = rng.normal(size=(batch, 3, *bins)).astype(dtype)
    g = in_layout(g, data.draw(st.sampled_from(layouts)))
    expected, transposed = np.zeros_like(g), np.zeros_like(x)
    for p in np.ndindex(*bins):
        part = tuple(
            slice(int(np.floor(i * size / out)), int(np.ceil((i + 1) * size / out)))
            for i, (size, out) in zip(p, dims, strict=True)
        )
        cells = x[:, :, *part]
        expected[:, :, *p] = cells.mean(axis=tuple(range(2, x.ndim)))
        spread = g[:, :, *p] / np.prod(cells.shape[2:])
        transposed[:, :, *part] += spread.reshape(batch, 3, *(1,) * len(dims)).astype(dtype)
    y = adaptive_average_pool(x, bins)
    assert y.dtype == x.dtype
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
    dx = adaptive_average_pool_transpose(g, shape)
    assert dx.dtype == g.dtype
    np.testing.assert_allclose(dx, transposed, rtol=1e-5, atol=1e-6)


@given(
    st.tuples(st.integers(0, 9), st.integers(0, 4), st.integers(1, 5), st.integers(1, 5)),
    st.sampled_from(["float16", "float32", "float64", "complex64", "int64"]),
    st.booleans(),
    st.integers(0, 2**32 - 1),
    st.data(),
)
def test_means_of_planes_and_their_transpose(
    in_layout: Layout,
    layouts: tuple[str, ...],
    shape: tuple[int, ...],
    dtype: str,
    on_threads: bool,
    seed: int,
    data: st.DataObject,
) -> None:
    rng = np.random.default_rng(seed)
    x = in_layout((3 * rng.normal(size=shape)).astype(dtype), data.draw(st.sampled_from(layouts)))
    g = (3 * rng.normal(size=(*shape[:2], 1, 1))).astype(dtype)
    result = np.float64 if dtype == "int64" else np.dtype(dtype)
    tolerance = 1e-2 if dtype == "float16" else 1e-5
    wide = np.promote_types(result, np.float64)
    with pytest.MonkeyPatch.context() as patch:
        if on_threads:
            use_own_threads()
            patch.setattr(adaptive_pooling, "NANOSECONDS", np.inf)
        y, dx = plane_means(x), spread_over_planes(g, shape[2:])
        whole = average_pool(x, shape[2:])
        spread = average_pool_transpose(g, shape, shape[2:])
    expected = x.astype(wide).mean(axis=(2, 3), keepdims=True)
    even = np.broadcast_to(g.astype(wide) / (shape[2] * shape[3]), shape)
    for found, right in ((y, expected), (whole, expected), (dx, even), (spread, even)):
        assert found.dtype == result
        assert found.shape == right.shape
        np.testing.assert_allclose(found, right, rtol=tolerance, atol=tolerance)


def test_means_of_large_planes_are_as_exact_as_of_rows() -> None:
    x = np.full((1, 2, 512, 640), 0.1, np.float32)
    for laid in (x, np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)):
        for y in (plane_means(laid), average_pool(laid, (512, 640))):
            np.testing.assert_allclose(y, np.float32(0.1), rtol=1e-5)
    huge = np.full((1, 2, 16, 16), 1e37, np.float32)
    np.testing.assert_allclose(plane_means(huge), np.float32(1e37), rtol=1e-6)


def test_infinities_and_nan_stay_in_their_planes() -> None:
    x = np.ones((2, 3, 4, 4), np.float32)
    x[0, 1, 2, 2], x[1, 2, 0, 0] = np.inf, np.nan
    for laid in (x, np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)):
        y = plane_means(laid)[..., 0, 0]
        np.testing.assert_array_equal(y, [[1, np.inf, 1], [1, 1, np.nan]])


def test_results_keep_the_memory_order(in_layout: Layout) -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 4)).astype(np.float32)
    for layout, last in (("C", False), ("channels_last", True)):
        laid = in_layout(x, layout)
        out = adaptive_average_pool(laid, 2)
        for result in (out, adaptive_average_pool_transpose(out, x.shape)):
            assert is_channels_last(result) == last
            assert last or result.flags.c_contiguous
    assert is_channels_last(spread_over_planes(x[:, :, :1, :1], (4, 4)))


def test_bad_input_is_explained() -> None:
    with pytest.raises(ValueError, match="empty"):
        adaptive_average_pool(np.ones((1, 1, 0)), 1)
    with pytest.raises(ValueError, match="does not fit"):
        adaptive_average_pool_transpose(np.ones((1, 2, 1)), (1, 1, 4))
