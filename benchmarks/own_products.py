"""Float32 products by our own kernel next to the BLAS's: `python -m benchmarks.own_products`.

Errors and times as `benchmarks.matrix_units` has them. The table is the one of docs/performance.md.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from unittest import mock

from autograd.kernels import blas_operands, products
from autograd.kernels.matrix_units import use_matrix_units
from autograd.kernels.products import matrix_product
from autograd.kernels.workers import use_own_threads
from benchmarks.matrix_units import SHAPES, errors, factors

__all__ = ["main"]

THIN = (
    # rows, inner, columns: a small layer's passes, and little to sum
    (100, 3072, 100),
    (100, 100, 3072),
    (8192, 128, 128),
    (1024, 32, 1024),
)

ROUNDS = 15


@contextmanager
def by_own_kernel(on: bool) -> Iterator[None]:
    """Large float32 products inside go to our own kernel, or to the BLAS."""
    with ExitStack() as stack:
        stack.enter_context(use_matrix_units(False))
        for module in (blas_operands, products):
            stack.enter_context(mock.patch.object(module, "own_product_pays", partial(bool, on)))
        yield


def main() -> int:
    """Print the table in Markdown."""
    use_own_threads()
    out = sys.stdout
    out.write("| rows, inner, columns | errors | of the BLAS | ms | of the BLAS |\n")
    out.write("|---" * 5 + "|\n")
    for shape in (*SHAPES, *THIN):
        worst = {True: (0.0, 0.0), False: (0.0, 0.0)}
        times: dict[bool, list[float]] = {True: [], False: []}
        for turned in range(3):
            a, b = factors(shape, turned)
            spent: dict[bool, list[float]] = {True: [], False: []}
            for on in (True, False):
                with by_own_kernel(on):
                    found = errors(a, b)
                worst[on] = max(worst[on][0], found[0]), max(worst[on][1], found[1])
            for _ in range(ROUNDS):
                for on in (True, False):
                    with by_own_kernel(on):
                        matrix_product(a, b)
                        begun = time.perf_counter()
                        matrix_product(a, b)
                        spent[on].append(time.perf_counter() - begun)
            for on in (True, False):
                times[on].append(statistics.median(spent[on]))
        cells = [", ".join(map(str, shape))]
        cells += [f"{rms:.1e}, {most:.1e}" for rms, most in (worst[True], worst[False])]
        cells += [", ".join(f"{1e3 * t:.2f}" for t in times[on]) for on in (True, False)]
        out.write(f"| {' | '.join(cells)} |\n")
        out.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
