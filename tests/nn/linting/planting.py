"""Putting one mistake into a right network, and saying what the linter must find."""

from __future__ import annotations

from hypothesis import strategies as st

import nn


class Scale(nn.Module):
    def __init__(self):
        self.weight = nn.Parameter([1.0])

    def forward(self, x):
        return x * self.weight


class Function(nn.Module):
    """A block made of a function, to be put anywhere."""

    def __init__(self, function):
        self.call = function

    def forward(self, x):
        return self.call(x)


def insert(problem, block, position):
    """Put a block at a random place; gives its path."""
    blocks = problem.network.order()
    position %= len(blocks) + 1
    problem.network.blocks = [*blocks[:position], block, *blocks[position:]]
    return f"blocks.{position}"


def lint(problem, optimizer=None):
    optimizer = problem.make_optimizer() if optimizer is None else optimizer
    return nn.lint(problem.network, problem.compute(), optimizer)


def only(findings, rule, severity="warning"):
    assert findings, f"{rule} was not found"
    assert {(f.rule, f.severity) for f in findings} == {(rule, severity)}, [*map(str, findings)]
    for finding in findings:
        assert finding.message
        assert finding.mend
    return findings


def concerned(findings):
    return {path for finding in findings for path in finding.paths}


PLACES = st.integers(0, 3)
