"""Columns of a few positions at a time give the convolution that all of them do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.kernels import columns
from autograd.kernels.columns import Geometry, columns_convolve, columns_weight_gradient

Array = np.ndarray[Any, Any]


@st.composite
def geometries(draw: st.DrawFn) -> Geometry:
    kernel = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    stride = draw(st.tuples(st.integers(1, 2), st.integers(1, 2)))
    dilation = draw(st.tuples(st.integers(1, 2), st.integers(1, 2)))
    pads = st.tuples(st.integers(0, 2), st.integers(0, 2))
    padding = draw(st.tuples(pads, pads))
    out, sizes = [], []
    for k, s, d, (before, after) in zip(kernel, stride, dilation, padding, strict=True):
        size = draw(st.integers(max(1, d * (k - 1) + 1 - before - after), 9))
        sizes.append(size)
        out.append((size + before + after - d * (k - 1) - 1) // s + 1)
    channels, outputs = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    return Geometry(
        tuple(sizes), tuple(out), kernel, stride, padding, dilation, 1, channels, outputs
    )  # fmt: skip


def windows(x: Array, geometry: Geometry) -> Array:
    """(N, P, Q, KH, KW, C), by indices."""
    padded = np.pad(x, ((0, 0), *geometry.padding, (0, 0)))
    (p, q), (kh, kw) = geometry.out, geometry.kernel
    down, across = (
        np.arange(count)[:, None] * s + np.arange(k) * d
        for count, s, k, d in zip((p, q), geometry.stride, (kh, kw), geometry.dilation, strict=True)
    )
    return padded[:, down[:, None, :, None], across[None, :, None, :]]


@given(
    geometries(),
    st.integers(1, 4),
    st.sampled_from("fd"),
    st.sampled_from([1, 700, 1 << 30]),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_positions_are_split(
    threads: int,
    geometry: Geometry,
    batch: int,
    dtype: str,
    buffer: int,
    planes: bool,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(batch, *geometry.in_sizes, geometry.channels)).astype(dtype)
    if planes:  # channels first in memory
        x = np.ascontiguousarray(x.transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1)
    w = rng.normal(size=(geometry.outputs, geometry.channels, *geometry.kernel)).astype(dtype)
    g = rng.normal(size=(batch, *geometry.out, geometry.outputs)).astype(dtype)
    bias = rng.normal(size=geometry.outputs).astype(dtype)
    y = np.full(g.shape, np.nan, dtype)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "COLUMN_BYTES", buffer)
        patch.setattr(columns, "THREADS_FROM", 0)
        columns_convolve(x, w, geometry, y, bias)
        dw = columns_weight_gradient(x, g, geometry)
    whole = windows(x.astype(float), geometry)
    tolerance = {"f": 1e-5, "d": 1e-13}[dtype]
    expected = np.einsum("npqijc,ocij->npqo", whole, w.astype(float)) + bias
    size = np.einsum("npqijc,ocij->npqo", abs(whole), abs(w)) + abs(bias)
    assert np.all(abs(y - expected) <= tolerance * size)
    expected = np.einsum("npqijc,npqo->ocij", whole, g.astype(float))
    size = np.einsum("npqijc,npqo->ocij", abs(whole), abs(g))
    assert np.all(abs(dw - expected) <= tolerance * size)
