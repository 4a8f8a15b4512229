"""Both sides in turn, rotating inputs, failures that are failures."""

from __future__ import annotations

import gc
import math
import weakref
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.measuring import interleaved, matrix_peak
from benchmarks.workloads.workload import BATCHES


def test_sides_take_turns(clock):
    found = interleaved({"a": clock(0.5, "a"), "b": clock(0.25, "b")}, samples=3)
    assert [timing.median for timing in found.timings.values()] == [0.5, 0.25]
    names = [name for name, _ in clock.seen]
    assert names == ["a", "b", *["a"] * 4, *["b"] * 4, "a", "b", "a", "b", "a", "b"]


def test_inputs_go_on_rotating_from_sample_to_sample(clock):
    interleaved({"a": clock(0.045, "a"), "b": clock(1.0, "b")}, samples=4)
    assert clock.indices("a") == list(range(5 + 3 + 4 * 3))
    assert clock.indices("b") == list(range(5 + 4))


def test_short_steps_are_timed_several_at_a_time(clock):
    found = interleaved({"a": clock(0.005, "a")}, samples=2)
    assert found.timings["a"].median == pytest.approx(0.005)
    assert len(clock.seen) == 5 + 20 + 2 * 20


def test_samples_are_as_long_where_a_step_of_the_warm_up_was_slow(clock):
    steps = [1.0, 0.5, 0.5, 0.5, 0.06, *[0.03] * 100]
    found = interleaved({"a": clock(steps, "a")}, samples=2)
    assert len(clock.seen) == 5 + 4 + 2 * 4
    assert found.timings["a"].median == pytest.approx(0.03)


def test_warm_up_is_not_timed(clock):
    found = interleaved({"a": clock([9.0, *[1.0] * 4, 2.0, 4.0], "a")}, samples=2)
    assert len(clock.seen) == 5 + 2
    assert found.timings["a"].median == 3.0
    assert found.timings["a"].samples == 2


@given(st.lists(st.floats(1.0, 100.0), min_size=1, max_size=12))
def test_median_and_quartiles(seconds):
    def sample(first, count):
        return (1.0 if first < 5 else seconds[first - 5]), 0.0

    sampler = SimpleNamespace(sample=sample)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("benchmarks.measuring.time.sleep", lambda seconds: None)
        timing = interleaved({"a": lambda: sampler}, len(seconds)).timings["a"]
    expected = np.quantile(seconds, [0.25, 0.5, 0.75])
    np.testing.assert_allclose([timing.low, timing.median, timing.high], expected, rtol=1e-12)


def raising(index):
    raise ZeroDivisionError("no\nreason")


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("when", [0, 1, 4, 5, 6])
def test_results_that_are_not_finite(clock, bad, when):
    diverging = clock(0.5, "bad", lambda index: bad if index == when else 1.0)
    found = interleaved({"ours": clock(0.5, "ours"), "bad": diverging}, samples=2)
    assert found.failures == {"bad": f"FloatingPointError: step {when} gave {bad}"}
    assert set(found.timings) == {"ours"}
    assert clock.indices("bad") == list(range(when + 1))


def test_sides_that_raise_fail_alone(clock):
    def not_built():
        raise ImportError("nothing here")

    sides = {"ours": lambda: raising, "missing": not_built, "good": clock(0.5, "good")}
    found = interleaved(sides, samples=2)
    assert found.failures == {
        "ours": "ZeroDivisionError: no reason",
        "missing": "ImportError: nothing here",
    }
    assert found.timings["good"].median == 0.5


def test_optional_sides_are_unavailable_only_before_they_worked(clock):
    def late(index):
        return 1.0 if index == 0 else raising(index)

    sides = {"ours": clock(0.5), "never": lambda: raising, "late": clock(0.5, "late", late)}
    found = interleaved(sides, samples=2, optional=["never", "late"])
    assert found.unavailable == {"never": "ZeroDivisionError: no reason"}
    assert found.failures == {"late": "ZeroDivisionError: no reason"}


@pytest.mark.parametrize(
    ("ours", "theirs", "agree"),
    [
        (2.0, 2.0015, True),
        (2.0, 2.01, False),
        (0.0, 5e-4, True),
        (0.0, 0.01, False),
        (1e6, 1e6 + 500, True),
    ],
)
def test_results_must_agree(clock, ours, theirs, agree):
    sides = {"ours": clock(0.5, result=ours), "theirs": clock(0.5, result=theirs)}
    found = interleaved(sides, samples=2, agreement=1e-3)
    assert ("theirs" in found.timings) == agree
    assert ("theirs" in found.failures) == (not agree)
    assert interleaved(sides, samples=2).failures == {}


@pytest.mark.parametrize("when", range(7))
def test_every_batch_and_one_a_second_time_are_compared(clock, when):
    sides = {
        "ours": clock(0.5, result=lambda index: 1.0 + index),
        "theirs": clock(0.5, result=lambda index: 1.0 + index + (index == when)),
    }
    found = interleaved(sides, samples=2, agreement=1e-3)
    if when <= BATCHES:
        why = f"ArithmeticError: step {when} gave {2.0 + when}, ours {1.0 + when}"
        assert found.failures == {"theirs": why}
    else:
        assert not found.failures


def test_processes_are_ended_whatever_happens():
    ended = []

    class Child:
        def __init__(self, name, fails):
            self.name, self.fails = name, fails

        def sample(self, first, count):
            if self.fails:
                raise self.fails
            return 1.0, 0.0

        def close(self):
            ended.append(self.name)

    sides = {"a": lambda: Child("a", None), "b": lambda: Child("b", ValueError("broken"))}
    assert interleaved(sides, samples=1).failures == {"b": "ValueError: broken"}
    assert ended == ["a", "b"]
    sides["b"] = lambda: Child("b", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        interleaved(sides, samples=1)
    assert ended == ["a", "b"] * 2


def test_collections_leave_alone_what_was_there_before():
    assert gc.get_freeze_count() == 0
    before = [object()]
    frozen, visited = [], []

    def build():
        def step(index):
            frozen.append(gc.get_freeze_count())
            visited.append(any(found is before for found in gc.get_objects()))
            return 1.0

        return step

    found = interleaved({"a": build}, samples=2, seconds=1e-9)
    assert not found.failures
    assert frozen[:5] == [0] * 5 and visited[:5] == [True] * 5  # warming up
    assert min(frozen[-2:]) > 0 and visited[-2:] == [False] * 2
    assert gc.get_freeze_count() == 0


@pytest.mark.parametrize("error", [ValueError("broken"), KeyboardInterrupt()])
def test_what_was_set_aside_is_brought_back_after_a_failure(clock, error):
    def failing(index):
        if index == 5:
            assert gc.get_freeze_count() > 0
            raise error
        return 1.0

    sides = {"a": clock(0.5, result=failing)}
    if isinstance(error, ValueError):
        assert interleaved(sides, samples=1).failures == {"a": "ValueError: broken"}
    else:
        with pytest.raises(KeyboardInterrupt):
            interleaved(sides, samples=1)
    assert gc.get_freeze_count() == 0


def test_a_sample_does_not_begin_with_the_last_ones_garbage(clock):
    class Node:
        pass

    left, at_start = [], []

    def messy(index):
        node = Node()
        node.itself = node
        left.append(weakref.ref(node))
        return 1.0

    def tidy(index):
        at_start.append(sum(node() is not None for node in left[-1:]))
        return 1.0

    interleaved({"messy": clock(0.5, result=messy), "tidy": clock(0.5, result=tidy)}, samples=3)
    assert at_start[-3:] == [0] * 3


def test_matrix_peak_counts_multiplications_and_additions(monkeypatch):
    times = iter([0.0, 2.0, 10.0, 11.0])
    monkeypatch.setattr("benchmarks.measuring.time.perf_counter", lambda: next(times))
    assert matrix_peak(8, 2) == 2 * 8**3
