"""`ag.profile`: the block that is measured, and what it gives."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any, Self

from autograd.modes import current_modes, profiled
from autograd.profiling.collecting import Collector, Entry, Key
from autograd.profiling.reporting import shortened, table
from autograd.profiling.rows import ProfileRow, grouped


class profile:
    """Measure a block: time, calls, bytes and GFLOP/s per operation and module, in every pass.

    `with ag.profile() as p:` prints two tables when the block ends, also by an exception;
    `ag.profile(show=False)` prints nothing. `print(p)`, `p.rows`, `p.by_operation()`,
    `p.by_module()`, `p.seconds` and `p.to_json()` give the figures at any time.

    A row is an operation of the forward pass, its rule in the reverse or the forward sweep, or an
    optimizer's step. Times are of the wall clock and exclusive: every moment belongs to one row,
    what an operation calls inside itself to that operation, and what belongs to none (Python, data
    loading) to a row of its own, so that the rows add up to the block's time. MB are 10^6 bytes of
    results, cotangents or tangents, views not counted. GFLOP/s are 10^9 additions and
    multiplications a second by the definition of a matrix product or convolution, also where the
    kernel needs fewer (Winograd's), for operations that declare them.

    Operations are seen in the thread that entered the block. A profile inside another one is part
    of both. Entered again, a profile adds up. Measuring costs some microseconds for each
    operation, shown as a row of its own.

    Raises RuntimeError when entered while it is running, and when left while it is not, in another
    thread, or before a profile inside it.

    >>> import autograd as ag, numpy as np
    >>> w = ag.Tensor(np.ones((64, 64)), requires_grad=True)
    >>> with ag.profile(show=False) as p:
    ...     ag.sum(ag.matmul(w, w)).backward()
    >>> [(r.sweep, r.calls, r.flops) for r in sorted(p.rows, key=str) if r.operation == "matmul"]
    [('forward pass', 1, 524288), ('reverse sweep', 1, 1048576)]
    """

    def __init__(self, *, show: bool = True) -> None:
        if not isinstance(show, bool):
            raise TypeError(f"profile takes show=True or show=False, got {show!r}")
        self._show = show
        self._entries: dict[Key, Entry] = {}
        self._running: tuple[Collector, profiled, Collector | None] | None = None

    def __enter__(self) -> Self:
        if self._running is not None:
            raise RuntimeError(
                "this profile is already running; to measure a part on its own, use another "
                "ag.profile() inside"
            )
        outer, collector = current_modes().profile, Collector()
        mode = profiled(collector)
        self._running = (collector, mode, outer)
        mode.__enter__()
        collector.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._running is None:
            raise RuntimeError(
                "this profile is not running: it was left before, or never entered; "
                "`with ag.profile() as p:` does both once"
            )
        collector, mode, outer = self._running
        if not collector.is_of_this_thread():
            raise RuntimeError(
                "this profile was entered in another thread, which it measures; leave it there"
            )
        innermost = current_modes().profile
        if innermost is not collector and innermost is not outer:
            raise RuntimeError(
                "a profile that was entered after this one is still running; leave that one first, "
                "or use a `with` block for each"
            )
        collector.stop()
        self._running = None
        if innermost is collector:  # or a block around a generator has ended its modes already
            mode.__exit__(*exc_info)
        if outer is not None:
            outer.absorb(collector)
        _merge(self._entries, collector.entries)
        if self._show:
            sys.stdout.write(f"{self}\n")

    def _measured(self) -> dict[Key, Entry]:
        if self._running is None:
            return self._entries
        both: dict[Key, Entry] = {}
        collector = self._running[0]
        collector.settle()
        _merge(both, self._entries)
        _merge(both, collector.entries)
        return both

    @property
    def rows(self) -> list[ProfileRow]:
        """One row for each operation, module and pass, the slowest first."""
        rows = [
            ProfileRow(
                operation=operation,
                module=module,
                sweep=sweep,
                seconds=entry.nanoseconds / 1e9,
                calls=entry.calls,
                bytes=entry.bytes,
                flops=entry.flops,
            )
            for (sweep, operation, module), entry in self._measured().items()
        ]
        return sorted(rows, key=lambda row: -row.seconds)

    @property
    def seconds(self) -> float:
        """The time inside the block, or all blocks; the rows' times add up to it."""
        return sum(entry.nanoseconds for entry in self._measured().values()) / 1e9

    def by_operation(self) -> list[ProfileRow]:
        """The rows of all modules added up, for each operation and pass."""
        return grouped(self.rows, lambda row: (row.operation, ""))

    def by_module(self) -> list[ProfileRow]:
        """The rows of all operations added up, for each module and pass.

        A module's row is what was recorded in its own `forward`, without the modules it calls.
        """
        return grouped(self.rows, lambda row: ("", _part(row)))

    def table(self, limit: int | None = 30) -> str:
        """Both tables as text, each with its slowest `limit` rows (None: all) and the total.

        >>> import autograd as ag
        >>> with ag.profile(show=False) as p:
        ...     _ = ag.exp(1.0)
        >>> "exp" in p.table(limit=None)
        True
        """
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int)):
            raise TypeError(f"limit must be a number of rows or None, got {limit!r}")
        if limit is not None and limit < 1:
            raise ValueError(f"limit must be at least 1, got {limit}")
        rows = self.rows
        operations = grouped(rows, lambda row: (row.operation, ""))
        modules = grouped(rows, lambda row: ("", _part(row)))
        lines = table(shortened(operations, limit), "operation", lambda row: row.operation)
        lines.append("")
        lines += table(shortened(modules, limit), "module", lambda row: row.module)
        return "\n".join(lines)

    def to_json(self) -> str:
        """The time in all and every row, as JSON.

        >>> import autograd as ag, json
        >>> with ag.profile(show=False) as p:
        ...     _ = ag.exp(1.0)
        >>> sorted(json.loads(p.to_json()))
        ['rows', 'seconds']
        """
        content: dict[str, Any] = {
            "seconds": self.seconds,
            "rows": [
                {**asdict(row), "gflops_per_second": row.gflops_per_second} for row in self.rows
            ],
        }
        return json.dumps(content, indent=2)

    def __str__(self) -> str:
        return self.table()

    def __repr__(self) -> str:
        state = ", running" if self._running is not None else ""
        return f"<profile of {self.seconds:.6f} s, {len(self.rows)} rows{state}>"


def _merge(into: dict[Key, Entry], entries: dict[Key, Entry]) -> None:
    for key, entry in entries.items():
        into.setdefault(key, Entry()).add(entry)


def _part(row: ProfileRow) -> str:
    """The module, or what a row that belongs to none is."""
    return row.module or row.operation
