"""The table of products by our own kernel and by the BLAS."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")

from autograd.kernels import blas_operands
from autograd.kernels.blas import blas_address
from autograd.kernels.compiled_own_products import address_of_own_product
from benchmarks import matrix_units, own_products


def test_the_kernel_is_another_inside_only():
    float32, before = np.dtype(np.float32), blas_operands.own_product_pays
    with own_products.by_own_kernel(True):
        assert blas_operands.gemm(float32) == address_of_own_product()
    with own_products.by_own_kernel(False):
        assert blas_operands.gemm(float32) == blas_address("sgemm")
    assert blas_operands.own_product_pays is before


def test_a_row_for_each_shape(monkeypatch, capsys):
    monkeypatch.setattr(own_products, "SHAPES", ((130, 140, 150),))
    monkeypatch.setattr(own_products, "THIN", ((600, 20, 200),))
    monkeypatch.setattr(matrix_units, "ROUNDS", 1)
    assert own_products.main() == 0
    head, rule, *rows = capsys.readouterr().out.splitlines()
    assert head.count("|") == rule.count("|") == 6
    assert [row.split(" | ")[0] for row in rows] == ["| 130, 140, 150", "| 600, 20, 200"]
    for row in rows:
        errors = [float(x) for cell in row.split(" | ")[1:3] for x in cell.split(", ")]
        assert 0 < max(errors) < 1e-6
        times = [float(x) for cell in row.strip(" |").split(" | ")[3:] for x in cell.split(", ")]
        assert len(times) == 6 and min(times) > 0
