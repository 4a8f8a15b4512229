"""Processors without AVX-512 have vectors of 8 floats: other blocks, the same results."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("numba")

PROGRAM = """
from llvmlite import binding

read = binding.get_host_cpu_features


def narrow():
    features = read()
    features["avx512f"] = False
    return features


binding.get_host_cpu_features = narrow

import numpy as np
from autograd.kernels import vector_maps
from autograd.kernels.backend import use_kernels
from autograd.kernels.compiled_dot_products import SIDE, address_of_dot_product
from autograd.kernels.compiled_own_products import address_of_own_product
from autograd.kernels.compiled_products import multiply
from autograd.kernels.convolution import (
    convolve, convolve_input_gradient, convolve_weight_gradient,
)
from autograd.kernels.layouts import in_order_of
from autograd.kernels.products import matrix_product
from autograd.kernels.sparse_products import sparse_product, sparse_product_pays
from autograd.kernels.workers import use_own_threads

assert vector_maps.LANES == 8
rng = np.random.default_rng(0)
size = lambda *shape: rng.standard_normal(shape, np.float32)


def compare(function):
    with use_kernels("numba"):
        found = function()
    with use_kernels("numpy"):
        expected = function()
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-4)


geometry = ((1, 1), ((1, 1), (1, 1)), (1, 1))
for channels, outputs in ((3, 5), (3, 16), (3, 17), (2, 25), (3, 31), (3, 32), (8, 40), (16, 24)):
    x, w, g = size(3, channels, 9, 11), size(outputs, channels, 3, 3), size(3, outputs, 9, 11)
    for last in (False, True):
        if last:
            x, g = (np.moveaxis(np.moveaxis(a, 1, -1).copy(), -1, 1) for a in (x, g))
        compare(lambda: convolve(x, w, *geometry))
        compare(lambda: convolve_input_gradient(g, w, x.shape, *geometry))
        compare(lambda: convolve_weight_gradient(x, g, (3, 3), *geometry))
a, b = size(10, 200), size(200, 3001)
compare(lambda: matrix_product(a, b))
rows = b[:, :100].T.copy()
compare(lambda: matrix_product(rows, a.T))
assert SIDE == 3
address, scales = address_of_own_product(), (np.float32(1), np.float32(0))
for rows, terms, columns in ((40, 600, 71), (67, 515, 48), (3, 7, 5), (203, 40, 204)):
    a, b = size(rows, terms), size(terms, columns)
    out = np.empty((rows, columns), np.float32)
    for left, a_turned in ((a, False), (a.T.copy(), True)):
        for right, b_turned in ((b, False), (b.T.copy(), True)):
            functions = [address]
            if b_turned and not a_turned and terms >= 8:
                functions.append(address_of_dot_product())
            for function in functions:
                out[...] = np.nan
                multiply(function, left, a_turned, right, b_turned, out, False, scales, 0, 0, rows)
                np.testing.assert_allclose(out, a.astype(float) @ b, rtol=2e-4, atol=2e-4)
a, b = size(70, 2000), size(2000, 251)
a[rng.random(a.shape) < 0.5] = 0
use_own_threads()
for left in (a, np.asfortranarray(a)):
    for right in (b, np.asfortranarray(b)):
        found = sparse_product(left, right, None)
        if found is None:  # on another kind of processor, or one that has matrix units
            assert not sparse_product_pays()
            continue
        np.testing.assert_allclose(found, a.astype(float) @ b, rtol=2e-4, atol=2e-4)
like = np.moveaxis(size(3, 20, 21, 33), -1, 1)
x = size(3, 33, 20, 21)
compare(lambda: in_order_of(like, x))
print("fine")
"""


def test_vectors_of_eight(backend: str, tmp_path: Path) -> None:
    if backend == "numpy":
        pytest.skip("a process of its own compares both")
    from autograd.kernels import vector_maps

    # the code on disk does not tell which vectors it was made for
    elsewhere = {} if vector_maps.LANES == 8 else {"NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        env={**os.environ, **elsewhere},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.stdout == "fine\n", done.stderr[-3000:]
