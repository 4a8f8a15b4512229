"""A prefetching thread gives what its source gives, and leaves nothing behind."""

from __future__ import annotations

import contextvars
import multiprocessing
import os
import threading
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from examples.cifar10.data.batches import Batches
from examples.cifar10.data.images import LabelledImages
from examples.cifar10.data.prefetching import Prefetcher

DEPTHS = st.integers(0, 5)


class Broken(Exception):
    pass


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "prefetch"]


@pytest.fixture(autouse=True)
def _no_thread_is_left():
    yield
    assert threads() == []


def failing_at(place, log=None):
    try:
        for i in range(place):
            if log is not None:
                log.append(i)
            yield i
        raise Broken(place)
    finally:
        if log is not None:
            log.append("closed")


@given(st.lists(st.integers(), max_size=20), DEPTHS)
def test_all_items_in_order(items, depth):
    with Prefetcher(items, depth) as prefetcher:
        assert list(prefetcher) == items
        assert next(prefetcher, "end") == "end"


@given(st.integers(0, 8), DEPTHS, st.integers(0, 10))
def test_stopping_early_ends_the_thread_and_closes_the_source(place, depth, taken):
    log = []
    with Prefetcher(failing_at(place, log), depth) as prefetcher:
        for _ in range(min(taken, place)):
            next(prefetcher)
    assert threads() == []
    made = [entry for entry in log if entry != "closed"]
    assert made == list(range(len(made)))
    # At most the places of the buffer, one in the making, and nothing once the block has ended.
    assert min(taken, place) <= len(made) <= min(taken, place) + depth + 1
    if made:
        assert log[-1] == "closed"
    with pytest.raises(RuntimeError, match="has ended"):
        next(prefetcher)


@given(st.integers(0, 8), DEPTHS)
def test_an_exception_comes_after_the_items_before_it_and_once(place, depth):
    with Prefetcher(failing_at(place), depth) as prefetcher:
        for i in range(place):
            assert next(prefetcher) == i
        with pytest.raises(Broken) as raised:
            next(prefetcher)
        assert raised.value.args == (place,)
        # The traceback leads to the source's line.
        assert raised.traceback[-1].name == "failing_at"
        assert list(prefetcher) == []


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_an_exception_in_the_block_passes(depth):
    def fail():
        with Prefetcher(iter(int, 1), depth) as prefetcher:  # endless zeros
            next(prefetcher)
            raise Broken

    with pytest.raises(Broken):
        fail()


@pytest.mark.parametrize("depth", [0, 2])
def test_what_closing_raises_is_heard(depth):
    def source():
        try:
            yield from range(9)
        finally:
            raise Broken

    with pytest.raises(Broken), Prefetcher(source(), depth) as prefetcher:
        assert next(prefetcher) == 0


@given(st.integers(1, 4))
def test_no_more_than_the_depth_is_made_ahead(depth):
    made = []
    waiting = threading.Event()

    def source():
        for i in range(20):
            made.append(i)
            if len(made) >= depth:
                waiting.set()
            yield i

    with Prefetcher(source(), depth) as prefetcher:
        assert waiting.wait(10)  # made ahead though nothing was asked for
        for i in range(12):
            assert len(made) <= i + depth + 1
            assert next(prefetcher) == i


def test_the_thread_is_another_one_and_ends_with_the_source():
    with Prefetcher(threading.get_ident() for _ in range(3)) as prefetcher:
        (maker,) = threads()
        made_by = set(prefetcher)
        maker.join(10)
        assert not maker.is_alive()
    assert len(made_by) == 1
    assert threading.get_ident() not in made_by


def test_the_source_runs_in_the_context_of_the_block():
    setting = contextvars.ContextVar("setting", default=0)

    def source():
        with ag.no_grad():  # left in the context that it was entered in
            while True:
                yield setting.get(), np.geterr()["divide"]

    setting.set(7)
    with np.errstate(divide="ignore"), Prefetcher(source(), 2) as prefetcher:
        assert next(prefetcher) == (7, "ignore")


def test_waiting_is_measured():
    gate = threading.Event()

    def source():
        yield 1
        gate.wait(10)
        yield 2

    with Prefetcher(source()) as prefetcher:
        next(prefetcher)
        before = prefetcher.waited_seconds
        threading.Timer(0.05, gate.set).start()
        next(prefetcher)
        assert prefetcher.waited_seconds - before > 0.02


def test_misuse_is_an_error():
    with pytest.raises(ValueError, match="depth must be 0"):
        Prefetcher([], -1)
    prefetcher = Prefetcher([1])
    with pytest.raises(RuntimeError, match="in a block"):
        next(prefetcher)
    with prefetcher:
        assert list(prefetcher) == [1]
    with pytest.raises(RuntimeError, match="once"), prefetcher:
        pass


@pytest.mark.parametrize("depth", [0, 1, 4])
@pytest.mark.parametrize("flips", [None, "random", "alternating"])
def test_batches_are_the_same_bytes_at_any_depth(depth, flips):
    rng = np.random.default_rng(0)
    data = LabelledImages(
        rng.integers(0, 256, (23, 3, 32, 32), dtype=np.uint8), rng.integers(0, 10, 23)
    )
    batches = Batches(data, 5, seed=3, flips=flips, shift_reach=2, cutout_size=8)
    for epoch in (1, 2):
        with Prefetcher(batches.epoch(epoch), depth) as prefetched:
            for given_, expected in zip(prefetched, batches.epoch(epoch), strict=True):
                for one, other in zip(given_, expected, strict=True):
                    np.testing.assert_array_equal(one, other)


def _in_child(connection, outer):
    try:
        next(outer)
    except RuntimeError as error:
        connection.send(str(error))
    outer.__exit__(None, None, None)
    with Prefetcher(range(5)) as own:
        connection.send(list(own))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_has_prefetchers_of_its_own():
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    with Prefetcher(iter(int, 1)) as outer:
        next(outer)
        child = context.Process(target=_in_child, args=(there, outer))
        with warnings.catch_warnings():
            # From Python 3.12 a fork beside threads warns.
            warnings.simplefilter("ignore", DeprecationWarning)
            child.start()
        assert here.poll(30)
        assert "after the fork" in here.recv()
        assert here.poll(30)
        assert here.recv() == list(range(5))
        child.join(30)
        assert child.exitcode == 0
        assert next(outer) == 0
