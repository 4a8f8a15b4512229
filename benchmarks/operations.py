"""Single operations next to PyTorch's: `python -m benchmarks.operations [NAME ...] [--side N]`.

Each forward, unrecorded, and with the gradient of its matrix, which has --side rows and columns.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.__main__ import SLOWING, write_json
from benchmarks.measuring import Measured, interleaved
from benchmarks.variables import check_variables
from benchmarks.workloads.operations import CALLS, SIDES, build, torch_build

__all__ = ["main"]

SAMPLE = 0.02
"""Seconds."""

AGREEMENT = 1e-3


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table in Markdown, write the JSON; 1 if a side failed."""
    if any(name in os.environ for name in SLOWING):
        cleaned = {k: v for k, v in os.environ.items() if k not in SLOWING}
        command = [sys.executable, "-m", "benchmarks.operations", *sys.argv[1:]]
        os.execve(sys.executable, command, cleaned)
    options = _options(arguments)
    out, results, failures = sys.stdout, [], 0
    for side in options.side:
        out.write(f"\n| {side} x {side} | forward, us | PyTorch | ratio ")
        out.write("| with gradient, us | PyTorch | ratio |\n" + "|---" * 7 + "|\n")
        for name in options.names:
            cells: list[str] = [name]
            for gradient in (False, True):
                result = _compared(name, side, gradient, options.samples)
                results.append(result)
                failures += "failures" in result
                cells += _cells(result)
            out.write(f"| {' | '.join(cells)} |\n")
            out.flush()
    if options.out is not None:
        write_json(options.out, {"results": results})
    return int(failures > 0)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.operations", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(CALLS))
    parser.add_argument(
        "--side",
        type=int,
        action="append",
        help=f"may be given again (default: {', '.join(map(str, SIDES))})",
    )
    parser.add_argument("--samples", type=int, default=10, help="of each side (10)")
    parser.add_argument("--out", type=Path, help="a JSON file for what was measured")
    options = parser.parse_args(arguments)
    check_variables(parser)
    unknown = [name for name in options.names if name not in CALLS]
    if unknown:
        parser.error(f"no operation {unknown[0]!r}; there are {', '.join(CALLS)}")
    options.names = options.names or list(CALLS)
    options.side = options.side or list(SIDES)
    if min(options.side) < 2 or options.samples < 1:
        parser.error("--side is from 2 on, --samples from 1 on")
    return options


def _compared(name: str, side: int, gradient: bool, samples: int) -> dict[str, Any]:
    """What one operation takes, as plain data."""
    found: Measured = interleaved(
        {
            "ours": partial(build, name, side, gradient),
            "torch": partial(torch_build, name, side, gradient),
        },
        samples,
        agreement=AGREEMENT,
        seconds=SAMPLE,
    )
    result: dict[str, Any] = {"name": name, "side": side, "gradient": gradient}
    if found.failures:
        return {**result, "failures": found.failures}
    for which, timing in found.timings.items():
        result[which] = {"median": timing.median, "low": timing.low, "high": timing.high}
    result["ratio"] = found.timings["ours"].median / found.timings["torch"].median
    return result


def _cells(result: dict[str, Any]) -> list[str]:
    if "failures" in result:
        side, why = next(iter(result["failures"].items()))
        return [f"{side} failed: {why}", "", ""]
    times = [f"{1e6 * result[which]['median']:.4g}" for which in ("ours", "torch")]
    return [*times, f"{result['ratio']:.2f}"]


if __name__ == "__main__":
    raise SystemExit(main())
