"""A profile's rows as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autograd.profiling.rows import ProfileRow

_WIDTH = 32


def table(rows: Sequence[ProfileRow], title: str, name: Callable[[ProfileRow], str]) -> list[str]:
    """Lines of one table, with a last line that adds up what is in it."""
    total = sum(row.seconds for row in rows)
    return [
        f"{title:{_WIDTH}} pass{'ms':>20} {'share':>7} {'calls':>8} {'MB':>9} {'GFLOP/s':>8}",
        *(_line(name(row), row.sweep, row, total) for row in rows),
        _line("total", "", _sum(rows), total),
    ]


def shortened(rows: Sequence[ProfileRow], limit: int | None) -> list[ProfileRow]:
    """The first `limit` rows, and the rest of them as one."""
    if limit is None or len(rows) <= limit:
        return list(rows)
    others = rows[limit:]
    label = f"({len(others)} more rows)"
    rest = _sum(others)
    return [
        *rows[:limit],
        ProfileRow(label, label, "", rest.seconds, rest.calls, rest.bytes, rest.flops),
    ]


def _sum(rows: Sequence[ProfileRow]) -> ProfileRow:
    return ProfileRow(
        "total",
        "",
        "",
        sum(row.seconds for row in rows),
        sum(row.calls for row in rows),
        sum(row.bytes for row in rows),
        sum(row.flops for row in rows),
    )


def _line(name: str, sweep: str, row: ProfileRow, total: float) -> str:
    label = name if len(name) <= _WIDTH else "…" + name[1 - _WIDTH :]
    rate = row.gflops_per_second
    share = 100 * row.seconds / total if total else 0.0
    return (
        f"{label:{_WIDTH}} {sweep:13} {1e3 * row.seconds:10.3f} {share:5.1f} % "
        f"{row.calls or '':>8} {f'{row.bytes / 1e6:.3f}' if row.calls else '':>9} "
        f"{'' if rate is None else f'{rate:.1f}':>8}"
    ).rstrip()
