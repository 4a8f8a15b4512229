"""Float32 products on matrix units next to the BLAS: `python -m benchmarks.matrix_units`.

The worse errors against float64, and the times (in turn), of products of normal numbers: with both
matrices as they are, with the first and with the second turned, as a layer's passes do. The table
is the one of docs/performance.md.
"""

from __future__ import annotations

import statistics
import sys
import time

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


def factors(shape: tuple[int, int, int], turned: int) -> tuple[Array, Array]:
    """Two matrices; the first (1) or the second (2) lies with its columns together in memory."""
    rows, inner, columns = shape
    rng = np.random.default_rng(0)
    a = rng.standard_normal((inner, rows) if turned == 1 else (rows, inner), np.float32)
    b = rng.standard_normal((columns, inner) if turned == 2 else (inner, columns), np.float32)
    return (a.T if turned == 1 else a), (b.T if turned == 2 else b)


def errors(a: Array, b: Array) -> tuple[float, float]:
    """Over the sum of the terms' magnitudes: the errors' root mean square, and the largest."""
    exact = a.astype(np.float64) @ b.astype(np.float64)
    scale = np.abs(a).astype(np.float64) @ np.abs(b).astype(np.float64)
    relative = (matrix_product(a, b) - exact) / scale
    return float(np.sqrt(np.mean(relative**2))), float(np.abs(relative).max())


def seconds(a: Array, b: Array) -> tuple[float, float]:
    """Medians on the matrix units and by the BLAS."""
    spent: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(ROUNDS):
        for on, found in spent.items():
            with use_matrix_units(on):
                matrix_product(a, b)
                begun = time.perf_counter()
                matrix_product(a, b)
                found.append(time.perf_counter() - begun)
    return statistics.median(spent[True]), statistics.median(spent[False])


def _worse(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    return max(a[0], b[0]), max(a[1], b[1])


def main() -> int:
    """Print the table in Markdown; 1 where there are no matrix units."""
    on, why = explain_matrix_units()
    if not on:
        sys.stderr.write(f"no matrix units to measure: {why}\n")
        return 1
    out = sys.stdout
    out.write("| rows, inner, columns | errors | of the BLAS | ms | of the BLAS |\n")
    out.write("|---" * 5 + "|\n")
    for shape in SHAPES:
        assert split_pays(shape[0], shape[2], shape[1]), shape
        worst, times = [(0.0, 0.0), (0.0, 0.0)], []
        for turned in range(3):
            a, b = factors(shape, turned)
            for by_blas in (False, True):
                with use_matrix_units(not by_blas):
                    worst[by_blas] = _worse(worst[by_blas], errors(a, b))
            times.append(seconds(a, b))
        cells = [", ".join(map(str, shape))]
        cells += [f"{rms:.1e}, {most:.1e}" for rms, most in worst]
        cells += [
            ", ".join(f"{1e3 * t:.2f}" for t in column) for column in zip(*times, strict=True)
        ]
        out.write(f"| {' | '.join(cells)} |\n")
        out.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
