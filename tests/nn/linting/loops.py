"""A training loop that must give no finding, and random data for it."""

from __future__ import annotations

import numpy as np

import nn
import optim

rng = np.random.default_rng(0)


def images(channels=1, side=12, count=8):
    return rng.normal(size=(count, channels, side, side)).astype(np.float32)


def vectors(width=6, count=8):
    return rng.normal(size=(count, width)).astype(np.float32)


def classes(number=4, count=8):
    return rng.integers(0, number, count)


def train(model, compute, optimizer=None, *, steps=4, batches=1):
    """A loop with a linter, then one more step with `lint` before and after backward."""
    optimizer = optim.SGD(model.parameters(), lr=0.01) if optimizer is None else optimizer
    linter = nn.Linter(model, optimizer)
    for _ in range(steps):
        optimizer.zero_grad()
        for _ in range(batches):
            loss = compute() / batches
            assert linter.check(loss) == []
            loss.backward()
        optimizer.step()
    optimizer.zero_grad()
    loss = compute()
    assert nn.lint(model, loss, optimizer) == []
    loss.backward()
    assert nn.lint(model, loss, optimizer) == []
