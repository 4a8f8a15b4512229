"""What a profile tells: one row for each operation, module and pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class ProfileRow:
    """Time and work of one operation in one module and one pass, without what it did not do itself.

    `sweep` is "forward pass", "reverse sweep", "forward sweep", "update" (an optimizer's step) or
    "rest"; the "rest" rows are Python between the operations, and the measuring itself. `module`
    is like "Net.features.0 (Conv2d)", "(no module)" outside all, "" where there is none to speak
    of. `seconds` are exclusive: the rows of a profile add up to its time in all. `bytes` are those
    of the results, cotangents or tangents made (0 for views), `flops` additions and
    multiplications by the definition, 0 where they are not counted.
    """

    operation: str
    module: str
    sweep: str
    seconds: float
    calls: int
    bytes: int
    flops: int

    @property
    def gflops_per_second(self) -> float | None:
        """10^9 floating-point operations a second; None where they are not counted."""
        return self.flops / self.seconds / 1e9 if self.flops and self.seconds else None


def grouped(
    rows: Iterable[ProfileRow], name: Callable[[ProfileRow], tuple[str, str]]
) -> list[ProfileRow]:
    """Rows of the same `name(row)`, (operation, module), and pass added up, the slowest first."""
    sums: dict[tuple[str, str, str], ProfileRow] = {}
    for row in rows:
        operation, module = name(row)
        known = sums.get((operation, module, row.sweep))
        sums[operation, module, row.sweep] = (
            replace(row, operation=operation, module=module)
            if known is None
            else replace(
                known,
                seconds=known.seconds + row.seconds,
                calls=known.calls + row.calls,
                bytes=known.bytes + row.bytes,
                flops=known.flops + row.flops,
            )
        )
    return sorted(sums.values(), key=lambda row: -row.seconds)
