"""The library's threads stay off their caller's processor."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from autograd.kernels.placement import Placement

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets threads be placed")


@pytest.fixture
def idle() -> int:
    """The number of a thread that does nothing until the test ends."""
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert thread.native_id is not None
        yield thread.native_id
    finally:
        done.set()
        thread.join()


def test_a_thread_leaves_the_processor_of_its_caller(
    idle: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = os.sched_getaffinity(0)
    placement = Placement()
    for present in [*allowed, *allowed]:
        monkeypatch.setattr(placement, "_present", lambda present=present: present)
        placement.avoid_caller([idle])
        assert os.sched_getaffinity(idle) == (allowed - {present} or allowed)
    assert os.sched_getaffinity(0) == allowed


def test_a_thread_that_has_ended_is_passed_over(idle: int) -> None:
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    assert thread.native_id is not None
    Placement().avoid_caller([thread.native_id, idle])


def test_nothing_happens_without_the_system_call(
    idle: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = os.sched_getaffinity(idle)
    placement = Placement()
    monkeypatch.setattr(placement, "_present", None)
    placement.avoid_caller([idle])
    assert os.sched_getaffinity(idle) == before
