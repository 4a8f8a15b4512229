"""Normalisation kernels against float64 formulas and complex steps through them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import erf

from autograd.kernels import channel_planes
from autograd.kernels.backend import compiled_for
from autograd.kernels.normalization import (
    batch_norm_backward,
    batch_norm_forward,
)
from autograd.kernels.row_normalization import (
    group_norm_backward,
    group_norm_forward,
    layer_norm_backward,
    layer_norm_forward,
)
from autograd.kernels.windows import is_channels_last

Array = np.ndarray[Any, Any]
Layout = Callable[[Array, str], Array]
EPS = 1e-3


def plain(x: Array, axes: tuple[int, ...], weight: Array | float, bias: Array | float) -> Array:
    mean = x.mean(axis=axes, keepdims=True)
    variance = ((x - mean) ** 2).mean(axis=axes, keepdims=True)
    return (x - mean) / np.sqrt(variance + EPS) * weight + bias


def complex_step(f: Callable[[Array], Array], x: Array, g: Array) -> Array:
    """d sum(g f(x)) / dx, one entry at a time."""
    out = np.empty(x.shape)
    for at in np.ndindex(*x.shape):
        z = x.astype(complex)
        z[at] += 1e-30j
        out[at] = np.sum(f(z) * g).imag / 1e-30
    return out


@pytest.fixture(autouse=True, scope="module")
def small_planes(backend: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(channel_planes, "FEWEST_POSITIONS", 1)
        patch.setattr(channel_planes, "NANOSECONDS", np.inf)
        yield


shapes = st.one_of(
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4)),
    st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3)),
)
seeds = st.integers(0, 2**32 - 1)
affine_kinds = st.sampled_from(["both", "weight", "bias", "none"])


def parameters(kind: str, shape: tuple[int, ...], rng: np.random.Generator) -> list[Array | None]:
    weight, bias = rng.normal(size=(2, *shape))
    return [
        weight if kind in ("both", "weight") else None,
        bias if kind in ("both", "bias") else None,
    ]


@given(shapes, affine_kinds, seeds, st.data())
def test_batch_norm(
    in_layout: Layout,
    layouts: tuple[str, ...],
    shape: tuple[int, ...],
    kind: str,
    seed: int,
    data: st.DataObject,
) -> None:
    rng = np.random.default_rng(seed)
    values, seeds_ = rng.normal(size=(2, *shape)) + 0.5
    weight, bias = parameters(kind, shape[1:2], rng)
    x = in_layout(values, data.draw(st.sampled_from(layouts)))
    g = in_layout(seeds_, data.draw(st.sampled_from(layouts)))
    axes = (0, *range(2, x.ndim))
    column = (-1, *(1,) * (x.ndim - 2))

    def reference(z: Array, w: Array | None, b: Array | None) -> Array:
        return plain(
            z,
            axes,
            1.0 if w is None else w.reshape(column),
            0.0 if b is None else b.reshape(column),
        )

    y, mean, inverse_std = batch_norm_forward(x, weight, bias, EPS)
    np.testing.assert_allclose(y, reference(values, weight, bias), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(mean, values.mean(axis=axes), atol=1e-12)
    np.testing.assert_allclose(inverse_std, 1 / np.sqrt(values.var(axis=axes) + EPS), rtol=1e-10)
    dx, dweight, dbias = batch_norm_backward(g, x, weight, mean, inverse_std)
    expected = complex_step(lambda z: reference(z, weight, bias), values, seeds_)
    np.testing.assert_allclose(dx, expected, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(
        dweight, (seeds_ * reference(values, None, None)).sum(axis=axes), atol=1e-9
    )
    np.testing.assert_allclose(dbias, seeds_.sum(axis=axes), atol=1e-10)


@pytest.mark.parametrize("layout", ["C", "channels_last", "fortran", "strided"])
@pytest.mark.parametrize("shape", [(64, 16, 9, 9), (513, 24), (4, 3, 65, 64)])
def test_large_float32_batch_norm(in_layout: Layout, layout: str, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    values = (rng.normal(size=shape) * 2 + 3).astype(np.float32)
    seeds_ = (rng.normal(size=shape) + 0.1).astype(np.float32)
    weight, bias = rng.normal(size=(2, shape[1])).astype(np.float32)
    x, g = in_layout(values, layout), in_layout(seeds_, layout)
    y, mean, inverse_std = batch_norm_forward(x, weight, bias, 1e-5)
    dx, dweight, dbias = batch_norm_backward(g, x, weight, mean, inverse_std)
    for result in (y, mean, inverse_std, dx, dweight, dbias):
        assert result.dtype == np.float32
    if layout in ("C", "channels_last"):
        assert is_channels_last(y) == is_channels_last(dx) == is_channels_last(x)
    wide, wide_g = values.astype(float), seeds_.astype(float)
    axes = (0, *range(2, len(shape)))
    column = (-1, *(1,) * (len(shape) - 2))
    std = np.sqrt(wide.var(axis=axes, keepdims=True) + 1e-5)
    h = (wide - wide.mean(axis=axes, keepdims=True)) / std
    w = weight.astype(float).reshape(column)
    np.testing.assert_allclose(y, h * w + bias.reshape(column), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(mean, wide.mean(axis=axes), rtol=1e-6)
    np.testing.assert_allclose(inverse_std, 1 / std.ravel(), rtol=1e-5)
    count = wide.size / shape[1]
    np.testing.assert_allclose(dweight, (wide_g * h).sum(axis=axes), rtol=1e-4, atol=1e-5 * count)
    np.testing.assert_allclose(dbias, wide_g.sum(axis=axes), rtol=1e-4, atol=1e-5 * count)
    mean_g = wide_g.mean(axis=axes, keepdims=True)
    expected = w / std * (wide_g - mean_g - h * (wide_g * h).mean(axis=axes, keepdims=True))
    np.testing.assert_allclose(dx, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layout", ["C", "channels_last", "strided"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("kind", ["none", "bias", "both"])
def test_batch_norm_with_an_activation(
    in_layout: Layout, layout: str, dtype: str, activation: str, kind: str
) -> None:
    rng = np.random.default_rng(0)
    shape = (33, 17, 9, 9)
    x = in_layout(rng.normal(size=shape).astype(dtype), layout)
    g = in_layout(rng.normal(size=shape).astype(dtype), "C")
    weight = rng.normal(size=17).astype(dtype) if kind == "both" else None
    bias = None if kind == "none" else rng.normal(size=17).astype(dtype)
    plain_y, mean, inverse_std = batch_norm_forward(x, weight, bias, EPS)
    y, *same = batch_norm_forward(x, weight, bias, EPS, activation)
    np.testing.assert_array_equal(same[0], mean)
    np.testing.assert_array_equal(same[1], inverse_std)
    wide = plain_y.astype(float)
    below = 0.5 * (1 + erf(wide / np.sqrt(2)))
    value = {"relu": np.maximum(wide, 0), "gelu": wide * below}[activation]
    slope = {
        "relu": (wide > 0).astype(float),
        "gelu": below + wide * np.exp(-0.5 * wide**2) / np.sqrt(2 * np.pi),
    }[activation]
    tolerance = {"float32": 2e-6, "float64": 1e-12}[dtype]
    np.testing.assert_allclose(y, value, rtol=tolerance, atol=tolerance)
    found = batch_norm_backward(g, x, weight, mean, inverse_std, bias, activation)
    expected = batch_norm_backward((g * slope).astype(dtype), x, weight, mean, inverse_std)
    for ours, other in zip(found, expected, strict=True):
        assert ours.dtype == dtype
        np.testing.assert_allclose(ours, other, rtol=1e3 * tolerance, atol=1e3 * tolerance)


@pytest.mark.parametrize("layout", ["C", "channels_last"])
@pytest.mark.parametrize("activation", [None, "relu", "gelu"])
@pytest.mark.parametrize("shape", [(33, 17, 9, 9), (600, 40), (2, 3, 2, 2)])
def test_batch_norm_backward_in_the_memory_of_the_cotangent(
    in_layout: Layout, layout: str, activation: str | None, shape: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2, *shape)).astype(np.float32)
    x = in_layout(values[0], layout)
    weight, bias = rng.normal(size=(2, shape[1])).astype(np.float32)
    _, mean, inverse_std = batch_norm_forward(x, weight, bias, EPS)
    arguments = x, weight, mean, inverse_std, bias, activation
    for order in ("C", "channels_last"):
        g = np.array(in_layout(values[1], order))
        kept = g.copy()
        expected = batch_norm_backward(g, *arguments)
        np.testing.assert_array_equal(g, kept)
        found = batch_norm_backward(g, *arguments, may_overwrite=True)
        for ours, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(ours, other)
        rows = x if x.ndim == 2 else x.transpose(0, 2, 3, 1)
        if compiled_for(x.dtype, x.size) and rows.flags.c_contiguous and g.strides == x.strides:
            assert np.shares_memory(found[0], g)


def test_batch_norm_of_numbers_far_from_zero() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2000, 3, 4, 4)) + 1000.0
    single = values.astype(np.float32)
    y, _, _ = batch_norm_forward(single, None, None, 0.0)
    wide = single.astype(float)
    axes = (0, 2, 3)
    expected = (wide - wide.mean(axis=axes, keepdims=True)) / wide.std(axis=axes, keepdims=True)
    np.testing.assert_allclose(y, expected, atol=5e-4)


@pytest.mark.parametrize("value", [1e3, 12345.678, 1.2345e7, 9.87e7])
def test_planes_of_one_value_are_zero(value: float) -> None:
    x = np.full((2, 3, 32, 33), value, np.float32)
    y, mean, _ = batch_norm_forward(x, None, None, 1e-5)
    if compiled_for(x.dtype, x.size):  # NumPy's sums are rounded
        assert np.all(y == 0) and np.all(mean == np.float32(value))
    assert np.all(abs(y) <= 1)


@given(shapes, affine_kinds, seeds, st.data())
def test_layer_norm(
    in_layout: Layout,
    layouts: tuple[str, ...],
    shape: tuple[int, ...],
    kind: str,
    seed: int,
    data: st.DataObject,
) -> None:
    rng = np.random.default_rng(seed)
    values, seeds_ = rng.normal(size=(2, *shape)) + 0.5
    count = data.draw(st.integers(1, len(shape)))
    weight, bias = parameters(kind, shape[len(shape) - count :], rng)
    x = in_layout(values, data.draw(st.sampled_from(layouts)))
    g = in_layout(seeds_, data.draw(st.sampled_from(layouts)))
    axes = tuple(range(len(shape) - count, len(shape)))
    others = tuple(range(len(shape) - count))

    def reference(z: Array) -> Array:
        return plain(z, axes, 1.0 if weight is None else weight, 0.0 if bias is None else bias)

    y, mean, inverse_std = layer_norm_forward(x, weight, bias, EPS, count)
    np.testing.assert_allclose(y, reference(values), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(mean, values.mean(axis=axes), atol=1e-12)
    dx, dweight, dbias = layer_norm_backward(g, x, weight, mean, inverse_std, count)
    np.testing.assert_allclose(dx, complex_step(reference, values, seeds_), rtol=1e-8, atol=1e-8)
    standard = plain(values, axes, 1.0, 0.0)
    np.testing.assert_allclose(dweight, (seeds_ * standard).sum(axis=others), atol=1e-9)
    np.testing.assert_allclose(dbias, seeds_.sum(axis=others), atol=1e-10)


@given(shapes, affine_kinds, seeds, st.integers(1, 3), st.data())
def test_group_norm(
    in_layout: Layout,
    layouts: tuple[str, ...],
    shape: tuple[int, ...],
    kind: str,
    seed: int,
    groups: int,
    data: st.DataObject,
) -> None:
    shape = (shape[0], shape[1] * groups, *shape[2:])
    rng = np.random.default_rng(seed)
    values, seeds_ = rng.normal(size=(2, *shape)) + 0.5
    weight, bias = parameters(kind, shape[1:2], rng)
    x = in_layout(values, data.draw(st.sampled_from(layouts)))
    g = in_layout(seeds_, data.draw(st.sampled_from(layouts)))
    column = (-1, *(1,) * (len(shape) - 2))

    def standardise(z: Array) -> Array:
        split = z.reshape(shape[0], groups, -1)
        return plain(split, (2,), 1.0, 0.0).reshape(shape)

    def reference(z: Array) -> Array:
        y = standardise(z)
        y = y if weight is None else y * weight.reshape(column)
        return y if bias is None else y + bias.reshape(column)

    y, mean, inverse_std = group_norm_forward(x, groups, weight, bias, EPS)
    assert mean.shape == inverse_std.shape == (shape[0], groups)
    np.testing.assert_allclose(y, reference(values), rtol=1e-10, atol=1e-10)
    dx, dweight, dbias = group_norm_backward(g, x, groups, weight, mean, inverse_std)
    np.testing.assert_allclose(dx, complex_step(reference, values, seeds_), rtol=1e-8, atol=1e-8)
    axes = (0, *range(2, len(shape)))
    np.testing.assert_allclose(dweight, (seeds_ * standardise(values)).sum(axis=axes), atol=1e-9)
    np.testing.assert_allclose(dbias, seeds_.sum(axis=axes), atol=1e-10)


def test_half_precision_has_single_precision_statistics() -> None:
    x = np.random.default_rng(0).normal(size=(4, 6, 5)).astype(np.float16)
    y, mean, inverse_std = batch_norm_forward(x, None, None, 1e-5)
    assert y.dtype == np.float16 and mean.dtype == inverse_std.dtype == np.float32
    dx, dweight, _ = batch_norm_backward(x, x, None, mean, inverse_std)
    assert dx.dtype == np.float16 and dweight.dtype == np.float32
    for forward in (
        lambda: layer_norm_forward(x, None, None, 1e-5),
        lambda: group_norm_forward(x, 2, None, None, 1e-5),
    ):
        y, mean, inverse_std = forward()
        assert y.dtype == np.float16 and mean.dtype == inverse_std.dtype == np.float32


def test_complex_arrays_pass_through() -> None:
    rng = np.random.default_rng(0)
    x, direction = rng.normal(size=(2, 3, 4, 2))
    g = rng.normal(size=x.shape)
    _y, mean, inverse_std = batch_norm_forward(x, None, None, EPS)
    dx, _, _ = batch_norm_backward(g, x, None, mean, inverse_std)
    step = batch_norm_forward(x + 1e-30j * direction, None, None, EPS)[0]
    assert np.isclose(np.sum(step * g).imag / 1e-30, np.sum(dx * direction))


def test_empty_batches() -> None:
    x = np.zeros((0, 4, 3), np.float32)
    y, mean, inverse_std = layer_norm_forward(x, None, None, EPS)
    assert y.shape == x.shape and mean.shape == (0, 4)
    assert layer_norm_backward(x, x, None, mean, inverse_std)[1].tolist() == [0, 0, 0]
    y, mean, inverse_std = group_norm_forward(x, 2, None, None, EPS)
    assert y.shape == x.shape
    assert group_norm_backward(x, x, 2, None, mean, inverse_std)[2].tolist() == [0] * 4
    with pytest.raises(ValueError, match="no values"):
        batch_norm_forward(x, None, None, EPS)


def test_bad_arguments() -> None:
    x = np.ones((2, 4, 3))
    with pytest.raises(ValueError, match="weight"):
        batch_norm_forward(x, np.ones(3), None, EPS)
    with pytest.raises(TypeError, match="int64"):
        batch_norm_forward(np.ones((2, 3), np.int64), None, None, EPS)
    with pytest.raises(ValueError, match="cotangent"):
        batch_norm_backward(np.ones((2, 4)), x, None, np.ones(4), np.ones(4))
    with pytest.raises(ValueError, match="bias"):
        layer_norm_forward(x, None, np.ones(4), EPS)
    with pytest.raises(ValueError, match="axes"):
        layer_norm_forward(x, None, None, EPS, axes=4)
    with pytest.raises(ValueError, match="groups=3"):
        group_norm_forward(x, 3, None, None, EPS)


@pytest.mark.parametrize("columns", [40, 768, 1000, 2049])
def test_rows_far_from_zero(columns: int) -> None:
    x = (np.random.default_rng(0).normal(size=(30, columns)) + 1e4).astype(np.float32)
    wide = x.astype(float)
    centred = wide - wide.mean(axis=1, keepdims=True)
    expected = centred / wide.std(axis=1, keepdims=True)
    y, _, _ = layer_norm_forward(x, None, None, 0.0)
    np.testing.assert_allclose(y, expected, atol=1.5e-3)  # a float32 of 1e4 is a thousandth off
    y, _, _ = group_norm_forward(x.reshape(6, 5, columns), 5, None, None, 0.0)
    np.testing.assert_allclose(y.reshape(30, columns), expected, atol=1.5e-3)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("shape", [(1, 6, 40), (2, 6, 5, 7), (9, 12, 1), (5, 6)])
@pytest.mark.parametrize("groups", [1, 2, 3, 6])
def test_groups_on_any_number_of_threads(shape: tuple[int, ...], groups: int) -> None:
    rng = np.random.default_rng(0)
    x, g = rng.normal(size=(2, *shape))
    weight, bias = rng.normal(size=(2, shape[1]))
    if x.size // (shape[0] * groups) == 1:
        return
    y, mean, inverse_std = group_norm_forward(x, groups, weight, bias, EPS)
    dx, dweight, dbias = group_norm_backward(g, x, groups, weight, mean, inverse_std)
    moved = group_norm_forward(x + 1e-30j * g, groups, weight, bias, EPS)[0].imag / 1e-30
    np.testing.assert_allclose(np.sum(dx * g), np.sum(moved * g), rtol=1e-9)
    standard = (y - bias.reshape(-1, *(1,) * (len(shape) - 2))) / weight.reshape(
        -1, *(1,) * (len(shape) - 2)
    )
    axes = (0, *range(2, len(shape)))
    np.testing.assert_allclose(dweight, (g * standard).sum(axis=axes), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(dbias, g.sum(axis=axes), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_rows_in_the_other_byte_order(dtype: type[np.floating[Any]]) -> None:
    rng = np.random.default_rng(0)
    native = [rng.normal(size=shape).astype(dtype) for shape in ((2, 6, 5), (2, 6, 5), (6,), (6,))]
    close = 4 * float(np.finfo(dtype).eps)

    def results(x: Array, g: Array, weight: Array, bias: Array) -> list[Array]:
        y, *statistics = group_norm_forward(x, 2, weight, bias, EPS)
        found = [y, *statistics, *group_norm_backward(g, x, 2, weight, *statistics)]
        rows, seed = x.transpose(0, 2, 1), g.transpose(0, 2, 1)
        y, *statistics = layer_norm_forward(rows, weight, bias, EPS)
        return [*found, y, *statistics, *layer_norm_backward(seed, rows, weight, *statistics)]

    swapped = [array.astype(array.dtype.newbyteorder()) for array in native]
    for found, expected in zip(results(*swapped), results(*native), strict=True):
        assert found.dtype.newbyteorder("=") == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=close, atol=8 * close)
