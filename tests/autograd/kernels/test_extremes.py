"""Shares of extremes against a count for every line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.kernels import extremes as kernels
from autograd.kernels.extremes import largest, share_out, shares, smallest

Array = np.ndarray[Any, Any]


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=3),
    st.sampled_from("efd"),
    st.booleans(),
    st.integers(0, 2**32 - 1),
    st.data(),
)
def test_ties_share(
    threads: int,
    in_layout: Callable[[Array, str], Array],
    layouts: tuple[str, ...],
    shape: list[int],
    dtype: str,
    smallest: bool,
    seed: int,
    data: st.DataObject,
) -> None:
    axis = data.draw(
        st.sampled_from([(k,) for k in range(len(shape))] + [tuple(range(len(shape)))])
    )
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 3, shape).astype(dtype)
    values[rng.random(shape) < 0.05] = np.nan
    x = in_layout(values, data.draw(st.sampled_from(layouts)))
    reduce = np.min if smallest else np.max
    extremes = np.asarray(reduce(x, axis=axis, keepdims=True))
    cotangent = rng.normal(size=extremes.shape).astype(dtype)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "NANOSECONDS", np.inf)
        found, factors = share_out(cotangent, x, extremes, axis), shares(x, extremes, axis)
    assert found.dtype == factors.dtype == x.dtype and found.shape == factors.shape == x.shape
    others = [k for k in range(x.ndim) if k not in axis]
    for place in np.ndindex(*[shape[k] for k in others]):
        line: list[Any] = [slice(None)] * x.ndim
        for k, at in zip(others, place, strict=True):
            line[k] = at
        whole, seed_here = values[tuple(line)], cotangent[tuple(line)].reshape(-1)[0]
        chosen = whole == reduce(whole)
        expected = chosen / max(1, chosen.sum())
        np.testing.assert_allclose(factors[tuple(line)], expected, rtol=1e-3)
        np.testing.assert_allclose(found[tuple(line)], expected * seed_here, rtol=2e-3)


def test_ties_of_a_long_row_are_counted(backend: str) -> None:
    if backend == "numpy":
        pytest.skip("NumPy counts them in integers")
    x = np.ones((1, (1 << 24) + 64), np.float32)
    found = share_out(np.ones((1, 1), np.float32), x, np.ones((1, 1), np.float32), (1,))
    np.testing.assert_allclose(found[:, 0], 1 / x.shape[1], rtol=1e-6)


@pytest.mark.parametrize("order", ["C", "F"])
def test_an_infinite_cotangent_reaches_the_extreme_alone(order: Any) -> None:
    x = np.asarray(np.arange(40000.0).reshape(200, 200), order=order)
    g = np.ones(200)
    g[0] = np.inf
    (found,) = ag.vjp(lambda x: ag.max(x, 1), x)[1](g)
    expected = np.zeros((200, 200))
    expected[:, -1] = g
    np.testing.assert_array_equal(found, expected)
    tangent = np.full((200, 200), np.inf)
    tangent[:, -1] = 2.0
    np.testing.assert_array_equal(ag.jvp(lambda x: ag.max(x, 1), (x,), (tangent,))[1], 2.0)


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=3),
    st.integers(0, 40),
    st.sampled_from("efd"),
    st.booleans(),
    st.integers(0, 2**32 - 1),
    st.data(),
)
def test_extremes_are_numpy_s(
    backend: str,
    threads: int,
    in_layout: Callable[[Array, str], Array],
    layouts: tuple[str, ...],
    shape: list[int],
    more_rows: int,
    dtype: str,
    keepdims: bool,
    seed: int,
    data: st.DataObject,
) -> None:
    """With ties, infinities, NaN of either sign, zeros and the smallest and largest numbers."""
    shape[0] += more_rows
    axis = data.draw(st.lists(st.integers(0, len(shape) - 1), unique=True, max_size=3).map(sorted))
    rng = np.random.default_rng(seed)
    bounds = np.finfo(dtype)
    special = [np.inf, -np.inf, np.nan, -np.nan, 0.0, bounds.max, -bounds.max, bounds.tiny / 2]
    values = rng.integers(-3, 3, shape).astype(dtype)
    mask = rng.random(shape) < 0.1
    values[mask] = rng.choice(np.array(special, dtype), mask.sum())
    x = in_layout(values, data.draw(st.sampled_from(layouts)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "NANOSECONDS_TO_FIND", np.inf)
        for find, reference in ((largest, np.max), (smallest, np.min)):
            found = find(x, tuple(axis), keepdims)
            expected = reference(values, axis=tuple(axis), keepdims=keepdims)
            assert np.asarray(found).dtype == dtype
            np.testing.assert_array_equal(found, expected)


def test_extremes_of_integers_and_of_nothing(backend: str) -> None:
    x = np.arange(60).reshape(20, 3)
    assert np.array_equal(largest(x, (1,), False), x[:, 2])
    with pytest.raises(ValueError, match="zero-size"):
        smallest(np.ones((20, 0)), (1,), False)
