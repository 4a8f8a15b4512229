"""Compiled convolutions write whole vectors: nothing outside their arrays may change."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograd.kernels import columns, convolution, depthwise, direct, winograd
from autograd.kernels.convolution import (
    convolve,
    convolve_input_gradient,
    convolve_weight_gradient,
)

GUARD = 4096
MARK = 0xAB

CASES = [
    # channels in, channels out, kernel, stride, padding, size, and groups other than 1
    (1, 1, 3, 1, 1, 16),
    (3, 2, 5, 1, 2, 16),
    (1, 6, 5, 1, 0, 28),
    (3, 10, 3, 2, 1, 31),
    (3, 25, 3, 2, 1, 31),
    (3, 40, 3, 2, 1, 17),
    (8, 33, 2, 1, 0, 9),
    (3, 96, 3, 1, 1, 16),
    (3, 1, 224, 1, 0, 224),
    (16, 16, 3, 1, 1, 13),
    (17, 24, 3, 1, 1, 7),
    (24, 40, 3, 1, 2, 9),
    (40, 25, 1, 1, 0, 9),
    (20, 17, 5, 1, 1, 9),
    (64, 16, 1, 2, 0, 9),
    (20, 24, 5, 2, 1, 13),
    (9, 8, 2, 1, 0, 11),
    (12, 3, 5, 1, 2, 11),
    (16, 16, 3, 1, 1, 13, 16),
    (17, 17, 3, 2, 1, 9, 17),
    (33, 33, 5, 1, 4, 7, 33),
    (5, 10, 3, 2, 0, 8, 5),
    (24, 48, 4, 3, 2, 10, 24),
    (12, 24, 3, 1, 1, 9, 4),
]


class Guarded:
    """Makes arrays with marked memory on both sides."""

    def __init__(self) -> None:
        self.made: list[tuple[np.ndarray[Any, Any], int]] = []

    def __call__(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray[Any, Any]:
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        memory = np.full(size + 2 * GUARD, MARK, np.uint8)
        self.made.append((memory, size))
        array: np.ndarray[Any, Any] = memory[GUARD : GUARD + size].view(dtype).reshape(shape)
        return array

    def check(self) -> None:
        assert self.made
        for memory, size in self.made:
            assert np.all(memory[:GUARD] == MARK)
            assert np.all(memory[GUARD + size :] == MARK)
        self.made.clear()


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("batch", [1, 35])
def test_nothing_outside_is_written(
    monkeypatch: pytest.MonkeyPatch, case: tuple[int, ...], batch: int
) -> None:
    guarded = Guarded()
    for module in (convolution, winograd):
        monkeypatch.setattr(module, "empty", guarded)
    for module in (columns, depthwise, direct, winograd):
        monkeypatch.setattr(module, "scratch", lambda _name, shape, dtype: guarded(shape, dtype))
    channels, outputs, kernel, stride, padding, size = case[:6]
    groups = case[6] if len(case) > 6 else 1
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch, channels, size, size), np.float32)
    w = rng.standard_normal((outputs, channels // groups, kernel, kernel), np.float32)
    geometry: Any = ((stride,) * 2, ((padding, padding),) * 2, (1, 1), groups)
    y = convolve(x, w, *geometry, bias=rng.standard_normal(outputs, np.float32))
    guarded.check()
    for activation in ("relu", "gelu"):
        convolve(x, w, *geometry, activation=activation)
        guarded.check()
    g = rng.standard_normal(y.shape, np.float32)
    convolve_input_gradient(g, w, x.shape, *geometry)
    guarded.check()
    convolve_weight_gradient(x, g, (kernel, kernel), *geometry)
    if guarded.made:
        guarded.check()
