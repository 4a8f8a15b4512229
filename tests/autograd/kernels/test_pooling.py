"""Pools against plain loops, and their transposes as adjoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from autograd.kernels import layouts, pooling
from autograd.kernels.pooling import (
    average_pool,
    average_pool_transpose,
    gather_planes,
    max_pool,
    scatter_add_planes,
)
from autograd.kernels.windows import is_channels_last, windows_overlap

Array = np.ndarray[Any, Any]
Layout = Callable[[Array, str], Array]


@st.composite
def geometries(draw: st.DrawFn) -> tuple[tuple[int, ...], dict[str, Any]]:
    """A shape (N, C, *S) and the arguments of a pool that fits it."""
    dims = draw(st.integers(1, 2))
    if draw(st.booleans()):  # the common case: square, not overlapping, no padding
        k = draw(st.integers(1, 3))
        sizes = tuple(draw(st.integers(k, 9)) for _ in range(dims))
        arguments: dict[str, Any] = {"kernel": k, "stride": None, "padding": 0}
    else:
        kernel = tuple(draw(st.integers(1, 3)) for _ in range(dims))
        padding = tuple(
            (draw(st.integers(0, k // 2)), draw(st.integers(0, k // 2))) for k in kernel
        )
        stride = tuple(draw(st.integers(1, 4)) for _ in range(dims))
        sizes = tuple(draw(st.integers(k, 7)) for k in kernel)
        arguments = {"kernel": kernel, "stride": stride, "padding": padding}
    return (draw(st.sampled_from([0, 1, 2])), draw(st.sampled_from([1, 2, 5])), *sizes), arguments


def windows(
    shape: tuple[int, ...], kernel: Any, stride: Any, padding: Any, dilation: int = 1
) -> list[tuple[tuple[int, ...], list[tuple[int, ...]]]]:
    """(output position, its in-bounds input positions in order) for each window."""
    sizes = shape[2:]
    dims = len(sizes)
    kernel = (kernel,) * dims if isinstance(kernel, int) else kernel
    stride = kernel if stride is None else stride
    padding = ((padding, padding),) * dims if isinstance(padding, int) else padding
    out = tuple(
        (s + sum(p) - dilation * (k - 1) - 1) // t + 1
        for s, p, k, t in zip(sizes, padding, kernel, stride, strict=True)
    )
    result = []
    for p in np.ndindex(*out):
        inside = []
        for k in np.ndindex(*kernel):
            at = tuple(
                i * t + j * dilation - b
                for i, t, j, (b, _) in zip(p, stride, k, padding, strict=True)
            )
            if all(0 <= a < s for a, s in zip(at, sizes, strict=True)):
                inside.append(at)
        result.append((p, inside))
    return result


def out_shape(shape: tuple[int, ...], found: list[Any]) -> tuple[int, ...]:
    return (*shape[:2], *(last + 1 for last in found[-1][0]))


@given(
    geometries(),
    st.integers(1, 2),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["float16", "float32", "float64", "int64", "complex128"]),
    st.data(),
)
def test_max_pool(
    in_layout: Layout,
    layouts: tuple[str, ...],
    case: tuple[tuple[int, ...], dict[str, Any]],
    dilation: int,
    seed: int,
    dtype: str,
    data: st.DataObject,
) -> None:
    shape, arguments = case
    try:
        found = windows(shape, **arguments, dilation=dilation)
    except (IndexError, ValueError):  # a window larger than the image
        assume(False)
    assume(found and all(inside for _, inside in found))
    rng = np.random.default_rng(seed)
    values = rng.integers(-2, 3, shape).astype(dtype)  # many ties
    if dtype.startswith("float"):
        values[rng.random(shape) < 0.05] = np.nan
        values[rng.random(shape) < 0.2] = -np.inf
    x = in_layout(values, data.draw(st.sampled_from(layouts)))
    out, index = max_pool(x, **arguments, dilation=dilation)
    assert out.dtype == x.dtype and index.dtype == np.int32
    assert out.shape == index.shape == out_shape(shape, found)
    for n, c in np.ndindex(*shape[:2]):
        for p, inside in found:
            numbers = [values[n, c, *at] for at in inside]
            real = [v.real for v in numbers]
            nans = [i for i, v in enumerate(real) if np.isnan(v)]
            best = nans[0] if nans else real.index(max(real))
            assert index[n, c, *p] == np.ravel_multi_index(inside[best], shape[2:])
            np.testing.assert_array_equal(out[n, c, *p], numbers[best])


@given(
    geometries(),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["float32", "float64", "complex128"]),
    st.data(),
)
def test_gather_and_scatter_add_are_adjoint_loops(
    in_layout: Layout,
    layouts: tuple[str, ...],
    case: tuple[tuple[int, ...], dict[str, Any]],
    seed: int,
    dtype: str,
    data: st.DataObject,
) -> None:
    shape, arguments = case
    rng = np.random.default_rng(seed)
    x = in_layout(rng.normal(size=shape).astype(dtype), data.draw(st.sampled_from(layouts)))
    _, index = max_pool(x, **arguments)
    g = in_layout(rng.normal(size=index.shape).astype(dtype), data.draw(st.sampled_from(layouts)))
    index = in_layout(index, data.draw(st.sampled_from(layouts)))
    expected_x, expected_g = np.zeros(index.shape, dtype), np.zeros(shape, dtype)
    for n, c, *p in np.ndindex(*index.shape):
        at = np.unravel_index(index[n, c, *p], shape[2:])
        expected_x[n, c, *p] = x[n, c, *at]
        expected_g[n, c, *at] += g[n, c, *p]
    gathered = gather_planes(x, index)
    assert gathered.dtype == x.dtype and np.array_equal(gathered, expected_x)
    scattered = scatter_add_planes(g, index, shape[2:])
    assert scattered.dtype == g.dtype
    np.testing.assert_allclose(scattered, expected_g, rtol=1e-5, atol=1e-5)
    dims = len(shape) - 2
    kernel = arguments["kernel"]
    kernel = (kernel,) * dims if isinstance(kernel, int) else kernel
    if not windows_overlap(kernel, arguments["stride"] or kernel, (1,) * dims):
        distinct = scatter_add_planes(g, index, shape[2:], distinct=True)
        assert np.array_equal(distinct, expected_g)
    if arguments["stride"] in (None, kernel) and not np.any(arguments["padding"]):
        tiles = scatter_add_planes(g, index, shape[2:], distinct=True, tile=kernel)
        assert np.array_equal(tiles, expected_g)


@given(
    geometries(),
    st.booleans(),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["float16", "float32", "float64", "complex128"]),
    st.data(),
)
def test_average_pool_and_its_transpose(
    in_layout: Layout,
    layouts: tuple[str, ...],
    case: tuple[tuple[int, ...], dict[str, Any]],
    include: bool,
    seed: int,
    dtype: str,
    data: st.DataObject,
) -> None:
    shape, arguments = case
    found = windows(shape, **arguments)
    assume(all(inside for _, inside in found))
    dims = len(shape) - 2
    kernel = arguments["kernel"]
    full = int(np.prod((kernel,) * dims if isinstance(kernel, int) else kernel))
    rng = np.random.default_rng(seed)
    x = in_layout(rng.normal(size=shape).astype(dtype), data.draw(st.sampled_from(layouts)))
    g = rng.normal(size=out_shape(shape, found)).astype(dtype)
    g = in_layout(g, data.draw(st.sampled_from(layouts)))
    wide = np.result_type(dtype, np.float64)
    expected, transposed = np.zeros(g.shape, wide), np.zeros(shape, wide)
    for p, inside in found:
        count = full if include else len(inside)
        for at in inside:
            expected[:, :, *p] += x[:, :, *at].astype(wide) / count
            transposed[:, :, *at] += g[:, :, *p].astype(wide) / count
    tolerance = {"float16": 4e-3, "float32": 1e-6}.get(dtype, 1e-13)
    y = average_pool(x, **arguments, count_include_pad=include)
    assert y.dtype == x.dtype
    np.testing.assert_allclose(y, expected, rtol=tolerance, atol=tolerance)
    dx = average_pool_transpose(g, shape, **arguments, count_include_pad=include)
    assert dx.dtype == x.dtype
    np.testing.assert_allclose(dx, transposed, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("include", [True, False])
def test_windows_as_large_as_a_padded_image_are_many(include: bool) -> None:
    """Without padding there is one, whose mean has a way of its own."""
    x = np.random.default_rng(0).normal(size=(2, 3, 2, 2))
    y = average_pool(x, 2, 1, 1, include)
    assert y.shape == (2, 3, 3, 3)
    np.testing.assert_allclose(y[..., 1, 1], x.mean(axis=(2, 3)))
    np.testing.assert_allclose(y[..., 0, 0], x[..., 0, 0] / (4 if include else 1))
    g = np.random.default_rng(1).normal(size=y.shape)
    dx = average_pool_transpose(g, x.shape, 2, 1, 1, include)
    np.testing.assert_allclose(np.vdot(g, y), np.vdot(dx, x))


def test_results_keep_the_memory_order(in_layout: Layout) -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 4)).astype(np.float32)
    for layout, last in (("C", False), ("channels_last", True)):
        laid = in_layout(x, layout)
        out, index = max_pool(laid, 2)
        results = [out, index, gather_planes(laid, index), scatter_add_planes(out, index, (4, 4))]
        results += [average_pool(laid, 2), average_pool_transpose(out, x.shape, 2)]
        for result in results:
            assert is_channels_last(result) == last
            assert last or result.flags.c_contiguous


def test_wide_planes_have_wide_positions() -> None:
    tiny = np.broadcast_to(np.float32(1), (1, 1, 1 << 16, 1 << 16))
    _, index = max_pool(tiny, 1, stride=1 << 15)
    assert index.dtype == np.int64
    assert index[0, 0].tolist() == [[0, 1 << 15], [1 << 31, (1 << 31) + (1 << 15)]]


@pytest.mark.parametrize(("kernel", "stride"), [(2, 2), (3, 1)])
def test_wide_positions_are_the_narrow_ones(
    monkeypatch: pytest.MonkeyPatch, in_layout: Layout, kernel: int, stride: int
) -> None:
    x = np.random.default_rng(0).integers(0, 9, (2, 3, 7, 9)).astype(np.float32)
    for layout in ("C", "channels_last"):
        best, index = max_pool(in_layout(x, layout), kernel, stride)
        with monkeypatch.context() as patch:
            patch.setattr(pooling, "index_dtype", lambda sizes: np.dtype(np.int64))
            wide_best, wide_index = max_pool(in_layout(x, layout), kernel, stride)
        assert (index.dtype, wide_index.dtype) == (np.int32, np.int64)
        np.testing.assert_array_equal(wide_index, index)
        np.testing.assert_array_equal(wide_best, best)


@pytest.mark.parametrize("layout", ["C", "channels_last", "strided"])
def test_windows_may_skip_most_of_a_plane(
    monkeypatch: pytest.MonkeyPatch, in_layout: Layout, layout: str
) -> None:
    def copies_all_of_it(*arguments: Any) -> None:
        raise AssertionError("the compiled kernel")

    monkeypatch.setattr(pooling, "_compiled_max_pool", copies_all_of_it)
    x = np.random.default_rng(0).normal(size=(2, 3, 13, 17)).astype(np.float32)
    best, index = max_pool(in_layout(x, layout), (1, 2), (4, 6))
    pairs = np.stack([x[:, :, ::4, ::6], x[:, :, ::4, 1::6]])
    np.testing.assert_array_equal(best, pairs.max(0))
    first = np.arange(0, 13, 4)[:, None] * 17 + np.arange(0, 17, 6)
    np.testing.assert_array_equal(index, first + pairs.argmax(0))


def test_bad_arguments() -> None:
    x = np.ones((1, 1, 3, 3))
    with pytest.raises(ValueError, match="nothing but padding"):
        max_pool(x, 2, 1, padding=2)
    with pytest.raises(ValueError, match="nothing but padding"):
        average_pool(x, 1, 1, padding=1, count_include_pad=False)
    with pytest.raises(ValueError, match="kernel_size"):
        max_pool(x, 0)
    with pytest.raises(ValueError, match="stride"):
        max_pool(x, 2, 0)
    with pytest.raises(ValueError, match="spatial"):
        max_pool(np.ones((2, 3)), 2)
    with pytest.raises(ValueError, match="same N and C"):
        gather_planes(x, np.zeros((1, 2, 1), np.int64))
    with pytest.raises(ValueError, match="same shape"):
        scatter_add_planes(np.ones((1, 1, 2)), np.zeros((1, 1, 3), np.int64), (4,))
    with pytest.raises(ValueError, match="cotangent"):
        average_pool_transpose(np.ones((1, 1, 3, 3)), x.shape, 2)


@pytest.mark.parametrize(("sizes", "tile"), [((7, 9), (2, 2)), ((6, 8), (3, 5)), ((4, 4), (4, 4))])
def test_tiles_fill_what_lies_behind_them_too(
    monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, int], tile: tuple[int, int]
) -> None:
    def nothing(shape: tuple[int, ...], dtype: Any) -> Array:
        return np.full(shape, 77, dtype)

    monkeypatch.setattr(layouts, "empty", nothing)
    x = np.moveaxis(np.random.default_rng(0).normal(size=(2, *sizes, 3)), -1, 1)
    out, index = max_pool(x, tile)
    scattered = scatter_add_planes(out, index, sizes, distinct=True, tile=tile)
    expected = np.zeros(x.shape)
    for n, c, *p in np.ndindex(*index.shape):
        expected[n, c, *np.unravel_index(index[n, c, *p], sizes)] = out[n, c, *p]
    np.testing.assert_array_equal(scattered, expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(2, 3, 40, 75), (3, 40, 7, 6), (1, 1, 2, 3)])
def test_windows_of_two_side_by_side(
    in_layout: Layout, layouts: tuple[str, ...], shape: tuple[int, ...], dtype: str
) -> None:
    """Against argmax, which takes the first of equals and the first NaN too; wide enough for
    vectors.
    """
    rng = np.random.default_rng(0)
    values = rng.integers(-2, 3, shape).astype(dtype)
    values[rng.random(shape) < 0.1] = np.nan
    values[rng.random(shape) < 0.1] = -np.inf
    n, c, p, q = *shape[:2], shape[2] // 2, shape[3] // 2

    def in_windows(array: Array) -> Array:
        tiles = array[:, :, : 2 * p, : 2 * q].reshape(n, c, p, 2, q, 2)
        return tiles.swapaxes(3, 4).reshape(n, c, p, q, 4)

    largest = np.argmax(in_windows(values), axis=-1)[..., None]
    flat = np.broadcast_to(np.arange(shape[2] * shape[3]).reshape(shape[2:]), shape)
    for layout in layouts:
        out, index = max_pool(in_layout(values, layout), 2)
        expected = np.take_along_axis(in_windows(values), largest, -1)[..., 0]
        np.testing.assert_array_equal(out, expected)
        np.testing.assert_array_equal(
            index, np.take_along_axis(in_windows(flat), largest, -1)[..., 0]
        )
