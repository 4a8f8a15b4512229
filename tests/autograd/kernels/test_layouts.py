"""Copies between memory orders keep every entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.kernels import layouts as kernels
from autograd.kernels.layouts import assign, in_order_of, repeat_rows, reshaped

Array = np.ndarray[Any, Any]
LAYOUTS = ["C", "channels_last", "fortran", "strided"]
SHAPES = [(0, 3, 4, 4), (5, 3, 40, 41), (2, 33, 17, 16), (40, 16, 60), (1, 1, 200, 200), (9, 9)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize("there", LAYOUTS)
@pytest.mark.parametrize("here", LAYOUTS)
def test_every_entry_arrives(
    in_layout: Callable[[Array, str], Array],
    here: str,
    there: str,
    dtype: str,
    shape: tuple[int, ...],
) -> None:
    values = np.random.default_rng(0).permutation(int(np.prod(shape))).reshape(shape)
    source = in_layout(values.astype(dtype), here)
    like = in_layout(np.zeros(shape, dtype), there)
    target = like.copy(order="K")
    assign(target, source)
    np.testing.assert_array_equal(target, values)
    copied = in_order_of(target, source)
    np.testing.assert_array_equal(copied, values)
    for axis, size in enumerate(shape):
        assert size == 1 or copied.strides[axis] == target.strides[axis] or not copied.size
    np.testing.assert_array_equal(reshaped(source, (-1,)) if source.size else [], values.ravel())


@pytest.mark.parametrize("shape", [(1, 3, 4, 4), (5, 1, 4, 4), (5, 3, 1, 1), (5, 3, 4, 6)])
@pytest.mark.parametrize("layout", ["C", "channels_last"])
def test_reshaping_copies_only_where_numpy_does(
    in_layout: Callable[[Array, str], Array], layout: str, shape: tuple[int, ...]
) -> None:
    x = in_layout(np.arange(float(np.prod(shape))).reshape(shape), layout)
    n, c, h, w = shape
    for target in [(n, c, h * w), (n, c * h * w), (-1,), (c, -1), (n * c, h * w), (n, c, w, h, 1)]:
        found, expected = reshaped(x, target), np.reshape(x, target)
        np.testing.assert_array_equal(found, expected)
        assert np.shares_memory(found, x) == np.shares_memory(expected, x)


@given(st.lists(st.integers(1, 40), min_size=2, max_size=4), st.data())
def test_every_order_of_axes(
    backend: str, threads: int, shape: list[int], data: st.DataObject
) -> None:
    """Between any two orders, of which some differ by an exchange of two groups of axes."""
    axes = range(len(shape))
    before, after = (data.draw(st.permutations(axes)) for _ in range(2))
    dtype = data.draw(st.sampled_from("fdi"))
    values = np.arange(np.prod(shape)).reshape(shape).astype(dtype)

    def lying(order: list[int]) -> Array:
        packed = np.empty([shape[axis] for axis in order], dtype)
        return packed.transpose(np.argsort(order))

    source, target = lying(before), lying(after)
    source[...] = values
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "NANOSECONDS_A_BYTE", np.inf)
        assign(target, source)
        assert np.array_equal(target, values)
        part = np.zeros([size + 3 for size in shape], dtype)
        inner = part[tuple(slice(1, -2) for _ in shape)]
        assign(inner, source)
    assert np.array_equal(inner, values)
    inner[...] = 0
    assert not part.any()


@given(
    st.tuples(st.integers(1, 4), st.integers(1, 5), st.sampled_from([1, 7, 4096, 9001])),
    st.tuples(*[st.sampled_from([1, 2, -1, -3])] * 2),
    st.booleans(),
    st.sampled_from("fdi"),
)
def test_rows_of_parts_of_arrays(
    backend: str,
    threads: int,
    sizes: tuple[int, int, int],
    steps: tuple[int, int],
    repeated: bool,
    dtype: str,
) -> None:
    """Steps along the other axes, backwards too, rows of several pieces, and one row for all."""
    n, rows, columns = sizes
    memory = np.arange(9 * n * rows * (columns + 5)).reshape(3 * n, 3 * rows, columns + 5)
    source = memory.astype(dtype)[:: steps[0], :: steps[1], 2:-3][:n, :rows]
    if repeated:
        source = np.broadcast_to(source[:, :1], (n, rows, columns))
    whole = np.full((n + 2, rows + 2, columns + 2), -1, dtype)
    target = whole[1:-1, 1:-1, 1:-1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "NANOSECONDS_A_BYTE", np.inf)
        assign(target, source)
    assert np.array_equal(target, source)
    target[...] = -1
    assert np.all(whole == -1)


@given(
    st.lists(st.integers(1, 20), min_size=1, max_size=4),
    st.sampled_from([1, 2, 3, 17, 70]),
    st.sampled_from("fdi"),
    st.data(),
)
def test_views_that_repeat_are_copied(
    backend: str, threads: int, shape: list[int], count: int, dtype: str, data: st.DataObject
) -> None:
    axis = data.draw(st.integers(0, len(shape)))
    x = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    if data.draw(st.booleans()):
        x = x.copy(order="F")
    whole = [*shape[:axis], count, *shape[axis:]]
    view = np.broadcast_to(np.expand_dims(x, axis), whole)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "NANOSECONDS_A_BYTE", np.inf)
        for wanted in [(-1,), (view.size,), tuple(whole), (*whole[:-1], whole[-1], 1)]:
            found, expected = reshaped(view, wanted), np.reshape(view, wanted)
            assert found.dtype == expected.dtype and found.shape == expected.shape
            assert np.array_equal(found, expected)
            assert np.shares_memory(found, x) == np.shares_memory(expected, x)
    with pytest.raises(ValueError, match="cannot reshape"):
        reshaped(view, (view.size + 1,))


@pytest.mark.skipif(np.__version__.startswith("2.0."), reason="NumPy 2.0 makes its own copies")
def test_large_views_that_repeat_go_by_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(kernels, "repeat_rows", lambda x, out: seen.append(out.shape))
    view = np.broadcast_to(np.ones((200, 1, 100)), (200, 3, 100))
    for shape in [(600, 100), (-1,), (200, -1)]:
        reshaped(view, shape)
    reshaped(view, (200, 3, 100, 1))
    assert seen == [(200, 3, 100)] * 3


@pytest.mark.parametrize("count", [1, 3, 100])
def test_rows_are_repeated(backend: str, count: int) -> None:
    x = np.random.default_rng(0).normal(size=(5, 7))
    out = np.zeros((5, count, 7))
    repeat_rows(x, out)
    assert np.array_equal(out, np.repeat(x, count, 0).reshape(out.shape))
