"""`python -m benchmarks [WORKLOAD ...] [--peer torch]`: ours and the peers in one run."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# Some machines slow down NumPy's matrix product with these; they are read when NumPy is loaded.
SLOWING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
MODULES = {"torch": "torch", "micrograd": "micrograd", "mygrad": "mygrad", "numpy": "numpy"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, write the JSON; 1 if a side failed."""
    if any(name in os.environ for name in SLOWING):
        cleaned = {k: v for k, v in os.environ.items() if k not in SLOWING}
        os.execve(sys.executable, [sys.executable, "-m", "benchmarks", *sys.argv[1:]], cleaned)
    from benchmarks.measuring import matrix_peak
    from benchmarks.report import measured, row, titles
    from benchmarks.workloads import WORKLOADS

    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=", ".join(WORKLOADS))
    parser.add_argument(
        "--peer", action="append", choices=sorted(MODULES), help="default: all here"
    )
    parser.add_argument("--samples", type=int, default=10, help="of each side (10)")
    parser.add_argument("--memory", action="store_true", help="peak memory too, on Linux")
    parser.add_argument("--out", type=Path, default=Path("benchmarks.json"), metavar="FILE")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.workloads if name not in WORKLOADS]
    if unknown:
        parser.error(
            f"no workload is called {', '.join(unknown)}; there are {', '.join(WORKLOADS)}"
        )
    if options.samples < 1:
        parser.error("--samples must be at least 1")
    peers = options.peer or [name for name in MODULES if importlib.util.find_spec(MODULES[name])]
    missing = [name for name in peers if importlib.util.find_spec(MODULES[name]) is None]
    if missing:
        parser.error(f"{', '.join(missing)} is not installed: pip install 'dagrad[peers]'")
    setting = _setting(peers, matrix_peak())
    print("\n".join(f"{key}: {value}" for key, value in setting.items()))
    print(titles())
    results, failed = [], False
    for name in options.workloads or list(WORKLOADS):
        try:
            result = measured(WORKLOADS[name], peers, options.samples, options.memory)
        except Exception as error:  # a failing side is a failure of the row, named here
            failed = True
            result = {"workload": name, "failure": f"{type(error).__name__}: {error}"}
        results.append(result)
        print(row(result, setting["matrix product, GFLOP/s"]), flush=True)
    options.out.write_text(json.dumps({"setting": setting, "results": results}, indent=1))
    print(f"written to {options.out}")
    return int(failed)


def _setting(peers: Sequence[str], peak: float) -> dict[str, Any]:
    """Where and with what it is measured."""
    versions = {}
    for package in ("dagrad", "numpy", "numba", *peers):
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "from the folder" if package == "dagrad" else "missing"
    setting = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "matrix product, GFLOP/s": round(peak / 1e9, 1),
    }
    if "torch" in peers:
        import torch

        setting["threads of torch"] = torch.get_num_threads()
    if importlib.util.find_spec("threadpoolctl"):
        from threadpoolctl import threadpool_info

        pools = {pool["internal_api"]: pool["num_threads"] for pool in threadpool_info()}
        setting["threads of the pools"] = ", ".join(f"{k} {v}" for k, v in pools.items())
    return setting


if __name__ == "__main__":
    sys.exit(main())
