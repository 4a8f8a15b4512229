"""The checkers meet planted errors, right rules, kinks, jumps and misuse."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.registry import REGISTRY
from autograd.testing import (
    DerivativeError,
    NotDifferentiableWarning,
    assert_close,
    call,
    check_grads,
    check_op,
    numerical_jacobian,
    real,
)
from autograd.testing.checks import _check_adjoint
from autograd.testing.flat import Flat
from autograd.testing.properties import PROPERTIES

X = np.array([0.4, -1.3, 2.2])


def elementwise(partial, forward=np.sin):
    return ag.op.elementwise("planted", forward, (partial,))


PLANTED = {
    "sign": elementwise(lambda out, x: -ag.cos(x)),
    "factor": elementwise(lambda out, x: 1.001 * ag.cos(x)),
    "offset": elementwise(lambda out, x: ag.cos(x) + 1e-5),
    "constant": elementwise(lambda out, x: np.cos(X)[0] + 0 * x),
    "one entry": elementwise(lambda out, x: ag.cos(x) * np.array([1.0, 1.0, 1.01])),
    "second order": elementwise(lambda out, x: np.cos(getattr(x, "data", x))),
    "transpose": ag.op.linear("planted", lambda x: np.roll(x, 1), lambda c: ag.roll(c, 1)),
    "jvp": ag.op.linearised("planted", np.sum, lambda out, x, dx: ag.sum(dx * 2)),
    "swapped": ag.op.bilinear("planted", np.outer, lambda c, y: y @ c, lambda c, x: c.T @ x),
}
FUNCTIONS = {name: (lambda x, f=f: f(x)) for name, f in PLANTED.items()}
FUNCTIONS["swapped"] = lambda x: PLANTED["swapped"](x, x * 2)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_planted_errors_are_found(name):
    with pytest.raises(DerivativeError):
        check_grads(FUNCTIONS[name], X)


def test_the_complex_step_finds_what_differences_cannot():
    def planted(analytic):
        rule = (lambda out, x: ag.cos(x) * (1 + 1e-11),)
        return ag.op.elementwise("planted", np.sin, rule, analytic=analytic)

    assert check_grads(planted(False), X).verdict == "right"
    with pytest.raises(DerivativeError, match="complex step"):
        check_grads(planted(True), X)
    refusing = planted(True)
    assert check_grads(lambda x: refusing(x) * float(np.shape(x)[0]), X[:0]).verdict == "right"
    with pytest.raises(ValueError, match="planted is not declared analytic"):
        numerical_jacobian(planted(False), X, method="complex")


def test_functions_that_drop_the_imaginary_part_keep_the_differences_verdict():
    kept = ag.op.elementwise("kept", np.sin, (lambda out, x: ag.cos(x),), analytic=True)
    real = ag.op.linear("real", np.real, lambda c: c, analytic=True)
    assert check_grads(lambda x: kept(real(x)), X).verdict == "right"


@pytest.mark.parametrize("method", ["central", "complex"])
def test_the_jacobian_of_a_function_that_takes_no_tensors(method):
    jacobian = numerical_jacobian(lambda x: np.hstack([x * x, 3 * x]), X, method=method)
    expected = np.vstack([np.diag(2 * X), 3 * np.eye(3)])
    np.testing.assert_allclose(jacobian, expected, rtol=1e-9, atol=1e-9)
    if method == "central":
        alone = numerical_jacobian(lambda x: np.array([float(x[0]) ** 2]), X)
        np.testing.assert_allclose(alone, [[0.8, 0, 0]], rtol=1e-9, atol=1e-12)


def test_the_error_constant_of_a_record_widens_the_tolerance():
    def coarse(x):
        return np.sin(x) * (1 + 1e-10 * np.cos(1e9 * x))

    def op(**error):
        return ag.op.elementwise("coarse", coarse, (lambda out, x: ag.cos(x),), **error)

    with pytest.raises(DerivativeError):
        check_grads(op(), X)
    assert check_grads(op(error=1e6), X).verdict == "right"
    wrong = ag.op.elementwise("coarse", coarse, (lambda out, x: 1.01 * ag.cos(x),), error=1e6)
    with pytest.raises(DerivativeError):
        check_grads(wrong, X)
    with pytest.raises(ValueError, match="error of coarse must be a number from 1"):
        op(error=0.5)


def test_the_message_shows_both_jacobians_and_the_composition():
    with pytest.raises(DerivativeError, match=r"(?s)forward: wrong.*Jacobian.*worst entry"):
        check_grads(FUNCTIONS["sign"], X)
    with pytest.raises(DerivativeError, match=r"(forward|reverse)-(forward|reverse)"):
        check_grads(FUNCTIONS["second order"], X)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("modes", [("forward",), ("reverse",), ("forward", "reverse")])
def test_right_rules_pass_in_every_composition(order, modes):
    report = check_grads(
        lambda x, y: ag.sin(x["a"]) * y + ag.exp(-y * y),
        {"a": X},
        np.float64(0.7),
        order=order,
        modes=modes,
    )
    assert report.verdict == "right"
    assert report.comparisons >= len(modes) ** order


@given(st.integers(0, 2**20), st.floats(1e-3, 1e3), st.integers(-3, 3))
def test_no_false_alarm(seed, scale, decade):
    x = np.random.default_rng(seed).normal(size=3) * scale
    check_grads(lambda x: ag.tanh(x * 0.3) * 10.0**decade + x * x, x, seed=seed)


@pytest.mark.parametrize(
    ("name", "property_name", "index", "seed"),
    [
        ("power", "derivatives", 0, 1140),
        ("layer_norm", "derivatives", 1, 1063),
        ("linalg.svd", "derivatives", 2, 344),
        ("logaddexp", "third order", 3, 111),
        ("logaddexp", "third order", 5, 143),
        ("logaddexp", "third order", 3, 543),
        ("broadcast_to", "composed", 2, 88),
        ("broadcast_to", "composed", 2, 280),
        ("broadcast_to", "composed", 2, 477),
        ("broadcast_to", "composed", 2, 543),
        ("broadcast_to", "composed", 2, 755),
    ],
)
def test_false_alarms_that_a_million_examples_found(name, property_name, index, seed):
    """Derivatives that nearly cancel: neighbours in the tableau agreed by chance, or the rounding
    of the terms was taken for a remainder.
    """
    assert PROPERTIES[property_name](REGISTRY[name], index, seed) > 0


@pytest.mark.parametrize("modes", [("forward",), ("reverse",), ("forward", "reverse")])
@pytest.mark.parametrize("wrong", [1e-3, 1e-6, 1e-9])
def test_wrong_derivatives_of_terms_that_cancel_are_found(wrong, modes):
    """The noise measured is of the function, whatever its derivative is said to be."""
    line = ag.op.linear("line", lambda x: 3.0 * x, lambda c: 3.0 * (1.0 + wrong) * c)
    slanted = ag.op.elementwise("slanted", lambda x: 3.0 * x, (lambda out, x: 3.0 * (1.0 + wrong),))
    for seed in range(20):
        rng = np.random.default_rng(seed)
        a = rng.uniform(1.0, 2.0)
        x = np.array([a, a * (1.0 + rng.uniform(-1e-15, 1e-15))])
        for op in (slanted, line) if modes != ("forward",) else (slanted,):
            with pytest.raises(DerivativeError):
                check_grads(lambda x, op=op: op(x[0]) - op(x[1]), x, modes=modes, seed=seed)


@pytest.mark.parametrize("wrong", [1e-3, 1e-6, 1e-9])
@pytest.mark.parametrize("cancelled", [0.0, 1e-15, 0.3])
def test_modes_that_disagree_are_found(cancelled, wrong):
    """Also where the differences say little, and where the terms cancel."""
    x = np.array([1.3, 1.3 * (1.0 + cancelled)])
    flat = Flat(lambda x: 3.0 * x[0] - 3.0 * x[1], (x,))
    slopes, v, w = np.array([3.0, -3.0]), np.array([0.7, -1.2]), np.array([0.9])
    pushed = np.array([slopes @ v])
    _check_adjoint(flat, w, pushed, w[0] * slopes, v, "")
    with pytest.raises(DerivativeError, match="the two modes disagree"):
        _check_adjoint(flat, w, pushed, w[0] * slopes * (1.0 + wrong), v, "")


@pytest.mark.parametrize(("terms", "wrong"), [(1e6, 1e-4), (1e8, 1e-3), (1e9, 1e-2)])
@pytest.mark.parametrize("join", [lambda a, b: a + b, lambda a, b: ag.stack([a, b])])
def test_much_rounding_hides_no_wrong_derivative(join, terms, wrong):
    """Of a sum with a function that rounds much and declares no error, or of an output beside it:
    the first steps tell, and smaller ones, which know less, must not overturn it.
    """
    rounded = ag.op.elementwise("rounded", lambda x: terms * x - (terms - 1.0) * x, (1.0,))
    slanted = ag.op.elementwise("slanted", np.sin, (lambda out, x: np.cos(x) * (1 + wrong),))
    for seed in range(6):
        with pytest.raises((DerivativeError, NotDifferentiableWarning)):  # a warning is an error
            check_grads(
                lambda x: join(rounded(x[0]), slanted(x[1])), np.array([1.3, 0.7]), seed=seed
            )


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_coarse_dtypes(dtype):
    x = np.array([0.5, -1.25, 2.0], dtype)
    assert check_grads(lambda x: ag.sin(x) * x, x, order=1).verdict == "right"
    with pytest.raises(DerivativeError):
        check_grads(elementwise(lambda out, x: 1.5 * ag.cos(x)), x, order=1)


@pytest.mark.parametrize(
    "f",
    [
        ag.relu,
        ag.absolute,
        lambda x: ag.relu(x) - ag.relu(-x),
        lambda x: ag.maximum(x, 0.0),
        lambda x: ag.sqrt(x * x),
    ],
)
def test_kinks_are_not_differentiable_rather_than_wrong(f):
    with np.errstate(all="ignore"), pytest.warns(NotDifferentiableWarning):
        report = check_grads(f, np.array([0.0, 1.0]), order=1)
    assert report.verdict == "not differentiable"


def test_a_wrong_rule_far_from_its_kink_is_wrong():
    leaky = ag.op.elementwise(
        "leaky",
        lambda x: np.maximum(x, 0),
        (lambda out, x: 2.0 * (x > 0),),
        kinks=(lambda x: x,),
    )
    with pytest.raises(DerivativeError):
        check_grads(leaky, np.array([1.0, 2.0]))


def test_near_a_kink_the_steps_shrink():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert check_grads(ag.relu, np.array([1e-2, 1.0])).verdict == "right"


@pytest.mark.parametrize(
    ("f", "x", "match"),
    [
        (lambda x: ag.log(x), np.array([-1.0]), "not finite"),
        (lambda x: ag.floor(x), np.array([1.0]), "jumps"),
    ],
)
def test_outside_the_domain_and_at_jumps(f, x, match):
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=match):
        check_grads(f, x)


@pytest.mark.parametrize(
    ("use", "error", "match"),
    [
        (lambda: check_grads(ag.exp), TypeError, "no arguments"),
        (lambda: check_grads(ag.exp, 3), TypeError, r"3\.0"),
        (lambda: check_grads(lambda x: None, 1.0), TypeError, "return"),
        (lambda: check_grads(3, 1.0), TypeError, "function"),
        (lambda: check_grads(ag.exp, 1.0, order=0), ValueError, "order"),
        (lambda: check_grads(ag.exp, 1.0, modes="forward"), ValueError, "modes"),
        (lambda: numerical_jacobian(ag.exp, 1.0, method="best"), ValueError, "best"),
        (lambda: check_op("no such"), ValueError, "no such"),
        (lambda: check_op(PLANTED["sign"]), ValueError, "samples"),
    ],
)
def test_misuse_says_what_to_do(use, error, match):
    with pytest.raises(error, match=match):
        use()


def test_check_op_of_a_users_operation():
    samples = (call(real(2, 3)), call(real()))
    right = ag.op.elementwise("right", np.sin, (lambda out, x: ag.cos(x),), samples=samples)
    assert check_op(right).verdict == "right"
    wrong = ag.op.elementwise("wrong", np.sin, (lambda out, x: ag.sin(x),), samples=samples)
    with pytest.raises(DerivativeError, match="sample 0"):
        check_op(wrong)


@pytest.mark.parametrize("method", ["central", "complex"])
def test_numerical_jacobian(method):
    jacobian = numerical_jacobian(lambda x: np.sin(x) * x[0], X, method=method)
    expected = np.diag(np.cos(X) * X[0])
    expected[:, 0] += np.sin(X)
    np.testing.assert_allclose(jacobian, expected, atol=1e-10)


def test_assert_close_names_what_differs():
    for actual, expected, match in (
        ([1.0], (1.0,), "containers"),
        (np.ones(2), np.ones(3), "shape"),
        (np.ones(2, np.float32), np.ones(2), "dtype"),
        (np.array([1.0, 2.0]), np.array([1.0, 2.5]), r"first at \(1,\)"),
    ):
        with pytest.raises(AssertionError, match=match):
            assert_close(actual, expected)
