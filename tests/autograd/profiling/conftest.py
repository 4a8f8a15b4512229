"""The profiler's clock, in the hands of a test."""

from __future__ import annotations

import pytest

from autograd.profiling import collecting
from tests.autograd.profiling.clocks import Clock


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(collecting, "clock", clock)
    return clock
