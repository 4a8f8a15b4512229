"""Float32 products by our own kernel next to the BLAS's: `python -m benchmarks.own_products`.

Errors and times as `benchmarks.matrix_units` has them. The table is the one of docs/performance.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from unittest import mock

from autograd.kernels import blas_operands, products
from autograd.kernels.matrix_units import use_matrix_units
from autograd.kernels.workers import use_own_threads
from benchmarks.matrix_units import SHAPES, write_table

__all__ = ["main"]

THIN = (
    # rows, inner, columns: a small layer's passes, and little to sum
    (100, 3072, 100),
    (100, 100, 3072),
    (8192, 128, 128),
    (1024, 32, 1024),
)


@contextmanager
def by_own_kernel(on: bool) -> Iterator[None]:
    """Large float32 products inside go to our own kernel, or to the BLAS."""
    with ExitStack() as stack:
        stack.enter_context(use_matrix_units(False))
        for module in (blas_operands, products):
            stack.enter_context(mock.patch.object(module, "own_product_pays", partial(bool, on)))
        yield


def main() -> int:
    """Print the table."""
    use_own_threads()
    write_table((*SHAPES, *THIN), (partial(by_own_kernel, True), partial(by_own_kernel, False)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
