"""Products of many matrices on threads, against one after the other in extended precision."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.kernels import batched_products
from autograd.kernels.batched_products import batched_product
from autograd.kernels.blas import blas_address
from autograd.kernels.products import matrix_product

Array = np.ndarray[Any, Any]
KINDS = st.sampled_from(["C", "turned", "axes swapped", "steps", "backwards", "strided rows"])


@pytest.fixture(autouse=True, scope="module")
def all_sizes(backend: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batched_products, "WORTHWHILE", 1)
        patch.setattr(batched_products, "NANOSECONDS", np.inf)
        yield


def arranged(values: Array, kind: str) -> Array:
    if kind == "turned":
        return np.ascontiguousarray(values.swapaxes(-1, -2)).swapaxes(-1, -2)
    if kind == "axes swapped" and values.ndim > 2:
        return np.ascontiguousarray(values.swapaxes(0, -2)).swapaxes(0, -2)
    if kind == "steps":
        wide = np.zeros((*values.shape[:-1], 2 * values.shape[-1]), values.dtype)
        wide[..., ::2] = values
        return wide[..., ::2]
    if kind == "backwards":
        return np.ascontiguousarray(values[::-1])[::-1]
    if kind == "strided rows":
        wide = np.zeros((*values.shape[:-1], values.shape[-1] + 3), values.dtype)
        wide[..., 1:-2] = values
        return wide[..., 1:-2]
    return values


@given(
    st.lists(st.integers(0, 4), max_size=3),
    st.tuples(*(st.integers(0, 6) for _ in range(3))),
    st.tuples(KINDS, KINDS),
    st.sampled_from("fd"),
    st.integers(0, 2**32 - 1),
    st.data(),
)
def test_products_of_arrays_that_broadcast(
    threads: int,
    outer: list[int],
    sizes: tuple[int, int, int],
    kinds: tuple[str, str],
    dtype: str,
    seed: int,
    data: st.DataObject,
) -> None:
    rng = np.random.default_rng(seed)
    rows, inner, columns = sizes
    operands = []
    for matrix, kind in zip(((rows, inner), (inner, columns)), kinds, strict=True):
        single = data.draw(st.tuples(*(st.booleans() for _ in outer)))
        missing = data.draw(st.integers(0, len(outer)))
        axes = [1 if one else size for one, size in zip(single, outer, strict=True)][missing:]
        operands.append(arranged(rng.normal(size=(*axes, *matrix)).astype(dtype), kind))
    a, b = operands
    before = a.copy(), b.copy()
    found = matrix_product(a, b)
    expected = np.matmul(a.astype(np.longdouble), b.astype(np.longdouble))
    assert found.shape == expected.shape and found.dtype == a.dtype
    size = np.matmul(abs(a).astype(float), abs(b).astype(float))
    assert np.all(abs(found - expected) <= 20 * np.finfo(dtype).eps * size)
    assert np.array_equal(a, before[0]) and np.array_equal(b, before[1])
    out = np.full_like(found, np.nan)
    assert matrix_product(a, b, out) is out and np.array_equal(out, found)


def test_many_matrices_go_to_threads(backend: str, threads: int) -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 3, 8, 20, 20)).astype(np.float32)
    found = batched_product(a, b.swapaxes(-1, -2))
    expected_here = backend == "numba" and threads > 1 and blas_address("sgemm") != 0
    assert (found is not None) == expected_here
    if found is not None:
        np.testing.assert_allclose(found, a @ b.swapaxes(-1, -2), rtol=1e-4, atol=1e-4)


def test_what_does_not_fit_is_an_error() -> None:
    with pytest.raises(ValueError, match="mismatch"):
        matrix_product(np.ones((2, 3, 4)), np.ones((2, 3, 4)))
    with pytest.raises(ValueError, match="broadcast"):
        matrix_product(np.ones((2, 3, 4)), np.ones((3, 4, 3)))
