"""NumPy's functions on threads give what they give on one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.kernels import entrywise
from autograd.kernels.entrywise import on_threads

Array = np.ndarray[Any, Any]

UFUNCS = [
    *(np.exp, np.log, np.sin, np.cos, np.log1p, np.expm1, np.tan),
    *(np.absolute, np.negative, np.reciprocal, np.sqrt),
]


@pytest.fixture(autouse=True, scope="module")
def all_sizes(backend: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entrywise, "FEWEST", 0)
        patch.setattr(entrywise, "LARGE", 0)
        patch.setattr(entrywise, "NANOSECONDS", np.inf)
        yield


@pytest.mark.parametrize("ufunc", UFUNCS)
@given(
    st.sampled_from([(), (0, 3), (7,), (3, 5), (2, 3, 60, 61), (40001,)]),
    st.sampled_from("efd"),
    st.integers(0, 2**32 - 1),
    st.data(),
)
def test_values(
    threads: int,
    in_layout: Callable[[Array, str], Array],
    layouts: tuple[str, ...],
    ufunc: np.ufunc,
    shape: tuple[int, ...],
    dtype: str,
    seed: int,
    data: st.DataObject,
) -> None:
    x = np.asarray(np.random.default_rng(seed).uniform(0.1, 3.0, shape), dtype)
    if shape:
        x = in_layout(x, data.draw(st.sampled_from(layouts)))
    before = x.copy()
    found, expected = on_threads(ufunc)(x), ufunc(x)
    assert found.dtype == expected.dtype and found.shape == expected.shape
    # NumPy's loops treat the last entries of an array in another way.
    np.testing.assert_allclose(found, expected, rtol=4 * np.finfo(dtype).eps)
    assert np.array_equal(x, before)
    for number in (0.5, 2):
        assert on_threads(ufunc)(number) == ufunc(number)


def test_numpy_says_what_it_was_told_to_say() -> None:
    x = np.full((1 << 13,), -1.0)
    with pytest.warns(RuntimeWarning, match="invalid value") as told:
        on_threads(np.log)(x)
    assert len(told) == 1
    with np.errstate(invalid="raise"), pytest.raises(FloatingPointError):
        on_threads(np.log)(x)
    with np.errstate(invalid="ignore"):
        assert np.isnan(on_threads(np.log)(x)).all()


@pytest.mark.parametrize("name", ["exp", "log", "sin", "cos", "expm1", "log1p"])
def test_gradients_of_large_arrays(name: str) -> None:
    rng = np.random.default_rng(0)
    x, g = rng.uniform(0.5, 2.0, (2, 150, 130)).astype(np.float32)
    variable = ag.Tensor(x, requires_grad=True)
    getattr(ag, name)(variable).backward(g)
    slope = getattr(np, name)(x + 1e-30j * np.ones(x.shape)).imag / 1e-30
    np.testing.assert_allclose(variable.grad, g * slope, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("ufunc", [np.exp, np.log])
def test_kernels_are_exact_to_two_units(threads: int, ufunc: np.ufunc) -> None:
    """At all magnitudes, those at which reductions lose digits among them."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.uniform(-87, 88, 20001), rng.uniform(-1, 1, 20001), [-0.0, 0.0]])
    if ufunc is np.log:
        x = np.concatenate([np.exp(x), rng.uniform(0.5, 2.0, 20001)])
    else:
        x = np.concatenate([x, rng.uniform(-110, -87, 20001), [-1e30, -np.inf]])
    x = x.astype(np.float32)
    expected = ufunc(x.astype(np.float64))
    unit = np.spacing(abs(expected).astype(np.float32)).astype(float)
    kernel = entrywise._by_kernel(ufunc.__name__, x)
    assert kernel is not None
    assert np.max(abs(kernel - expected) / unit) < 2


@pytest.mark.parametrize("ufunc", [np.exp, np.log])
@pytest.mark.parametrize("place", [0, 4095, 4096, 40000])
def test_what_kernels_cannot_compute_is_numpy_s(threads: int, ufunc: np.ufunc, place: int) -> None:
    x = np.full(40001, 0.5, np.float32)
    for value in (np.nan, np.inf, -np.inf, 88.5, 100.0, 0.0, -0.0, -1.0, 1e-40, -100.0, 3e38):
        x[place] = value
        with np.errstate(all="ignore"):
            found, expected = on_threads(ufunc)(x), ufunc(x)
        np.testing.assert_allclose(found, expected, rtol=4 * np.finfo(np.float32).eps, atol=2e-45)


@pytest.mark.parametrize("value", [-np.inf, -100.0, np.nan])
def test_small_powers_are_not_computed_twice(value: float) -> None:
    """As of distances, or of what a mask excludes."""
    x = np.full(40001, value, np.float32)
    found = entrywise._by_kernel("exp", x)
    assert found is not None
    np.testing.assert_allclose(found, np.exp(x), rtol=0, atol=2e-45)


@pytest.mark.parametrize(
    ("ufunc", "value", "message"),
    [
        (np.sqrt, -1.0, "invalid value"),
        (np.reciprocal, 0.0, "divide by zero"),
        (np.reciprocal, 1e-40, "overflow"),
    ],
)
@pytest.mark.parametrize("place", [0, 20000, 40000])
def test_single_instructions_warn_once(
    threads: int, ufunc: np.ufunc, value: float, message: str, place: int
) -> None:
    x = np.full(40001, 0.5, np.float32)
    x[place] = value
    with pytest.warns(RuntimeWarning, match=message) as told:
        found = on_threads(ufunc)(x)
    assert len(told) == 1
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(found, ufunc(x))
        np.testing.assert_array_equal(on_threads(ufunc)(x), found)
    with np.errstate(all="raise", under="ignore"), pytest.raises(FloatingPointError):
        on_threads(ufunc)(x)


@pytest.mark.parametrize("ufunc", [np.negative, np.absolute])
def test_what_never_warns_is_not_computed_twice(
    backend: str, ufunc: np.ufunc, monkeypatch: pytest.MonkeyPatch
) -> None:
    if backend == "numpy":
        pytest.skip("there it is computed once")
    x = np.full(40001, np.inf, np.float32)
    expected = ufunc(x)
    monkeypatch.setattr(np, "geterr", lambda: {"under": "ignore"})  # is_told would ask for more
    assert np.array_equal(on_threads(ufunc)(x), expected)
