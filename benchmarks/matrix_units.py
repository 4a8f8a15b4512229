"""Float32 products on matrix units next to the BLAS: `python -m benchmarks.matrix_units`.

The worse errors against float64, and the times (in turn), of products of normal numbers: with both
matrices as they are, with the first and with the second turned, as a layer's passes do. The table
is the one of docs/performance.md.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from functools import partial

import numpy as np

from autograd.kernels.matrix_units import explain_matrix_units, use_matrix_units
from autograd.kernels.products import matrix_product
from autograd.kernels.split_products import split_pays

Array = np.ndarray[tuple[int, ...], np.dtype[np.floating]]

SHAPES = (
    # rows, inner, columns
    (256, 3072, 1024),
    (1024, 256, 3072),
    (256, 1024, 1024),
    (1024, 1024, 1024),
    (512, 512, 512),
    (256, 2304, 256),
    (64, 1024, 1024),
    (256, 256, 256),
)

ROUNDS = 15

Sides = tuple[
    Callable[[], AbstractContextManager[None]], Callable[[], AbstractContextManager[None]]
]
"""Inside which products are computed in one way, and in the other."""


def factors(shape: tuple[int, int, int], turned: int, share: float) -> tuple[Array, Array]:
    """Two matrices; the first (1) or the second (2) lies with its columns together in memory. Of
    the first such a share is not zero.
    """
    rows, inner, columns = shape
    rng = np.random.default_rng(0)
    a = rng.standard_normal((inner, rows) if turned == 1 else (rows, inner), np.float32)
    b = rng.standard_normal((columns, inner) if turned == 2 else (inner, columns), np.float32)
    a[rng.random(a.shape) >= share] = 0
    return (a.T if turned == 1 else a), (b.T if turned == 2 else b)


def errors(a: Array, b: Array) -> tuple[float, float]:
    """Over the sum of the terms' magnitudes: the errors' root mean square, and the largest."""
    exact = a.astype(np.float64) @ b.astype(np.float64)
    scale = np.abs(a).astype(np.float64) @ np.abs(b).astype(np.float64)
    relative = (matrix_product(a, b) - exact) / scale
    return float(np.sqrt(np.mean(relative**2))), float(np.abs(relative).max())


def seconds(a: Array, b: Array, sides: Sides) -> list[float]:
    """Medians of both."""
    spent: list[list[float]] = [[] for _ in sides]
    for _ in range(ROUNDS):
        for side, found in zip(sides, spent, strict=True):
            with side():
                matrix_product(a, b)
                begun = time.perf_counter()
                matrix_product(a, b)
                found.append(time.perf_counter() - begun)
    return [statistics.median(found) for found in spent]


def _worse(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    return max(a[0], b[0]), max(a[1], b[1])


def write_table(
    shapes: Iterable[tuple[int, int, int]],
    sides: Sides,
    other: str = "of the BLAS",
    share: float = 1.0,
) -> None:
    """In Markdown, of products inside the first side's context and inside the `other`'s, whose left
    factors have such a share of entries that are not zero.
    """
    out = sys.stdout
    out.write(f"| rows, inner, columns | errors | {other} | ms | {other} |\n")
    out.write("|---" * 5 + "|\n")
    for shape in shapes:
        worst, times = [(0.0, 0.0) for _ in sides], []
        for turned in range(3):
            a, b = factors(shape, turned, share)
            for k, side in enumerate(sides):
                with side():
                    worst[k] = _worse(worst[k], errors(a, b))
            times.append(seconds(a, b, sides))
        cells = [", ".join(map(str, shape))]
        cells += [f"{rms:.1e}, {most:.1e}" for rms, most in worst]
        cells += [
            ", ".join(f"{1e3 * t:.2f}" for t in column) for column in zip(*times, strict=True)
        ]
        out.write(f"| {' | '.join(cells)} |\n")
        out.flush()


def main() -> int:
    """Print the table; 1 where there are no matrix units."""
    on, why = explain_matrix_units()
    if not on:
        sys.stderr.write(f"no matrix units to measure: {why}\n")
        return 1
    assert all(split_pays(rows, columns, inner) for rows, inner, columns in SHAPES)
    write_table(SHAPES, (partial(use_matrix_units, True), partial(use_matrix_units, False)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
