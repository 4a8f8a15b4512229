"""Products that are symmetric, of which half is computed; small ones are in test_products.py."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from autograd.kernels.symmetric_products import symmetric_product


@pytest.mark.skipif(find_spec("threadpoolctl") is None, reason="threadpoolctl is not installed")
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("columns", [101, 301])
def test_a_large_symmetric_product_is_exactly_symmetric(
    threads: int, backend: str, columns: int, order: Any
) -> None:
    if backend == "numpy":
        pytest.skip("NumPy's are symmetric up to rounding")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2 * 32 * max(2, threads) + 9, columns)).astype(np.float32, order=order)
    gram = symmetric_product(x, x.T)
    square = symmetric_product(np.float32(2) * gram, gram)
    for found, expected in ((gram, x @ x.T), (square, 2 * (x @ x.T) @ (x @ x.T))):
        assert np.array_equal(found, found.T)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * abs(expected).max())
