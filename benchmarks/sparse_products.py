"""Products that leave out zeros next to whole ones: `python -m benchmarks.sparse_products`.

Errors and times as `benchmarks.matrix_units` has them, for a left factor of which half is zero. The
table is the one of docs/performance.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from unittest import mock

from autograd.kernels import sparse_products
from autograd.kernels.workers import use_own_threads
from benchmarks.matrix_units import write_table

__all__ = ["main"]

SHAPES = (
    # rows, inner, columns
    (1024, 256, 3072),
    (256, 1024, 1024),
    (1024, 256, 1024),
    (1024, 1024, 1024),
    (100, 100, 3072),
    (64, 1024, 1024),
    (256, 512, 512),
    (8192, 128, 128),
    (256, 256, 256),
    (256, 16384, 256),
)

SHARE = 0.5
"""Of the left factor's entries, that is not zero: about what relu leaves."""


@contextmanager
def leaving_out_zeros(on: bool) -> Iterator[None]:
    """Whether zeros of large float32 products are left out inside."""
    with mock.patch.object(sparse_products, "sparse_product_pays", partial(bool, on)):
        yield


def main() -> int:
    """Print the table; 1 where zeros are not left out."""
    if not sparse_products.sparse_product_pays():
        sys.stderr.write("zeros are not left out on this processor\n")
        return 1
    use_own_threads()
    sides = partial(leaving_out_zeros, True), partial(leaving_out_zeros, False)
    write_table(SHAPES, sides, "of all entries", SHARE)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
