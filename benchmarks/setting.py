"""Where and with what it is measured: machine, versions, threads."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.processes import HIPS, installed_version

DIFFER = "threads differ"
"""The key of a setting in which they do."""


def setting_of(
    peers: Sequence[str], peak: float, kernels: str, hips_python: Path | None
) -> dict[str, Any]:
    """Names and values to print, in order."""
    versions = {
        "dagrad": _version("dagrad"),
        "numpy": _version("numpy"),
        "numba": _version("numba"),
    }
    for peer in peers:
        if peer == HIPS and hips_python is not None:
            numpy = installed_version(hips_python, "numpy")
            versions["HIPS autograd"] = f"{installed_version(hips_python, HIPS)} (NumPy {numpy})"
        else:
            versions[peer] = _version(peer)
    threads = _threads(peers)
    setting = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{processor()}, {os.cpu_count()} cores{_load()}",
        "python": platform.python_version(),
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "kernels": kernels,
        "threads": ", ".join(f"{name} {count}" for name, count in {**threads, **_pools()}.items()),
        "matrix product, GFLOP/s": round(peak / 1e9, 1),
    }
    different = differing(threads)
    return {**setting, DIFFER: different} if different else setting


def differing(threads: Mapping[str, int]) -> str:
    """What to say where a peer has not as many threads as ours; empty where all have."""
    if len(set(threads.values())) < 2:
        return ""
    counts = ", ".join(f"{name} {count}" for name, count in threads.items())
    return f"{counts}: ratios compare different machines"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "from the folder" if package == "dagrad" else "missing"


def processor() -> str:
    """The processor's name where the system tells it."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _load() -> str:
    """Over the last minute, where the system tells it."""
    return f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""


def _threads(peers: Sequence[str]) -> dict[str, int]:
    """Of ours and of each peer that has threads of its own."""
    from autograd.kernels.workers import get_num_threads

    threads = {"ours": get_num_threads()}
    if "torch" in peers:
        import torch

        threads["torch"] = torch.get_num_threads()
    if "jax" in peers and hasattr(os, "sched_getaffinity"):
        threads["jax (cores it may use)"] = len(os.sched_getaffinity(0))
    return threads


def _pools() -> dict[str, int]:
    """Of the libraries for matrix products and the like that are loaded."""
    if not importlib.util.find_spec("threadpoolctl"):
        return {}
    from threadpoolctl import threadpool_info

    return {
        f"{pool['internal_api']} {Path(pool['filepath']).name.partition('-')[0]}": pool[
            "num_threads"
        ]
        for pool in threadpool_info()
    }
