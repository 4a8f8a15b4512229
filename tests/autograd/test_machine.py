"""A state machine that builds, sweeps, re-sweeps, detaches, frees and differentiates again.

Beside each Tensor it keeps the value and the exact derivative by every leaf (forward, by hand), so
whatever order the engine is driven in, it must agree.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

import autograd as ag

LEAVES = 2


class Machine(RuleBasedStateMachine):
    """Scalars only: what is tested is the bookkeeping."""

    tensors = Bundle("tensors")

    @initialize(target=tensors, start=st.lists(st.floats(-1, 1), min_size=LEAVES, max_size=LEAVES))
    def leaves(self, start):
        self.leaves = [ag.Tensor(x, requires_grad=True) for x in start]
        self.expected = [0.0] * LEAVES
        self.freed = set()
        unit = np.eye(LEAVES)
        self.known = {
            id(t): (x, unit[i]) for i, (t, x) in enumerate(zip(self.leaves, start, strict=True))
        }
        self.kept = list(self.leaves)
        self.ancestors = {id(t): frozenset() for t in self.leaves}
        return self.leaves[0]

    def made(self, tensor, value, slope, *parents):
        self.known[id(tensor)] = (value, slope)
        self.kept.append(tensor)
        above = frozenset().union(*(self.ancestors[id(p)] | {id(p)} for p in parents))
        self.ancestors[id(tensor)] = above
        return tensor

    @rule(target=tensors, i=st.integers(0, LEAVES - 1))
    def leaf(self, i):
        return self.leaves[i]

    @rule(target=tensors, a=tensors, b=tensors)
    def multiply(self, a, b):
        (x, dx), (y, dy) = self.known[id(a)], self.known[id(b)]
        u, v = math.tanh(x), y
        return self.made(ag.tanh(a) * b, u * v, (1 - u * u) * v * dx + u * dy, a, b)

    @rule(target=tensors, a=tensors, b=tensors)
    def subtract(self, a, b):
        (x, dx), (y, dy) = self.known[id(a)], self.known[id(b)]
        return self.made(
            ag.sin(a) - ag.cos(b),
            math.sin(x) - math.cos(y),
            math.cos(x) * dx + math.sin(y) * dy,
            a,
            b,
        )

    @rule(target=tensors, a=tensors)
    def detached_factor(self, a):
        x, dx = self.known[id(a)]
        return self.made(a * ag.tanh(a.detach()), x * math.tanh(x), dx * math.tanh(x), a)

    @rule(target=tensors, a=tensors)
    def without_recording(self, a):
        x, _ = self.known[id(a)]
        with ag.no_grad():
            constant = a * 2.0
        assert not constant.requires_grad
        return self.made(constant + 0.0 * self.leaves[0], 2 * x, np.zeros(LEAVES))

    def is_freed(self, tensor):
        return bool(({id(tensor)} | self.ancestors[id(tensor)]) & self.freed)

    @rule(a=tensors, retain=st.booleans())
    def backward(self, a, retain):
        if self.is_freed(a):
            with pytest.raises(RuntimeError, match="retain_graph"):
                a.backward(retain_graph=retain)
            return
        a.backward(retain_graph=retain)
        for i, slope in enumerate(self.known[id(a)][1]):
            self.expected[i] += slope
        if not retain:
            swept = {id(a)} | self.ancestors[id(a)]
            self.freed |= swept - {id(leaf) for leaf in self.leaves}

    @rule(a=tensors, i=st.integers(0, LEAVES - 1), mode=st.sampled_from(["pull", "push"]))
    def derivative(self, a, i, mode):
        if self.is_freed(a):
            return
        leaf = self.leaves[i]
        if mode == "pull":
            found = ag.pullback(a, leaf)
        else:
            found = a.jvp({leaf: 1.0})
        assert found.item() == pytest.approx(self.known[id(a)][1][i], rel=1e-9, abs=1e-10)

    @rule(i=st.integers(0, LEAVES - 1))
    def zero(self, i):
        self.leaves[i].zero_grad()
        self.expected[i] = 0.0

    @rule(a=tensors)
    def second_order_is_recorded(self, a):
        if self.is_freed(a):
            return
        slope = ag.pullback(a, self.leaves[0], create_graph=True)
        again = ag.pullback(slope, self.leaves[0])
        assert np.isfinite(again.item())

    @invariant()
    def gradients_have_accumulated(self):
        for leaf, expected in zip(
            getattr(self, "leaves", []) or [], getattr(self, "expected", []), strict=False
        ):
            if isinstance(leaf, ag.Tensor) and leaf.grad is not None:
                assert leaf.grad.item() == pytest.approx(expected, rel=1e-8, abs=1e-9)


class TestMachine(Machine.TestCase):
    """Run by pytest."""

    settings = settings(stateful_step_count=30)
