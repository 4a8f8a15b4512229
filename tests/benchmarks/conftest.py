"""Sides that take as long as they say, by a clock that only they move."""

from __future__ import annotations

import pytest


class Clock:
    """`clock(seconds, name)` builds a side; `clock.seen` lists (name, index) of its steps."""

    def __init__(self):
        self.now = 0.0
        self.seen = []

    def __call__(self, seconds, name="", result=1.0):
        """`result` may be a function of the step's number, `seconds` a list to go through."""

        def build():
            times = iter(seconds) if isinstance(seconds, list) else None

            def step(index):
                self.seen.append((name, index))
                self.now += seconds if times is None else next(times)
                return result(index) if callable(result) else result

            return step

        return build

    def indices(self, name):
        return [index for side, index in self.seen if side == name]


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr("benchmarks.workloads.workload.time.perf_counter", lambda: found.now)
    monkeypatch.setattr("benchmarks.measuring.time.sleep", lambda seconds: None)
    monkeypatch.setattr("benchmarks.measuring.SAMPLE", 0.1)
    return found
