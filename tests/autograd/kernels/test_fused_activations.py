"""Convolutions that apply an activation, or take maxima, on every path, against their result's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import erf

from autograd.kernels.convolution import convolve

Array = np.ndarray[Any, Any]

CASES = {
    # batch, size, channels in and out, kernel, stride, padding, groups
    "tiles": (20, 13, 16, 33, 3, 1, 1, 1),
    "tiles of two and three rows": (40, 7, 17, 16, 3, 1, 2, 1),
    "windows where they lie": (20, 31, 3, 25, 3, 2, 1, 1),
    "columns": (12, 12, 20, 17, 5, 1, 2, 1),
    "pixels": (12, 12, 20, 17, 1, 1, 0, 1),
    "depthwise": (12, 12, 24, 24, 3, 1, 1, 24),
    "grouped": (12, 12, 24, 12, 3, 1, 1, 4),
}


def activated(wide: Array, activation: str) -> Array:
    positive: Array = np.where(np.isnan(wide), wide, np.maximum(wide, 0))
    return positive if activation == "relu" else wide * 0.5 * (1 + erf(wide / np.sqrt(2)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_an_activation_is_that_of_the_result(
    case: tuple[int, ...], activation: str, dtype: str
) -> None:
    batch, size, channels, outputs, kernel, stride, padding, groups = case
    rng = np.random.default_rng(0)
    x = rng.normal(size=(batch, channels, size, size)).astype(dtype)
    x[1, 0, 5, 5] = np.nan
    w = rng.normal(size=(outputs, channels // groups, kernel, kernel)).astype(dtype)
    b = rng.normal(size=outputs).astype(dtype)
    form: Any = ((stride,) * 2, ((padding,) * 2,) * 2, (1, 1), groups)
    plain = convolve(x, w, *form, bias=b)
    assert np.isnan(plain).any()
    assert (plain < 0).mean() > 0.3
    found = convolve(x, w, *form, bias=b, activation=activation)
    tolerance = {"float32": 2e-6, "float64": 1e-12}[dtype]
    np.testing.assert_allclose(
        found, activated(plain.astype(float), activation), rtol=tolerance, atol=tolerance
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", [None, "relu", "gelu"])
@pytest.mark.parametrize("size", [2, 3, 4, 5, 6, 7, 13, 14])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_maxima_are_those_of_the_result(
    case: tuple[int, ...], size: int, activation: str | None, dtype: str
) -> None:
    batch, _, channels, outputs, kernel, stride, padding, groups = case
    if size + 2 * padding < kernel + stride:
        pytest.skip("no window of 2x2 results")
    rng = np.random.default_rng(size)
    x = rng.normal(size=(batch, channels, size, size)).astype(dtype)
    x[1, 0, 1, 1] = np.nan
    # At the first and the last entries of a Winograd tile, which reach one result of its windows.
    for place in (3, 8):
        if place < size:
            x[2, :, place, place] = np.nan
    w = rng.normal(size=(outputs, channels // groups, kernel, kernel)).astype(dtype)
    b = rng.normal(size=outputs).astype(dtype)
    form: Any = ((stride,) * 2, ((padding,) * 2,) * 2, (1, 1), groups)
    whole = convolve(x, w, *form, bias=b, activation=activation)
    down, across = (whole.shape[2] // 2, whole.shape[3] // 2)
    windows = whole[:, :, : 2 * down, : 2 * across].reshape(batch, outputs, down, 2, across, 2)
    found = convolve(x, w, *form, bias=b, activation=activation, pooled=True)
    np.testing.assert_array_equal(found, windows.max((3, 5)))
    assert found.dtype == dtype


def test_maxima_of_nothing_are_refused() -> None:
    x, w = np.ones((64, 16, 1, 1), np.float32), np.ones((16, 16, 3, 3), np.float32)
    with pytest.raises(ValueError, match="more than the input"):
        convolve(x, w, (1, 1), ((1, 1), (1, 1)), (1, 1), pooled=True)
