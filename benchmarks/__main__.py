"""`python -m benchmarks [WORKLOAD ...] [--peer torch]`: ours and the peers in one run."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# Some machines slow down NumPy's matrix product with these; they are read when NumPy is loaded.
SLOWING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
INSTALLED = ("torch", "jax", "micrograd", "mygrad")
"""Peers of the extra; HIPS's autograd has an environment of its own."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, write the JSON; 1 if a side failed."""
    if any(name in os.environ for name in SLOWING):
        cleaned = {k: v for k, v in os.environ.items() if k not in SLOWING}
        os.execve(sys.executable, [sys.executable, "-m", "benchmarks", *sys.argv[1:]], cleaned)
    from autograd.kernels.environment import forget_environment
    from benchmarks.comparison import compare, failed, failure
    from benchmarks.measuring import matrix_peak
    from benchmarks.processes import HIPS, hips_python
    from benchmarks.setting import DIFFER, setting_of
    from benchmarks.table import lines, titles
    from benchmarks.workloads import WORKLOADS

    options = _options(arguments, list(WORKLOADS))
    os.environ["DAGRAD_KERNELS"] = options.kernels  # also of the processes that measure memory
    forget_environment()
    hips = None
    if HIPS in options.peers:
        try:
            hips = hips_python(options.environments)
        except (RuntimeError, OSError) as error:
            print(f"no environment for HIPS autograd: {error}", file=sys.stderr)
            return 1
    peak = matrix_peak()
    setting = setting_of(options.peers, peak, options.kernels, hips)
    print("\n".join(f"{key}: {value}" for key, value in setting.items()))
    print(titles(), flush=True)
    results: list[dict[str, Any]] = []
    for name in options.workloads:
        workload = WORKLOADS[name]
        try:
            result = compare(
                workload,
                options.peers,
                options.samples,
                with_memory=options.memory,
                hips_python=hips,
            )
        except Exception as error:  # named in the row, and the next workload goes on
            result = failure(workload, error)
        results.append(result)
        print(lines(result, peak / 1e9), flush=True)
        write_json(options.out, {"setting": setting, "results": results})
    if DIFFER in setting:  # beneath the table too, whose rows say `ok` all the same
        print(f"{DIFFER}: {setting[DIFFER]}")
    print(f"written to {options.out}")
    return int(any(failed(result) for result in results))


def _options(arguments: Sequence[str] | None, names: list[str]) -> argparse.Namespace:
    from benchmarks.processes import HIPS, default_folder
    from benchmarks.variables import KERNELS, check_variables

    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=", ".join(names))
    parser.add_argument(
        "--peer",
        action="append",
        choices=(*INSTALLED, HIPS, "none"),
        help=f"may be given again; default: all that are installed, without {HIPS} (HIPS's), which "
        "gets an environment of its own by venv and pip",
    )
    parser.add_argument("--samples", type=int, default=10, help="of each side (10)")
    parser.add_argument(
        "--kernels",
        choices=KERNELS,
        default=os.environ.get("DAGRAD_KERNELS") or "auto",
        help="ours: compiled (the extra `fast`), NumPy's, or compiled where installed (auto)",
    )
    parser.add_argument(
        "--memory",
        action=argparse.BooleanOptionalAction,
        default=sys.platform == "linux",
        help="peak memory too, in processes of their own (on Linux)",
    )
    parser.add_argument("--out", type=Path, default=Path("benchmarks.json"), metavar="FILE")
    parser.add_argument("--environments", type=Path, default=default_folder(), metavar="DIR")
    options = parser.parse_args(arguments)
    check_variables(parser, options.kernels)
    unknown = [name for name in options.workloads if name not in names]
    if unknown:
        parser.error(f"no workload is called {', '.join(unknown)}; there are {', '.join(names)}")
    if options.samples < 1:
        parser.error("--samples must be at least 1")
    if not options.out.resolve().parent.is_dir():
        parser.error(f"--out {options.out}: there is no such folder")
    if options.kernels == "numba" and importlib.util.find_spec("numba") is None:
        parser.error("--kernels numba: Numba is not installed: pip install 'dagrad[fast]'")
    here = [name for name in INSTALLED if importlib.util.find_spec(name)]
    options.peers = [peer for peer in dict.fromkeys(options.peer or here) if peer != "none"]
    missing = [peer for peer in options.peers if peer not in (*here, HIPS)]
    if missing:
        parser.error(f"{', '.join(missing)} is not installed: pip install 'dagrad[peers]'")
    options.workloads = options.workloads or names
    return options


def write_json(path: Path, found: dict[str, Any]) -> None:
    """The file is replaced as a whole."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
