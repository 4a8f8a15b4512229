"""Running sums and products against sums and products of slices."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.kernels import scans
from autograd.kernels.scans import (
    product_over,
    products_of_others,
    running_products,
    running_products_pullback,
    running_products_pushforward,
    running_sums,
)

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


SHAPES = st.lists(st.integers(0, 6), min_size=1, max_size=3)


def _factors(shape: list[int], dtype: str, seed: int) -> Array:
    """With some zeros among them."""
    rng = np.random.default_rng(seed)
    values: Array = rng.uniform(0.5, 2.0, shape) * rng.choice([-1, 0, 1, 1, 1], shape)
    return values.astype(dtype)


@given(SHAPES, st.sampled_from("fd"), st.integers(0, 2**32 - 1), st.data())
def test_products_and_their_slopes(
    backend: str,
    threads: int,
    in_layout: Callable[[Array, str], Array],
    layouts: tuple[str, ...],
    shape: list[int],
    dtype: str,
    seed: int,
    data: st.DataObject,
) -> None:
    """By the definition: every product is written out, and every slope is one of others."""
    axis = data.draw(st.integers(0, len(shape) - 1))
    values = _factors(shape, dtype, seed)
    rng = np.random.default_rng(seed + 1)
    c, dx = rng.standard_normal((2, *shape)).astype(dtype)
    x, c, dx = (in_layout(array, data.draw(st.sampled_from(layouts))) for array in (values, c, dx))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scans, "NANOSECONDS", np.inf)
        out = running_products(x, axis)
        back = running_products_pullback(c, out, x, axis)
        ahead = running_products_pushforward(dx, out, x, axis)
        others = products_of_others(x, axis)
    assert np.array_equal(values, x)
    rows = np.moveaxis(values.astype(float), axis, 0)
    cs, dxs = (np.moveaxis(array.astype(float), axis, 0) for array in (c, dx))
    n = len(rows)

    def product(indices: list[int]) -> Array:
        found: Array = np.prod(rows[indices], axis=0)
        return found

    slopes = {
        (k, i): product([j for j in range(k + 1) if j != i]) for k in range(n) for i in range(k + 1)
    }
    nothing = np.zeros(rows.shape[1:])
    for found, expected in (
        (out, [product(list(range(k + 1))) for k in range(n)]),
        (back, [sum((cs[k] * slopes[k, i] for k in range(i, n)), nothing) for i in range(n)]),
        (ahead, [sum((dxs[i] * slopes[k, i] for i in range(k + 1)), nothing) for k in range(n)]),
        (others, [product([j for j in range(n) if j != i]) for i in range(n)]),
    ):
        assert found.dtype == (np.float64 if found is others else x.dtype)
        assert found.shape == x.shape
        eps = 100 * float(np.finfo(dtype).eps)
        wanted = np.array(expected).reshape(rows.shape)
        np.testing.assert_allclose(np.moveaxis(found, axis, 0), wanted, rtol=eps, atol=eps)


def test_running_products_are_numpy_s_bit_for_bit(backend: str) -> None:
    x = np.random.default_rng(0).uniform(0.9, 1.1, (7, 300, 11)).astype(np.float32)
    for axis in range(3):
        assert np.array_equal(running_products(x, axis), np.cumprod(x, axis))


def test_products_that_overflow_are_told(backend: str) -> None:
    x = np.full((3, 200), 1e200)
    with pytest.warns(RuntimeWarning, match="overflow"):
        assert np.isinf(running_products(x, 1)).any()


@pytest.mark.parametrize("axis", [0, 1, (0, 2), (1, 2), None])
@pytest.mark.parametrize("keepdims", [False, True])
def test_slopes_of_large_products(backend: str, axis: Any, keepdims: bool) -> None:
    """As the recorded sweeps have them, which replay a tree of products."""
    x = np.random.default_rng(0).uniform(0.8, 1.2, (30, 40, 20))
    x[3, 5, 7] = x[4, 5, 7] = x[9, 9, 9] = 0.0
    c = np.random.default_rng(1).standard_normal(np.prod(x, axis, keepdims=keepdims).shape)
    v = ag.Tensor(x, requires_grad=True)

    def product(t: Any) -> Any:
        return ag.prod(t, axis, keepdims)

    product(v).backward(c)
    assert v.grad is not None
    plain = v.grad.data
    recorded = ag.pullback(product(v), v, c, create_graph=True)
    np.testing.assert_allclose(plain, recorded.data, rtol=1e-11, atol=1e-300)
    rate = ag.jvp(product, (x,), (x,))[1]
    np.testing.assert_allclose(np.sum(rate * c), np.sum(plain * x), rtol=1e-11)


@pytest.mark.parametrize("size", [1, 9000])
def test_slopes_of_running_products_where_factors_overflow(backend: str, size: int) -> None:
    """Products of factors that nothing needs may be infinite."""
    x = np.repeat(np.array([[0, 1e25, 1e25, 1e25]], np.float32), size, 0)
    c = np.zeros_like(x)
    c[:, 0] = 1
    with np.errstate(over="ignore", invalid="ignore"):
        found = running_products_pullback(c, running_products(x, 1), x, 1)
    assert np.array_equal(found, c)


@pytest.mark.parametrize("axis", [1, (1, 2)])
def test_slopes_of_products_whose_ends_leave_the_range(backend: str, axis: Any) -> None:
    rows = [
        [1e-200] * 3 + [1e200] * 3,
        [1e-200, 1e-200, 1e100, 1e100, 1.0, 1.0],
        [1e200, 1e200, 1e-200, 1e-200, 1.0, 1.0],
        [0.0, 1e200, 1e200, 1e-200, 1e-200, 1.0],
        [0.0, 0.0, 1e200, 1e200, 1.0, 1.0],
    ]
    x = np.array(rows)
    expected = np.array(
        [
            [float(math.prod(map(Fraction, [*row[:i], *row[i + 1 :]]))) for i in range(6)]
            for row in rows
        ]
    )
    given_x = x if axis == 1 else x.reshape(5, 2, 3)
    with np.errstate(all="ignore"):
        variable = ag.Tensor(given_x, requires_grad=True)
        ag.sum(ag.prod(variable, axis)).backward()
        rate = ag.jvp(lambda t: ag.prod(t, axis), (given_x,), (np.ones_like(given_x),))[1]
    assert variable.grad is not None
    np.testing.assert_allclose(variable.grad.data.reshape(5, 6), expected, rtol=1e-13)
    np.testing.assert_allclose(rate, expected.sum(1), rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_slopes_in_a_narrow_range_are_of_products_in_a_wide_one(backend: str, dtype: Any) -> None:
    x = np.array([[0.01] * 30 + [100.0] * 30, [0.0] + [0.01] * 20 + [100.0] * 20 + [1] * 19], dtype)
    with np.errstate(all="ignore"):
        variable = ag.Tensor(x, requires_grad=True)
        ag.sum(ag.prod(variable, 1)).backward()
    exact = [[Fraction(float(v)) for v in row] for row in x]
    expected = [[math.prod([*row[:i], *row[i + 1 :]]) for i in range(60)] for row in exact]
    assert variable.grad is not None and variable.grad.dtype == dtype
    with np.errstate(all="ignore"):
        wanted = np.array(expected, float).astype(dtype)
    np.testing.assert_allclose(variable.grad.data, wanted, rtol=2 * np.finfo(dtype).eps)


def _exact_products(rows: Array) -> list[Fraction]:
    return [math.prod((Fraction(float(entry)) for entry in row), start=Fraction(1)) for row in rows]


@given(
    st.integers(1, 20),
    st.integers(1, 300),
    st.sampled_from("fd"),
    st.sampled_from([0.0, 5.0, 60.0, 120.0]),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_products_over_rows(
    backend: str, threads: int, count: int, columns: int, dtype: str, spread: float,
    keepdims: bool, seed: int,
) -> None:  # fmt: skip
    """Of factors up to 2^spread apart, whose products may be out of range, and of zeros."""
    rng = np.random.default_rng(seed)
    factors = rng.uniform(0.5, 2.0, (count, columns)) * rng.choice([-1.0, 1.0], (count, columns))
    x = (factors * 2 ** rng.uniform(-spread, spread, factors.shape)).astype(dtype)
    x[rng.random(count) < 0.2, 0] = 0.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scans, "NANOSECONDS_SIDE_BY_SIDE", np.inf)
        with np.errstate(all="ignore"):
            found = product_over(x, (1,), keepdims)
            kind = np.dtype(float if backend == "numba" else dtype)
            sequential = np.multiply.reduce(x, axis=1, dtype=kind, keepdims=keepdims).astype(dtype)
    assert found.shape == sequential.shape and found.dtype == x.dtype
    bounds = np.finfo(dtype)
    for own, other, exact, row in zip(
        found.ravel(), sequential.ravel(), _exact_products(x), x, strict=True
    ):
        if backend == "numpy" or columns < 4 or float(abs(row).max()) > 1e100:
            assert own == other or (own != own and other != other) or _near(own, exact, bounds)
        elif exact == 0:
            assert own == 0
        else:
            assert _near(own, exact, bounds, 2 + columns * (dtype == "d"))


def _near(own: Any, exact: Fraction, bounds: Any, units: int = 400) -> bool:
    if not math.isfinite(own):
        return abs(exact) > Fraction(float(bounds.max)) / 2
    error = abs(Fraction(float(own)) - exact)
    return error <= units * Fraction(float(bounds.eps)) * abs(exact) + Fraction(float(bounds.tiny))


def test_products_over_several_axes(backend: str) -> None:
    x = np.random.default_rng(0).uniform(0.5, 2.0, (5, 3, 4)).astype(np.float32)
    for axis in ((), (0,), (1, 2), (0, 2), (0, 1, 2)):
        for keepdims in (False, True):
            found = product_over(x, axis, keepdims)
            expected = np.prod(x.astype(float), axis=axis, keepdims=keepdims)
            assert np.shape(found) == expected.shape
            np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert product_over(np.arange(1, 5), (0,), False) == 24
    assert np.array_equal(product_over(np.ones((3, 0)), (1,), False), np.ones(3))


def test_a_product_that_overflows_is_told(backend: str) -> None:
    for factor, count, dtype in (
        (1e20, 5, "f"),
        (1e3, 300, "f"),
        (2.0, 2000, "d"),
        (1e200, 3, "d"),
    ):
        x = np.full((3, count), factor, dtype)
        x[1:, 0] = np.inf, 1e-300
        with pytest.warns(RuntimeWarning, match="overflow"):
            found = product_over(x, (1,), False)
        assert np.isinf(found[:2]).all()


@given(st.integers(0, 2**32 - 1), st.sampled_from("fd"), st.integers(0, 2))
def test_slopes_of_products_with_and_without_zeros(
    backend: str, seed: int, dtype: str, zeros: int
) -> None:
    rng = np.random.default_rng(seed)
    x = (rng.uniform(0.5, 2.0, (8, 6)) * rng.choice([-1.0, 1.0], (8, 6))).astype(dtype)
    x[0, :zeros] = 0.0
    c = rng.standard_normal(8).astype(dtype)
    (found,) = ag.vjp(lambda t: ag.prod(t, 1), x)[1](c)
    wide = x.astype(float)
    for i in range(6):
        others = np.prod(np.delete(wide, i, axis=1), axis=1)
        np.testing.assert_allclose(found[:, i], c * others, rtol=20 * np.finfo(dtype).eps)


def test_products_that_leave_float64_s_range_on_the_way(backend: str) -> None:
    if backend == "numpy":
        pytest.skip("NumPy multiplies one after the other")
    high, low = np.full(1100, 2.0), np.full(1100, 0.5)
    for order in ([high, low], [low, high], [low, low, high, high], [high, high, low, low]):
        for dtype in "fd":
            x = np.tile(np.concatenate(order), (2, 1)).astype(dtype)
            assert np.array_equal(product_over(x, (1,), False), [1.0, 1.0])
    x = np.array([[1e150, 1e-140, 1e-300, 1e290]])  # which NumPy multiplies
    np.testing.assert_allclose(product_over(x, (1,), False), 1.0, rtol=1e-14)
    x = np.array([[1e-30] * 40 + [1e30] * 80] * 2, np.float32)
    with pytest.warns(RuntimeWarning, match="overflow") as told:
        assert np.isposinf(product_over(x, (1,), False)).all()
    assert len(told) == 1
    x[0, 3], x[1, 7] = np.inf, np.nan
    x[0, 2] *= -1
    assert np.array_equal(product_over(x, (1,), False), [-np.inf, np.nan], equal_nan=True)
    x[0, 4] = 0.0
    with pytest.warns(RuntimeWarning, match="invalid value"):
        assert np.isnan(product_over(x, (1,), False)).all()
    x = np.ones((2, 40), np.float32)  # with exponents that are small enough
    x[0, 3], x[1, 7] = -np.inf, np.nan
    assert np.array_equal(product_over(x, (1,), False), [-np.inf, np.nan], equal_nan=True)
    x[0, 4] = 0.0
    with pytest.warns(RuntimeWarning, match="invalid value"):
        assert np.isnan(product_over(x, (1,), False)).all()
    x = np.array([[1e-30] * 40 + [1e30] * 40] * 2, np.float32)  # with exponents that are too large
    np.testing.assert_allclose(product_over(x, (1,), False), 1.0, rtol=1e-4)
    assert np.array_equal(product_over(np.abs(x - x), (1,), False), [0, 0])


def test_slopes_where_products_lose_their_digits_on_the_way() -> None:
    """3e-162 1e-162 is subnormal, and the product of all three is not."""
    x = np.array([3e-162, 1e-162, 1e200])
    np.testing.assert_allclose(ag.grad(ag.prod)(x)[:2], [1e38, 3e38], rtol=1e-14)
    many = np.tile(x, (8000, 1))
    (found,) = ag.vjp(lambda t: ag.prod(t, 1), many)[1](np.ones(8000))
    np.testing.assert_allclose(found[:, :2], np.tile([1e38, 3e38], (8000, 1)), rtol=1e-14)


def test_underflow_is_told_to_those_who_ask(backend: str) -> None:
    x = np.full((20, 2000), 0.5)
    assert not product_over(x, (1,), False).any()
    with np.errstate(under="raise"), pytest.raises(FloatingPointError):
        product_over(x, (1,), False)


def test_slopes_are_no_less_exact_than_the_range_of_float64(backend: str) -> None:
    """Also of small arrays, and along an axis, whose products have the dtype's rounding errors."""
    x = np.random.default_rng(0).uniform(0.9, 1.1, (400, 8)).astype(np.float32)
    for axis, rows in ((0, x), (1, x.T)):
        (found,) = ag.vjp(lambda t, axis=axis: ag.prod(t, axis), rows)[1](np.ones(8, np.float32))
        wide = rows.astype(float)
        expected = np.prod(wide, axis=axis, keepdims=True) / wide
        np.testing.assert_allclose(found, expected, rtol=2 * np.finfo(np.float32).eps)
