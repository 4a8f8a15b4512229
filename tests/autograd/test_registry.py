"""Everything that can be said of every operation, generated from the registry."""

from __future__ import annotations

import doctest
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd.registry import REGISTRY
from autograd.samples import Many, Real
from autograd.testing import check_grads, strategies
from autograd.testing.operation_checks import differentiable_call

DIFFERENTIABLE = sorted(name for name, entry in REGISTRY.items() if entry.differentiable)
CASES = [(name, i) for name in DIFFERENTIABLE for i in range(len(REGISTRY[name].samples))]
WITH_NUMPY = sorted(name for name, entry in REGISTRY.items() if entry.numpy or entry.reference)
ELEMENTWISE = sorted(
    name for name in DIFFERENTIABLE if hasattr(REGISTRY[name].function, "partials")
)
SEEDS = st.integers(0, 2**20)


def leaves(value):
    if isinstance(value, tuple | list):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def calls(name, index, seed, dtype=np.float64):
    entry = REGISTRY[name]
    return entry.function, *entry.samples[index].draw(np.random.default_rng(seed), dtype)


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


@pytest.mark.parametrize("name", WITH_NUMPY)
@given(seed=SEEDS)
@settings(max_examples=5)
def test_values_are_numpys(name, seed):
    entry = REGISTRY[name]
    reference = entry.reference or entry.numpy[0]
    for index in range(len(entry.samples)):
        function, args, kwargs = calls(name, index, seed)
        ours, theirs = function(*args, **kwargs), reference(*args, **kwargs)
        for a, b in zip(leaves(ours), leaves(theirs), strict=True):
            assert np.shape(a) == np.shape(b)
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("name", "index"), CASES)
@given(seed=SEEDS)
@settings(max_examples=3)
def test_derivatives_of_first_and_second_order(name, index, seed):
    entry = REGISTRY[name]
    f, arrays = differentiable_call(entry.function, entry.samples[index], seed)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert check_grads(f, *arrays, order=2, seed=seed).verdict == "right"


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_third_order_of_elementwise_operations(name):
    entry = REGISTRY[name]
    f, arrays = differentiable_call(entry.function, entry.samples[0], 3)
    assert check_grads(f, *(array[0, :2] for array in arrays), order=3).verdict == "right"


@pytest.mark.parametrize(("name", "index"), [case for case in CASES if case[0] != "astype"])
def test_float32_stays_float32(name, index):
    entry = REGISTRY[name]
    f, arrays = differentiable_call(entry.function, entry.samples[index], 1, np.float32)
    out, tangent = ag.jvp(f, arrays, arrays)
    _, pullback = ag.vjp(f, *arrays)
    cotangents = pullback(out)
    for leaf in (*leaves(out), *leaves(tangent), *leaves(cotangents)):
        assert np.asarray(leaf).dtype == np.float32


@pytest.mark.parametrize(("name", "index"), CASES)
@pytest.mark.parametrize("layout", strategies.LAYOUTS)
def test_memory_layouts_give_the_same_and_inputs_are_never_written_to(name, index, layout):
    entry = REGISTRY[name]
    f, arrays = differentiable_call(entry.function, entry.samples[index], 2)

    def laid_out(value):
        if isinstance(value, list):
            return [laid_out(item) for item in value]
        return strategies.in_layout(value, layout)

    given = [laid_out(value) for value in arrays]
    before = [np.array(leaf) for leaf in leaves(given)]
    out, pullback = ag.vjp(f, *given)
    back = pullback(out)
    expected_out, expected_pullback = ag.vjp(f, *arrays)
    for a, b in zip(
        leaves((out, back)), leaves((expected_out, expected_pullback(out))), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)
    for leaf, copy in zip(leaves(given), before, strict=True):
        assert np.array_equal(leaf, copy)
    for gradient in leaves(back):
        assert not any(np.shares_memory(gradient, leaf) for leaf in leaves((given, out)))


@pytest.mark.parametrize(("name", "index"), CASES)
def test_tensors_arrays_and_constants(name, index):
    """Arrays give arrays, Tensors Tensors; untracked ones nothing tracked; same values."""
    entry = REGISTRY[name]
    f, arrays = differentiable_call(entry.function, entry.samples[index], 4)

    def tensors(value, tracked):
        if isinstance(value, list):
            return [tensors(item, tracked) for item in value]
        return ag.Tensor(value, requires_grad=tracked)

    plain = leaves(f(*arrays))
    for tracked in (False, True):
        results = leaves(f(*(tensors(a, tracked) for a in arrays)))
        assert all(isinstance(t, ag.Tensor) for t in results)
        assert any(t.requires_grad for t in results) == tracked
        for t, array in zip(results, plain, strict=True):
            assert not isinstance(array, ag.Tensor)
            np.testing.assert_allclose(t.data, array, rtol=1e-12, atol=1e-14)


KINKS = [(name, i) for name in sorted(REGISTRY) for i in range(len(REGISTRY[name].kinks))]


@pytest.mark.parametrize(("name", "index"), KINKS)
def test_conventions_at_kinks(name, index):
    entry = REGISTRY[name]
    kink = entry.kinks[index]
    places = [i for i, value in enumerate(kink.derivative) if value is not None]
    with np.errstate(all="ignore"):
        got = ag.vjp(
            lambda *args: entry.function(*_filled(kink.args, places, args)),
            *(kink.args[i] for i in places),
        )[1]
        out = entry.function(*kink.args)
        cotangents = got(np.ones_like(out))
    for i, value in zip(places, cotangents, strict=True):
        np.testing.assert_array_equal(value, kink.derivative[i], err_msg=kink.rule)


def _filled(args, places, given):
    result = list(args)
    for place, value in zip(places, given, strict=True):
        result[place] = value
    return result


BAD = [(name, i) for name in sorted(REGISTRY) for i in range(len(REGISTRY[name].bad))]


@pytest.mark.parametrize(("name", "index"), BAD)
def test_bad_calls_raise_what_they_declare(name, index):
    entry = REGISTRY[name]
    bad = entry.bad[index]
    with pytest.raises(bad.error, match=bad.match):
        entry.function(*bad.args, **bad.kwargs)


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_samples_are_there_and_differentiable(name):
    entry = REGISTRY[name]
    assert entry.samples
    if entry.differentiable:
        for sample in entry.samples:
            values = (*sample.args, *sample.kwargs.values())
            assert any(isinstance(v, Real | Many) for v in values)


@pytest.mark.parametrize("name", sorted(n for n in REGISTRY if REGISTRY[n].analytic))
def test_analytic_operations_take_complex_arrays(name):
    entry = REGISTRY[name]
    if not entry.differentiable:
        return
    f, arrays = differentiable_call(entry.function, entry.samples[0], 5)

    def shifted(value, tangent):
        if isinstance(value, list):
            return [shifted(v, t) for v, t in zip(value, tangent, strict=True)]
        return value + 1e-30j * tangent

    stepped = f(*(shifted(a, a) for a in arrays))
    _, pushed = ag.jvp(f, arrays, arrays)
    for a, b in zip(leaves(stepped), leaves(pushed), strict=True):
        np.testing.assert_allclose(np.imag(a) / 1e-30, b, rtol=1e-9, atol=1e-11)
