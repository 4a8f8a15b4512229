"""Convolutions that apply an activation, on every path, against the activation of their result."""

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
