"""Convolutions without columns, and input gradients as convolutions, of any number of channels."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.kernels import convolution, direct, transposed, weight_layouts
from autograd.kernels.columns import Geometry
from autograd.kernels.convolution import (
    convolve,
    convolve_input_gradient,
    convolve_weight_gradient,
)

Array = np.ndarray[Any, Any]


@pytest.fixture(autouse=True, scope="module")
def _without_columns() -> Iterator[None]:
    """The rules of speed put aside: what may be computed so is, by several threads."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(direct, "FEWEST_WINDOWS", 1)
        patch.setattr(direct, "FEWEST_SEEDS", 1)
        patch.setattr(direct, "FEW_OUTPUTS", direct.MOST_OUTPUTS)
        patch.setattr(direct, "MULTIPLICATIONS", 1e-9)
        patch.setattr(convolution, "FEWEST_CHANNELS", 0)
        patch.setattr(convolution, "FEWEST_MULTIPLICATIONS", 0)
        patch.setattr(convolution, "winograd_pays", lambda *_, **__: False)
        patch.setattr(transposed, "WASTEFUL", np.inf)
        patch.setattr(transposed, "NANOSECONDS", np.inf)
        patch.setattr(weight_layouts, "NANOSECONDS", np.inf)
        yield


@dataclass(frozen=True)
class Problem:
    batch: int
    channels: int
    outputs: int
    sizes: tuple[int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[tuple[int, int], tuple[int, int]]
    dilation: tuple[int, int]

    @property
    def options(self) -> tuple[Any, ...]:
        return self.stride, self.padding, self.dilation

    @property
    def out(self) -> tuple[int, int]:
        rows, columns = (
            (size + sum(pair) - d * (k - 1) - 1) // s + 1
            for size, pair, d, k, s in zip(
                self.sizes, self.padding, self.dilation, self.kernel, self.stride, strict=True
            )
        )
        return rows, columns

    def taps(self, padded: Array) -> Iterator[tuple[int, int, Array]]:
        """For each entry of the kernel the pixels of the padded images that it meets, as a view."""
        for k, m in itertools.product(range(self.kernel[0]), range(self.kernel[1])):
            rows, columns = (
                slice(at * d, at * d + (p - 1) * s + 1, s)
                for at, d, p, s in zip((k, m), self.dilation, self.out, self.stride, strict=True)
            )
            yield k, m, padded[:, :, rows, columns]


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    dims = []
    for _ in range(2):
        kernel, dilation = draw(st.integers(1, 5)), draw(st.sampled_from([1, 1, 2]))
        before, after = draw(st.integers(0, 6)), draw(st.integers(0, 6))
        least = max(1, dilation * (kernel - 1) + 1 - before - after)
        size = draw(st.integers(least, max(11, least)))
        dims.append((size, kernel, draw(st.sampled_from([1, 1, 2, 3])), (before, after), dilation))
    sizes, kernel, stride, padding, dilation = zip(*dims, strict=True)
    channels, outputs = (
        draw(st.sampled_from([1, 3, 7, 8, 9, 15, 16, 17, 24, 31, 33, 40])) for _ in range(2)
    )
    batch = draw(st.sampled_from([1, 1, 2, 3, 5]))
    return Problem(batch, channels, outputs, sizes, kernel, stride, padding, dilation)


@pytest.mark.usefixtures("threads")
@given(problems(), st.integers(0, 2**20), st.data())
def test_the_three_maps(problem: Problem, seed: int, data: st.DataObject) -> None:
    rng = np.random.default_rng(seed)
    c, o, out = problem.channels, problem.outputs, problem.out
    x, w, g = (
        rng.normal(size=shape).astype(np.float32)
        for shape in (
            (problem.batch, c, *problem.sizes),
            (o, c, *problem.kernel),
            (problem.batch, o, *out),
        )
    )
    padding = [(0, 0), (0, 0), *problem.padding]
    padded, dpadded = np.pad(x.astype(float), padding), np.pad(np.zeros(x.shape), padding)
    y, dw = np.zeros(g.shape), np.zeros(w.shape)
    backwards = list(problem.taps(dpadded))
    for (k, m, seen), (*_, met) in zip(problem.taps(padded), backwards, strict=True):
        y += np.einsum("ncpq,oc->nopq", seen, w[:, :, k, m].astype(float))
        dw[:, :, k, m] = np.einsum("nopq,ncpq->oc", g.astype(float), seen)
        met += np.einsum("nopq,oc->ncpq", g.astype(float), w[:, :, k, m].astype(float))
    inside = tuple(
        slice(before, before + size)
        for (before, _), size in zip(problem.padding, problem.sizes, strict=True)
    )
    # Writable, as other tests' are: for read-only arrays all kernels would be compiled once more.
    x, g = (
        np.ascontiguousarray(a.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2) if last else a
        for a, last in ((x, data.draw(st.booleans())), (g, data.draw(st.booleans())))
    )
    for result, expected in (
        (convolve(x, w, *problem.options), y),
        (convolve_input_gradient(g, w, x.shape, *problem.options), dpadded[:, :, *inside]),
        (convolve_weight_gradient(x, g, problem.kernel, *problem.options), dw),
    ):
        assert result.shape == expected.shape
        assert result.dtype == np.float32
        scale = np.abs(expected).max(initial=1.0)
        np.testing.assert_allclose(result, expected, rtol=0, atol=3e-6 * scale)


def test_infinities_stay_in_their_windows(backend: str) -> None:
    """Outputs that fill half of a vector: what is written behind a row is the next row's first."""
    x = np.ones((1, 9, 6, 6), np.float32)
    x[0, 4, 2, 2] = np.inf
    for outputs in (3, 8, 11, 16, 20, 24):
        with np.errstate(invalid="ignore"):  # of which a BLAS may warn, though no entry is
            y = convolve(x, np.ones((outputs, 9, 2, 2), np.float32), (1, 1), ((0, 0),) * 2, (1, 1))
        expected = np.full((5, 5), 36.0)
        expected[1:3, 1:3] = np.inf
        np.testing.assert_array_equal(y, np.broadcast_to(expected, y.shape))


@given(problems())
def test_pieces_meet_every_window_of_a_pixel_once(problem: Problem) -> None:
    geometry = Geometry(
        in_sizes=problem.sizes,
        out=problem.out,
        kernel=problem.kernel,
        stride=problem.stride,
        padding=problem.padding,
        dilation=problem.dilation,
        groups=1,
        channels=1,
        outputs=1,
    )
    pieces = transposed.pieces_of(geometry)
    dilated = any(s > 1 and d > 1 for s, d in zip(problem.stride, problem.dilation, strict=True))
    assert (pieces is None) == dilated
    times = np.zeros(problem.sizes, int)
    for piece in pieces or ():
        times[piece.target] += 1
        assert times[piece.target].shape == piece.geometry.out
        assert np.zeros(problem.out)[piece.cotangent].shape == piece.geometry.in_sizes
        assert np.zeros(problem.kernel)[piece.kernel].shape == piece.geometry.kernel
    assert times.max(initial=0) <= 1
    assert transposed.covers(pieces or (), geometry) == bool(times.all())


@pytest.mark.usefixtures("threads")
@given(
    st.tuples(*(st.integers(1, 40) for _ in range(2)), *(st.integers(1, 5) for _ in range(2))),
    st.sampled_from([1, 2]),
    st.sampled_from(["float32", "float64"]),
    st.sampled_from([(0, 1, 2, 3), (1, 0, 2, 3)]),
)
def test_weights_as_factors_and_back(
    shape: tuple[int, ...], groups: int, dtype: str, axes: tuple[int, ...]
) -> None:
    o, c, *kernel = shape
    w = np.arange(1.0, 1 + groups * o * c * np.prod(kernel)).astype(dtype)
    w = w.reshape(tuple(np.array([groups * o, c, *kernel])[list(axes)])).transpose(axes)
    blocks = weight_layouts.weight_blocks(w, 16)
    entries = w.transpose(2, 3, 1, 0).reshape(-1, groups * o)
    flat = blocks.transpose(1, 0, 2).reshape(len(entries), -1)
    np.testing.assert_array_equal(flat[:, : groups * o], entries)
    assert not flat[:, groups * o :].any()
    matrix = weight_layouts.weight_matrix(w, groups)
    for group, own in enumerate(matrix):
        np.testing.assert_array_equal(own, entries_of(w[group * o : (group + 1) * o]))
    sums = np.stack([matrix, 2 * matrix])
    again = weight_layouts.weights_of_sums(sums, tuple(kernel), groups * o)
    np.testing.assert_array_equal(again, 3 * w)


def entries_of(w: Array) -> Array:
    return w.transpose(2, 3, 1, 0).reshape(-1, len(w))


def options(padding: int = 0, stride: int = 1) -> Any:
    return (stride, stride), ((padding, padding),) * 2, (1, 1)


def test_these_are_the_ways_taken(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests above would pass by columns too."""
    taken: list[str] = []
    for name in ("direct_convolve", "direct_weight_gradient", "spread"):
        original = getattr(convolution, name)

        def noted(*given: Any, name: str = name, original: Any = original, **named: Any) -> Any:
            taken.append(name)
            return original(*given, **named)

        monkeypatch.setattr(convolution, name, noted)
    x, w = np.ones((1, 20, 9, 9), np.float32), np.ones((12, 20, 5, 5), np.float32)
    y = convolve(x, w, *options(stride=2))
    convolve_input_gradient(y, w, x.shape, *options(stride=2))
    convolve_weight_gradient(x, y, (5, 5), *options(stride=2))
    ways = ["direct_convolve", *["direct_convolve", "spread"] * 4, "direct_weight_gradient"]
    assert taken == (ways if backend == "numba" else [])


@pytest.mark.parametrize(
    ("batch", "height", "threads", "expected"),
    [
        (1, 8, 2, [((0, 1), (0, 4)), ((0, 1), (4, 8))]),
        (3, 8, 2, [*[((n, n + 1), (0, 8)) for n in (0, 1)], ((2, 3), (0, 4)), ((2, 3), (4, 8))]),
        (4, 8, 2, [((0, 2), (0, 8)), ((2, 4), (0, 8))]),
        (7, 7, 8, [((n, n + 1), (0, 7)) for n in range(7)]),
        (1, 1, 2, [((0, 1), (0, 1))]),
    ],
)
def test_rows_of_an_image_that_is_left_over_are_shared(
    monkeypatch: pytest.MonkeyPatch, batch: int, height: int, threads: int, expected: Any
) -> None:
    def every_part(_kernel: Any, arguments: Any, count: int, **named: Any) -> None:
        parts = min(threads, count)
        for k in range(parts):
            arguments(k, count * k // parts, count * (k + 1) // parts)

    monkeypatch.setattr(direct, "parallel_kernel", every_part)
    monkeypatch.setattr(direct, "thread_count", lambda: threads)
    geometry = Geometry((height, 8), (height, 8), (1, 1), (1, 1), ((0, 0),) * 2, (1, 1), 1, 9, 9)
    seen: list[Any] = []

    def note(_worker: int, images: slice, rows: slice) -> tuple[Any, ...]:
        seen.append(((images.start, images.stop), (rows.start, rows.stop)))
        return ()

    direct._in_parts(lambda: None, note, geometry, batch)
    assert seen == expected


@pytest.mark.parametrize("groups", [1, 2])
def test_no_outputs(groups: int) -> None:
    x, w = np.ones((2, 4, 5, 5), np.float32), np.ones((0, 4 // groups, 3, 3), np.float32)
    g = np.ones((2, 0, 3, 3), np.float32)
    dx = convolve_input_gradient(g, w, x.shape, *options(), groups)
    np.testing.assert_array_equal(dx, np.zeros(x.shape))
    if groups == 2:
        assert convolve(x, w, *options(), groups).shape == g.shape


def test_by_dtype_and_size_pieces_are_not_taken(
    monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    """What they gain is the float32 kernels' gain, and that of kernels that overlap."""
    monkeypatch.setattr(convolution, "FEWEST_MULTIPLICATIONS", 1 << 23)

    def pieces(dtype: str, kernel: int, stride: int, batch: int) -> Any:
        out = (32 - kernel) // stride + 1
        geometry = Geometry(
            (32, 32), (out, out), (kernel,) * 2, (stride,) * 2, ((0, 0),) * 2, (1, 1), 1, 16, 16
        )
        return convolution._pieces(geometry, batch, np.dtype(dtype))

    taken = pieces("float32", 5, 2, 8)
    assert (taken is not None and len(taken) == 4) == (backend == "numba")
    assert pieces("float64", 5, 2, 8) is None
    assert pieces("float32", 5, 4, 64) is None
    assert pieces("float32", 5, 2, 1) is None
    assert len(pieces("float64", 5, 1, 1)) == 1


def test_pixels_in_no_piece_get_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolution, "_overlap", lambda _geometry: True)
    monkeypatch.setattr(convolution, "empty", lambda shape, dtype: np.full(shape, np.nan, dtype))
    g, w = np.ones((1, 4, 3, 3), np.float32), np.ones((4, 9, 1, 1), np.float32)
    dx = convolve_input_gradient(g, w, (1, 9, 5, 5), *options(stride=2))
    expected = np.zeros((1, 9, 5, 5))
    expected[:, :, ::2, ::2] = 4
    np.testing.assert_array_equal(dx, expected)
