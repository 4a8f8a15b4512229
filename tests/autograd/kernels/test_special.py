"""Special functions against `math`, plain series and complex steps."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd.kernels.special import (
    erf,
    log_sigmoid,
    log_softmax,
    logsumexp,
    sigmoid,
    softmax,
    softplus,
)

Array = np.ndarray[Any, Any]

numbers = st.floats(allow_nan=False)
moderate = st.floats(-50, 50)


@given(st.one_of(numbers, st.floats(-7, 7), st.floats(-1e-300, 1e-300)))
def test_erf_is_within_two_ulp(x: float) -> None:
    expected = math.erf(x)
    result = erf(np.float64(x))
    assert isinstance(result, np.float64)
    assert abs(result - expected) <= 2 * np.spacing(abs(expected))
    assert math.copysign(1, result) == math.copysign(1, expected)


def test_erf_is_within_two_ulp_on_a_fine_grid(backend: str) -> None:
    borders = np.array([0.84375, 1.25, 1 / 0.35, 6.0])
    x = np.concatenate(
        [
            np.linspace(-6.5, 6.5, 40_001),
            np.geomspace(5e-324, 1e308, 5_000),
            np.concatenate([borders, np.nextafter(borders, 0), np.nextafter(borders, 9)]),
        ]
    )
    expected = np.array([math.erf(v) for v in x])
    assert np.max(np.abs(erf(x) - expected) / np.spacing(np.abs(expected))) <= 2


def test_erf_in_other_precisions_is_the_rounded_value(backend: str) -> None:
    borders = [0.875, np.nextafter(np.float32(0.875), 1), 4.0, 65504.0, np.inf, 1e-7, 6e-8]
    for dtype, ulp in ((np.float16, 0.51), (np.float32, 0.55)):
        x = np.array([*np.linspace(-5, 5, 20_001), *borders], dtype)
        x = np.concatenate([x, -x])
        expected = np.array([math.erf(float(v)) for v in x])
        result = erf(x)
        assert result.dtype == dtype
        assert np.max(np.abs(result - expected) / np.spacing(np.abs(expected).astype(dtype))) <= ulp
    assert np.isnan(erf(np.float32(np.nan)))
    assert erf(np.array([np.inf, -np.inf])).tolist() == [1.0, -1.0]
    assert erf(np.float16(1)).dtype == np.float16


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_erf_of_large_arrays(
    threads: int, in_layout: Callable[[Array, str], Array], layouts: tuple[str, ...], dtype: Any
) -> None:
    x = np.random.default_rng(0).standard_normal((190, 171)).astype(dtype)
    expected = np.vectorize(math.erf)(x)
    for layout in layouts:
        given_x = in_layout(x, layout)
        found = erf(given_x)
        assert found.dtype == dtype
        np.testing.assert_allclose(found, expected, rtol=2 * np.finfo(dtype).eps)
    assert erf(np.zeros((0, 3), dtype)).shape == (0, 3)


def erf_by_series(z: complex) -> complex:
    """2/sqrt(pi) sum (-1)^n z^(2n+1) / (n! (2n+1)), good for |z| up to about 2."""
    total, term = 0j, z
    for n in range(60):
        total += term / (2 * n + 1)
        term *= -z * z / (n + 1)
    return 2 / math.sqrt(math.pi) * total


@given(st.floats(-2, 2), st.floats(-2, 2))
def test_complex_erf_is_its_power_series(x: float, y: float) -> None:
    expected = erf_by_series(complex(x, y))
    result = erf(np.complex128(complex(x, y)))
    assert abs(result - expected) <= 1e-11 * max(1.0, abs(expected))


@given(st.floats(-5.5, 5.5))
def test_complex_step_of_erf_is_its_derivative(x: float) -> None:
    result = erf(np.array([x + 1e-30j]))
    assert result.real[0] == erf(np.float64(x))
    derivative = 2 / math.sqrt(math.pi) * math.exp(-x * x)
    assert math.isclose(result.imag[0] / 1e-30, derivative, rel_tol=1e-12)


def test_complex_erf_refuses_what_it_cannot_do() -> None:
    with pytest.raises(ValueError, match="imag"):
        erf(np.array([1 + 9j]))
    assert erf(np.complex64(0.5 + 0.1j)).dtype == np.complex64
    assert erf(np.array([np.inf + 0j])).tolist() == [1 + 0j]


SCALAR: dict[str, tuple[Callable[[Any], Any], Callable[[float], float]]] = {
    "sigmoid": (
        sigmoid,
        lambda x: 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x)),
    ),
    "log_sigmoid": (log_sigmoid, lambda x: min(x, 0.0) - math.log1p(math.exp(-abs(x)))),
    "softplus": (softplus, lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x)))),
}


@pytest.mark.parametrize("name", SCALAR)
@given(x=numbers)
def test_sigmoid_family_everywhere(name: str, x: float) -> None:
    kernel, reference = SCALAR[name]
    result = kernel(np.float64(x))
    assert isinstance(result, np.float64)
    assert math.isclose(result, reference(x), rel_tol=1e-14, abs_tol=1e-307)


@pytest.mark.parametrize("name", SCALAR)
@given(x=st.floats(-30, 30), y=st.floats(-1, 1))
def test_sigmoid_family_complex(name: str, x: float, y: float) -> None:
    formulas: dict[str, Callable[[complex], complex]] = {
        "sigmoid": lambda z: 1 / (1 + cmath.exp(-z)),
        "log_sigmoid": lambda z: -cmath.log(1 + cmath.exp(-z)),
        "softplus": lambda z: cmath.log(1 + cmath.exp(z)),
    }
    z = complex(x, y)
    expected = formulas[name](z)
    result = SCALAR[name][0](np.array([z]))[0]
    assert abs(result - expected) <= 1e-12 * max(1.0, abs(expected))


@pytest.mark.parametrize("name", SCALAR)
def test_sigmoid_family_dtypes_shapes_and_limits(name: str) -> None:
    kernel, _ = SCALAR[name]
    for dtype in (np.float16, np.float32, np.float64, np.complex64, np.complex128):
        assert kernel(np.zeros((2, 3), dtype)).dtype == dtype
        assert kernel(np.zeros((), dtype)).dtype == dtype
        assert kernel(np.zeros(0, dtype)).shape == (0,)
    assert kernel(np.array([1, 2])).dtype == np.float64
    x = np.array([-np.inf, np.inf, np.nan])
    expected = {"sigmoid": [0, 1], "log_sigmoid": [-np.inf, 0], "softplus": [0, np.inf]}[name]
    assert np.array_equal(kernel(x)[:2], expected) and np.isnan(kernel(x)[2])


matrices = hnp.arrays(
    st.sampled_from([np.float32, np.float64]),
    hnp.array_shapes(min_dims=1, max_dims=3, max_side=5),
    elements=st.floats(-80, 80, width=32),
)


def plain_logsumexp(row: list[Any]) -> Any:
    top = max(v.real for v in row)
    logarithm = cmath.log if any(isinstance(v, complex) for v in row) else math.log
    exponential = cmath.exp if any(isinstance(v, complex) for v in row) else math.exp
    return top + logarithm(sum(exponential(v - top) for v in row))


@given(matrices, st.booleans(), st.floats(-1, 1), st.data())
def test_softmax_family(x: Array, is_complex: bool, imaginary: float, data: st.DataObject) -> None:
    if is_complex:
        x = x + 1j * imaginary * np.cos(np.arange(x.size)).reshape(x.shape).astype(x.dtype)
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    before = x.copy()
    expected = np.apply_along_axis(lambda row: plain_logsumexp(row.tolist()), axis, x)
    tolerance = 1e-4 if x.real.dtype == np.float32 else 1e-11
    result = logsumexp(x, axis)
    assert result.dtype == x.dtype
    np.testing.assert_allclose(result, expected, rtol=tolerance, atol=tolerance)
    kept = logsumexp(x, axis, keepdims=True)
    assert np.array_equal(np.squeeze(kept, axis), result)
    logs = x - np.expand_dims(expected, axis)
    np.testing.assert_allclose(log_softmax(x, axis), logs, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(softmax(x, axis), np.exp(logs), rtol=tolerance, atol=tolerance)
    assert softmax(x, axis).dtype == log_softmax(x, axis).dtype == x.dtype
    assert np.array_equal(x, before)


def test_logsumexp_over_several_axes() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4)) * 5
    expected = np.log(np.exp(x).sum(axis=(0, 2)))
    np.testing.assert_allclose(logsumexp(x, axis=(0, 2)), expected)
    np.testing.assert_allclose(logsumexp(x), np.log(np.exp(x).sum()))
    assert logsumexp(x, axis=(0, 2), keepdims=True).shape == (1, 3, 1)
    np.testing.assert_allclose(softmax(x, axis=(0, 2)).sum(axis=(0, 2)), np.ones(3))


def test_infinite_rows() -> None:
    inf = np.inf
    x = np.array([[-inf, -inf], [-inf, 1.0], [inf, 1000.0], [inf, -inf]])
    assert logsumexp(x, axis=1).tolist() == [-inf, 1.0, inf, inf]
    assert softmax(x, axis=1)[1].tolist() == [0.0, 1.0]
    assert log_softmax(x, axis=1)[1].tolist() == [-inf, 0.0]
    assert softmax(x, axis=1)[2, 1] == 0.0 and log_softmax(x, axis=1)[2, 1] == -inf
    assert np.isnan(softmax(x, axis=1)[0]).all() and np.isnan(log_softmax(x, axis=1)[0]).all()
    assert logsumexp(np.zeros((2, 0)), axis=1).tolist() == [-inf, -inf]
    assert softmax(np.zeros((0, 3))).shape == (0, 3)
    assert np.isnan(logsumexp(np.array([np.nan, 1.0])))
