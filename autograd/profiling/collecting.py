"""The stopwatch behind `ag.profile`: every moment belongs to exactly one entry.

At each change (an operation begins, a rule ends, ...) the time since the last change goes to the
entry that was running, so that the entries' times add up to the time in all, without a remainder
that nobody measured. What an operation calls inside itself (a composite replays its reference, a
rule uses recorded operations) belongs to it, and is neither counted nor timed on its own.
"""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from autograd.base import Op
from autograd.markers import INPUT, LEAF, OUTPUT
from autograd.modes import Modes, current_modes
from autograd.module_paths import ModulePaths
from autograd.node import Node
from autograd.profiling.counting import (
    bytes_of,
    bytes_written,
    forward_flops,
    node_bytes,
    sweep_flops,
)

clock: Callable[[], int] = time.perf_counter_ns

Key = tuple[str, str, str]
"""The pass, the operation and the module ("" where there is none to speak of)."""

FORWARD = "forward pass"
REVERSE = "reverse sweep"
TANGENTS = "forward sweep"
UPDATE = "update"
REST = "rest"
ORDER = "(order of the nodes, sums)"
OUTSIDE: Key = (REST, "(Python and the rest)", "")
ITSELF: Key = (REST, "(the profile itself)", "")
_MARKERS = (LEAF, INPUT, OUTPUT)


class Entry:
    """What was measured of one operation in one module and pass."""

    __slots__ = ("bytes", "calls", "flops", "nanoseconds")

    def __init__(self) -> None:
        self.nanoseconds = self.calls = self.bytes = self.flops = 0

    def add(self, other: Entry) -> None:
        self.nanoseconds += other.nanoseconds
        self.calls += other.calls
        self.bytes += other.bytes
        self.flops += other.flops


class _State(enum.Enum):
    """What runs now; operations are measured in the first, rules in the second."""

    OUTSIDE = enum.auto()
    CALL = enum.auto()
    SWEEP = enum.auto()
    INSIDE = enum.auto()


class Collector:
    """Measures the thread that started it."""

    def __init__(self) -> None:
        self._outside, self._itself = Entry(), Entry()
        self.entries: dict[Key, Entry] = {OUTSIDE: self._outside, ITSELF: self._itself}
        self._modules = ModulePaths()
        self._state = _State.OUTSIDE
        self._current = self._outside
        self._thread: int | None = None
        self._began = self._mark = 0

    def start(self) -> None:
        self._thread = threading.get_ident()
        self._state, self._current = _State.OUTSIDE, self._outside
        self._began = self._mark = clock()

    def stop(self) -> None:
        self._switch(self._outside)
        self._thread = None

    def settle(self) -> None:
        """Give the time until now to what is running."""
        if self._thread is not None:
            self._switch(self._current)

    def is_of_this_thread(self) -> bool:
        """Whether this thread started it, and has not stopped it."""
        return self._thread == threading.get_ident()

    def watches(self) -> bool:
        """Whether an operation that begins now, in this thread, is to be measured."""
        return self._state is _State.OUTSIDE and self._thread == threading.get_ident()

    def sweeps(self) -> bool:
        """Whether a sweep that this collector measures is about to visit its nodes."""
        return self._state is _State.SWEEP and self._thread == threading.get_ident()

    def absorb(self, inner: Collector) -> None:
        """Take over what a profile inside this one measured, up to the moment it stopped."""
        if self.watches():
            self._switch(self._outside, inner._began)
            for key, entry in inner.entries.items():
                self._entry(key).add(entry)
            self._mark = inner._mark

    def _entry(self, key: Key) -> Entry:
        entry = self.entries.get(key)
        if entry is None:
            entry = self.entries[key] = Entry()
        return entry

    def _switch(self, entry: Entry, now: int | None = None) -> Entry:
        """Let the time from now on be `entry`'s; whose it was until now."""
        if now is None:
            now = clock()
        before = self._current
        before.nanoseconds += now - self._mark
        self._mark, self._current = now, entry
        return before

    def call(
        self,
        apply: Callable[..., Any],
        op: Op,
        operands: Sequence[Any],
        params: dict[str, Any],
    ) -> Any:
        """`apply(op, operands, params)`, measured."""
        self._switch(self._itself)
        entry = self._entry((FORWARD, op.name, self._modules.name(current_modes().scope)))
        entry.calls += 1
        self._state = _State.CALL
        self._switch(entry)
        try:
            result = apply(op, operands, params)
            self._switch(self._itself)
            values = [getattr(operand, "_value", operand) for operand in operands]
            outs = result if isinstance(result, tuple) else (result,)
            out = tuple(getattr(item, "_value", item) for item in outs)
            entry.bytes += bytes_written(out, values)
            entry.flops += forward_flops(op, out[0], values)
            return result
        finally:
            self._state = _State.OUTSIDE
            self._switch(self._outside)

    def sweep(self, kind: str, run: Callable[..., Any], *args: Any, record: bool) -> Any:
        """`run(*args, record=record)`, a whole sweep of this kind."""
        entry = self._entry((kind, ORDER, ""))
        entry.calls += 1
        self._state = _State.SWEEP
        self._switch(entry)
        try:
            return run(*args, record=record)
        finally:
            self._state = _State.OUTSIDE
            self._switch(self._outside)

    def pull_each(
        self,
        pull_all: Callable[..., None],
        order: list[Node],
        found: dict[Node, Any],
        owned: set[Node],
        wanted: frozenset[Node],
        whole: bool,
        record: bool,
    ) -> None:
        """`pull_all` of the reverse sweep, one node at a time."""
        reached = found.__contains__
        self._state = _State.INSIDE
        for node in reversed(order):
            if node.op in _MARKERS or found[node] is None:
                pull_all([node], found, owned, wanted, whole, record)
                continue
            flops = sweep_flops(node, reached)
            size = sum(node_bytes(x) for x in node.inputs if type(x) is Node and reached(x))
            with self._rule(REVERSE, node, flops) as entry:
                pull_all([node], found, owned, wanted, whole, record)
            entry.bytes += size

    def push_each(
        self,
        push_all: Callable[..., None],
        order: list[Node],
        found: dict[Node, Any],
        leading: set[Node],
        record: bool,
        count: int | None,
    ) -> None:
        """`push_all` of the forward sweep, one node at a time."""
        self._state = _State.INSIDE
        for node in order:
            arrives = any(type(x) is Node and x in found for x in node.inputs)
            if node.op in _MARKERS or node not in leading or not arrives:
                push_all([node], found, leading, record, count)
                continue
            flops = (count or 1) * sweep_flops(node, found.__contains__)
            with self._rule(TANGENTS, node, flops) as entry:
                push_all([node], found, leading, record, count)
            entry.bytes += bytes_of(found.get(node))

    def push(
        self, rule: Callable[..., Any], node: Node, arriving: Sequence[Any], modes: Modes
    ) -> Any:
        """The tangent by `rule` of a node that was just recorded."""
        if self._state is not _State.CALL or self._thread != threading.get_ident():
            return rule(node, arriving, modes)
        moved = {
            source
            for source, tangent in zip(node.inputs, arriving, strict=True)
            if tangent is not None
        }
        self._state = _State.INSIDE
        try:
            with self._rule(TANGENTS, node, sweep_flops(node, moved.__contains__)) as entry:
                tangent = rule(node, arriving, modes)
            entry.bytes += bytes_of(tangent)
            return tangent
        finally:
            self._state = _State.CALL

    @contextmanager
    def _rule(self, kind: str, node: Node, flops: int) -> Iterator[Entry]:
        sweep = self._switch(self._itself)
        entry = self._entry((kind, node.op.name, self._modules.name(node.scope)))
        entry.calls += 1
        entry.flops += flops
        self._switch(entry)
        try:
            yield entry
        finally:
            self._switch(sweep)

    @contextmanager
    def update(self, name: str, written: Callable[[], int]) -> Iterator[None]:
        """One step of an optimizer, which writes so many bytes."""
        self._switch(self._itself)
        entry = self._entry((UPDATE, name, "(optimizer)"))
        entry.calls += 1
        entry.bytes += written()
        self._state = _State.INSIDE
        self._switch(entry)
        try:
            yield
        finally:
            self._state = _State.OUTSIDE
            self._switch(self._outside)


@contextmanager
def measured_update(name: str, written: Callable[[], int]) -> Iterator[None]:
    """Around one step of an optimizer: its time goes to `name` where a profile runs."""
    profile = current_modes().profile
    if profile is None or not profile.watches():
        yield
    else:
        with profile.update(name, written):
            yield
