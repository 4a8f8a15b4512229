"""Measuring one workload: ours next to the chosen peers, each at its fastest setting."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import memory
from benchmarks.measuring import Measured, interleaved
from benchmarks.processes import HIPS, Remote, own_command
from benchmarks.workloads import Build, Workload
from benchmarks.workloads.workload import COMPILED

ALWAYS = ("numpy", "dagrad")
"""Written by hand, and other work of our own: what some targets are about."""


def compare(
    workload: Workload,
    peers: Collection[str],
    samples: int,
    *,
    with_memory: bool = False,
    hips_python: Path | None = None,
) -> dict[str, Any]:
    """Times and peak memory of ours and of each peer, ratios, and what failed, as plain data.

    A peer of which one setting fails has failed: its fastest setting is not known. Without ours
    there is nothing to compare.
    """
    sides: dict[str, Build] = {"ours": workload.ours}
    settings: dict[str, dict[str, str]] = {}
    for peer, builds in workload.peers.items():
        if peer not in (*ALWAYS, *peers):
            continue
        for setting, build in builds.items():
            name = f"{peer} {setting}".strip()
            settings.setdefault(peer, {})[setting] = name
            sides[name] = build
            if peer == HIPS:
                sides[name] = _remote(workload, setting, hips_python)
    optional = [names[COMPILED] for names in settings.values() if COMPILED in names]
    found = interleaved(sides, samples, optional=optional, agreement=workload.agreement)
    result = _description(workload, found)
    for peer, names in settings.items():
        result["peers"][peer] = _best(found, names)
    if with_memory and workload.with_memory:
        _add_memory(workload, result, hips_python)
    return result


def failed(result: dict[str, Any]) -> bool:
    """Whether any side of a comparison failed, in time or memory."""
    parts = [result["ours"], *result["peers"].values()]
    return any("failure" in part or "memory failure" in part for part in parts)


def failure(workload: Workload, error: Exception) -> dict[str, Any]:
    """The result of a comparison that could not be made at all."""
    found = Measured(failures={"ours": f"{type(error).__name__}: {error}"})
    return _description(workload, found)


def _description(workload: Workload, found: Measured) -> dict[str, Any]:
    result: dict[str, Any] = {
        key: getattr(workload, key)
        for key in ("summary", "operations", "flops", "target", "against", "memory_target", "limit")
    }
    ours: dict[str, Any] = {}
    if "ours" in found.failures:
        ours["failure"] = found.failures["ours"]
    else:
        ours["seconds"] = found.timings["ours"].median
    return {
        "workload": workload.name,
        **result,
        "timings": {name: asdict(timing) for name, timing in found.timings.items()},
        "unavailable": dict(found.unavailable),
        "ours": ours,
        "peers": {},
    }


def _remote(workload: Workload, setting: str, python: Path | None) -> Callable[[], Remote]:
    if python is None:
        raise ValueError(f"{HIPS} runs in an environment of its own, and none was given")
    return partial(Remote, python, workload.name, HIPS, setting)


def _best(found: Measured, names: dict[str, str]) -> dict[str, Any]:
    failures = [
        f"{name}: {found.failures[name]}" for name in names.values() if name in found.failures
    ]
    if failures:
        return {"failure": "; ".join(failures)}
    timed = {setting: name for setting, name in names.items() if name in found.timings}
    if not timed:
        missing = (found.unavailable[name] for name in names.values())
        return {"failure": "no setting works here: " + "; ".join(missing)}
    setting = min(timed, key=lambda s: found.timings[timed[s]].median)
    seconds = found.timings[timed[setting]].median
    best: dict[str, Any] = {"setting": setting, "side": timed[setting], "seconds": seconds}
    if "ours" in found.timings:
        best["ratio"] = found.timings["ours"].median / seconds
    return best


def _add_memory(workload: Workload, result: dict[str, Any], hips_python: Path | None) -> None:
    """Of ours and of each peer's fastest setting; what goes wrong is a failure of its row."""
    for peer, part in [("ours", result["ours"]), *result["peers"].items()]:
        if "failure" in part:
            continue
        command = own_command(hips_python if peer == HIPS else Path(sys.executable))
        try:
            part["memory"] = memory.measure(command, workload.name, peer, part.get("setting", ""))
        except RuntimeError as error:
            part["memory failure"] = str(error)
