"""Sums of squares in variances, norms and losses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.ops.moments import squares_over

Array = np.ndarray[Any, Any]


def test_std_with_a_constant_row():
    x = np.array([[1.0, 1.0, 1.0], [1.0, 2.0, 6.0]])
    np.testing.assert_allclose(ag.std(x, 1), np.std(x, 1), rtol=1e-14)
    slope = ag.grad(lambda x: ag.sum(ag.std(x, 1)))(x)
    np.testing.assert_array_equal(slope[0], 0.0)
    expected = (x[1] - 3.0) / (3 * np.std(x[1]))
    np.testing.assert_allclose(slope[1], expected, rtol=1e-14)
    tangent = ag.jvp(lambda x: ag.std(x, 1), (x,), (np.ones((2, 3)) * [1.0, 0.0, 2.0],))[1]
    np.testing.assert_allclose(tangent, [0.0, expected @ [1.0, 0.0, 2.0]], rtol=1e-14)


@given(
    st.sampled_from([((3, 4), 1), ((3, 4), 0), ((3, 4), (0, 1)), ((2, 3, 4), (0, 2)), ((), None)]),
    st.booleans(),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_derivatives_of_both_orders(
    at: tuple[tuple[int, ...], Any], keepdims: bool, averaged: bool, seed: int
) -> None:
    """By the formula: y = sum x^2 / n, x' = 2 c x / n, and the slopes of <x', v> for v."""
    shape, axis = at
    rng = np.random.default_rng(seed)
    x, dx, v = rng.standard_normal((3, *shape))

    def function(t: Any) -> Any:
        return squares_over(t, axis, keepdims, averaged)

    out = np.sum(x**2, axis=axis, keepdims=keepdims)
    n = x.size // out.size if averaged else 1
    c = rng.standard_normal(out.shape)
    spread = np.broadcast_to(
        c.reshape(np.sum(x, axis=axis, keepdims=True).shape if shape else ()), shape
    )
    np.testing.assert_allclose(function(x), out / n, rtol=1e-12)
    np.testing.assert_allclose(ag.vjp(function, x)[1](c)[0], 2 * spread * x / n, rtol=1e-12)
    value, rate = ag.jvp(function, (x,), (dx,))
    np.testing.assert_allclose(value, out / n, rtol=1e-12)
    expected = np.sum(2 * x * dx, axis=axis, keepdims=keepdims) / n
    np.testing.assert_allclose(rate, expected, rtol=1e-10, atol=1e-12)

    def weighed(t: Any) -> Any:
        return ag.sum(function(t) * c)

    np.testing.assert_allclose(ag.hvp(weighed, x, v), 2 * spread * v / n, rtol=1e-12)
    twice = ag.grad(lambda t: ag.sum(ag.grad(weighed)(t) * v))(x)
    np.testing.assert_allclose(twice, 2 * spread * v / n, rtol=1e-12)


def test_a_product_with_a_hessian_whose_cotangent_moves() -> None:
    """f = (sum x^2)^2 has the Hessian 4 (sum x^2) I + 8 x x^T."""
    x, v = np.random.default_rng(0).standard_normal((2, 5))
    found = ag.hvp(lambda t: squares_over(t) ** 2, x, v)
    np.testing.assert_allclose(found, 4 * (x @ x) * v + 8 * x * (x @ v), rtol=1e-12)
    norms = ag.hvp(ag.norm, x, v)
    size = np.sqrt(x @ x)
    np.testing.assert_allclose(norms, v / size - x * (x @ v) / size**3, rtol=1e-12)


def test_half_precision_is_averaged_in_single() -> None:
    x = np.full(2000, 100.0, np.float16)
    assert ag.mse_loss(x, np.zeros_like(x)) == 1e4
    assert ag.var(np.concatenate([x, -x])) == 1e4


def test_derivatives_in_half_precision_stay_in_range() -> None:
    scale = np.float16(2.0**15)
    x = np.full(4000, 2.0, np.float16)
    slope = ag.vjp(lambda t: ag.mse_loss(t, np.zeros_like(x)), x)[1](scale)[0]
    np.testing.assert_allclose(slope, 2.0**15 * 4 / 4000, rtol=1e-3)
    few = np.arange(5).astype(np.float16)
    total = ag.vjp(lambda t: ag.mse_loss(t, np.zeros_like(few), "sum"), few / 8)[1](scale)[0]
    np.testing.assert_allclose(total, 2.0**13 * few, rtol=1e-3)  # twice the scale is infinite
    np.testing.assert_allclose(
        ag.vjp(ag.var, few)[1](scale)[0], 2.0**15 * 0.4 * (few - 2), rtol=1e-3
    )
    large = np.full(2000, 100.0, np.float16)
    rate = ag.jvp(lambda t: ag.mse_loss(t, np.zeros_like(large)), (large,), (np.ones_like(large),))
    assert rate[1] == 200
    many = np.linspace(-2, 2, 70002).astype(np.float16)
    np.testing.assert_allclose(ag.grad(ag.var)(many), many * (2 / 70002), rtol=1e-3, atol=3e-8)
    wide = ag.vjp(lambda t: ag.mse_loss(t, t - 1), np.ones(4000, np.float32))[1](np.float32(3e38))
    assert np.isfinite(wide[0]).all()


def test_a_mean_of_no_errors_is_told() -> None:
    with pytest.raises(ValueError, match="mse_loss over axes"):
        ag.mse_loss(np.ones((0, 3)), np.ones((0, 3)))
    assert ag.mse_loss(np.ones((0, 3)), np.ones((0, 3)), "sum") == 0


def test_only_what_is_read_is_kept() -> None:
    """The squares are not; the result is not either."""
    x = ag.Tensor(np.ones((30, 40)), requires_grad=True)
    node = squares_over(x, 1)._node
    assert node is not None and [value is None for value in node.saved] == [True, False]
