"""Compiled depthwise kernels against NumPy's, which test_convolution holds to the definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autograd.kernels.backend import use_kernels
from autograd.kernels.convolution import (
    convolve,
    convolve_input_gradient,
    convolve_weight_gradient,
)
from autograd.kernels.windows import is_channels_last, output_sizes
from autograd.kernels.workers import get_num_threads, set_num_threads

Array = np.ndarray[Any, Any]
TOLERANCE = {"f": 3e-6, "d": 1e-14}

Dimension = tuple[int, int, int, tuple[int, int], int]
"""Size, kernel, stride, padding, dilation."""


@st.composite
def dimensions(draw: st.DrawFn) -> Dimension:
    kernel, dilation = draw(st.integers(1, 7)), draw(st.integers(1, 3))
    padding = draw(st.integers(0, 7)), draw(st.integers(0, 7))
    least = max(1, dilation * (kernel - 1) + 1 - sum(padding))
    size = draw(st.integers(least, least + 20))
    return size, kernel, draw(st.integers(1, 4)), padding, dilation


@given(
    st.sampled_from([0, 1, 2, 3]),
    st.sampled_from([2, 3, 8, 15, 16, 17, 40]),
    st.integers(1, 3),
    st.tuples(dimensions(), dimensions()),
    st.sampled_from("fd"),
    st.booleans(),
    st.data(),
)
@example(2, 16, 1, ((32, 3, 1, (1, 1), 1), (32, 3, 1, (1, 1), 1)), "f", True, None)
@example(2, 24, 1, ((9, 5, 2, (4, 4), 2), (9, 5, 2, (4, 4), 2)), "f", False, None)
@example(1, 16, 2, ((5, 2, 3, (0, 1), 1), (5, 1, 4, (2, 0), 3)), "d", True, None)
def test_all_three_maps_are_those_of_numpy(
    in_layout: Callable[[Array, str], Array],
    layouts: tuple[str, ...],
    backend: str,
    batch: int,
    channels: int,
    each: int,
    sides: tuple[Dimension, Dimension],
    dtype: str,
    biased: bool,
    data: st.DataObject | None,
) -> None:
    if backend == "numpy":
        pytest.skip("nothing to compare")
    sizes, kernel, stride, padding, dilation = zip(*sides, strict=True)
    out = output_sizes(sizes, kernel, stride, padding, dilation)
    rng = np.random.default_rng(len(layouts) + batch + channels)
    shapes = (
        (batch, channels, *sizes),
        (channels * each, 1, *kernel),
        (batch, channels * each, *out),
    )
    x, w, g = (rng.standard_normal(shape).astype(dtype) for shape in shapes)
    if data is not None:
        x, w, g = (in_layout(a, data.draw(st.sampled_from(layouts))) for a in (x, w, g))
    bias = rng.standard_normal(channels * each).astype(dtype) if biased else None
    geometry: Any = (stride, padding, dilation, channels)

    def maps() -> tuple[Array, ...]:
        return (
            convolve(x, w, *geometry, bias=bias),
            convolve_input_gradient(g, w, x.shape, *geometry),
            convolve_weight_gradient(x, g, kernel, *geometry),
        )

    results = maps()
    with use_kernels("numpy"):
        references = maps()
    for result, reference in zip(results, references, strict=True):
        assert result.shape == reference.shape and result.dtype == reference.dtype == dtype
        scale = max(1.0, float(np.max(np.abs(reference), initial=0.0)))
        assert np.all(np.abs(result - reference) <= TOLERANCE[dtype] * scale)


def test_infinite_pixels_stay_where_they_are() -> None:
    x: Array = np.ones((1, 16, 9, 9), np.float32)
    x[0, 3, 4, 4] = np.inf
    y = convolve(x, np.ones((16, 1, 3, 3), np.float32), (1, 1), ((1, 1),) * 2, (1, 1), 16)
    expected = np.zeros(y.shape, bool)
    expected[0, 3, 3:6, 3:6] = True
    assert np.array_equal(np.isinf(y), expected) and not np.isnan(y).any()


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_same_threads_same_bits(threads: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((13, 24, 16, 16), np.float32)
    w = rng.standard_normal((24, 1, 3, 3), np.float32)
    geometry: Any = ((1, 1), ((1, 1),) * 2, (1, 1), 24)
    before = get_num_threads()
    set_num_threads(threads)
    try:
        y = convolve(x, w, *geometry)
        dx = convolve_input_gradient(y, w, x.shape, *geometry)
        dw = convolve_weight_gradient(x, y, (3, 3), *geometry)
        for _ in range(3):
            assert np.array_equal(convolve(x, w, *geometry), y)
            assert np.array_equal(convolve_input_gradient(y, w, x.shape, *geometry), dx)
            assert np.array_equal(convolve_weight_gradient(x, y, (3, 3), *geometry), dw)
    finally:
        set_num_threads(before)


def test_results_lie_channels_last() -> None:
    x = np.ones((2, 20, 5, 6), np.float32)
    y = convolve(x, np.ones((40, 1, 3, 3), np.float32), (1, 1), ((1, 1),) * 2, (1, 1), 20)
    assert y.shape == (2, 40, 5, 6) and is_channels_last(y)


@pytest.mark.parametrize("each", [1, 2])
@pytest.mark.parametrize("channels", [1, 2])
def test_an_activation_is_applied_last(each: int, channels: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 12 * channels, 7, 7), np.float32)
    w = rng.standard_normal((12 * each, channels, 3, 3), np.float32)
    bias = rng.standard_normal(12 * each, np.float32)
    geometry: Any = ((1, 1), ((1, 1),) * 2, (1, 1), 12)
    y = convolve(x, w, *geometry, bias=bias)
    assert (y < 0).any()
    assert np.array_equal(convolve(x, w, *geometry, bias=bias, activation="relu"), np.maximum(y, 0))
