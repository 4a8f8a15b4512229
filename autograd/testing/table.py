"""The table operation x property, with the number of examples each cell stands for."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TextIO

import numpy as np

from autograd.registry import REGISTRY
from autograd.testing.properties import COSTLY, ONCE, PROPERTIES


def run(names: Sequence[str], examples: int, out: TextIO, seed: int = 0, processes: int = 1) -> int:
    """Check every property of the named operations; print the table; how many cells failed."""
    width = max(8, *(len(name) for name in names))
    columns = list(PROPERTIES)
    print(" " * width + "".join(f"  {column:>12}" for column in columns), file=out)
    totals = dict.fromkeys(columns, 0)
    failures: list[str] = []
    began = time.perf_counter()
    for row in _rows(names, examples, seed, processes):
        for column, cell in zip(columns, row.cells, strict=True):
            totals[column] += cell.count
        failures += row.failures
        shown = "".join(f"  {cell.shown:>12}" for cell in row.cells)
        print(f"{row.name:>{width}}{shown}", file=out, flush=True)
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


@dataclass(frozen=True)
class _Cell:
    shown: str
    count: int
    """How many examples it stands for."""


@dataclass(frozen=True)
class _Row:
    name: str
    cells: list[_Cell]
    failures: list[str]


def _rows(names: Sequence[str], examples: int, seed: int, processes: int) -> Iterator[_Row]:
    row = partial(_row, examples=examples, seed=seed)
    if processes == 1:
        yield from map(row, names)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(row, names)


def _row(name: str, examples: int, seed: int) -> _Row:
    failures: list[str] = []
    cells = [_cell(name, column, examples, seed, failures) for column in PROPERTIES]
    return _Row(name, cells, failures)


def _cell(name: str, column: str, examples: int, seed: int, failures: list[str]) -> _Cell:
    entry, check = REGISTRY[name], PROPERTIES[column]
    if column in ONCE:
        examples = 1
    elif column in COSTLY:
        examples = min(examples, max(10, examples // 8))
    count = 0
    for example in range(examples):
        index = example % len(entry.samples)
        try:
            result = check(entry, index, seed + example)
        except Exception as error:  # every way to fail is a failed cell, named below
            failures.append(f"{name}, {column}, sample {index}, seed {seed + example}: {error}")
            return _Cell("FAILED", count)
        if isinstance(result, str):
            return _Cell(_SHORT.get(result, result), 0)
        assert result > 0, f"{name}, {column}: an example that compared nothing"
        count += result if column in ONCE else 1
    return _Cell(str(count), count)


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m autograd.testing [--examples N] [--processes N] [OPERATION ...]`."""
    parser = argparse.ArgumentParser(
        prog="python -m autograd.testing",
        description="Check every property of every operation, and print the table.",
    )
    parser.add_argument("operations", nargs="*", help="default: all")
    parser.add_argument("--examples", type=int, default=10, help="for each cell (10)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--processes",
        type=int,
        default=os.cpu_count() or 1,
        help="that share the work (one for each core)",
    )
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
    for option in ("examples", "processes"):
        if getattr(options, option) < 1:
            parser.error(f"--{option} must be at least 1")
    names = options.operations or sorted(REGISTRY)
    return min(1, run(names, options.examples, sys.stdout, options.seed, options.processes))
