"""Products of matrices split over threads, by the BLAS from compiled code and by NumPy."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.kernels import blas, blas_operands, products, symmetric_products, workers
from autograd.kernels.activations import gelu, relu
from autograd.kernels.backend import compiled_for
from autograd.kernels.products import affine_product, matrix_product
from autograd.kernels.symmetric_products import symmetric_product

needs_threadpoolctl = pytest.mark.skipif(
    find_spec("threadpoolctl") is None, reason="threadpoolctl is not installed"
)


@pytest.fixture(params=["found", "not found", "ours", "dots"], scope="module")
def library(request: pytest.FixtureRequest) -> Iterator[str]:
    """With the BLAS library's function, if Numba is there to call it, without, and with ours; that
    of dots as well.
    """
    ours = request.param in ("ours", "dots")
    if ours and find_spec("numba") is None:
        pytest.skip("Numba is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blas_operands, "own_product_pays", lambda: ours)
        patch.setattr(products, "own_product_pays", lambda: ours)
        patch.setattr(products, "dots_pay", dots_fit if request.param == "dots" else no_dots)
        if request.param == "not found" or find_spec("numba") is None:
            for module in (blas_operands, symmetric_products):
                patch.setattr(module, "blas_address", lambda name: 0)
        patch.setattr(products, "LARGE", 0)
        patch.setattr(products, "WORTHWHILE", 1000)
        patch.setattr(symmetric_products, "PANEL", 4)
        patch.setattr(products, "FEWEST_TERMS", 20)
        patch.setattr(products, "FEWEST_COLUMNS", 20)
        yield str(request.param)


def dots_fit(left: Any, right: Any, rows: int, terms: int, columns: int) -> bool:
    """Whether a product may be one of dots."""
    return not left[1] and right[1] and left[0].dtype.char == "f" and terms >= 16


def no_dots(*_: Any) -> bool:
    return False


def matrix(rng: np.random.Generator, rows: int, columns: int, kind: str, dtype: str) -> np.ndarray:
    """Of one of the layouts that a product may meet."""
    whole = rng.normal(size=(2 * rows + 1, 2 * columns + 1)).astype(dtype)
    if kind == "rows":
        return whole[:rows, :columns].copy()
    if kind == "columns":
        return whole[:rows, :columns].copy(order="F")
    if kind == "part":
        return whole[1 : rows + 1, 1 : columns + 1]
    if kind == "part of columns":
        return whole.T[: 2 * columns + 1].copy().T[:rows, :columns]
    if kind == "steps":
        return whole[: 2 * rows : 2, : 2 * columns : 2]
    if kind == "backwards":
        return whole[rows:0:-1, :columns] if rows else whole[:0, :columns]
    if kind == "repeated":
        return np.broadcast_to(whole[:1, :columns], (rows, columns))
    if kind == "swapped bytes":
        return whole[:rows, :columns].astype(whole.dtype.newbyteorder())
    memory = np.empty(rows * columns * whole.itemsize + 1, np.uint8)[1:]
    unaligned = memory.view(whole.dtype).reshape(rows, columns)
    unaligned[...] = whole[:rows, :columns]
    return unaligned


KINDS = [
    "rows", "columns", "part", "part of columns", "steps", "backwards", "repeated",
    "swapped bytes", "unaligned",
]  # fmt: skip


@needs_threadpoolctl
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(0, 60),
    inner=st.integers(0, 60) | st.integers(500, 900),
    columns=st.integers(0, 60),
    kinds=st.tuples(st.sampled_from(KINDS), st.sampled_from(KINDS)),
    dtype=st.sampled_from(["float64", "float32"]),
)
def test_products(
    threads: int, library: str, seed: int, rows: int, inner: int, columns: int,
    kinds: tuple[str, str], dtype: str,
) -> None:  # fmt: skip
    check(seed, (rows, inner, columns), kinds, dtype)


@needs_threadpoolctl
@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.tuples(st.integers(1, 70), st.integers(20, 90), st.integers(1, 17))
    | st.tuples(st.integers(1, 12), st.integers(1, 40), st.integers(20, 150)),
    kinds=st.sampled_from([("rows", "columns"), ("columns", "rows"), ("rows", "rows")]),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_thin_products(
    threads: int, library: str, seed: int, sizes: tuple[int, int, int], kinds: tuple[str, str],
    dtype: str,
) -> None:  # fmt: skip
    check(seed, sizes, kinds, dtype)


@needs_threadpoolctl
@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.tuples(st.integers(0, 60), st.integers(0, 60) | st.just(700), st.integers(0, 60)),
    kinds=st.tuples(st.sampled_from(KINDS), st.sampled_from(KINDS)),
    bias_kind=st.sampled_from(["none", "together", "apart", "wider", "one"]),
    activation=st.sampled_from([None, "relu", "gelu"]),
    dtype=st.sampled_from(["float64", "float32"]),
)
def test_affine_products(
    threads: int, library: str, seed: int, sizes: tuple[int, int, int], kinds: tuple[str, str],
    bias_kind: str, activation: str | None, dtype: str,
) -> None:  # fmt: skip
    rng = np.random.default_rng(seed)
    rows, inner, columns = sizes
    a, b = matrix(rng, rows, inner, kinds[0], dtype), matrix(rng, inner, columns, kinds[1], dtype)
    bias = None
    if bias_kind != "none":
        bias = rng.normal(size=2 * columns).astype("f8" if bias_kind == "wider" else dtype)
        bias = bias[::2] if bias_kind == "apart" else bias[:columns]
        if bias_kind == "one":
            bias = np.broadcast_to(bias.dtype.type(0.5), bias.shape)
    expected = matrix_product(a, b)
    if bias is not None:
        expected = expected + bias
    if activation is not None:
        expected = np.asarray({"relu": relu, "gelu": gelu}[activation](expected))
    found = affine_product(a, b, bias, activation)
    assert found.shape == expected.shape and found.dtype == expected.dtype.newbyteorder("=")
    # The same product, of which only the last pass may be another kernel's.
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert activation != "relu" or (found >= 0).all()


@needs_threadpoolctl
def test_affine_products_keep_what_is_not_a_number(threads: int, library: str) -> None:
    a, b = np.ones((40, 30), np.float32), np.ones((30, 50), np.float32)
    a[3, 4], a[5, 6] = np.nan, -np.inf
    with np.errstate(invalid="ignore"):  # of which a BLAS may warn, though no entry is
        found = affine_product(a, b, np.zeros(50, np.float32), "relu")
    assert np.isnan(found[3]).all() and (found[5] == 0).all() and (found[0] == 30).all()


def check(seed: int, sizes: tuple[int, int, int], kinds: tuple[str, str], dtype: str) -> None:
    """Against a sum in extended precision."""
    rng = np.random.default_rng(seed)
    rows, inner, columns = sizes
    a, b = matrix(rng, rows, inner, kinds[0], dtype), matrix(rng, inner, columns, kinds[1], dtype)
    before = a.copy(), b.copy()
    expected = np.einsum("ij,jk->ik", a.astype(np.longdouble), b.astype(np.longdouble))
    found = matrix_product(a, b)
    size = np.einsum("ij,jk->ik", abs(a), abs(b)).astype(np.float64)
    assert found.shape == expected.shape
    assert np.all(abs(found - expected) <= 40 * np.finfo(dtype).eps * size)
    assert np.array_equal(matrix_product(a, b), found)
    orders: tuple[Any, ...] = ("C", "F")
    for order in orders:
        out = np.full_like(found, np.nan, order=order)
        assert matrix_product(a, b, out) is out and np.array_equal(out, found)
    assert np.array_equal(a, before[0]) and np.array_equal(b, before[1])


@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.tuples(st.integers(0, 12), st.integers(0, 20), st.integers(0, 12)),
    kinds=st.tuples(st.sampled_from(KINDS), st.sampled_from(KINDS)),
    dtype=st.sampled_from(["float64", "float32"]),
)
def test_small_products(
    seed: int, sizes: tuple[int, int, int], kinds: tuple[str, str], dtype: str
) -> None:
    check(seed, sizes, kinds, dtype)


@needs_threadpoolctl
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(0, 90),
    inner=st.integers(0, 60) | st.integers(90, 300),
    kind=st.sampled_from(KINDS),
    dtype=st.sampled_from(["float64", "float32"]),
)
def test_symmetric_products(
    threads: int, library: str, seed: int, rows: int, inner: int, kind: str, dtype: str
) -> None:
    """x x^T, and of it the square."""
    x = matrix(np.random.default_rng(seed), rows, inner, kind, dtype)
    wide = x.astype(np.longdouble)
    expected = np.einsum("ik,jk->ij", wide, wide)
    size = np.einsum("ik,jk->ij", abs(x), abs(x)).astype(np.float64)
    gram = symmetric_product(x, x.T)
    assert gram.shape == (rows, rows) and gram.dtype == dtype
    assert np.all(abs(gram - expected) <= 40 * np.finfo(dtype).eps * size)
    square = symmetric_product(gram, gram)
    expected = np.einsum("ij,jk->ik", gram.astype(np.longdouble), gram.astype(np.longdouble))
    size = np.einsum("ij,jk->ik", abs(gram), abs(gram)).astype(np.float64)
    assert np.all(abs(square - expected) <= 60 * np.finfo(dtype).eps * size)
    assert np.array_equal(symmetric_product(gram, gram), square)


@needs_threadpoolctl
def test_another_matrix_of_the_same_layout_is_another_matrix(threads: int, library: str) -> None:
    x = np.random.default_rng(0).normal(size=(64, 90))
    np.testing.assert_allclose(symmetric_product(x, (2 * x).T), 2 * x @ x.T, rtol=1e-12, atol=1e-12)
    square = x[:, :64] + x[:, :64].T
    np.testing.assert_allclose(
        symmetric_product(square, square), square @ square, rtol=1e-12, atol=1e-12
    )


@needs_threadpoolctl
def test_a_side_of_one_may_have_any_stride(threads: int, library: str) -> None:
    column, row = np.arange(1.0, 51.0)[:, None], np.arange(1.0, 61.0)
    strange = np.lib.stride_tricks.as_strided
    for stride in (0, 8, -480, 10**6):
        line = strange(row, (1, 60), (stride, 8))
        upright = strange(column, (50, 1), (8, stride))
        assert np.array_equal(matrix_product(column, line), column * row)
        assert np.array_equal(matrix_product(upright, line), column * row)
        wide = strange(row, (1, 60), (stride, 8))
        assert np.array_equal(matrix_product(wide, np.outer(row, row)), [row @ np.outer(row, row)])


def test_out_of_a_batch() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 3, 4, 4))
    out = np.full((3, 4, 4), np.nan)
    assert matrix_product(a, b, out) is out and np.array_equal(out, a @ b)


@needs_threadpoolctl
@pytest.mark.parametrize(("rows", "columns"), [(40, 30), (40, 11), (7, 40)])
def test_infinities_and_nan_go_where_they_belong(
    threads: int, library: str, rows: int, columns: int
) -> None:
    a, b = np.ones((rows, 50), np.float32), np.ones((columns, 50), np.float32).T
    if rows < columns:
        b = b.copy()
    a[3, 4], b[7, 9] = np.inf, np.nan
    found = matrix_product(a, b)
    assert np.all(np.isnan(found[:, 9])) and np.all(np.delete(found[3], 9) == np.inf)
    assert np.all(np.delete(np.delete(found, 3, 0), 9, 1) == 50)


def test_inner_sizes_must_fit(threads: int, library: str) -> None:
    with pytest.raises(ValueError, match=r"\(50,60\) and \(50,60\) not aligned"):
        matrix_product(np.ones((50, 60)), np.ones((50, 60)))


@needs_threadpoolctl
def test_the_library_that_numpy_brings_is_found() -> None:
    names = [library.internal_api for library in blas._blas_libraries()]
    if names != ["openblas"]:
        pytest.skip(f"NumPy uses {names}")
    found = [blas.blas_address(name) for name in ("sgemm", "dgemm", "ssyrk", "dsyrk")]
    if "64_" not in str(blas._blas_libraries()[0].filepath):
        pytest.skip("not NumPy's own package")
    assert all(found) and len(set(found)) == 4
    assert blas.blas_address("no such function") == 0


@needs_threadpoolctl
@pytest.mark.skipif(find_spec("numba") is None, reason="Numba is not installed")
@pytest.mark.parametrize("shapes", ["(100, 129), (129, 100)", "(3, 100, 129), (129, 100)"])
def test_the_first_product_of_a_program_is_like_the_next(shapes: str) -> None:
    """Its BLAS has the threads that it will have later, or its last bits would be others."""
    program = (
        "import numpy as np\n"
        "from autograd.kernels.products import matrix_product\n"
        "from autograd.kernels.workers import threads_are_own\n"
        "matrix_product(np.ones((2, 2)), np.ones((2, 2)))\n"
        "before = threads_are_own()\n"
        f"matrix_product(*map(np.ones, ({shapes})))\n"
        "print(before, threads_are_own())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "DAGRAD_KERNELS": "auto"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout == "False True\n"


@needs_threadpoolctl
def test_many_results_of_few_terms_are_split(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing them takes most of the time."""
    if not compiled_for(np.dtype(float), 1 << 22):
        pytest.skip("NumPy computes them")
    settings = {"WORTHWHILE": 1 << 21, "FEWEST_COLUMNS": 512}
    for name, value in settings.items():
        monkeypatch.setattr(products, name, value)
    split = []
    real = products._multiply_parts
    monkeypatch.setattr(products, "_multiply_parts", lambda *a: split.append(a) or real(*a))
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(50, 10)), rng.normal(size=(10, 8192))
    before = workers.get_num_threads()
    try:
        for threads, times in ((1, 0), (2, 1)):
            workers.set_num_threads(threads)
            split.clear()
            np.testing.assert_allclose(products.matrix_product(a, b), a @ b, atol=1e-13)
            assert len(split) == times
            products.matrix_product(a, b[:, :4096])
            assert len(split) == times
    finally:
        workers.set_num_threads(before)
