"""`python -m benchmarks.choices`: the convolution's measured constants, measured again.

For 3x3 convolutions of the shapes below, the forward pass and the weight gradient by Winograd's
tiles at each candidate for the number of images at a time, and by columns, interleaved. `*` is what
the committed constants of `autograd.kernels.winograd` choose, the fastest is named behind. `--out`
writes what was measured; in the committed file, `benchmarks/results/choices.json`, the tests see
that the constants choose what was nearly the fastest.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

if __name__ == "__main__" and {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"} & set(os.environ):
    # They slow down the matrix product and are read when NumPy is loaded.
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        os.environ.pop(name, None)
    os.execv(sys.executable, [sys.executable, "-m", "benchmarks.choices", *sys.argv[1:]])

import numpy as np

from autograd.kernels import columns, winograd
from autograd.kernels.backend import compiled_for
from autograd.kernels.workers import get_num_threads
from benchmarks.measuring import Timing, interleaved
from benchmarks.setting import processor
from benchmarks.variables import check_variables

TILES = (16, 32, 64, 128, 256)


@dataclass(frozen=True)
class Shape:
    """A float32 convolution with 3x3 kernels, stride 1 and padding 1."""

    batch: int
    channels: int
    outputs: int
    side: int

    @property
    def geometry(self) -> columns.Geometry:
        """As the kernels take it."""
        sizes = (self.side, self.side)
        return columns.Geometry(
            in_sizes=sizes,
            out=sizes,
            kernel=(3, 3),
            stride=(1, 1),
            padding=((1, 1), (1, 1)),
            dilation=(1, 1),
            groups=1,
            channels=self.channels,
            outputs=self.outputs,
        )

    def __str__(self) -> str:
        return f"{self.batch} x {self.channels}-{self.outputs} {self.side}x{self.side}"


SHAPES = (
    Shape(128, 16, 16, 32),
    Shape(128, 32, 32, 32),
    Shape(128, 64, 64, 32),
    Shape(128, 64, 128, 16),
    Shape(128, 128, 128, 16),
    Shape(128, 128, 256, 8),
    Shape(128, 256, 256, 8),
    Shape(256, 64, 256, 15),
    Shape(256, 256, 256, 7),
    Shape(16, 64, 64, 32),
    Shape(16, 256, 256, 8),
    Shape(8, 256, 256, 8),
    Shape(4, 256, 256, 8),
    Shape(2, 128, 128, 8),
    Shape(1, 64, 64, 16),
    Shape(1, 16, 16, 32),
)
"""Layers of the benchmarks' networks, small ones, and small batches."""


CANDIDATES = {f"{tiles} tiles": {"TILES_AT_A_TIME": tiles} for tiles in TILES}
"""The constants to try, by a short name."""


@contextmanager
def constants(values: Mapping[str, int]) -> Iterator[None]:
    """Winograd's module constants, changed inside a with block."""
    before = {name: getattr(winograd, name) for name in values}
    try:
        for name, value in values.items():
            setattr(winograd, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(winograd, name, value)


def measure(shape: Shape, gradient: bool, samples: int) -> dict[str, Timing]:
    """Seconds by candidate; 'columns' is the exact method.

    Raises RuntimeError if one fails or does not give the others' result.
    """
    rng = np.random.default_rng(0)
    size = (shape.batch, shape.side, shape.side)
    x = rng.standard_normal((*size, shape.channels), np.float32)
    g = rng.standard_normal((*size, shape.outputs), np.float32)
    w = rng.standard_normal((shape.outputs, shape.channels, 3, 3), np.float32)
    y = np.empty_like(g)
    geometry = shape.geometry

    def run(values: Mapping[str, int] | None, _index: int) -> float:
        result: Any
        if values is None:
            if gradient:
                result = columns.columns_weight_gradient(x, g, geometry)
                return float(np.ravel(result)[0])
            columns.columns_convolve(x, w, geometry, y, None)
            return float(y[0, 1, 1, 0])
        with constants(values):
            if gradient:
                found = winograd.winograd_weight_gradient(x, g, geometry)
                assert found is not None
                return float(found.flat[0])
            winograd.winograd_convolve(x, w, geometry, y)
            return float(y[0, 1, 1, 0])

    sides: dict[str, Callable[[], Callable[[int], float]]] = {"columns": lambda: partial(run, None)}
    for name, values in CANDIDATES.items():
        sides[name] = lambda chosen=values: partial(run, chosen)  # type: ignore[misc]
    found = interleaved(sides, samples, agreement=1e-2)
    if found.failures:
        raise RuntimeError(f"{shape}: {found.failures}")
    return found.timings


def committed(shape: Shape, gradient: bool) -> str:
    """The candidate that the library takes for this shape, by the constants as they are."""
    dtype = np.dtype(np.float32)
    if not winograd.winograd_pays(shape.geometry, shape.batch, dtype, gradient=gradient):
        return "columns"
    for name, values in CANDIDATES.items():
        if all(getattr(winograd, constant) == value for constant, value in values.items()):
            return name
    return "none of these"


def line(shape: Shape, gradient: bool, timings: Mapping[str, Timing]) -> str:
    """One row of the table, in milliseconds."""
    chosen = committed(shape, gradient)
    fastest = min(timings, key=lambda name: timings[name].median)
    cells = [
        f"{name} {timing.median * 1e3:.3g}{'*' if name == chosen else ''}"
        for name, timing in timings.items()
    ]
    what = "weight gradient" if gradient else "forward"
    return f"{shape!s:<22}{what:<17}" + "".join(f"{c:<17}" for c in cells) + f"-> {fastest}"


def record(shape: Shape, gradient: bool, timings: Mapping[str, Timing]) -> dict[str, Any]:
    """A row of the committed table; medians in milliseconds."""
    return {
        **asdict(shape),
        "gradient": gradient,
        "milliseconds": {name: round(t.median * 1e3, 4) for name, t in timings.items()},
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.choices", description=__doc__)
    parser.add_argument("--samples", type=int, default=7, help="of each candidate (7)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the JSON goes")
    options = parser.parse_args(arguments)
    check_variables(parser)
    if options.samples < 1:
        parser.error("--samples must be at least 1")
    if not compiled_for(np.dtype(np.float32), 1 << 30):
        parser.error("only the compiled kernels have choices: pip install 'dagrad[fast]'")
    print("milliseconds; * is what the committed constants choose")
    rows = []
    for shape in SHAPES:
        for gradient in (False, True):
            timings = measure(shape, gradient, options.samples)
            rows.append(record(shape, gradient, timings))
            print(line(shape, gradient, timings), flush=True)
    if options.out is not None:
        found = {
            "processor": processor(),
            "threads": get_num_threads(),
            "dtype": "float32",
            "rows": rows,
        }
        options.out.write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
