"""Compiled convolutions and products read whole vectors: nothing outside their arrays may be
touched.

Each array ends or begins where memory does that may not be read, so a fault ends the process: the
convolutions and products run in one of their own.
"""

from __future__ import annotations

import ctypes
import itertools
import mmap
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd.kernels import columns, convolution, depthwise, direct, winograd
from tests.autograd.kernels.test_bounds import CASES

PAGE = mmap.PAGESIZE

Array = np.ndarray[Any, Any]


class Walled:
    """Makes arrays with forbidden memory right behind or right before them."""

    def __init__(self, behind: bool) -> None:
        self.behind = behind
        self.kept: list[Any] = []

    def __call__(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray[Any, Any]:
        dtype = np.dtype(dtype)
        size = int(np.prod(shape)) * dtype.itemsize
        pages = -(-size // PAGE)
        memory = mmap.mmap(-1, (pages + 2) * PAGE)
        whole = np.frombuffer(memory, np.uint8)
        address = whole.ctypes.data
        for wall in (address, address + (pages + 1) * PAGE):
            if ctypes.CDLL(None).mprotect(ctypes.c_void_p(wall), PAGE, 0):
                raise OSError("mprotect failed")
        first = (pages + 1) * PAGE - size if self.behind else PAGE
        self.kept.append(memory)
        array: np.ndarray[Any, Any] = whole[first : first + size].view(dtype).reshape(shape)
        return array

    def copy(self, array: np.ndarray[Any, Any], last: bool) -> np.ndarray[Any, Any]:
        """The same values, channels first or last in memory."""
        if not last:
            result = self(array.shape, array.dtype)
        else:
            order = (0, 2, 3, 1)
            result = self(tuple(array.shape[k] for k in order), array.dtype).transpose(0, 3, 1, 2)
        result[...] = array
        return result


def run_walled() -> None:
    """All three maps of every case; without a fault the process ends well."""
    for case in CASES:
        channels, outputs, kernel, stride, padding, size = case[:6]
        groups = case[6] if len(case) > 6 else 1
        rng = np.random.default_rng(0)
        geometry: Any = ((stride,) * 2, ((padding, padding),) * 2, (1, 1), groups)
        for behind in (True, False):
            walled = Walled(behind)
            for module in (convolution, winograd):
                module.empty = walled  # type: ignore[attr-defined]
            for module in (columns, depthwise, direct, winograd):
                module.scratch = lambda _name, shape, dtype, walled=walled: walled(shape, dtype)  # type: ignore[attr-defined]
            for batch, last in ((1, True), (3, False), (9, True)):
                x = rng.standard_normal((batch, channels, size, size), np.float32)
                w = rng.standard_normal((outputs, channels // groups, kernel, kernel), np.float32)
                x, w = walled.copy(x, last), walled.copy(w, False)
                y = convolution.convolve(x, w, *geometry)
                g = walled.copy(rng.standard_normal(y.shape, np.float32), last)
                convolution.convolve_input_gradient(g, w, x.shape, *geometry)
                convolution.convolve_weight_gradient(x, g, (kernel, kernel), *geometry)


def walled_factors(*factors: Array) -> Iterator[tuple[Any, ...]]:
    """Factors of a product, or their transposes, next to either wall: the maker of such arrays, and
    what lies there of each, with whether it is the transpose.
    """
    for walled in (Walled(True), Walled(False)):
        for turns in itertools.product((False, True), repeat=len(factors)):
            lying = []
            for matrix, turned in zip(factors, turns, strict=True):
                matrix = matrix.T if turned else matrix
                copy = walled(matrix.shape, matrix.dtype)
                copy[...] = matrix
                lying.append((copy, turned))
            yield walled, *lying


def run_walled_products() -> None:
    """Our own product of float32, whose panels are copied by whole vectors."""
    from autograd.kernels.compiled_own_products import address_of_own_product
    from autograd.kernels.compiled_products import multiply

    scales, rng = (np.float32(1), np.float32(0)), np.random.default_rng(0)
    sizes = [(m, k, n) for m in (1, 4, 9) for k in (1, 15, 40) for n in (1, 5, 16, 20, 49, 100)]
    for rows, terms, wide in [*sizes, (260, 530, 70)]:
        a = rng.standard_normal((rows, terms), np.float32)
        b = rng.standard_normal((terms, wide), np.float32)
        for walled, (left, a_turned), (right, b_turned) in walled_factors(a, b):
            out = walled((rows, wide), np.float32)
            factors = left, a_turned, right, b_turned
            multiply(address_of_own_product(), *factors, out, False, scales, 0, 0, rows)
            np.testing.assert_allclose(out, a.astype(float) @ b, rtol=1e-3, atol=1e-3)


def run_walled_dot_products() -> None:
    """Products of dots, which read rows of both factors by whole vectors."""
    from autograd.kernels.compiled_dot_products import address_of_dot_product
    from autograd.kernels.compiled_products import multiply

    scales, rng = (np.float32(1), np.float32(0)), np.random.default_rng(0)
    sizes = [(m, k, n) for m in (1, 4, 12) for k in (16, 31, 40) for n in (1, 5, 16, 49)]
    for rows, terms, wide in [*sizes, (30, 4100, 11)]:
        a = rng.standard_normal((rows, terms), np.float32)
        b = rng.standard_normal((terms, wide), np.float32)
        for walled, (left, a_turned), (right, b_turned) in walled_factors(a, b):
            if a_turned or not b_turned:
                continue
            out = walled((rows, wide), np.float32)
            factors = left, a_turned, right, b_turned
            multiply(address_of_dot_product(), *factors, out, False, scales, 0, 0, rows)
            np.testing.assert_allclose(out, a.astype(float) @ b, rtol=1e-3, atol=1e-3)


def run_walled_sparse_products() -> None:
    """Those that leave out zeros, which also read the left factor by whole vectors."""
    from autograd.kernels.compiled_sparse_products import EVEN, WIDTH, WORD, multiply_sparse

    rng, no_bias = np.random.default_rng(0), np.zeros(0, np.float32)
    depths = (16, WORD, WORD + 5, 2 * WORD)
    sizes = [(m, k, n) for m in (1, 4, 33) for k in depths for n in (1, 16, 49, 200)]
    for rows, terms, wide in [*sizes, (260, 530, 70)]:
        a = rng.standard_normal((rows, terms), np.float32)
        a[rng.random(a.shape) < 0.5] = 0
        b = rng.standard_normal((terms, wide), np.float32)
        for walled, (left, a_turned), (right, b_turned) in walled_factors(a, b):
            places = ((x.ctypes.data, x.strides[0]) for x in (left, right))
            factors = next(places), a_turned, next(places), b_turned
            out, height = walled((rows, wide), np.float32), min(rows, 256)
            words = walled((1, -(-terms // EVEN), height), np.int64)
            block = walled((1, height if a_turned else 1, terms), np.float32)
            sums = walled((1, height * WIDTH), np.float32)
            for by_columns, end in ((False, rows), (True, wide)):
                given = *factors, terms, out, by_columns, no_bias, False, words, block, sums
                out[...] = np.nan
                multiply_sparse(*given, 0, 0, end)
                np.testing.assert_allclose(out, a.astype(float) @ b, rtol=1e-3, atol=1e-3)


def run(code: str) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, cwd=root)


@pytest.mark.skipif(sys.platform == "win32", reason="no mprotect")
@pytest.mark.parametrize(
    "function",
    ["run_walled", "run_walled_products", "run_walled_dot_products", "run_walled_sparse_products"],
)
def test_nothing_outside_is_read(backend: str, function: str) -> None:
    if backend == "numpy":
        pytest.skip("NumPy's own affair")
    code = f"""
from autograd.kernels.backend import use_kernels
from tests.autograd.kernels.test_reads import {function}
with use_kernels('numba'):
    {function}()
print("well")
"""
    done = run(code)
    assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
    assert done.stdout.split() == ["well"]


@pytest.mark.skipif(sys.platform == "win32", reason="no mprotect")
@pytest.mark.parametrize("behind", [True, False])
def test_a_read_outside_is_noticed(backend: str, behind: bool) -> None:
    if backend == "numpy":
        pytest.skip("once is enough")
    code = f"""
import ctypes
from tests.autograd.kernels.test_reads import Walled
x = Walled({behind})((5,), "f")
assert float(x.sum()) == 0
print("begins", flush=True)
ctypes.c_float.from_address(x.ctypes.data + {20 if behind else -4}).value
print("ends")
"""
    done = run(code)
    assert done.returncode != 0 and done.stdout.split() == ["begins"]
