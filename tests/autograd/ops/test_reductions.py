"""Reductions where something is zero, empty or infinite."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd.kernels.backend import use_kernels


@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
def test_products_of_no_factors_are_one_to_every_order(axis):
    x = np.ones((0, 2))
    assert np.array_equal(ag.prod(x, axis), np.prod(x, axis))
    second = ag.grad(lambda x: ag.sum(ag.grad(lambda y: ag.sum(ag.prod(y, axis)))(x) ** 2))
    assert second(x).shape == (0, 2)


def test_products_of_three_and_five_factors_with_zeros():
    for x in (np.array([2.0, 0.0, 3.0]), np.array([2.0, 0.0, 3.0, 0.0, 5.0])):
        zeros = np.flatnonzero(x == 0)
        hessian = np.zeros((x.size, x.size))
        for i in range(x.size):
            for j in range(x.size):
                if i != j:
                    hessian[i, j] = np.prod(np.delete(x, [i, j]))
        assert zeros.size
        np.testing.assert_array_equal(ag.hessian(ag.prod)(x), hessian)


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("keepdims", [False, True])
def test_logsumexp_of_nothing_and_of_infinities(axis, keepdims):
    empty = np.ones((2, 0))
    if axis == 0:
        assert ag.logsumexp(empty, axis, keepdims).size == 0
    else:
        out = ag.logsumexp(empty, axis, keepdims)
        assert out.shape == np.sum(empty, axis, keepdims=keepdims).shape
        assert np.all(out == -np.inf)
    for fill in (-np.inf, np.inf):
        out = ag.logsumexp(np.full((2, 3), fill), axis, keepdims)
        assert np.all(out == fill)


def test_logsumexp_shifts_by_the_largest():
    x = np.array([[1000.0, 1001.0], [-np.inf, 3.0]])
    expected = [1001.0 + np.log1p(np.exp(-1.0)), 3.0]
    np.testing.assert_allclose(ag.logsumexp(x, 1), expected, rtol=1e-15)
    slope = ag.grad(lambda x: ag.sum(ag.logsumexp(x, 1)))(x)
    weights = 1 / (1 + np.exp([1.0, -1.0]))
    np.testing.assert_allclose(slope, [weights, [0.0, 1.0]], rtol=1e-12)


def test_means_are_summed_in_a_dtype_that_holds_the_sum():
    half = np.full(5000, 100, np.float16)
    assert ag.mean(half) == 100
    assert ag.mean(ag.Tensor(half)).data == 100
    assert ag.mean(np.array([1, 2])) == 1.5


@pytest.mark.parametrize("kernels", ["numpy", "auto"])
@pytest.mark.parametrize("keepdims", [False, True])
def test_logsumexp_of_long_rows(kernels: str, keepdims: bool) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(70, 300), scale=20.0).astype(np.float32)
    wide = x.astype(np.float64)
    top = wide.max(1, keepdims=True)
    expected = top + np.log(np.exp(wide - top).sum(1, keepdims=True))
    weights = rng.normal(size=expected.shape).astype(np.float32)
    variable = ag.Tensor(x, requires_grad=True)
    with use_kernels(kernels):
        out = ag.logsumexp(variable, 1, keepdims)
        out.backward(weights.reshape(out.shape))
    np.testing.assert_allclose(out.data, expected.reshape(out.shape), rtol=1e-6)
    np.testing.assert_allclose(
        variable.grad, weights * np.exp(wide - expected), rtol=2e-5, atol=1e-7
    )


@pytest.mark.parametrize("kernels", ["numpy", "auto"])
def test_logsumexp_of_infinities_among_long_rows(kernels: str) -> None:
    x = np.zeros((70, 300), np.float32)
    x[0], x[1, 3], x[2, 5], x[3, 7] = -np.inf, np.inf, np.nan, -np.inf
    with use_kernels(kernels):
        out = ag.logsumexp(x, 1)
    assert out.dtype == np.float32
    few = np.float32(np.log(300.0))
    np.testing.assert_allclose(out[:5], [-np.inf, np.inf, np.nan, np.log(299.0), few], rtol=1e-6)


@pytest.mark.parametrize("kernels", ["numpy", "auto"])
@pytest.mark.parametrize("function", [ag.max, ag.min])
def test_extremes_of_long_rows(kernels: str, function: Any) -> None:
    x = np.random.default_rng(0).integers(0, 50, (70, 300)).astype(np.float32)
    weights = np.random.default_rng(1).normal(size=70).astype(np.float32)
    variable = ag.Tensor(x, requires_grad=True)
    with use_kernels(kernels):
        function(variable, 1).backward(weights)
    chosen = x == (x.max(1) if function is ag.max else x.min(1))[:, None]
    expected = chosen / chosen.sum(1, keepdims=True) * weights[:, None]
    np.testing.assert_allclose(variable.grad, expected, rtol=1e-6)


def test_what_an_extreme_was_taken_of_must_not_change_before_the_sweep() -> None:
    x = ag.Tensor(np.arange(6.0), requires_grad=True)
    out = ag.max(x)
    with ag.no_grad():
        x.copy_(np.zeros(6))
    with pytest.raises(RuntimeError, match="max saved"):
        out.backward()
