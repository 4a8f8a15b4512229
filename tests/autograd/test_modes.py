"""Contexts restore what they found, in every kind of function and in threads."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import autograd as ag
from autograd.modes import current_modes, scope

X = ag.Tensor(3.0, requires_grad=True)


def recording():
    return (X * X).requires_grad


def test_contexts_nest_and_restore():
    with ag.no_grad():
        assert not recording()
        with ag.enable_grad():
            assert recording()
        assert not recording()
    assert recording()


def test_an_exception_restores():
    with pytest.raises(ZeroDivisionError), ag.no_grad():
        _ = 1 / 0
    assert recording()


def test_decorated_function_and_its_recursion():
    @ag.no_grad()
    def f(depth):
        """Doc."""
        return recording() or (depth > 0 and f(depth - 1))

    assert f(3) is False
    assert f.__doc__ == "Doc."
    assert recording()


def test_decorated_generator_leaves_the_caller_alone():
    @ag.no_grad()
    def f():
        got = yield recording()
        yield got, recording()
        return recording()

    generator = f()
    assert next(generator) is False
    assert recording()
    assert generator.send(5) == (5, False)
    assert recording()
    with pytest.raises(StopIteration) as stop:
        next(generator)
    assert stop.value.value is False


def test_a_generator_is_closed_and_thrown_into_under_its_mode():
    seen = []

    @ag.no_grad()
    def f():
        try:
            yield 1
        except KeyError:
            seen.append(recording())
            yield 2
        finally:
            seen.append(recording())

    generator = f()
    next(generator)
    assert generator.throw(KeyError()) == 2
    generator.close()
    assert seen == [False, False]


def test_coroutines_side_by_side():
    @ag.no_grad()
    async def off():
        await asyncio.sleep(0.001)
        return recording()

    async def on():
        await asyncio.sleep(0.0005)
        return recording()

    @ag.no_grad()
    async def items():
        yield recording()
        await asyncio.sleep(0)
        yield recording()

    async def run():
        results = await asyncio.gather(off(), on(), off(), on())
        return results, [item async for item in items()], recording()

    assert asyncio.run(run()) == ([False, True, False, True], [False, False], True)


def test_a_new_thread_records():
    seen = []
    with ag.no_grad():
        thread = threading.Thread(target=lambda: seen.append(recording()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_scopes_are_recorded():
    class Owner:
        pass

    owner = Owner()
    with scope(owner):
        y = X * 2.0
    assert y.node.scope.owner() is owner
    assert (X * 2.0).node.scope is None


def test_keep_values():
    large = ag.Tensor(np.ones(100), requires_grad=True)
    assert (large * 2.0).node.value is None
    with ag.keep_values():
        assert (large * 2.0).node.value.shape == (100,)
    assert (X * 2.0).node.value == 6.0


def test_decorating_something_else_says_so():
    with pytest.raises(TypeError, match="decorates a function"):
        ag.no_grad()(3)


def nested_failure():
    ag.grad(lambda x: ag.grad(lambda y: y * x / (1 // 0))(x))(1.0)


def test_threads_side_by_side_differentiate_their_own():
    """Each under its own modes, in lockstep, so that any leak meets another thread's sweep."""
    step = threading.Barrier(4, timeout=30)

    def work(number):
        found = []
        for turn in range(20):
            step.wait()
            if number == 0:
                with ag.no_grad():
                    step.wait()
                    found.append((X * 2.0).requires_grad)
            elif number == 1:
                x = ag.Tensor(float(turn), requires_grad=True)
                y = x * x
                step.wait()
                y.backward()
                found.append(float(x.grad.data) == 2.0 * turn)
            elif number == 2:
                step.wait()
                found.append(ag.jvp(lambda x: x * x * x, (2.0,), (1.0,))[1] == 12.0)
            else:
                step.wait()
                with pytest.raises(ZeroDivisionError):
                    nested_failure()
                found.append(recording())
        return found

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(work, range(4)))
    assert results == [[False] * 20, [True] * 20, [True] * 20, [True] * 20]


def failing(where):
    """An operation whose forward, pull or push raises."""

    def rule(name, value):
        if name == where:
            raise ZeroDivisionError(name)
        return value

    return ag.op.composite(
        "failing",
        lambda x: rule("forward", np.sin(x)),
        ag.sin,
        pullback=lambda c, out, x: rule("pullback", (c * np.cos(x),)),
        pushforward=lambda tangents, out, x: rule("pushforward", tangents[0] * np.cos(x)),
    )


@pytest.mark.parametrize("where", ["forward", "pullback", "pushforward"])
@pytest.mark.parametrize("outer", [lambda f, x: f(x), lambda f, x: ag.grad(f)(x)])
def test_modes_after_an_exception_in_the_middle_of_a_sweep(where, outer):
    before = current_modes()
    f = failing(where)

    def use(x):
        if where == "pushforward":
            return ag.jvp(lambda y: f(y) * 2.0, (np.float64(0.5),), (np.float64(1.0),))[1] * x
        y = ag.Tensor(0.5, requires_grad=True)
        out = f(y) * 2.0
        out.backward()
        return out * x

    for _ in range(2):
        with pytest.raises(ZeroDivisionError, match=where):
            outer(use, 1.0)
        assert current_modes() is before
        assert recording()
    assert float(ag.grad(lambda x: x * ag.sin(x))(1.0)) == np.sin(1.0) + np.cos(1.0)


def test_modes_after_a_failing_transform():
    before = current_modes()
    for transform in (ag.grad, ag.jacobian, ag.hessian):
        with pytest.raises(ZeroDivisionError):
            transform(lambda x: x / 1 if 1 / 0 else x)(1.0)
    assert current_modes() is before
