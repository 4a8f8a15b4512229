"""The three convolution kernels against plain loops, and against each other as adjoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.kernels.convolution import (
    convolve,
    convolve_input_gradient,
    convolve_weight_gradient,
)
from autograd.kernels.windows import is_channels_last

Array = np.ndarray[Any, Any]
TOLERANCE = {"e": 2e-2, "f": 2e-5, "d": 1e-12, "D": 1e-12}


@dataclass(frozen=True)
class Case:
    batch: int
    groups: int
    in_channels: int
    out_channels: int
    sizes: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]

    @property
    def x_shape(self) -> tuple[int, ...]:
        return (self.batch, self.groups * self.in_channels, *self.sizes)

    @property
    def w_shape(self) -> tuple[int, ...]:
        return (self.groups * self.out_channels, self.in_channels, *self.kernel)

    @property
    def geometry(self) -> tuple[Any, ...]:
        return self.stride, self.padding, self.dilation, self.groups


@st.composite
def cases(draw: st.DrawFn) -> Case:
    dims = draw(st.integers(1, 2))
    per_dim = []
    for _ in range(dims):
        kernel, dilation = draw(st.integers(1, 4)), draw(st.integers(1, 2))
        before, after = draw(st.integers(0, 4)), draw(st.integers(0, 4))
        least = max(1, dilation * (kernel - 1) + 1 - before - after)
        size = draw(st.integers(least, max(7, least)))
        per_dim.append((size, kernel, draw(st.integers(1, 5)), (before, after), dilation))
    sizes, kernels, strides, padding, dilations = zip(*per_dim, strict=True)
    return Case(
        draw(st.sampled_from([0, 1, 2, 3])),
        draw(st.integers(1, 3)),
        draw(st.sampled_from([1, 2, 3, 4])),
        draw(st.sampled_from([1, 2, 3, 4])),
        sizes,
        kernels,
        strides,
        padding,
        dilations,
    )


def naive(x: Array, w: Array, case: Case) -> Array:
    """The definition, one output position at a time."""
    width = [(0, 0), (0, 0), *case.padding]
    x = np.pad(x, width)
    out = tuple(
        (x.shape[d + 2] - case.dilation[d] * (case.kernel[d] - 1) - 1) // case.stride[d] + 1
        for d in range(len(case.kernel))
    )
    y = np.zeros((x.shape[0], w.shape[0], *out), np.result_type(x, w, np.float64))
    for o, *p in np.ndindex(*y.shape[1:]):
        first = o // case.out_channels * case.in_channels
        for k in np.ndindex(*case.kernel):
            at = [
                s * i + d * j for s, i, d, j in zip(case.stride, p, case.dilation, k, strict=True)
            ]
            images = x[:, first : first + case.in_channels, *at]
            y[:, o, *p] += (images * w[o, :, *k]).sum(axis=1, dtype=y.dtype)
    return y


def arrays(case: Case, seed: int, dtype: str) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=case.x_shape), rng.normal(size=case.w_shape)
    if dtype == "D":
        return x + 1j * rng.normal(size=x.shape), w + 1j * rng.normal(size=w.shape)
    return x.astype(dtype), w.astype(dtype)


def close(a: Array, b: Array, dtype: str) -> bool:
    scale = max(1.0, float(np.max(np.abs(b), initial=0.0)))
    return bool(np.all(np.abs(a - b) <= TOLERANCE[dtype] * scale))


@given(cases(), st.integers(0, 2**32 - 1), st.sampled_from("efdD"), st.data())
def test_convolution_and_its_partials(
    in_layout: Callable[[Array, str], Array],
    layouts: tuple[str, ...],
    case: Case,
    seed: int,
    dtype: str,
    data: st.DataObject,
) -> None:
    x, w = arrays(case, seed, dtype)
    expected = naive(x, w, case)
    rng = np.random.default_rng(seed + 1)
    g = rng.normal(size=expected.shape).astype(dtype)
    x, w, g = (in_layout(a, data.draw(st.sampled_from(layouts))) for a in (x, w, g))

    y = convolve(x, w, *case.geometry)
    assert y.dtype == x.dtype and y.shape == expected.shape
    assert close(y, expected, dtype)

    # T is linear in each argument: its partials are found entry by entry from the definition.
    dx = convolve_input_gradient(g, w, case.x_shape, *case.geometry)
    dw = convolve_weight_gradient(x, g, case.kernel, *case.geometry)
    assert dx.shape == x.shape and dx.dtype == x.dtype
    assert dw.shape == w.shape and dw.dtype == x.dtype and dw.flags.c_contiguous
    wide = np.result_type(dtype, np.float64)
    if x.size:
        other = rng.normal(size=x.shape).astype(dtype).astype(wide)
        via_definition = np.sum(naive(other, w.astype(wide), case) * g)
        assert close(np.sum(dx.astype(wide) * other), via_definition, dtype)
    other = rng.normal(size=w.shape).astype(dtype).astype(wide)
    via_definition = np.sum(naive(x.astype(wide), other, case) * g)
    assert close(np.sum(dw.astype(wide) * other), via_definition, dtype)


@given(cases(), st.integers(0, 2**32 - 1))
def test_partials_entry_by_entry(case: Case, seed: int) -> None:
    x, w = arrays(case, seed, "d")
    g = np.random.default_rng(seed + 1).normal(size=naive(x, w, case).shape)
    dx = convolve_input_gradient(g, w, case.x_shape, *case.geometry)
    dw = convolve_weight_gradient(x, g, case.kernel, *case.geometry)
    rng = np.random.default_rng(seed + 2)
    for result, source, other in ((dx, x, w), (dw, w, x)):
        for _ in range(min(3, source.size)):
            at = tuple(int(rng.integers(n)) for n in source.shape)
            unit = np.zeros_like(source)
            unit[at] = 1.0
            y = naive(unit, other, case) if source is x else naive(other, unit, case)
            assert np.isclose(result[at], np.sum(y * g), rtol=1e-11, atol=1e-11)


CONFIGURATIONS = [
    # channels in, channels out, size, kernel, stride, padding, groups: the shapes that have code
    # paths of their own, larger than Hypothesis draws them
    (3, 32, 32, 5, 1, 2, 1),
    (3, 64, 32, 3, 1, 1, 1),
    (16, 16, 32, 3, 1, 1, 1),
    (32, 48, 9, 3, 1, 1, 1),
    (32, 32, 7, 3, 1, 0, 1),
    (32, 33, 13, 3, 1, 1, 1),
    (17, 40, 6, 3, 1, 1, 1),
    (24, 16, 31, 3, 1, 2, 1),
    (3, 25, 31, 3, 2, 1, 1),
    (1, 6, 28, 5, 1, 0, 1),
    (3, 24, 32, 2, 1, 0, 1),
    (8, 17, 9, 3, 1, 1, 1),
    (32, 16, 16, 3, 2, 1, 1),
    (16, 32, 16, 1, 1, 0, 1),
    (16, 32, 15, 1, 2, 0, 1),
    (32, 32, 12, 3, 1, 1, 32),
    (32, 64, 12, 3, 1, 1, 4),
    (24, 48, 9, 3, 2, 1, 12),
    (80, 40, 6, 3, 1, 1, 2),
    (16, 32, 8, 1, 2, 0, 4),
]


@pytest.mark.parametrize("config", CONFIGURATIONS)
@pytest.mark.parametrize("layout", ["C", "channels_last"])
@pytest.mark.parametrize("batch", [5, 70])
def test_float32_on_image_sizes_agrees_with_float64_einsum(
    in_layout: Callable[[Array, str], Array], config: tuple[int, ...], layout: str, batch: int
) -> None:
    c, o, size, k, stride, pad, groups = config
    rng = np.random.default_rng(1)
    x = rng.normal(size=(batch, c, size, size))
    w = rng.normal(size=(o, c // groups, k, k))
    padded = np.pad(x, [(0, 0), (0, 0), (pad, pad), (pad, pad)])
    out = (size + 2 * pad - k) // stride + 1
    grouped_x = padded.reshape(batch, groups, c // groups, *padded.shape[2:])
    grouped_w = w.reshape(groups, o // groups, c // groups, k, k)
    y = np.zeros((batch, groups, o // groups, out, out))
    g = rng.normal(size=(batch, o, out, out))
    grouped_g = g.reshape(y.shape)
    dx = np.zeros_like(grouped_x)
    dw = np.zeros_like(grouped_w)
    for a, b in np.ndindex(k, k):
        rows = slice(a, a + stride * (out - 1) + 1, stride)
        columns = slice(b, b + stride * (out - 1) + 1, stride)
        part, kernel = grouped_x[..., rows, columns], grouped_w[..., a, b]
        y += np.einsum("ngcij,goc->ngoij", part, kernel, optimize=True)
        dx[..., rows, columns] += np.einsum("ngoij,goc->ngcij", grouped_g, kernel, optimize=True)
        dw[..., a, b] = np.einsum("ngcij,ngoij->goc", part, grouped_g, optimize=True)
    dx = dx.reshape(padded.shape)[:, :, pad : pad + size, pad : pad + size]

    single = [in_layout(a.astype(np.float32), layout) for a in (x, w, g)]
    geometry: Any = ((stride,) * 2, ((pad, pad),) * 2, (1, 1), groups)
    results = (
        convolve(single[0], single[1], *geometry),
        convolve_input_gradient(single[2], single[1], x.shape, *geometry),
        convolve_weight_gradient(single[0], single[2], (k, k), *geometry),
    )
    for result, expected in zip(
        results, (y.reshape(g.shape), dx, dw.reshape(w.shape)), strict=True
    ):
        assert result.dtype == np.float32
        scale = np.sqrt(np.mean(np.square(expected)))
        # 3x3 kernels may go by Winograd tiles, with ten times the rounding of the direct sum.
        assert np.sqrt(np.mean(np.square(result - expected))) < 1e-5 * scale
        assert np.max(np.abs(result - expected)) < 1e-4 * scale
    assert all(is_channels_last(result) or result.shape[1] == 1 for result in results[:2])


def test_same_arguments_same_bits() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 16, 16, 16)).astype(np.float32)
    w = rng.normal(size=(32, 16, 3, 3)).astype(np.float32)
    geometry: Any = ((1, 1), ((1, 1), (1, 1)), (1, 1), 1)
    y = convolve(x, w, *geometry)
    dw = convolve_weight_gradient(x, y, (3, 3), *geometry)
    for _ in range(3):
        assert np.array_equal(convolve(x, w, *geometry), y)
        assert np.array_equal(convolve_weight_gradient(x, y, (3, 3), *geometry), dw)


def test_mixed_dtypes_give_the_wider() -> None:
    x, w = np.ones((1, 1, 3), np.float32), np.ones((1, 1, 2), np.float64)
    assert convolve(x, w, (1,), ((0, 0),), (1,)).dtype == np.float64


@pytest.mark.parametrize(
    ("x_shape", "w_shape", "groups", "words"),
    [
        ((1, 3, 5, 5), (2, 3, 3), 1, "same number of dimensions"),
        ((1, 3), (2, 3), 1, "3 or 4"),
        ((1, 3, 5, 5), (2, 4, 3, 3), 1, "has 3"),
        ((1, 3, 5, 5), (2, 3, 3, 3), 2, "groups=2"),
        ((1, 3, 5, 5), (2, 3, 3, 3), 0, "groups=0"),
        ((1, 3, 2, 2), (2, 3, 3, 3), 1, "more padding"),
    ],
)
def test_bad_shapes(
    x_shape: tuple[int, ...], w_shape: tuple[int, ...], groups: int, words: str
) -> None:
    dims = len(x_shape) - 2
    geometry: Any = ((1,) * dims, ((0, 0),) * dims, (1,) * dims, groups)
    with pytest.raises(ValueError, match=words):
        convolve(np.ones(x_shape), np.ones(w_shape), *geometry)


def test_bad_cotangent_shapes() -> None:
    geometry: Any = ((1,), ((0, 0),), (1,), 1)
    with pytest.raises(ValueError, match="cotangent"):
        convolve_input_gradient(np.ones((1, 2, 9)), np.ones((2, 1, 3)), (1, 1, 5), *geometry)
    with pytest.raises(ValueError, match="cotangent"):
        convolve_weight_gradient(np.ones((1, 1, 5)), np.ones((2, 2, 3)), (3,), *geometry)


def test_images_whose_strides_are_no_whole_entries() -> None:
    """A field of records: an image begins at any byte."""
    rng = np.random.default_rng(0)
    records = np.zeros(4, [("label", "u1"), ("image", "f4", (20, 20, 3))])
    records["image"] = rng.normal(size=records["image"].shape)
    x = records["image"].transpose(0, 3, 1, 2)
    w = rng.normal(size=(5, 3, 3, 3)).astype(np.float32)
    arguments = ((1, 1), ((1, 1), (1, 1)), (1, 1))
    expected = convolve(x.copy(), w, *arguments)
    np.testing.assert_allclose(convolve(x, w, *arguments), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("layout", ["C", "channels_last"])
@pytest.mark.parametrize("channels", [2, 3, 5])
def test_every_other_image_of_a_batch(
    in_layout: Callable[[Array, str], Array], layout: str, channels: int, threads: int
) -> None:
    """The images of one thread may lie together where those of all do not."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2 * threads + 2, channels, 20, 22)).astype(np.float32)
    x = in_layout(x, layout)[::2]
    w = rng.normal(size=(6, channels, 3, 3)).astype(np.float32)
    g = rng.normal(size=(len(x), 6, 20, 22)).astype(np.float32)
    arguments = ((1, 1), ((1, 1), (1, 1)), (1, 1))
    wide = x.astype(float)
    np.testing.assert_allclose(
        convolve(x, w, *arguments), convolve(wide, w.astype(float), *arguments), atol=1e-4
    )
    np.testing.assert_allclose(
        convolve_weight_gradient(x, g, (3, 3), *arguments),
        convolve_weight_gradient(wide, g.astype(float), (3, 3), *arguments),
        atol=1e-3,
    )


@pytest.mark.parametrize("layout", ["C", "channels_last"])
@pytest.mark.parametrize(
    ("shape", "kernel", "padding", "dilation"),
    [
        ((64, 7, 7, 7), (3, 3), 1, 1),
        ((64, 5, 5, 5), (3, 3), 1, 1),
        ((40, 3, 9, 12), (2, 2), 0, 3),
        ((40, 3, 9, 20), (1, 4), 0, 3),
        ((40, 3, 9, 20), (1, 5), 0, 3),
        ((40, 3, 0, 64), (1, 1), 1, 1),
    ],
)
def test_entries_of_a_window_that_are_no_neighbours(
    in_layout: Callable[[Array, str], Array],
    layout: str,
    shape: tuple[int, ...],
    kernel: tuple[int, int],
    padding: int,
    dilation: int,
) -> None:
    """In planes, the ends of a group may be as far apart as if all between them were in order."""
    rng = np.random.default_rng(0)
    x = in_layout(rng.normal(size=shape).astype(np.float32), layout)
    w = rng.normal(size=(16, shape[1], *kernel)).astype(np.float32)
    form = ((1, 1), ((padding, padding), (padding, padding)), (dilation, dilation))
    y = convolve(x, w, *form)
    wide, factors = x.astype(float), w.astype(float)
    np.testing.assert_allclose(y, convolve(wide, factors, *form), atol=1e-4)
    found = convolve_weight_gradient(x, y, kernel, *form)
    expected = convolve_weight_gradient(wide, y.astype(float), kernel, *form)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * (1 + np.max(abs(expected))))
