"""What holds for every operation: each property as a check of one operation on one example.

A property takes an operation's entry, the number of one of its samples, and a seed; it returns how
many comparisons it made, or a reason why it says nothing of that operation, and raises
AssertionError where it does not hold.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.families import Elementwise
from autograd.registry import Entry
from autograd.samples import Call, Many, Real
from autograd.tensor import Tensor
from autograd.testing.checks import check_grads
from autograd.testing.operation_checks import differentiable_call
from autograd.testing.references import REFERENCES
from autograd.testing.strategies import LAYOUTS, in_layout
from autograd.transforms import jvp, vjp

Result = int | str
Property = Callable[[Entry, int, int], Result]


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, tuple | list):
        return [leaf for item in value for leaf in _leaves(item)]
    return [value]


def _mapped(value: Any, function: Callable[[Any], Any]) -> Any:
    if isinstance(value, tuple | list):
        return [_mapped(item, function) for item in value]
    return function(value)


def _close(actual: Any, expected: Any, rtol: float, atol: float, what: str) -> int:
    pairs = list(zip(_leaves(actual), _leaves(expected), strict=True))
    for a, b in pairs:
        assert np.shape(a) == np.shape(b), f"{what}: shape {np.shape(a)}, expected {np.shape(b)}"
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol, err_msg=what)
    return len(pairs)


def _direction(value: Any, rng: np.random.Generator) -> Any:
    return _mapped(value, lambda a: rng.uniform(0.5, 1.5, np.shape(a)) * rng.choice([-1, 1]))


def _tensors(value: Any, tracked: bool) -> Any:
    return _mapped(value, lambda leaf: Tensor(leaf, requires_grad=tracked))


def _reals(sample: Call) -> list[Real]:
    """The differentiable arguments of a sample."""
    return [
        item
        for argument in (*sample.args, *sample.kwargs.values())
        for item in (argument.items if isinstance(argument, Many) else (argument,))
        if isinstance(item, Real)
    ]


def _call(entry: Entry, index: int, seed: int, dtype: Any = np.float64) -> Any:
    return differentiable_call(entry.function, entry.samples[index], seed, dtype)


def _filled_call(entry: Entry, index: int, seed: int) -> Any:
    """`_call` of a sample that has entries."""
    filled = [
        number
        for number, sample in enumerate(entry.samples)
        if all(0 not in item.shape for item in _reals(sample))
    ]
    return _call(entry, filled[index % len(filled)], seed)


def value(entry: Entry, index: int, seed: int) -> Result:
    """The value is NumPy's, or a plain loop's."""
    reference = entry.reference or (entry.numpy[0] if entry.numpy else REFERENCES.get(entry.name))
    assert reference is not None, f"{entry.name} has nothing to be compared with"
    args, kwargs = entry.samples[index].draw(np.random.default_rng(seed))
    expected = reference(*args, **kwargs)
    return _close(entry.function(*args, **kwargs), expected, 1e-10, 1e-12, "value")


def derivatives(entry: Entry, index: int, seed: int) -> Result:
    """First and second order in all four compositions of the modes, and the adjoint identity.

    Samples without entries have nothing to compare; "0-d, empty" is about them.
    """
    f, arrays = _filled_call(entry, index, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = check_grads(f, *arrays, order=2, seed=seed)
    assert report.verdict == "right"
    return report.comparisons


def composed(entry: Entry, index: int, seed: int) -> Result:
    """Derivatives of the squared outputs: there the cotangents depend on the inputs, so that the
    maps of linear operations are differentiated too.
    """
    f, arrays = _filled_call(entry, index, seed)

    def squared(*given: Any) -> Any:
        return _mapped(f(*given), lambda leaf: leaf * leaf)

    report = check_grads(squared, *arrays, order=2, seed=seed)
    assert report.verdict == "right"
    return report.comparisons


def third_order(entry: Entry, index: int, seed: int) -> Result:
    """Third order of elementwise operations."""
    if not isinstance(entry.function, Elementwise):
        return "elementwise only"
    f, arrays = _call(entry, 0, seed)
    report = check_grads(f, *(array[0, :2] for array in arrays), order=3, seed=seed)
    assert report.verdict == "right"
    return report.comparisons


def linearity(entry: Entry, index: int, seed: int) -> Result:
    """J(2v - 3u) = 2 Jv - 3 Ju, and the same for pullbacks."""
    f, arrays = _call(entry, index, seed)
    rng = np.random.default_rng(seed)
    v, u = _direction(list(arrays), rng), _direction(list(arrays), rng)

    def combined(a: Any, b: Any) -> Any:
        if isinstance(a, tuple | list):
            return [combined(x, y) for x, y in zip(a, b, strict=True)]
        return 2 * np.asarray(a) - 3 * np.asarray(b)

    def pushed(direction: Any) -> Any:
        return jvp(f, arrays, direction)[1]

    count = _close(pushed(combined(v, u)), combined(pushed(v), pushed(u)), 1e-9, 1e-11, "JVP")
    out, pullback = vjp(f, *arrays)
    structured = isinstance(out, tuple | list)
    w, t = (_direction(out, rng) for _ in range(2))

    def pulled(cotangent: Any) -> Any:
        return pullback(type(out)(*cotangent) if hasattr(out, "_fields") else cotangent)

    both = combined(w, t)
    if structured and isinstance(out, tuple) and not hasattr(out, "_fields"):
        w, t, both = tuple(w), tuple(t), tuple(both)
    return count + _close(
        list(pulled(both)), combined(list(pulled(w)), list(pulled(t))), 1e-9, 1e-11, "VJP"
    )


def float32(entry: Entry, index: int, seed: int) -> Result:
    """Value, tangent and cotangents of float32 are float32."""
    if entry.name == "astype":
        return "changes the dtype"
    f, arrays = _call(entry, index, seed, np.float32)
    out, tangent = jvp(f, arrays, arrays)
    _, pullback = vjp(f, *arrays)
    leaves = [*_leaves(out), *_leaves(tangent), *_leaves(list(pullback(out)))]
    for leaf in leaves:
        assert np.asarray(leaf).dtype == np.float32, f"dtype {np.asarray(leaf).dtype}"
    return len(leaves)


def layouts(entry: Entry, index: int, seed: int) -> Result:
    """Memory layouts give the same; inputs are not written to, gradients share no memory."""
    f, arrays = _call(entry, index, seed)
    layout = LAYOUTS[seed % len(LAYOUTS)]
    given = [_mapped(a, lambda leaf: in_layout(leaf, layout)) for a in arrays]
    before = [np.array(leaf) for leaf in _leaves(given)]
    out, pullback = vjp(f, *given)
    back = list(pullback(out))
    expected, expected_pullback = vjp(f, *arrays)
    count = _close(out, expected, 1e-9, 1e-11, f"layout {layout}")
    count += _close(back, list(expected_pullback(expected)), 1e-9, 1e-11, f"layout {layout}")
    for leaf, copy in zip(_leaves(given), before, strict=True):
        assert np.array_equal(leaf, copy), "an input was written to"
    for gradient in _leaves(back):
        shared = any(np.shares_memory(gradient, leaf) for leaf in _leaves([given, out]))
        assert not shared, "a gradient shares memory with an input or the output"
    return count


def polymorphism(entry: Entry, index: int, seed: int) -> Result:
    """Arrays give arrays, Tensors Tensors, constants nothing tracked, with the same values."""
    f, arrays = _call(entry, index, seed)
    plain = _leaves(f(*arrays))
    count = 0
    for tracked in (False, True):
        tensors = [_tensors(a, tracked) for a in arrays]
        results = _leaves(f(*tensors))
        assert all(isinstance(t, Tensor) for t in results), "a Tensor gave an array"
        assert any(t.requires_grad for t in results) == tracked, "tracked where it should not be"
        for t, array in zip(results, plain, strict=True):
            assert not isinstance(array, Tensor), "arrays gave a Tensor"
            count += _close(t.data, array, 1e-12, 1e-14, "value")
    return count


def complex_step(entry: Entry, index: int, seed: int) -> Result:
    """Operations declared analytic take complex arrays: Im f(x + ihv) / h = J v."""
    if not entry.analytic:
        return "not analytic"
    f, arrays = _call(entry, index, seed)
    v = _direction(list(arrays), np.random.default_rng(seed))

    def moved(a: Any, b: Any) -> Any:
        if isinstance(a, list):
            return [moved(x, y) for x, y in zip(a, b, strict=True)]
        return a + 1e-30j * b

    stepped = f(*(moved(a, b) for a, b in zip(arrays, v, strict=True)))
    numerical = _mapped(stepped, lambda leaf: np.imag(leaf) / 1e-30)
    return _close(numerical, jvp(f, arrays, v)[1], 1e-8, 1e-10, "complex step")


def conventions(entry: Entry, index: int, seed: int) -> Result:
    """At the declared kinks the derivative is the declared one, and the kinks are where they are
    said to be: the functions that mark them vanish there, and not at the samples.
    """
    count = _marked_kinks(entry, seed)
    for kink in entry.kinks:
        places = [i for i, item in enumerate(kink.derivative) if item is not None]

        def f(*given: Any, kink: Any = kink, places: Any = places) -> Any:
            filled = list(kink.args)
            for place, item in zip(places, given, strict=True):
                filled[place] = item
            return entry.function(*filled)

        with np.errstate(all="ignore"):
            out, pullback = vjp(f, *(kink.args[i] for i in places))
            cotangents = pullback(np.ones_like(out))
        for place, found in zip(places, cotangents, strict=True):
            np.testing.assert_array_equal(found, kink.derivative[place], err_msg=kink.rule)
            count += 1
    return count or "none declared"


def _marked_kinks(entry: Entry, seed: int) -> int:
    """Comparisons of the functions whose zeros are the kinks."""
    marks = getattr(entry.function, "kinks", ())
    for mark in marks:
        for sample in entry.samples:
            args, kwargs = sample.draw(np.random.default_rng(seed))
            distance = np.abs(mark(*args, **kwargs))
            assert np.all(distance > 1e-3), "a sample lies at a kink"
    for kink in entry.kinks if marks else ():
        nearest = min(float(np.min(np.abs(mark(*kink.args)))) for mark in marks)
        assert nearest == 0.0, f"the kink at {kink.args} is not marked"
    return len(marks)


def bad_input(entry: Entry, index: int, seed: int) -> Result:
    """Each declared bad call raises the declared error."""
    for call in entry.bad:
        try:
            entry.function(*call.args, **call.kwargs)
        except call.error as error:
            message = str(error)
        else:
            raise AssertionError(f"no error for {call}")
        assert re.search(call.match, message), f"{message} does not match {call.match!r}"
    return len(entry.bad) or "none declared"


def edge_shapes(entry: Entry, index: int, seed: int) -> Result:
    """0-d and empty arrays: the derivative has its primal's shape."""
    count = 0
    for number, sample in enumerate(entry.samples):
        if any(real.shape == () or 0 in real.shape for real in _reals(sample)):
            f, arrays = _call(entry, number, seed)
            out, pullback = vjp(f, *arrays)
            for primal, back in zip(
                _leaves(list(arrays)), _leaves(list(pullback(out))), strict=True
            ):
                assert np.shape(back) == np.shape(primal)
                count += 1
    return count or "no such sample"


PROPERTIES: dict[str, Property] = {
    "value": value,
    "derivatives": derivatives,
    "composed": composed,
    "third order": third_order,
    "linearity": linearity,
    "complex step": complex_step,
    "float32": float32,
    "layouts": layouts,
    "polymorphism": polymorphism,
    "0-d, empty": edge_shapes,
    "conventions": conventions,
    "bad input": bad_input,
}
"""Name in the table, and the check."""

ONCE = frozenset({"conventions", "bad input"})
"""Properties that do not depend on the seed."""

COSTLY = frozenset({"composed", "third order"})
"""Slow ones, that say little more than `derivatives`: checked on an eighth of the examples."""
