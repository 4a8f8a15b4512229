"""The table of products that leave out zeros and of those that do not."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")

from autograd.kernels import sparse_products as kernels
from autograd.kernels.workers import use_own_threads
from benchmarks import matrix_units, sparse_products


def test_zeros_are_left_out_inside_only():
    use_own_threads()
    a = np.eye(300, dtype=np.float32)
    before = kernels.sparse_product_pays
    with sparse_products.leaving_out_zeros(True):
        assert kernels.sparse_product(a, a, None) is not None
    with sparse_products.leaving_out_zeros(False):
        assert kernels.sparse_product(a, a, None) is None
    assert kernels.sparse_product_pays is before


def test_a_row_for_each_shape(monkeypatch, capsys):
    monkeypatch.setattr(kernels, "sparse_product_pays", lambda: True)
    monkeypatch.setattr(sparse_products, "SHAPES", ((270, 280, 256),))
    monkeypatch.setattr(matrix_units, "ROUNDS", 1)
    assert sparse_products.main() == 0
    head, rule, row = capsys.readouterr().out.splitlines()
    assert head.count("|") == rule.count("|") == 6 and "of all entries" in head
    name, found, whole, *times = row.strip(" |").split(" | ")
    assert name == "270, 280, 256"
    errors = [[float(x) for x in cell.split(", ")] for cell in (found, whole)]
    assert 0 < np.max(errors) < 1e-6
    assert errors[0] != errors[1]
    assert all(float(x) > 0 for cell in times for x in cell.split(", "))
    monkeypatch.setattr(kernels, "sparse_product_pays", lambda: False)
    assert sparse_products.main() == 1
    assert "not left out" in capsys.readouterr().err
