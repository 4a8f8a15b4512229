"""The table operation x property, with the number of examples each cell stands for."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any, TextIO

import numpy as np

from autograd.registry import REGISTRY
from autograd.testing.properties import ONCE, PROPERTIES


def run(names: Sequence[str], examples: int, out: TextIO, seed: int = 0) -> int:
    """Check every property of the named operations; print the table; how many cells failed."""
    width = max(len(name) for name in names)
    columns = list(PROPERTIES)
    print(" " * width + "".join(f"  {column:>12}" for column in columns), file=out)
    totals = dict.fromkeys(columns, 0)
    failures: list[str] = []
    began = time.perf_counter()
    for name in names:
        cells = []
        for column in columns:
            cell, count = _cell(name, column, examples, seed, failures)
            totals[column] += count
            cells.append(cell)
        print(f"{name:>{width}}" + "".join(f"  {cell:>12}" for cell in cells), file=out)
    print(f"{'examples':>{width}}" + "".join(f"  {totals[c]:>12}" for c in columns), file=out)
    seconds = time.perf_counter() - began
    print(
        f"\n{len(names)} operations, {sum(totals.values())} examples in {seconds:.0f} s; "
        f"{len(failures)} failures.",
        file=out,
    )
    print("el: elementwise only; na: not declared analytic; -: nothing declared.", file=out)
    for failure in failures:
        print(failure, file=out)
    return len(failures)


def conventions() -> str:
    """The declared derivatives at kinks as a Markdown table, one row for each.

    >>> print(conventions().splitlines()[0])
    | operation | where | derivative | rule |
    """
    rows = ["| operation | where | derivative | rule |", "|---|---|---|---|"]
    for name, entry in sorted(REGISTRY.items()):
        for kink in entry.kinks:
            where = ", ".join(_plain(argument) for argument in kink.args)
            slopes = ", ".join(_plain(slope) for slope in kink.derivative if slope is not None)
            rows.append(f"| `{name}` | {where} | {slopes} | {kink.rule} |")
    return "\n".join(rows)


def _plain(value: Any) -> str:
    return str(np.asarray(value).tolist())


_SHORT = {
    "elementwise only": "el",
    "not analytic": "na",
    "none declared": "-",
    "no such sample": "-",
    "changes the dtype": "casts",
}


def _cell(name: str, column: str, examples: int, seed: int, failures: list[str]) -> tuple[str, int]:
    """What the cell shows, and how many examples it stands for."""
    entry, check = REGISTRY[name], PROPERTIES[column]
    count = 0
    for example in range(1 if column in ONCE else examples):
        index = example % len(entry.samples)
        try:
            result = check(entry, index, seed + example)
        except Exception as error:  # every way to fail is a failed cell, named below
            failures.append(f"{name}, {column}, sample {index}, seed {seed + example}: {error}")
            return "FAILED", count
        if isinstance(result, str):
            return _SHORT.get(result, result), 0
        assert result > 0, f"{name}, {column}: an example that compared nothing"
        count += result if column in ONCE else 1
    return str(count), count


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m autograd.testing [--examples N] [OPERATION ...]`."""
    parser = argparse.ArgumentParser(
        prog="python -m autograd.testing",
        description="Check every property of every operation, and print the table.",
    )
    parser.add_argument("operations", nargs="*", help="default: all")
    parser.add_argument("--examples", type=int, default=10, help="for each cell (10)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--conventions", action="store_true", help="print the table of conventions at kinks instead"
    )
    options = parser.parse_args(arguments)
    if options.conventions:
        sys.stdout.write(conventions() + "\n")
        return 0
    unknown = [name for name in options.operations if name not in REGISTRY]
    if unknown:
        parser.error(f"no operation is registered as {', '.join(unknown)}")
    if options.examples < 1:
        parser.error("--examples must be at least 1")
    names = options.operations or sorted(REGISTRY)
    return min(1, run(names, options.examples, sys.stdout, options.seed))
