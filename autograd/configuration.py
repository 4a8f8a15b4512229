"""What runs on this machine and why: versions, kernels, threads and memory."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Any

import numpy as np

from autograd.kernels.backend import LARGE, explain_choice, explain_winograd
from autograd.kernels.blas import blas_threads
from autograd.kernels.blas_operands import own_product_pays
from autograd.kernels.buffers import POOLED_FROM, held_bytes
from autograd.kernels.matrix_units import explain_matrix_units
from autograd.kernels.sparse_products import sparse_product_pays
from autograd.kernels.workers import get_num_threads, thread_count

Settings = dict[str, dict[str, Any]]


def show_config(mode: str = "text") -> Settings | None:
    """Print versions, the kernels in use and why, threads, and the pool of buffers.

    `mode="dicts"` returns the same as nested dicts instead, as `np.show_config` does. Nothing is
    imported or compiled for it, except threadpoolctl where it is installed.

    Raises ValueError for another mode, or a setting in the environment that is not understood.

    >>> import autograd as ag
    >>> sorted(ag.show_config(mode="dicts"))
    ['kernels', 'memory', 'threads', 'versions']
    """
    if mode not in ("text", "dicts"):
        raise ValueError(f"show_config mode must be 'text' or 'dicts', got {mode!r}")
    settings: Settings = {
        "versions": _versions(),
        "kernels": _kernels(),
        "threads": _threads(),
        "memory": _memory(),
    }
    if mode == "dicts":
        return settings
    width = max(len(name) for part in settings.values() for name in part)
    lines = []
    for title, part in settings.items():
        lines.append(title)
        lines += [f"  {name:{width}}  {value}" for name, value in part.items()]
    sys.stdout.write("\n".join(lines) + "\n")
    return None


def _installed(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _versions() -> dict[str, Any]:
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "dagrad": _installed("dagrad") or "not installed (imported from its source)",
        "Python": ".".join(map(str, sys.version_info[:3])),
        "NumPy": np.__version__,
        "BLAS": f"{blas['name']} {blas['version']}",
        "Numba": _installed("numba") or "not installed",
        "threadpoolctl": _installed("threadpoolctl") or "not installed",
    }


def _kernels() -> dict[str, Any]:
    choice, reason = explain_choice()
    winograd, why = explain_winograd()
    units, units_why = explain_matrix_units()
    if choice == "numpy":
        winograd, why = False, "it needs the compiled kernels"
        units, units_why = False, "they need the compiled kernels"
    kernels = {
        "used": f"{choice} ({reason})",
        "Winograd": f"{'on' if winograd else 'off'} ({why})",
        "matrix units": f"{'on' if units else 'off'} ({units_why})",
    }
    if choice == "numba":
        kernels["from"] = f"{LARGE} elements (smaller arrays go to NumPy)"
        loaded = "numba" in sys.modules
        kernels["loaded"] = "yes" if loaded else "at their first use"
        if loaded:  # or asking would load it
            kernels["float32 products"] = "our own" if own_product_pays() else "the BLAS's"
            zeros = "left out where there are many" if sparse_product_pays() else "multiplied"
            kernels["zeros in float32 products"] = zeros
    return kernels


def _threads() -> dict[str, Any]:
    threads: dict[str, Any] = {"number": get_num_threads()}
    if find_spec("threadpoolctl") is None:
        threads["BLAS"] = "unknown (threadpoolctl is not installed: pip install 'dagrad[fast]')"
    else:
        threads["BLAS"] = ", ".join(map(str, blas_threads())) or "unknown (no BLAS was found)"
    if get_num_threads() > 1:
        threads["split by"] = "the library" if thread_count() > 1 else "the BLAS"
    return threads


def _memory() -> dict[str, Any]:
    used, kept = held_bytes()
    return {
        "pooled from": f"{POOLED_FROM} bytes",
        "in use": f"{used} bytes",
        "kept for the next": f"{kept} bytes",
    }
