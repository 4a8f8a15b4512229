from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.kernels.windows import (
    effective_sizes,
    in_bounds_counts,
    is_channels_last,
    offset_range,
    output_sizes,
    pad_spatial,
    padding_pairs,
    spatial_tuple,
    window_view,
    windows_overlap,
)


def starts(size: int, kernel: int, step: int, before: int, after: int, dilation: int) -> list[int]:
    """First positions of the windows, found by walking."""
    found, start = [], -before
    while start + dilation * (kernel - 1) <= size - 1 + after:
        found.append(start)
        start += step
    return found


geometry = st.tuples(
    st.integers(1, 9),
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(0, 4),
    st.integers(0, 4),
    st.integers(1, 3),
)


@given(geometry)
def test_output_size_is_the_number_of_windows_that_fit(case: tuple[int, ...]) -> None:
    size, kernel, step, before, after, dilation = case
    expected = len(starts(*case))
    arguments: Any = ((size,), (kernel,), (step,), ((before, after),), (dilation,))
    if expected:
        assert output_sizes(*arguments) == (expected,)
    else:
        with pytest.raises(ValueError, match="more than the input"):
            output_sizes(*arguments)


@given(geometry)
def test_ranges_and_counts_match_a_walk_over_the_windows(case: tuple[int, ...]) -> None:
    size, kernel, step, before, after, dilation = case
    windows = starts(*case)
    if not windows:
        return
    counts = [0] * len(windows)
    for k in range(kernel):
        reads = [(i, s + dilation * k) for i, s in enumerate(windows)]
        inside = [(i, at) for i, at in reads if 0 <= at < size]
        for i, _ in inside:
            counts[i] += 1
        here, there = offset_range(dilation * k - before, size, len(windows), step)
        got = list(
            zip(
                np.arange(len(windows))[here].tolist(), np.arange(size)[there].tolist(), strict=True
            )
        )
        assert got == inside
    result = in_bounds_counts((size,), (kernel,), (step,), ((before, after),), (dilation,))
    assert result[0].tolist() == counts
    seen = [s + dilation * k for s in windows for k in range(kernel)]
    if not windows_overlap((kernel,), (step,), (dilation,)):
        assert len(set(seen)) == len(seen)


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 2), st.integers(1, 2))
def test_window_view_holds_the_windows(k0: int, k1: int, step: int, dilation: int) -> None:
    x = np.arange(2 * 7 * 6 * 3).reshape(2, 7, 6, 3)
    view = window_view(x, (1, 2), (k0, k1), (step, 1), (dilation, 1))
    assert not view.flags.writeable and np.shares_memory(view, x)
    for i, j, a, b in np.ndindex(view.shape[1], view.shape[2], k0, k1):
        assert np.array_equal(view[:, i, j, :, a, b], x[:, i * step + a * dilation, j + b])


def test_spellings_of_padding() -> None:
    args = ((3, 4), (1, 1), (2, 1))
    assert padding_pairs("valid", *args) == ((0, 0), (0, 0))
    assert padding_pairs("same", *args) == ((2, 2), (1, 2))
    assert padding_pairs(2, *args) == ((2, 2), (2, 2))
    assert padding_pairs((1, 0), *args) == ((1, 1), (0, 0))
    assert padding_pairs([(1, 2), (0, 3)], *args) == ((1, 2), (0, 3))


@given(st.integers(1, 9), st.integers(1, 5), st.integers(1, 3))
def test_same_padding_keeps_the_size(size: int, kernel: int, dilation: int) -> None:
    pairs = padding_pairs("same", (kernel,), (1,), (dilation,))
    assert output_sizes((size,), (kernel,), (1,), pairs, (dilation,)) == (size,)


@pytest.mark.parametrize(
    ("padding", "stride", "error", "words"),
    [
        ("full", (1, 1), ValueError, "'same', 'valid'"),
        ("same", (2, 1), ValueError, "stride"),
        (-1, (1, 1), ValueError, "at least 0"),
        ((1, 2, 3), (1, 1), ValueError, "3 entries"),
        (((1, 2, 3), 1), (1, 1), ValueError, "3 entries"),
        (1.5, (1, 1), TypeError, "integer"),
        (("a", 1), (1, 1), TypeError, "'a'"),
    ],
)
def test_bad_padding(padding: Any, stride: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        padding_pairs(padding, (3, 3), stride, (1, 1))


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (0, ValueError),
        ((1, 2, 3), ValueError),
        ("ab", TypeError),
        (1.0, TypeError),
        ((), ValueError),
    ],
)
def test_bad_sizes_name_the_argument(value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="kernel_size"):
        spatial_tuple(value, 2, "kernel_size")


def test_spatial_tuple_takes_numpy_integers() -> None:
    assert spatial_tuple(np.int64(3), 2, "stride") == (3, 3)
    assert spatial_tuple([1, 2], 2, "stride") == (1, 2)
    assert effective_sizes((3, 2), (1, 3)) == (3, 4)


def test_padding_an_array() -> None:
    x = np.ones((1, 2, 2, 1))
    assert pad_spatial(x, 1, ((0, 0), (0, 0))) is x
    padded = pad_spatial(x, 1, ((1, 0), (0, 2)), value=5.0)
    assert padded.shape == (1, 3, 4, 1)
    assert padded.sum() == 4 + 5 * 8 and np.array_equal(padded[:, 1:, :2], x)


def test_which_arrays_are_channels_last() -> None:
    x = np.zeros((2, 3, 4, 5))
    last = np.moveaxis(np.zeros((2, 4, 5, 3)), -1, 1)
    assert not is_channels_last(x)
    assert is_channels_last(last) and is_channels_last(last[:, :, 1:, ::2])
    assert not is_channels_last(np.moveaxis(np.zeros((2, 4, 5, 1)), -1, 1))
    assert not is_channels_last(np.zeros((2, 3)))
