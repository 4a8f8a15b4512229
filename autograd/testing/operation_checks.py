"""Checking one operation from the samples of its record."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.samples import Call, Many, Real
from autograd.testing.checks import Report, check_grads
from autograd.testing.strategies import resolve


def differentiable_call(
    function: Any, sample: Call, seed: int, dtype: Any = np.float64
) -> tuple[Any, tuple[Any, ...]]:
    """`(f, arrays)`: the sample as a function of its differentiable arguments only."""
    args, kwargs = sample.draw(np.random.default_rng(seed), dtype)
    places = [i for i, a in enumerate(sample.args) if isinstance(a, Real | Many)]
    names = [k for k, a in sample.kwargs.items() if isinstance(a, Real | Many)]

    def f(*given: Any) -> Any:
        positional, named = list(args), dict(kwargs)
        for place, value in zip(places, given, strict=False):
            positional[place] = value
        named |= dict(zip(names, given[len(places) :], strict=True))
        return function(*positional, **named)

    return f, (*(args[i] for i in places), *(kwargs[k] for k in names))


def check_op(operation: Any, order: int = 2, seed: int = 0) -> Report:
    """`check_grads` of an operation at every sample of its record.

    `operation` is a registered name, a public operation or a user's operation with samples.

    Raises as `check_grads` does, naming the sample; ValueError for an operation without samples.

    >>> import autograd as ag
    >>> ag.testing.check_op("exp").verdict
    'right'
    """
    function, samples = resolve(operation)
    total = Report()
    for index, sample in enumerate(samples):
        f, arrays = differentiable_call(function, sample, seed + index)
        try:
            report = check_grads(f, *arrays, order=order, seed=seed)
        except AssertionError as error:
            raise type(error)(f"{operation} at sample {index}, {sample}: {error}") from error
        total.comparisons += report.comparisons
        if report.verdict != "right":
            total.verdict = report.verdict
            total.notes += report.notes
    return total
