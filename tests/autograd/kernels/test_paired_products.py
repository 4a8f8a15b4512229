"""Both cotangents of a matrix product and their changes, by whole products on two threads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.kernels import paired_products, products
from autograd.kernels.blas import blas_address
from autograd.kernels.workers import thread_count
from autograd.ops import contractions

SIDES = st.integers(1, 40)
TOLERANCE = {"f": 1e-4, "d": 1e-12}


def expected(x, y, z, dx, dy, dz):
    x, y, z, dx, dy, dz = (None if m is None else m.astype(float) for m in (x, y, z, dx, dy, dz))

    def total(*terms):
        products = [a @ b for a, b in terms if a is not None and b is not None]
        return sum(products[1:], start=products[0]) if products else None

    def turned(matrix):
        return None if matrix is None else matrix.T

    return (
        total((z, turned(y))),
        total((turned(x), z)),
        None if y is None else total((dz, turned(y)), (z, turned(dy))),
        None if x is None else total((turned(x), dz), (turned(dx), z)),
    )


def factors(rows, inner, columns, dtype, missing, seed=0):
    rng = np.random.default_rng(seed)
    shapes = [(rows, inner), (inner, columns), (rows, columns)] * 2
    return [
        None if k in missing else rng.normal(size=shape).astype(dtype)
        for k, shape in enumerate(shapes)
    ]


def assert_right(matrices, dtype, values=(True, True)):
    wanted = [want if k > 1 or values[k] else None for k, want in enumerate(expected(*matrices))]
    for got, want in zip(paired_products.paired_products(*matrices, values), wanted, strict=True):
        assert (got is None) == (want is None)
        if want is not None:
            assert got.dtype == np.dtype(dtype)
            assert got.shape == want.shape
            scale = np.max(np.abs(want), initial=1.0)
            np.testing.assert_allclose(got, want, rtol=0, atol=TOLERANCE[dtype] * scale)


MISSING = st.sets(st.sampled_from([0, 1, 3, 4, 5]))


@pytest.fixture(params=[1, 1 << 19])
def fewest(request, monkeypatch):
    """From how many multiplications on products are done together."""
    monkeypatch.setattr(paired_products, "FEWEST", request.param)
    return request.param


@pytest.mark.usefixtures("fewest", "threads")
@given(
    st.tuples(SIDES, SIDES, SIDES),
    st.sampled_from("fd"),
    MISSING,
    st.tuples(st.booleans(), st.booleans()),
    st.integers(0, 2**20),
)
def test_any_matrices(sizes, dtype, missing, values, seed):
    assert_right(factors(*sizes, dtype, missing, seed), dtype, values)


@pytest.fixture
def together(monkeypatch):
    """Calls for products that were done together."""
    seen = []
    real = paired_products._in_parts
    monkeypatch.setattr(
        paired_products, "_in_parts", lambda *given: seen.append(given) or real(*given)
    )
    return seen


@pytest.mark.parametrize("dtype", ["f", "d"])
@pytest.mark.parametrize("missing", [(), (5,), (3, 4), (3,), (4, 5), (0, 3), (1, 4), (3, 4, 5)])
def test_products_worth_it_go_together_on_two_threads(together, backend, threads, dtype, missing):
    assert_right(factors(96, 80, 112, dtype, missing), dtype)
    assert bool(together) == (thread_count() == 2 and backend == "numba" and has_gemm())
    assert thread_count() in (1, threads)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("values", [(True, False), (False, True), (False, False)])
def test_what_is_not_asked_for_is_left_out(together, values):
    for seed in range(3):  # what the one before left in memory is wrong for the next
        assert_right(factors(96, 80, 112, "f", (), seed), "f", values)
    assert {given[-1] for given in together} <= {values}


def has_gemm():
    return blas_address("sgemm") != 0


@pytest.mark.parametrize("layout", ["fortran", "strided", "C", "other dtype"])
def test_other_matrices_do_not(together, in_layout, layout):
    for k in range(6):
        matrices = factors(96, 80, 112, "f", ())
        if layout == "other dtype":
            matrices[k] = matrices[k].astype("d")
        else:
            matrices[k] = in_layout(matrices[k], layout)  # read-only
        results = paired_products.paired_products(*matrices)
        for got, want in zip(results, expected(*matrices), strict=True):
            np.testing.assert_allclose(got, want, rtol=0, atol=1e-4 * np.abs(want).max())
    assert not together


def test_neither_factor_gives_nothing():
    nothing = paired_products.paired_products(None, None, np.ones((2, 2)), None, None, None)
    assert nothing == (None,) * 4


@pytest.mark.usefixtures("threads")
@given(
    st.integers(1, 90),
    st.integers(0, 40),
    st.integers(0, 40),
    st.integers(1, 40),
    st.sampled_from("fd"),
    st.tuples(*(st.booleans() for _ in range(4))),
    st.integers(0, 2**20),
)
def test_sums_of_two_products(rows, inner, other, columns, dtype, turned, seed):
    rng = np.random.default_rng(seed)
    shapes = (rows, inner), (inner, columns), (rows, other), (other, columns)
    a, b, c, d = (
        np.asarray(rng.normal(size=shape), dtype, order="F" if by_columns else "C")
        for shape, by_columns in zip(shapes, turned, strict=True)
    )
    before = [matrix.copy() for matrix in (a, b, c, d)]
    wide = [matrix.astype(float) for matrix in (a, b, c, d)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(products, "WORTHWHILE", 1)
        got = paired_products.sum_of_products(a, b, c, d)
    assert got.dtype == np.dtype(dtype)
    want = wide[0] @ wide[1] + wide[2] @ wide[3]
    scale = np.max(np.abs(want), initial=1.0)
    np.testing.assert_allclose(got, want, rtol=0, atol=TOLERANCE[dtype] * scale)
    for matrix, same in zip((a, b, c, d), before, strict=True):
        assert np.array_equal(matrix, same)
        assert not np.shares_memory(matrix, got)


def test_hvp_leaves_out_the_gradient(monkeypatch):
    asked = []
    real = contractions.paired_products
    monkeypatch.setattr(
        contractions, "paired_products", lambda *given: asked.append(given[-1]) or real(*given)
    )
    rng = np.random.default_rng(0)
    weights, direction = ([rng.normal(size=(4, 4)) for _ in range(2)] for _ in range(2))
    x = rng.normal(size=(3, 4))

    def f(w):
        return (ag.tanh(x @ w[0]) @ w[1]).sum()

    found = ag.hvp(f, weights, direction)
    assert asked == [(True, False), (True, False)]
    expected = ag.jvp(ag.grad(f), (weights,), (direction,))[1]
    assert asked[2:] == [(True, True), (True, True)]
    for got, want in zip(found, expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12)
