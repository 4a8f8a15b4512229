"""Graphs of any depth, freed without the garbage collector."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref

import numpy as np
import pytest

import autograd as ag

DEEP = """
import sys
sys.setrecursionlimit(200)
import gc, weakref
import autograd as ag
gc.disable()
x = ag.Tensor(1.0, requires_grad=True)
y = x
for _ in range(1_000_000):
    y = y * 1.0000001
assert abs(y.jvp({x: 1.0}).item() - 1.1051709) < 1e-6
y.backward()
assert abs(x.grad.item() - 1.1051709) < 1e-6
alive = weakref.ref(y.node)
del y
assert alive() is None
print("done")
"""


def test_a_chain_of_a_million_nodes():
    result = subprocess.run(
        [sys.executable, "-c", DEEP], capture_output=True, text=True, check=False
    )
    assert result.stdout.strip() == "done", result.stderr


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def build(x):
    """A graph with every kind of node, and weak references to its nodes."""
    y = ag.tanh(x * x) + ag.exp(x)
    parts = ag.split(y, 2)
    z = ag.prod(parts[0]) * ag.sum(ag.sort(parts[1])) + ag.where(x.data > 0, x, y).sum()
    found, stack = {}, [z.node]
    while stack:
        node = stack.pop()
        if isinstance(node, type(z.node)) and id(node) not in found and node is not x.node:
            found[id(node)] = weakref.ref(node)
            stack.extend(node.inputs)
    return z, list(found.values())


def alive(references):
    return [reference() for reference in references if reference() is not None]


@pytest.mark.usefixtures("no_collector")
def test_dropping_the_output_frees_the_graph():
    x = ag.Tensor(np.linspace(0.5, 1.0, 4), requires_grad=True)
    z, nodes = build(x)
    assert len(nodes) > 8
    del z
    assert alive(nodes) == []


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("options", [{}, {"retain_graph": True}, {"create_graph": True}])
def test_dropping_after_backward(options):
    x = ag.Tensor(np.linspace(0.5, 1.0, 4), requires_grad=True)
    z, nodes = build(x)
    z.backward(**options)
    x.zero_grad()
    del z
    assert alive(nodes) == []


@pytest.mark.usefixtures("no_collector")
def test_dropping_after_pullback_and_jvp():
    x = ag.Tensor(np.linspace(0.5, 1.0, 4), requires_grad=True)
    z, nodes = build(x)
    ag.pullback(z, x, create_graph=True)
    z.jvp({x: np.ones(4)}, create_graph=True)
    del z
    assert alive(nodes) == []


@pytest.mark.usefixtures("no_collector")
def test_dropping_after_an_exception():
    broken = ag.op.elementwise("broken", np.sin, (lambda out, v: 1 / 0,))
    x = ag.Tensor(np.linspace(0.5, 1.0, 4), requires_grad=True)
    z, nodes = build(x)
    y = broken(x).sum() + z
    try:
        y.backward()
    except ZeroDivisionError:
        pass
    else:
        pytest.fail("the broken rule did not raise")
    del z, y
    assert alive(nodes) == []


ODD = ag.op.elementwise("odd", lambda x, y: np.add(x, y[9]), (lambda *_: 1, lambda *_: 1))
WRONG = {
    "matmul": ag.matmul,
    "operator": lambda a, b: a @ b,
    "index": lambda a, b: a[7],
    "broadcast": lambda a, b: ag.where(a > 0, a, b[:, :2]),
    "parameter": lambda a, b: ag.reshape(ag.add(a, b), (4, 4)),
    "own": ODD,
    "nested": lambda a, b: ag.exp(ag.cumprod(a) @ b),
    "transform": lambda a, b: ag.grad(lambda x: ag.sum(x @ b))(a),
}


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("call", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("tracked", [False, True])
def test_operands_of_a_call_that_failed_are_freed(call, tracked):
    arrays = [np.ones((2, 3)), np.ones((2, 3))]
    kept = [weakref.ref(array) for array in arrays]
    given = [ag.Tensor(array, requires_grad=True) for array in arrays] if tracked else arrays
    kept += [weakref.ref(value) for value in given]
    message = ""
    try:
        call(*given)
    except (ValueError, IndexError) as error:
        message = str(error)
    assert message
    del arrays, given
    assert alive(kept) == []


@pytest.mark.usefixtures("no_collector")
def test_transforms_leave_nothing_behind():
    seen = []

    def f(x):
        z, nodes = build(x)
        seen.extend(nodes)
        return z

    ag.hessian(f)(np.linspace(0.5, 1.0, 4))
    assert alive(seen) == []


def test_a_rule_keeps_only_what_it_reads():
    x = ag.Tensor(np.ones(100), requires_grad=True)
    assert not any(isinstance(v, np.ndarray) for v in (x + 1.0).node.saved)
    out, kept = (y := ag.exp(x)).node.saved
    assert out is y.data
    assert kept is None


@pytest.mark.usefixtures("no_collector")
def test_nothing_is_left_for_the_collector():
    x, v = np.array([0.25, 0.75]), np.array([1.0, 2.0])
    soft = ag.op.composite("soft", lambda z: np.logaddexp(z, 0), lambda z: ag.log(1 + ag.exp(z)))

    def loss(a):
        return ag.sum(soft(a) * ag.sin(a))

    for transform in (
        lambda: ag.jvp(loss, (x,), (v,)),
        lambda: ag.jvp(ag.grad(loss), (x,), (v,)),
        lambda: ag.hvp(loss, x, v),
        lambda: ag.jvp(lambda a: ag.jvp(ag.grad(loss), (a,), (v,))[1], (x,), (v,)),
    ):
        transform()
        gc.collect()
        transform()
        assert gc.collect() == 0
