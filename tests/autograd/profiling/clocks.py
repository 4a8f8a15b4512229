"""A clock that tests turn, and readings of a profile's rows."""

from __future__ import annotations

import random


class Clock:
    """Nanoseconds that pass only where a test says so, or by chance at every reading."""

    def __init__(self, seed=None):
        self.now = 0
        self.chance = None if seed is None else random.Random(seed)
        self.readings = []

    def __call__(self):
        if self.chance is not None:
            self.now += self.chance.randrange(1000)
        self.readings.append(self.now)
        return self.now

    def elapsed(self):
        return self.readings[-1] - self.readings[0]


def nanoseconds(rows):
    return sum(round(row.seconds * 1e9) for row in rows)


def calls(p, sweep):
    """Of operations, without the sweeps' own rows."""
    return sum(r.calls for r in p.rows if r.sweep == sweep and not r.operation.startswith("("))


def rows_of(p, operation):
    return {row.sweep: row for row in p.rows if row.operation == operation}
