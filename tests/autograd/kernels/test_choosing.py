"""np.where of large arrays, and the larger or smaller of one and a number."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.kernels import choosing
from autograd.kernels.backend import LARGE
from autograd.kernels.choosing import (
    absolute_pullback,
    choose,
    clip,
    clip_pullback,
    larger,
    smaller,
)

Array = np.ndarray[Any, Any]

numbers = st.sampled_from([0, 1.5, -0.0, np.nan, np.inf, 1e300, 10**30, True])


@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.integers(1, 40) | st.integers(LARGE, LARGE + 9000),
    dtype=st.sampled_from([np.float32, np.float64, np.int64]),
    number=numbers,
    kind=st.sampled_from(["arrays", "x", "y", "typed x", "typed y", "other dtype", "broadcast"]),
)
def test_as_numpy(
    backend: str, threads: int, seed: int, size: int, dtype: Any, number: Any, kind: str
) -> None:
    rng = np.random.default_rng(seed)
    condition = rng.random(size) < rng.random()
    x, y = ((9 * rng.normal(size=size)).astype(dtype) for _ in range(2))
    if kind.startswith("typed"):
        number = np.array(1.5).astype(dtype)[()]
    if dtype is np.int64 and not isinstance(number, np.integer):
        number = 7
    operands: Any = {
        "arrays": (x, y),
        "x": (number, y),
        "y": (x, number),
        "typed x": (number, y),
        "typed y": (x, np.asarray(number)),
        "other dtype": (x, y.astype(np.float16)),
        "broadcast": (x, y[:1]),
    }[kind]
    with np.errstate(over="ignore"):
        found, expected = choose(condition, *operands), np.where(condition, *operands)
    assert found.dtype == expected.dtype
    assert np.array_equal(found, expected, equal_nan=found.dtype.kind == "f")
    if found.dtype.kind == "f":
        assert np.array_equal(np.signbit(found), np.signbit(expected))


@pytest.mark.parametrize(
    ("number", "fits"),
    [
        (0, True),
        (-1.5, True),
        (-math.inf, True),  # as for the scores behind a mask
        (math.nan, True),
        (np.float32(2), True),
        (np.array(2, np.float32), True),
        (np.float64(2), False),
        (1e300, False),
        (10**400, False),
        (True, False),
    ],
)
def test_which_numbers_have_a_kernel(number: Any, fits: bool) -> None:
    """Those that change no dtype and raise nothing."""
    assert (choosing._as_number(number, np.dtype(np.float32)) is not None) is fits


@pytest.mark.parametrize("which", range(3))
def test_every_layout(
    backend: str,
    which: int,
    layouts: tuple[str, ...],
    in_layout: Callable[[Array, str], Array],
) -> None:
    rng = np.random.default_rng(0)
    given = [rng.random((4, 90, 70)) < 0.5, *rng.normal(size=(2, 4, 90, 70))]
    expected = np.where(*given)
    for layout in layouts:
        laid_out = list(given)
        laid_out[which] = in_layout(given[which], layout)
        assert np.array_equal(choose(*laid_out), expected)


@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.integers(1, 40) | st.integers(LARGE, LARGE + 9000),
    dtype=st.sampled_from([np.float32, np.float64, np.int64]),
    number=numbers,
    typed=st.booleans(),
    turned=st.booleans(),
    special=st.lists(st.sampled_from([np.nan, np.inf, -np.inf, 0.0]), max_size=3),
)
def test_larger_and_smaller_as_numpy(
    backend: str, threads: int, seed: int, size: int, dtype: Any, number: Any, typed: bool,
    turned: bool, special: list[float],
) -> None:  # fmt: skip
    rng = np.random.default_rng(seed)
    x = rng.normal(size=size).astype(dtype)
    if dtype is np.int64:
        number = 7
    else:
        x[rng.integers(0, size, len(special))] = special
    with np.errstate(over="ignore"):
        other = dtype(number) if typed else number
        operands = (other, x) if turned else (x, other)
        for ours, numpys in ((larger, np.maximum), (smaller, np.minimum)):
            found, expected = ours(*operands), numpys(*operands)
            assert found.dtype == expected.dtype
            assert np.array_equal(found, expected, equal_nan=found.dtype.kind == "f")


@pytest.mark.parametrize("function", [(larger, np.maximum), (smaller, np.minimum)])
def test_larger_and_smaller_in_every_layout(
    backend: str,
    function: tuple[Callable[..., Any], np.ufunc],
    layouts: tuple[str, ...],
    in_layout: Callable[[Array, str], Array],
) -> None:
    ours, numpys = function
    x, y = np.random.default_rng(0).normal(size=(2, 4, 90, 70))
    for layout in layouts:
        laid_out = in_layout(x, layout)
        for other in (0.25, np.float64(-1), np.array(0.5), np.array([0.5]), y):
            assert np.array_equal(ours(laid_out, other), numpys(x, other))


def test_clip_has_it(backend: str) -> None:
    """And its derivative, a half of it at a bound."""
    x = np.random.default_rng(0).normal(size=(200, 300)).astype(np.float32)
    x[0, :2] = -1, 0.5
    value, gradient = ag.value_and_grad(lambda t: ag.sum(ag.clip(t, -1.0, 0.5)))(x)
    np.testing.assert_allclose(value, np.clip(x, -1, 0.5).sum(dtype=float), rtol=1e-5)
    expected = ((x > -1) & (x < 0.5)).astype(np.float32)
    expected[0, :2] = 0.5
    assert gradient.dtype == np.float32 and np.array_equal(gradient, expected)


def test_the_operation_has_it(backend: str) -> None:
    rng = np.random.default_rng(0)
    condition, weights = rng.random((200, 300)) < 0.4, rng.normal(size=(200, 300))
    x, y = rng.normal(size=(2, 200, 300))
    for operands in ((x, y), (x, 0.5), (0.5, y)):
        arrays = [k for k in range(2) if np.ndim(operands[k])]
        gradients = ag.grad(
            lambda *given: ag.sum(weights * ag.where(condition, *given)), tuple(arrays)
        )(*operands)
        for k, gradient in zip(arrays, gradients, strict=True):
            chosen = condition if k == 0 else ~condition
            assert np.array_equal(gradient, np.where(chosen, weights, 0))


SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, -1.0, 0.5]


@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.integers(1, 40) | st.integers(LARGE, LARGE + 9000),
    dtype=st.sampled_from([np.float16, np.float32, np.float64]),
    bounds=st.tuples(*[st.sampled_from([-1.0, 0.0, 0.5])] * 2),
    special=st.lists(st.sampled_from(SPECIAL), max_size=6),
)
def test_slopes_of_clip_and_absolute_value(
    backend: str,
    threads: int,
    seed: int,
    size: int,
    dtype: Any,
    bounds: tuple[float, float],
    special: list[float],
) -> None:
    """Entry by entry as the definitions say, also where the bounds cross."""
    rng = np.random.default_rng(seed)
    x, g = rng.normal(size=(2, size)).astype(dtype)
    x[rng.integers(0, size, len(special))] = special
    low, high = bounds
    found = clip(x, low, high), clip_pullback(g, None, x, low, high), absolute_pullback(g, None, x)

    def share(a: float, b: float) -> float:
        return 1.0 if a > b else 0.5 if a == b else 0.0

    kept = [v if v != v else min(max(v, low), high) for v in x.tolist()]
    slopes = [share(v, low) * share(high, max(v, low)) for v in x.tolist()]
    signs = [v if v != v else share(v, 0) - share(0, v) for v in x.tolist()]
    for values, expected in zip(found, (kept, g * slopes, g * signs), strict=True):
        assert values.dtype == dtype
        assert np.array_equal(values, np.asarray(expected, dtype), equal_nan=True)


@pytest.mark.parametrize("bounds", [(-1, 1), (np.float32(-1), 0.5), (-1e5, 1e300), (-np.inf, 0.0)])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64])
def test_clip_of_all_kinds_of_bounds(backend: str, bounds: tuple[Any, Any], dtype: Any) -> None:
    """Values and dtypes of the two steps that it stands for; integers come from ties."""
    x = (4 * np.random.default_rng(0).normal(size=(150, 160))).astype(dtype)
    with np.errstate(all="ignore"):
        expected = np.minimum(np.maximum(x, bounds[0]), bounds[1])
        found = ag.clip(x, *bounds)
        tensor = ag.clip(ag.Tensor(x), *bounds)
    assert found.dtype == tensor.dtype == expected.dtype
    assert np.array_equal(found, expected) and np.array_equal(tensor.data, expected)


@pytest.mark.parametrize(
    ("bounds", "name"), [((-1, 6e4), "clip"), ((-1, 7e4), "minimum"), ((0.5, np.inf), "minimum")]
)
def test_clip_is_one_operation_for_numbers_that_fit_any_dtype(
    bounds: tuple[float, float], name: str
) -> None:
    clipped = ag.clip(ag.Tensor(np.zeros(3, np.float32), requires_grad=True), *bounds)
    assert clipped._node is not None and clipped._node.op.name == name
