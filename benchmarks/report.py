"""Measuring one workload, and its row of the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks import memory
from benchmarks.measuring import interleaved
from benchmarks.workloads import Step, Workload

_WIDTHS = (22, 32, 30, 8, 12, 12, 20)


def measured(
    workload: Workload, peers: Sequence[str], samples: int, with_memory: bool
) -> dict[str, Any]:
    """Times of ours and of the chosen peers' settings, each peer's best, ratios, memory."""
    sides: dict[str, Callable[[], Step]] = {"ours": workload.ours}
    for peer in peers:
        for setting, build in workload.peers.get(peer, {}).items():
            sides[f"{peer} {setting}".strip()] = build
    timings = interleaved(sides, samples)
    ours = timings["ours"].median
    best: dict[str, Any] = {}
    for name, timing in timings.items():
        peer, _, setting = name.partition(" ")
        if name != "ours" and (peer not in best or timing.median < best[peer]["seconds"]):
            best[peer] = {
                "setting": setting,
                "seconds": timing.median,
                "ratio": ours / timing.median,
            }
    result: dict[str, Any] = {
        "workload": workload.name,
        "summary": workload.summary,
        "operations": workload.operations,
        "timings": {name: asdict(timing) for name, timing in timings.items()},
        "best": best,
        "target": workload.target,
        "against": workload.against,
        "flops": workload.flops,
    }
    if with_memory:
        result["memory"] = {"ours": memory.measure(workload.name, "ours", "")}
        for peer, found in best.items():
            result["memory"][peer] = memory.measure(workload.name, peer, found["setting"])
    return result


def titles() -> str:
    """The table's head."""
    names = (
        "workload",
        "ours (quartiles)",
        "peer",
        "ratio",
        "target",
        "GFLOP/s",
        "memory, ours/peer",
    )
    return _joined(names) + "\n" + _joined(["-" * (width - 2) for width in _WIDTHS])


def row(result: dict[str, Any], peak: float) -> str:
    """The lines of one workload: one for each peer."""
    if "failure" in result:
        return f"{result['workload']}: FAILED: {result['failure']}"
    ours = result["timings"]["ours"]
    count = result["operations"]
    rate = ""
    if result["flops"]:
        gigaflops = result["flops"] / ours["median"] / 1e9
        rate = f"{gigaflops:.0f} {100 * gigaflops / peak:.0f}%"
    mine = f"{_time(ours['median'] / count)} ({_time(ours['low'] / count)} - "
    mine += f"{_time(ours['high'] / count)})"
    lines = []
    for peer, found in result["best"].items() or [("-", None)]:
        if found is None:
            lines.append(_joined((result["workload"], mine, "-", "", "", rate, "")))
            continue
        theirs = f"{peer} {found['setting']}".strip() + f" {_time(found['seconds'] / count)}"
        aimed = peer == result["against"]
        target = f"<= {result['target']:g}" if aimed else ""
        verdict = " ok" if aimed and found["ratio"] <= result["target"] else ""
        lines.append(
            _joined(
                (
                    result["workload"] if not lines else "",
                    mine if not lines else "",
                    theirs,
                    f"{found['ratio']:.2f}",
                    target + verdict,
                    rate if not lines else "",
                    _memory(result, peer),
                )
            )
        )
    return "\n".join(lines)


def _memory(result: dict[str, Any], peer: str) -> str:
    if "memory" not in result:
        return ""
    mine, theirs = (result["memory"][side]["above"] / 2**20 for side in ("ours", peer))
    return f"{mine:.0f} / {theirs:.0f} MiB"


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} us"


def _joined(cells: Sequence[str]) -> str:
    return "".join(f"{cell:<{width}}" for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()
