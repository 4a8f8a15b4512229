"""Our own product of float32 matrices, called as the BLAS's would be, against sums in float64."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numba")

from numba.core import config

import autograd as ag
from autograd.kernels import blas_operands, processor
from autograd.kernels.backend import use_kernels
from autograd.kernels.compiled_own_products import address_of_own_product
from autograd.kernels.compiled_products import multiply, multiply_sum, multiply_terms

Array = np.ndarray[Any, Any]

SCALES = np.float32(1.0), np.float32(0.0)

sides = st.integers(0, 70) | st.sampled_from([95, 96, 97, 144, 145])
rows_of = sides | st.sampled_from([255, 256, 257, 300])
terms_of = sides | st.sampled_from([511, 512, 513, 1030])


def factor(
    rng: np.random.Generator, rows: int, columns: int, turned: bool, wider: int
) -> tuple[Array, Array]:
    """A matrix, and it or its transpose as it lies in memory, in lines that are longer by `wider`,
    between entries that must not be read.
    """
    shape = (columns, rows) if turned else (rows, columns)
    memory = np.full((shape[0] + 1, shape[1] + wider), np.nan, np.float32)
    lines = memory[: shape[0], : shape[1]]
    lines[...] = rng.normal(size=shape)
    return (lines.T if turned else lines).astype(float), lines


def check(found: Array, a: Array, b: Array, more: float | Array = 0.0) -> None:
    size = abs(a) @ abs(b) + abs(more)
    assert np.all(abs(found - (a @ b + more)) <= 40 * np.finfo(np.float32).eps * size)


@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.tuples(rows_of, terms_of, sides),
    turned=st.tuples(st.booleans(), st.booleans()),
    wider=st.integers(0, 3),
    by_columns=st.booleans(),
    share=st.floats(0, 1),
)
def test_rows_and_columns(
    seed: int, sizes: tuple[int, int, int], turned: tuple[bool, bool], wider: int,
    by_columns: bool, share: float,
) -> None:  # fmt: skip
    """Of parts of rows or columns nothing else is written, and the bits are those of the whole."""
    rows, terms, columns = sizes
    rng = np.random.default_rng(seed)
    a, left = factor(rng, rows, terms, turned[0], wider)
    b, right = factor(rng, terms, columns, turned[1], wider)
    given = address_of_own_product(), left, turned[0], right, turned[1]
    check_whole_and_part(given, a, b, by_columns, share)


def check_whole_and_part(given: Any, a: Array, b: Array, by_columns: bool, share: float) -> None:
    """`multiply` of a function and factors, all of the result and a part of it."""
    rows, columns = len(a), b.shape[1]
    out = framed(rows, columns)
    end = columns if by_columns else rows
    multiply(*given, out, by_columns, SCALES, 0, 0, end)
    check(out, a, b)
    assert frame_is_whole(out)
    part = framed(rows, columns)
    bounds = sorted((int(share * end), end // 2))
    multiply(*given, part, by_columns, SCALES, 0, *bounds)
    inside = np.zeros((rows, columns), bool)
    (inside.T if by_columns else inside)[slice(*bounds)] = True
    assert np.array_equal(part[inside], out[inside]) and np.isnan(part[~inside]).all()
    assert frame_is_whole(part)


@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.tuples(rows_of, terms_of, sides),
    turned=st.tuples(st.booleans(), st.booleans()),
    share=st.floats(0, 1),
)
def test_sums(
    seed: int, sizes: tuple[int, int, int], turned: tuple[bool, bool], share: float
) -> None:
    rows, terms, columns = sizes
    rng = np.random.default_rng(seed)
    a, left = factor(rng, rows, terms, turned[0], 0)
    b, right = factor(rng, terms, columns, turned[1], 0)
    address, middle = address_of_own_product(), int(share * terms)
    parts = framed(2, rows, columns)
    for k, (first, last) in enumerate(((0, middle), (middle, terms))):
        multiply_terms(address, left, turned[0], right, turned[1], parts, SCALES, k, first, last)
        check(parts[k], a[:, first:last], b[first:last])
    assert frame_is_whole(parts)
    c, third = factor(rng, rows, 20, turned[1], 0)
    d, fourth = factor(rng, 20, columns, turned[0], 0)
    out = np.full((rows, columns), np.nan, np.float32)
    multiply_sum(
        address, (left, right), turned, (third, fourth), turned[::-1], out, SCALES, 0, 0, rows
    )
    check(out, np.hstack([a, c]), np.vstack([b, d]))


def framed(*shape: int) -> Array:
    """Memory for results, with a row before and one behind that must not be written."""
    whole = np.full((shape[0] + 2, *shape[1:]), np.nan, np.float32)
    return whole[1:-1]


def frame_is_whole(out: Array) -> bool:
    assert out.base is not None
    return bool(np.isnan(out.base[0]).all() and np.isnan(out.base[-1]).all())


@pytest.mark.parametrize("terms", [3000, 100_000])
def test_long_sums_are_summed_by_parts(terms: int) -> None:
    """Of numbers of one sign the running sum's rounding would be hundreds of times as large."""
    rng = np.random.default_rng(0)
    for a in (rng.random((20, terms), np.float32), np.full((20, terms), 0.1, np.float32)):
        b = a[:, ::-1].T.copy()
        out = np.empty((20, 20), np.float32)
        multiply(address_of_own_product(), a, False, b, False, out, False, SCALES, 0, 0, 20)
        exact = a.astype(float) @ b.astype(float)
        assert abs(out / exact - 1).max() < 1e-5


@pytest.fixture
def asked_again() -> Iterator[None]:
    known = blas_operands.own_product_pays, processor.compiled_features
    for function in known:
        function.cache_clear()
    yield
    for function in known:
        function.cache_clear()


@pytest.mark.parametrize("units", [True, False])
@pytest.mark.parametrize("wide", [True, False])
def test_where_it_is_used(
    units: bool, wide: bool, asked_again: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With wide vectors and without matrix units, for float32 only, and not for little."""
    monkeypatch.setattr(blas_operands, "has_matrix_units", lambda: units)
    monkeypatch.setattr(blas_operands, "compiled_features", lambda: {"avx512f": wide})
    expected = wide and not units
    assert blas_operands.own_product_pays() is expected
    ours = address_of_own_product()
    assert (blas_operands.gemm(np.dtype(np.float32)) == ours) is expected
    assert blas_operands.gemm(np.dtype(np.float32), 1000) != ours
    assert blas_operands.gemm(np.dtype(np.float64)) != ours
    with use_kernels("numba"):
        said = ag.show_config(mode="dicts")["kernels"]["float32 products"]
    assert said == ("our own" if expected else "the BLAS's")


@pytest.mark.parametrize("name", ["CPU_NAME", "CPU_FEATURES", "ENABLE_AVX", "DISABLE_JIT"])
def test_not_where_numba_compiles_for_another_processor(
    name: str, asked_again: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    other: Any = {"CPU_NAME": "generic", "CPU_FEATURES": "", "ENABLE_AVX": 0, "DISABLE_JIT": 1}
    monkeypatch.setattr(config, name, other[name])
    assert processor.compiled_features() == {}
    assert not blas_operands.own_product_pays()


@pytest.mark.parametrize("variable", ["DAGRAD_KERNELS=numpy", "NUMBA_DISABLE_JIT=1"])
def test_small_products_ask_for_no_compiled_code(variable: str) -> None:
    program = (
        "import sys, numpy as np, autograd as ag\n"
        "x = np.ones((3, 3), np.float32)\n"
        "ag.jvp(lambda x: ag.sum(ag.matmul(x, x)), (x,), (x,))\n"
        "ag.jvp(lambda x: ag.grad(lambda y: ag.sum(ag.matmul(y, y) ** 3))(x), (x,), (x,))\n"
        "print('numba' in sys.modules)\n"
    )
    name, value = variable.split("=")
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, name: value},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout == "False\n", done.stderr[-2000:]
