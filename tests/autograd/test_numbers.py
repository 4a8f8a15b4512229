"""Variables made from numbers: their graphs save nothing, since the nodes have the values."""

from __future__ import annotations

import itertools
import math
import sys
import threading
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.families import Elementwise
from autograd.node import FromNodes, value_of
from autograd.registry import REGISTRY

OPERATIONS = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "power": lambda x, y: x**y,
}


SLOPES = {
    "add": lambda x, y: (1.0, 1.0),
    "subtract": lambda x, y: (1.0, -1.0),
    "multiply": lambda x, y: (y, x),
    "divide": lambda x, y: (1.0 / y, -x / y**2),
    "power": lambda x, y: (y * x ** (y - 1), x**y * math.log(x)),
}


def paths(out, leaves):
    """d out / d leaf as the sum over all paths of the products of slopes along them, and the size
    of what it sums.
    """

    def slope(node, index):
        return SLOPES[node.op.name](*(float(source.value) for source in node.inputs))[index]

    def along(node, leaf):
        if node is leaf:
            return np.ones(2)
        found = np.zeros(2)
        for index, source in enumerate(node.inputs):
            factor = slope(node, index)
            found += np.array([factor, abs(factor)]) * along(source, leaf)
        return found

    return np.transpose([along(out.node, leaf.node) for leaf in leaves])


@st.composite
def graphs(draw):
    """Operations with the places of their operands among what is there before them."""
    steps = draw(st.integers(1, 7))
    return [
        (
            draw(st.sampled_from(sorted(OPERATIONS))),
            draw(st.integers(0, step + 1)),
            draw(st.integers(0, step + 1)),
        )
        for step in range(steps)
    ]


def run(graph, leaves):
    found = list(leaves)
    for name, first, second in graph:
        x, y = found[first], found[second]
        if name == "power":
            if not (0 < float(x.data) < 4 and abs(float(y.data)) < 4):
                name = "add"
        elif name == "divide" and abs(float(y.data)) < 0.1:
            name = "multiply"
        found.append(OPERATIONS[name](x, y))
    return found[-1]


@given(graphs(), st.floats(0.3, 3.0), st.floats(0.3, 3.0), st.booleans(), st.booleans())
@np.errstate(all="ignore")
def test_both_sweeps_agree_with_the_sum_over_all_paths(graph, a, b, number, looked_at):
    """With an array for one of the variables, and where a value was asked for as an array."""
    x = ag.Tensor(a if number else np.array(a), requires_grad=True)
    y = ag.Tensor(b, requires_grad=True)
    out = run(graph, [x, y])
    if looked_at:
        assert out.data.shape == ()
    if not np.isfinite(out.item()) or abs(out.item()) > 1e30:
        return
    expected, terms = paths(out, [x, y])
    pulled = [t.item() for t in ag.pullback(out, [x, y])]
    pushed = [out.jvp({leaf: 1.0}).item() for leaf in (x, y)]
    recorded = [t.item() for t in ag.pullback(out, [x, y], create_graph=True)]
    out.backward()
    swept = [0.0 if leaf.grad is None else leaf.grad.item() for leaf in (x, y)]
    for found in (pulled, pushed, recorded, swept):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12 * np.max(terms))
    assert pulled == swept


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - {"power"}))
def test_nothing_is_saved_for_numbers(name):
    x, y = (ag.Tensor(value, requires_grad=True) for value in (3.0, np.float64(2.0)))
    out = OPERATIONS[name](x, y)
    assert type(out.node.held) is FromNodes
    kept = out.node.saved
    expected = OPERATIONS[name](ag.Tensor(np.array(3.0), requires_grad=True), y).node.saved
    assert kept == expected


CHANGES = {
    "data replaced": lambda x: setattr(x, "data", 7.0),
    "written by NumPy": lambda x: x.data.__setitem__(..., 7.0),
}


@pytest.mark.parametrize("value", [3.0, np.float64(3.0), np.array(3.0)])
@pytest.mark.parametrize("change", sorted(CHANGES))
def test_what_was_recorded_keeps_its_values(change, value):
    """A leaf's number changed where the engine cannot see it: the sweep is at what was recorded."""
    x, y = ag.Tensor(value, requires_grad=True), ag.Tensor(2.0, requires_grad=True)
    outs = [x * y, x / y, y / x]
    CHANGES[change](x)
    slopes = [[t.item() for t in ag.pullback(out, [x, y])] for out in outs]
    assert slopes == [[2.0, 3.0], [0.5, -0.75], [-2 / 3 / 3, 1 / 3]]
    assert [out.jvp({x: 1.0}).item() for out in outs] == [2.0, 0.5, -2 / 3 / 3]
    for out in outs:
        out.backward()
    assert (x.grad.item(), y.grad.item()) == (2.5 - 2 / 3 / 3, 3.0 - 0.75 + 1 / 3)
    again = x * y
    assert again.item() == 14.0
    assert [t.item() for t in ag.pullback(again, [x, y])] == [2.0, 7.0]


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_a_picture_shows_what_a_leaf_has_now(change):
    x = ag.Tensor(3.0, requires_grad=True)
    out = x * x
    CHANGES[change](x)
    assert float(value_of(x.node)) == 7.0
    assert "<B>leaf</B><BR/>7>" in ag.draw(out).source
    del x
    assert float(value_of(out.node.inputs[0])) == 3.0


def test_a_leaf_made_from_a_number_is_one_array_from_when_it_is_asked_for():
    x = ag.Tensor(3.0, requires_grad=True)
    memory = x.data
    assert memory.shape == ()
    assert x.data is memory
    with ag.no_grad():
        x += 1.0
        x *= 2.0
    assert x.data is memory
    assert memory == 8.0
    assert (x * x).item() == 64.0


@pytest.mark.parametrize("value", [2.0, np.float32(2.0), np.array(2.0)])
def test_in_place_before_the_array_was_asked_for(value):
    """`t += 1` changes the leaf itself, however it was made."""
    x = same = ag.Tensor(value, requires_grad=True)
    with ag.no_grad():
        x += 1.0
    assert x is same
    assert x.item() == 3.0
    assert x.dtype == np.asarray(value).dtype
    (x * x).backward()
    assert x.grad.item() == 6.0


def test_one_node_for_both_operands():
    """Both cotangents arrive at the same place."""
    for first, second in itertools.product(("add", "multiply", "power"), sorted(OPERATIONS)):
        x = ag.Tensor(1.5, requires_grad=True)
        y = OPERATIONS[first](x, x)
        z = OPERATIONS[second](y, y)
        (expected,), (terms,) = paths(z, [x])
        z.backward()
        assert x.grad.item() == pytest.approx(expected, rel=1e-14, abs=1e-15 * terms)


NAMES = [name for name, entry in REGISTRY.items() if isinstance(entry.function, Elementwise)]


@pytest.mark.parametrize("name", NAMES)
def test_cotangents_that_are_arrays_arrive_at_numbers(name):
    """From sums and reshapes, at every elementwise operation and at sums with constants."""
    function = REGISTRY[name].function
    values = np.array([0.4, 0.7, 0.6])[: len(function.partials)]

    def run(*xs):
        return (function(*xs) * xs[0] + 1.0).sum() + ag.reshape(xs[-1] - 0.5, (1,)).sum()

    with np.errstate(all="ignore"):
        found = []
        for made in (float, np.array):
            leaves = [ag.Tensor(made(value), requires_grad=True) for value in values]
            out = run(*leaves)
            pulled = [t.item() for t in ag.pullback(out, leaves)]
            recorded = [t.item() for t in ag.pullback(out, leaves, create_graph=True)]
            pushed = [out.jvp({leaf: 1.0}).item() for leaf in leaves]
            out.backward()
            found.append([pulled, recorded, pushed, [leaf.grad.item() for leaf in leaves]])
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize(
    ("slope", "expected"),
    [
        (lambda out, x: x > 0, 1.0),
        (lambda out, x: 2.0, 2.0),
        (lambda out, x: np.float32(2.0), 2.0),
        (lambda out, x: np.longdouble(2.0), 2.0),
        (lambda out, x: np.array(2.0), 2.0),
        (lambda out, x: ag.Tensor(2.0), 2.0),
        (lambda out, x: np.full(1, 2.0), 2.0),
    ],
)
def test_rules_of_ones_own_may_give_what_they_like(slope, expected):
    calls = []

    def counted(out, x):
        calls.append(x)
        return slope(out, x)

    own = ag.op.elementwise("own", lambda x: x * 1.0, (counted,))
    assert float(ag.grad(own)(3.0)) == expected
    x = ag.Tensor(3.0, requires_grad=True)
    own(x * 1.0).backward()
    assert x.grad.item() == expected
    assert x.grad.dtype == np.float64
    assert len(calls) <= 4


def test_another_array_changed_while_the_graph_grew():
    x, w = ag.Tensor(3.0, requires_grad=True), ag.Tensor(np.ones(3), requires_grad=True)
    older = ag.exp(x)
    with ag.no_grad():
        w -= 0.1
    out = -older * 2.0 + older * x
    assert ag.pullback(out, x).item() == pytest.approx(2.0 * math.exp(3.0))
    out.backward()
    assert x.grad.item() == pytest.approx(2.0 * math.exp(3.0))


def test_a_leaf_that_needs_no_gradient_any_more_is_an_array():
    x = same = ag.Tensor(3.0, requires_grad=True)
    x.requires_grad = False
    x += 1
    assert x is same
    assert x.item() == 4.0
    np.asarray(x)[...] = 9.0
    assert x.item() == 9.0


def test_views_of_a_leaf_made_from_a_number():
    """Changed through a view, and the change of a leaf seen behind one."""
    x = ag.Tensor(3.0, requires_grad=True)
    with ag.no_grad():
        view = x.reshape(1)
        view += 1.0
    assert x.item() == 4.0
    seen = x.reshape(1)
    out = (seen * seen).sum()
    with ag.no_grad():
        x += 1.0
    with pytest.raises(RuntimeError, match="changed in place"):
        out.backward()


def test_anomaly_mode_sees_what_numpy_writes():
    with ag.detect_anomaly():
        x = ag.Tensor(2.0, requires_grad=True)
        y = x * x
        x.data[...] = 5.0
        with pytest.raises(ag.AnomalyError, match="written"):
            y.backward()


def test_threads_get_the_same_array():
    """However they take turns: what one writes the others have."""
    leaves = [ag.Tensor(float(i), requires_grad=True) for i in range(2000)]
    found = [[] for _ in range(3)]

    def read(into):
        into.extend(leaf.data for leaf in leaves)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=read, args=(into,)) for into in found]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    for first, second, third in zip(*found, strict=True):
        assert first is second is third


def test_an_array_replaced_is_let_go():
    array = np.zeros(1000)
    x = ag.Tensor(array[:4], requires_grad=True)
    gone = weakref.ref(array)
    del array
    x.data = np.ones(4)
    assert gone() is None


@pytest.mark.parametrize("dtype", [">f8", "f4", "f2", np.longdouble])
def test_other_dtypes_stay(dtype):
    x = ag.Tensor(3.0, requires_grad=True, dtype=dtype)
    assert x.dtype == np.dtype(dtype)
    (x * x + x).backward()
    assert x.grad.item() == 7.0
