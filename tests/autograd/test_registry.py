"""Every operation is documented, sampled and listed; its properties are in testing."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

import autograd as ag
from autograd.registry import REGISTRY, register
from autograd.samples import Many, Real, call


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_operation_is_documented_by_a_running_example(name):
    text = REGISTRY[name].function.__doc__
    assert text
    examples = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    assert examples.examples, f"{name} has no example"
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    report = []
    doctest.DocTestRunner(optionflags=flags).run(examples, out=report.append)
    assert not report, "".join(report)


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_samples_are_there_and_differentiable(name):
    entry = REGISTRY[name]
    assert entry.samples
    if entry.differentiable:
        for sample in entry.samples:
            values = (*sample.args, *sample.kwargs.values())
            assert any(isinstance(v, Real | Many) for v in values)


def test_every_operation_is_public():
    for name, entry in REGISTRY.items():
        namespace = ag.linalg if entry.namespace else ag
        assert getattr(namespace, entry.name) is entry.function, name


def test_an_operation_without_samples_is_refused():
    with pytest.raises(AssertionError, match="needs sample calls"):
        register([], name="sampleless")(np.sin)
    with pytest.raises(AssertionError, match="exp"):
        register([call(1.0)], name="exp")(np.exp)
