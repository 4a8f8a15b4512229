"""Every moment of a profile belongs to one row, and every recorded call is counted once."""

from __future__ import annotations

import contextvars
import threading
import weakref
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
import nn
from autograd.modes import current_modes
from autograd.node import Node, next_serial
from autograd.profiling import collecting
from autograd.testing.programs import inputs_of
from autograd.testing.strategies import programs
from tests.autograd.profiling.clocks import Clock, calls, nanoseconds, rows_of


def operations(output):
    """The nodes that an output was computed by, leaves left out."""
    seen, stack = set(), [output.node]
    while stack:
        node = stack.pop()
        if isinstance(node, Node) and node not in seen:
            seen.add(node)
            stack.extend(node.inputs)
    return [node for node in seen if node.op.name != "leaf"]


@given(programs(), st.integers(0, 2**32 - 1), st.sampled_from([(), (3,)]), st.booleans())
def test_times_add_up_and_calls_are_the_recorded_nodes(program, seed, shape, create_graph):
    inputs = [ag.Tensor(x, requires_grad=True) for x in inputs_of(program, shape, seed)]
    tangents = [ag.Tensor(np.ones(shape)) for _ in inputs]
    plain = program(*inputs)
    plain_back = ag.pullback(plain, inputs, np.ones(shape))
    plain_forth = ag.pushforward(plain, inputs, tangents)
    clock = Clock(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collecting, "clock", clock)
        with ag.profile(show=False) as p:
            before = next_serial()
            out = program(*inputs)
            recorded = next_serial() - before - 1
            back = ag.pullback(out, inputs, np.ones(shape), create_graph=create_graph)
            forth = ag.pushforward(out, inputs, tangents, create_graph=create_graph)
    assert nanoseconds(p.rows) == round(p.seconds * 1e9) == clock.elapsed()
    assert nanoseconds(p.by_operation()) == nanoseconds(p.by_module()) == clock.elapsed()
    assert all(row.seconds >= 0 for row in p.rows)
    assert calls(p, "forward pass") == recorded
    wanted = Counter(node.op.name for node in operations(out))
    for sweep in ("reverse sweep", "forward sweep"):
        assert {r.operation: r.calls for r in p.rows if r.sweep == sweep and r.module} == wanted
    for result, expected in zip((*back, forth), (*plain_back, plain_forth), strict=True):
        assert np.array_equal(result.detach().numpy(), expected.numpy())


def test_each_moment_goes_to_the_operation_that_runs(clock):
    def spend(amount, value):
        clock.now += amount
        return value

    slow = ag.op.elementwise(
        "slow", lambda x: spend(100, x * x), (lambda out, x: spend(30, 2 * x),)
    )
    outer = ag.op.composite("outer", lambda x: spend(7, x**4), lambda x: slow(slow(spend(2000, x))))
    x = ag.Tensor(np.ones(3), requires_grad=True)
    with ag.profile(show=False) as p:
        clock.now += 5
        y = slow(x)
        clock.now += 6
        z = ag.sum(outer(y))
        z.jvp({x: ag.Tensor(np.ones(3))})
        z.backward()
    spent = {
        (row.operation, row.sweep): (round(row.seconds * 1e9), row.calls)
        for row in p.rows
        if row.seconds
    }
    # The composite's rules replay its reference, two calls of `slow`, and sweep that.
    assert spent == {
        ("slow", "forward pass"): (100, 1),
        ("slow", "forward sweep"): (30, 1),
        ("slow", "reverse sweep"): (30, 1),
        ("outer", "forward pass"): (7, 1),
        ("outer", "forward sweep"): (2260, 1),
        ("outer", "reverse sweep"): (2260, 1),
        ("(Python and the rest)", "rest"): (11, 0),
    }
    assert nanoseconds(p.rows) == clock.elapsed()


def test_large_operations_take_almost_all_of_a_real_block():
    rng = np.random.default_rng(0)
    w = ag.Tensor(rng.standard_normal((900, 900)), requires_grad=True)
    with ag.profile(show=False) as p:
        y = w
        for _ in range(4):
            y = ag.matmul(ag.tanh(y), w)
        ag.sum(y).backward()
    named = sum(row.seconds for row in p.rows if not row.operation.startswith("("))
    assert named > 0.9 * p.seconds


def test_inference_arrays_and_transforms_are_measured():
    net = nn.Linear(3, 2)
    with ag.profile(show=False) as p:
        with ag.no_grad():
            net(np.ones((2, 3), np.float32))
        ag.exp(np.ones(3))
        ag.hvp(lambda x: ag.sum(ag.sin(x)), np.ones(2), np.ones(2))
    assert rows_of(p, "linear")["forward pass"].calls == 1
    assert rows_of(p, "exp")["forward pass"].calls == 1
    assert set(rows_of(p, "sin")) == {"forward pass", "forward sweep", "reverse sweep"}
    assert not rows_of(p, "cos")  # what the rule of sin calls, pushed at once, belongs to it


def test_an_operation_that_raises_is_timed_and_leaves_the_profile_whole(clock):
    def fail(x):
        clock.now += 40
        raise ValueError("no")

    broken = ag.op.elementwise("broken", fail, (lambda out, x: x,))
    half = ag.op.elementwise("half_broken", lambda x: x + 1, (lambda out, x: fail(x),))
    x = ag.Tensor(np.ones(2), requires_grad=True)
    with ag.profile(show=False) as p:
        with pytest.raises(ValueError, match="broken"):
            broken(x)
        with pytest.raises(ValueError, match="no"):
            ag.sum(half(x)).backward()
        ag.exp(x)
    assert round(rows_of(p, "broken")["forward pass"].seconds * 1e9) == 40
    assert round(rows_of(p, "half_broken")["reverse sweep"].seconds * 1e9) == 40
    assert rows_of(p, "exp")["forward pass"].calls == 1
    assert nanoseconds(p.rows) == clock.elapsed()


@given(st.integers(0, 2**32 - 1), st.integers(0, 3))
def test_a_profile_inside_another_is_part_of_both(seed, repeats):
    clock = Clock(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collecting, "clock", clock)
        inner = ag.profile(show=False)
        with ag.profile(show=False) as outer:
            ag.exp(1.0)
            for _ in range(repeats):
                with inner:
                    ag.sin(ag.exp(1.0))
            ag.cos(1.0)
    assert nanoseconds(outer.rows) == clock.elapsed()
    assert inner.seconds <= outer.seconds
    assert calls(inner, "forward pass") == 2 * repeats
    assert calls(outer, "forward pass") == 2 + 2 * repeats
    assert rows_of(outer, "sin") == rows_of(inner, "sin")


def test_a_profile_inside_an_operation_leaves_the_time_to_the_operation(clock):
    def forward(x):
        with ag.profile(show=False):
            clock.now += 9
            return np.exp(ag.exp(x))

    curious = ag.op.elementwise("curious", forward, (lambda out, x: out,))
    with ag.profile(show=False) as p:
        curious(1.0)
    assert round(rows_of(p, "curious")["forward pass"].seconds * 1e9) == 9
    assert not rows_of(p, "exp")


def test_one_profile_runs_once_at_a_time_and_adds_up():
    p = ag.profile(show=False)
    with p:
        with pytest.raises(RuntimeError, match="already running"):
            p.__enter__()
        ag.exp(1.0)
        assert calls(p, "forward pass") == 1
        assert "running" in repr(p)
    with p:
        ag.exp(1.0)
    assert calls(p, "forward pass") == 2


def test_a_profile_left_twice_or_never_entered():
    p = ag.profile(show=False)
    with pytest.raises(RuntimeError, match="is not running"):
        p.__exit__(None, None, None)
    with p:
        ag.exp(1.0)
    with pytest.raises(RuntimeError, match="is not running"):
        p.__exit__(None, None, None)
    assert calls(p, "forward pass") == 1
    assert current_modes().profile is None


@pytest.mark.parametrize("copied", [False, True])
def test_a_profile_left_in_another_thread_goes_on_in_its_own(copied):
    errors = []

    def leave():
        try:
            p.__exit__(None, None, None)
        except RuntimeError as error:
            errors.append(str(error))

    before = current_modes()
    with ag.profile(show=False) as p:
        context = contextvars.copy_context() if copied else contextvars.Context()
        thread = threading.Thread(target=context.run, args=(leave,))
        thread.start()
        thread.join()
        ag.exp(1.0)
    assert len(errors) == 1 and "another thread" in errors[0]
    assert calls(p, "forward pass") == 1
    assert current_modes() is before


def test_a_profile_left_before_one_inside_it():
    before = current_modes()
    outer, inner = ag.profile(show=False), ag.profile(show=False)
    with outer:
        with inner:
            with pytest.raises(RuntimeError, match="leave that one first"):
                outer.__exit__(None, None, None)
            ag.exp(1.0)
        ag.exp(1.0)
    assert (calls(outer, "forward pass"), calls(inner, "forward pass")) == (2, 1)
    assert current_modes() is before


def test_a_block_around_may_end_before_a_profile_that_a_generator_entered():
    def profiled():
        with ag.profile(show=False) as p:
            ag.exp(1.0)
            yield p

    before = current_modes()
    with ag.no_grad():
        running = profiled()
        p = next(running)
    assert current_modes() is before
    assert list(running) == []
    assert current_modes() is before
    assert calls(p, "forward pass") == 1 and "running" not in repr(p)


def test_other_threads_are_not_measured():
    def work():
        ag.sum(ag.exp(ag.Tensor(np.ones(3), requires_grad=True))).backward()

    with ag.profile(show=False) as p:
        copied = contextvars.copy_context()
        for target, args in ((work, ()), (copied.run, (work,))):
            thread = threading.Thread(target=target, args=args)
            thread.start()
            thread.join()
        ag.sin(1.0)
    assert calls(p, "forward pass") == 1
    assert calls(p, "reverse sweep") == 0
    # A context that outlives the block measures nothing, and works.
    copied.run(work)
    assert calls(p, "forward pass") == 1


def test_generators_inside_and_around():
    @ag.no_grad()
    def numbers():
        for i in range(3):
            yield ag.exp(float(i))

    def profiled():
        with ag.profile(show=False) as p:
            for _ in range(2):
                ag.sin(1.0)
                yield p

    with ag.profile(show=False) as p:
        list(numbers())
    assert rows_of(p, "exp")["forward pass"].calls == 3
    before = current_modes()
    inner = list(profiled())[-1]
    assert calls(inner, "forward pass") == 2
    assert current_modes() is before


def test_it_works_with_the_other_modes():
    x = ag.Tensor(np.ones(20), requires_grad=True)
    with ag.profile(show=False), ag.detect_anomaly(), ag.keep_values():
        y = ag.exp(x)
        assert y.node.value is not None
        with pytest.raises(ag.AnomalyError, match="log"), np.errstate(all="ignore"):
            ag.log(y - y)


def test_nothing_that_was_computed_is_kept_alive():
    x = ag.Tensor(np.ones(3), requires_grad=True)
    net = nn.Tanh()
    with ag.profile(show=False) as p:
        y = net(ag.exp(x))
        ag.sum(y).backward()
        node, module = weakref.ref(y.node), weakref.ref(net)
        del y, net
        assert node() is None
        assert module() is None
    assert p.rows
