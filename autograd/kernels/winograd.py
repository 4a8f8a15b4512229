"""3x3 convolution with stride 1 in float32 by Winograd's F(4x4, 3x3): a quarter of the products.

Source: A. Lavin and S. Gray, "Fast algorithms for convolutional neural networks", 2015
(arXiv:1509.09308). Each 4x4 tile of the output is A^T [(G w G^T) * (B^T d B)] A for a 6x6 tile d
of the input; the products over channels are 36 matrix products. The weight gradient is the
transpose: G^T [sum over tiles of (B^T d B) * (A g A^T)] G. The relative error is about 1e-5, ten
times that of the direct sum.

Where the output's rows are no multiple of four, the last tiles have three or two of them and leave
out the points that they do not need, F(3, 3) and F(2, 3): the transforms are scaled so that all
sizes share the transformed weights.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from autograd.kernels.backend import compiled_for, read_only, winograd_is_on
from autograd.kernels.buffers import empty
from autograd.kernels.checked import LINE
from autograd.kernels.columns import Geometry
from autograd.kernels.windows import Sizes
from autograd.kernels.workers import parallel_kernel, scratch, thread_count

__all__ = ["winograd_convolve", "winograd_pays", "winograd_weight_gradient"]

Array = np.ndarray[Any, Any]

FEWEST_CHANNELS = 16
"""The transforms work on so many at a time."""

TILES_AT_A_TIME = 64
"""With so many the transformed tiles stay in cache, and the transformed weights, which then need
not, are used often enough. Measured with `python -m benchmarks.choices`.
"""

FEWEST_TILES, FEWEST_FOR_WEIGHTS = 8, 16
WEIGHTS_PER_TILE = 1 << 12
"""Below so many tiles in the whole batch, or for a weight gradient one for so many weights, whose
transforms take as long as those of a tile's images, the direct sum is as fast.
"""

POINTS = 6
PLANES = POINTS * POINTS
"""Each with memory for an odd number of tiles: else what is written of a tile to all planes would
lie in the same lines of the cache.
"""


def winograd_pays(
    geometry: Geometry, batch: int, dtype: np.dtype[Any], *, gradient: bool = False
) -> bool:
    """Whether this convolution, or its weight `gradient`, goes by tiles: a rule of shapes and
    dtype, and of `use_winograd`.
    """
    if dtype.char != "f" or geometry.groups != 1 or geometry.kernel != (3, 3):
        return False
    if geometry.stride != (1, 1) or geometry.dilation != (1, 1):
        return False
    if min(geometry.channels, geometry.outputs) < FEWEST_CHANNELS:
        return False
    if max(max(pair) for pair in geometry.padding) > 2:
        return False
    tiles = _tiles(geometry.out)
    fewest = FEWEST_TILES
    if gradient:
        weights = geometry.channels * geometry.outputs
        fewest = max(FEWEST_FOR_WEIGHTS, weights // WEIGHTS_PER_TILE)
    if batch * tiles.count < fewest or 2 * tiles.products > 9 * math.prod(geometry.out):
        return False
    if not winograd_is_on():
        return False
    return compiled_for(dtype, batch * geometry.channels * math.prod(geometry.in_sizes))


@dataclass(frozen=True)
class _Tiles:
    """How an image of results is cut: tiles of 4x4, and lower and narrower ones at its end."""

    down: int
    across: int
    last: tuple[int, int]
    """Rows and columns of the last tiles, 0 where there are none."""
    counts: tuple[int, int, int, int]
    """Tiles of an image: low ones, whole ones, narrow ones, those that are both."""

    @property
    def count(self) -> int:
        return sum(self.counts)

    @property
    def products(self) -> int:
        """Multiplications of an image, for one pair of channels."""
        down, across = (
            POINTS * many + (size + 2 if size else 0)
            for many, size in zip((self.down, self.across), self.last, strict=True)
        )
        return down * across


@lru_cache(maxsize=256)
def _tiles(out: Sizes) -> _Tiles:
    (down, rest_r), (across, rest_c) = (divmod(size, 4) for size in out)
    low, narrow = (int(rest > 0) for rest in (rest_r, rest_c))
    counts = low * across, down * across, down * narrow, low * narrow
    return _Tiles(down, across, (low * max(rest_r, 2), narrow * max(rest_c, 2)), counts)


@lru_cache(maxsize=256)
def _groups(tiles: _Tiles, images: int) -> Array:
    """What the transforms read: see `compiled_winograd`."""
    low, narrow = tiles.last
    rows = ((4 * tiles.down, 1, low), (0, tiles.down, 4))
    columns = ((0, tiles.across, 4), (4 * tiles.across, 1, narrow))
    cuts = [(*rows[i], *columns[j]) for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))]
    first = np.cumsum((0, *tiles.counts[:3])) * images
    lines = [(*cut, at) for cut, at, n in zip(cuts, first, tiles.counts, strict=True) if n]
    return np.array(lines, np.intp).reshape(-1, 7)


@lru_cache(maxsize=256)
def _shares(tiles: _Tiles, images: int) -> list[tuple[slice, slice, slice]]:
    """Points of the rows, points of the columns, and the tiles that have both."""
    low, whole, narrow, both = (n * images for n in tiles.counts)
    rows, columns = (POINTS if not size else size + 2 for size in tiles.last)
    found = [
        (slice(0, rows), slice(0, columns), slice(0, low + whole + narrow + both)),
        (slice(rows, POINTS), slice(0, columns), slice(low, low + whole + narrow)),
        (slice(0, rows), slice(columns, POINTS), slice(0, low + whole)),
        (slice(rows, POINTS), slice(columns, POINTS), slice(low, low + whole)),
    ]
    return [(i, j, some) for i, j, some in found if i.start < i.stop and j.start < j.stop]


@lru_cache(maxsize=256)
def _blocks(tiles: _Tiles, images: int) -> Array:
    """The same as lines of first and last row of planes, column and tile."""
    lines = [
        (*(t for part in share for t in (part.start, part.stop)),)
        for share in _shares(tiles, images)
    ]
    return np.array(lines, np.intp)


def winograd_convolve(
    x: Array,
    w: Array,
    geometry: Geometry,
    y: Array,
    bias: Array | None = None,
    activation: str | None = None,
    *,
    pooled: bool = False,
) -> bool:
    """Writes the convolution of x (N, H, W, C) with w (O, C, 3, 3), plus the bias (O,), and of that
    the activation (relu or gelu), into the C-contiguous y (N, P, Q, O); or if `pooled`, without
    gelu, the maxima of 2x2 of these into y (N, P // 2, Q // 2, O), which spares a pass over all.

    False, and y is to be computed otherwise, if a convolution is not finite: tiles share what they
    are made of, so that all of one are NaN if an entry of x is, and sums may be too large on the
    way to a small result.
    """
    assert not (pooled and activation == "gelu")
    from autograd.kernels import compiled_activations
    from autograd.kernels import compiled_winograd as compiled

    n, channels, outputs = x.shape[0], x.shape[3], w.shape[0]
    tiles = _tiles(geometry.out)
    wide = -(-outputs // compiled.WIDTH)
    u = empty((PLANES, wide, channels, compiled.WIDTH), np.float32)

    cost = 5.0 * channels * outputs
    kernel, given = compiled.weight_tiles, (read_only(w), u)
    parallel_kernel(kernel, lambda _, *part: (*given, *part), channels, nanoseconds=cost)
    added = np.zeros(outputs, np.float32) if bias is None else bias
    nothing = np.zeros(compiled.WIDTH, np.float32)
    step = _images_at_a_time(tiles, n)
    rows = np.arange(step * tiles.count + compiled.ROWS) * channels
    columns = np.arange(channels)
    strange = np.zeros((thread_count(), LINE), np.int32)

    kind = {None: 0, "relu": compiled_activations.RELU, "gelu": compiled_activations.GELU}[
        activation
    ]

    def images(worker: int, first: int, last: int) -> tuple[Any, ...]:
        at_once = min(step, last - first)
        cuts = _cuts(tiles, last - first, at_once)
        size = at_once * tiles.count + compiled.ROWS | 1
        v = scratch(f"input {worker}", (PLANES, size, channels), np.float32)
        m = scratch(f"output {worker}", (PLANES, size, wide * compiled.WIDTH), np.float32)
        given = _contiguous(x[first:last], f"images {worker}")
        places = (rows, columns, nothing)
        results = (added, kind, pooled, y[first:last], strange[worker])
        return (given, geometry.before, at_once, *cuts, u, v, m, *places, *results)

    parallel_kernel(compiled.tiled_images, images, n, step, most=len(strange))
    return not any(strange[:, 0].tolist())


def winograd_weight_gradient(x: Array, g: Array, geometry: Geometry) -> Array | None:
    """The partial with respect to w, (O, C, 3, 3), of x (N, H, W, C) and g (N, P, Q, O); None if it
    is not finite.
    """
    from autograd.kernels.compiled_tile_sums import tiled_weight_sums
    from autograd.kernels.compiled_winograd import WIDTH, weight_sums

    n, channels, outputs = x.shape[0], x.shape[3], g.shape[3]
    tiles = _tiles(geometry.out)
    step = _images_at_a_time(tiles, n)
    totals = empty((thread_count(), PLANES, channels, outputs), np.float32)
    used = [False] * len(totals)
    columns = np.arange(step * tiles.count) * channels

    def images(worker: int, first: int, last: int) -> tuple[Any, ...]:
        at_once = min(step, last - first)
        size = at_once * tiles.count + 1 | 1
        v = scratch(f"input {worker}", (PLANES, size, channels), np.float32)
        s = scratch(f"output {worker}", (PLANES, size, outputs), np.float32)
        panel = scratch(f"panel {worker}", (size * WIDTH,), np.float32)
        given = _contiguous(x[first:last], f"images {worker}")
        seeds = _contiguous(g[first:last], f"cotangent {worker}")
        used[worker] = True
        cuts = _cuts(tiles, last - first, at_once)
        memory = (v, s, columns, panel, totals[worker])
        return (given, geometry.before, seeds, at_once, *cuts, *memory)

    parallel_kernel(tiled_weight_sums, images, n, most=len(totals))
    totals = totals[: sum(used)]
    dw = empty((outputs, channels, 3, 3), np.float32)

    cost = 5.0 * channels * outputs
    parallel_kernel(
        weight_sums, lambda _, first, last: (totals, dw, first, last), channels, nanoseconds=cost
    )
    flat = dw.reshape(-1)
    return dw if np.isfinite(flat.dot(flat)) else None


def _cuts(tiles: _Tiles, images: int, at_once: int) -> list[Array]:
    """`_groups` and `_blocks` of so many images, and those of what is left at last."""
    counts = (at_once, images % at_once or at_once)
    return [part for count in counts for part in (_groups(tiles, count), _blocks(tiles, count))]


def _images_at_a_time(tiles: _Tiles, images: int) -> int:
    return max(1, min(TILES_AT_A_TIME // tiles.count, -(-images // thread_count())))


def _contiguous(x: Array, name: str) -> Array:
    if x.flags.c_contiguous:
        return read_only(x)
    copy = scratch(name, x.shape, x.dtype)
    copy[...] = x
    return read_only(copy)
