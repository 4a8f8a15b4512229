"""How exact Winograd's convolutions are: `python -m benchmarks.winograd_errors`.

The three maps of a 3x3 convolution in float32, by Winograd's tiles and by the direct sum, against
the direct sum in float64. Errors are relative: the largest over the largest exact entry, and the
root mean squares over one another. The table is the one of docs/performance.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np

from autograd.kernels.backend import use_kernels, use_winograd
from autograd.kernels.convolution import (
    convolve,
    convolve_input_gradient,
    convolve_weight_gradient,
)

Array = np.ndarray[tuple[int, ...], np.dtype[np.floating]]

SHAPES = (
    # N, C, O, H = W, padding
    (500, 24, 64, 31, 1),
    (500, 64, 64, 15, 1),
    (500, 64, 256, 15, 1),
    (250, 256, 256, 7, 1),
    (250, 256, 256, 3, 1),
    (128, 32, 32, 32, 1),
    (128, 128, 128, 8, 1),
    (128, 512, 512, 4, 1),
    (32, 16, 16, 30, 0),
    (8, 48, 20, 57, 2),
)


def maps(x: Array, w: Array, g: Array, padding: int) -> dict[str, Array]:
    """The convolution and its two gradients."""
    form = ((1, 1), ((padding, padding),) * 2, (1, 1))
    return {
        "forward": convolve(x, w, *form),
        "input gradient": convolve_input_gradient(g, w, x.shape, *form),
        "weight gradient": convolve_weight_gradient(x, g, (3, 3), *form),
    }


def errors(found: Array, exact: Array) -> tuple[float, float]:
    """The largest error over the largest exact entry; the errors' RMS over the entries'."""
    difference = found.astype(np.float64) - exact
    return (
        float(np.abs(difference).max() / np.abs(exact).max()),
        float(np.sqrt(np.mean(difference**2) / np.mean(exact**2))),
    )


def measured(
    shape: tuple[int, int, int, int, int], positive: bool, seed: int = 0
) -> Iterator[tuple[str, tuple[float, float], tuple[float, float]]]:
    """For each map its name, Winograd's errors and the direct sum's.

    Inputs are normal, or (`positive`) what a ReLU leaves of them; weights and cotangents normal.
    """
    batch, channels, outputs, size, padding = shape
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((batch, channels, size, size), np.float32)
    if positive:
        x = np.maximum(x, 0)
    w = rng.standard_normal((outputs, channels, 3, 3), np.float32)
    out = size + 2 * padding - 2
    g = rng.standard_normal((batch, outputs, out, out), np.float32)
    with use_kernels("numba"):
        with use_winograd(True):
            tiles = maps(x, w, g, padding)
        with use_winograd(False):
            direct = maps(x, w, g, padding)
            exact = maps(x.astype(float), w.astype(float), g.astype(float), padding)
    for name, value in exact.items():
        yield name, errors(tiles[name], value), errors(direct[name], value)


def _worse(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    return max(a[0], b[0]), max(a[1], b[1])


def main() -> None:
    """Print the table in Markdown: the worse of both inputs, largest error and RMS."""
    names = ("forward", "input gradient", "weight gradient")
    lines = [f"| N, C, O, H, padding | {' | '.join(names)} | direct, worst |", "|---" * 5 + "|"]
    for shape in SHAPES:
        worst = dict.fromkeys((*names, "direct"), (0.0, 0.0))
        for positive in (False, True):
            for name, tiles, direct in measured(shape, positive):
                worst[name] = _worse(worst[name], tiles)
                worst["direct"] = _worse(worst["direct"], direct)
        cells = [f"{largest:.1e}, {rms:.1e}" for largest, rms in worst.values()]
        lines.append(f"| {', '.join(map(str, shape))} | {' | '.join(cells)} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
