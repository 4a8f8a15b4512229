"""The table: a line for each peer of a workload."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_COLUMNS = (
    ("workload", 20),
    ("ours (quartiles)", 21),
    ("peer", 24),
    ("theirs (quartiles)", 21),
    ("ratio", 15),
    ("GFLOP/s peak", 13),
    ("MiB, ours / theirs", 23),
)


def titles() -> str:
    """The table's head."""
    return _joined([name for name, _ in _COLUMNS]) + "\n" + "-" * sum(w for _, w in _COLUMNS)


def lines(result: dict[str, Any], peak: float) -> str:
    """The lines of one workload; failures and settings that are missing here have their own."""
    name, ours = result["workload"], result["ours"]
    if "failure" in ours:
        found = [f"{name:<20}ours FAILED: {ours['failure']}"]
    else:
        found = []
    for peer, best in result["peers"].items():
        if "failure" in best:
            found.append(f"{'' if found else name:<20}{peer} FAILED: {best['failure']}")
        elif "failure" not in ours:
            theirs = f"{peer} {best['setting']}".strip()
            spread = _spread(result, best["side"])
            cells = (theirs, spread, _ratio(result, peer, best))
            found.append(_line(result, peak, not found, cells, _memory(result, peer, best)))
    if not found:
        found.append(_line(result, peak, True, ("", "", ""), _memory(result, "", {})))
    found += [
        f"{'':<20}{side} is unavailable: {why}" for side, why in result["unavailable"].items()
    ]
    parts = [("ours", ours), *result["peers"].items()]
    faults = _faults(parts)
    if faults:
        found.append(f"{'':<20}page faults of a step: {faults}")
    found += [
        f"{'':<20}FAILED: {part['memory failure']}" for _, part in parts if "memory failure" in part
    ]
    return "\n".join(text if len(text) <= 140 else text[:139] + "…" for text in found)


def _line(
    result: dict[str, Any], peak: float, first: bool, cells: tuple[str, str, str], memory: str
) -> str:
    """Ours is shown once."""
    if not first:
        return _joined(["", "", *cells, "", memory])
    rate = ""
    if result["flops"]:
        gigaflops = result["flops"] / result["ours"]["seconds"] / 1e9
        rate = f"{gigaflops:.0f} {100 * gigaflops / peak:.0f}%"
    mine = _spread(result, "ours")
    if result["limit"]:
        good = result["ours"]["seconds"] / result["operations"] <= result["limit"]
        mine += " ok" if good else f" > {_time(result['limit'])}"
    return _joined([result["workload"], mine, *cells, rate, memory])


def _ratio(result: dict[str, Any], peer: str, best: dict[str, Any]) -> str:
    text = f"{best['ratio']:.2f}"
    if result["target"] is not None and peer == result["against"]:
        good = best["ratio"] <= result["target"]
        text += f" {'ok' if good else 'not'} <={result['target']:g}"
    return text


def _memory(result: dict[str, Any], peer: str, best: dict[str, Any]) -> str:
    parts = [part["memory"]["above"] for part in (result["ours"], best) if "memory" in part]
    text = " / ".join(_digits(part / 2**20) for part in parts)
    if len(parts) == 2 and result["memory_target"] is not None and peer == result["against"]:
        good = parts[0] <= result["memory_target"] * parts[1]
        text += f" {'ok' if good else 'not'} <={result['memory_target']:g}"
    return text


def _faults(parts: list[tuple[str, dict[str, Any]]]) -> str:
    measured = [(side, part.get("memory", {}).get("page_faults")) for side, part in parts]
    return ", ".join(f"{side} {count:,.0f}" for side, count in measured if count is not None)


def _spread(result: dict[str, Any], side: str) -> str:
    """The median and, in the same unit, the quartiles, per operation."""
    timing, count = result["timings"][side], result["operations"]
    unit, size = _unit(timing["median"] / count)
    low, middle, high = (_digits(timing[k] / count / size) for k in ("low", "median", "high"))
    return f"{middle} {unit} ({low}-{high})"


def _time(seconds: float) -> str:
    unit, size = _unit(seconds)
    return f"{_digits(seconds / size)} {unit}"


def _unit(seconds: float) -> tuple[str, float]:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return unit, size
    return "ns", 1e-9


def _digits(number: float) -> str:
    """Three of them."""
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"


def _joined(cells: Sequence[str]) -> str:
    """Cells that are too long push the others to the right."""
    text = ""
    end = 0
    for cell, (_, width) in zip(cells, _COLUMNS, strict=True):
        text = f"{text:<{end}}" + (" " if text and len(text) >= end else "") + cell
        end += width
    return text.rstrip()
