"""Columns of a Jacobian pushed together are the columns pushed one after the other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd import tracing
from autograd.registry import REGISTRY
from autograd.testing import strategies
from autograd.testing.operation_checks import differentiable_call

NEVER = 1 << 40


def leaves(value):
    if isinstance(value, dict):
        value = [value[key] for key in sorted(value)]
    if isinstance(value, tuple | list):
        return [leaf for item in value for leaf in leaves(item)]
    return [np.asarray(value)]


def columns(f, args, many, memory=tracing.PUSHED_BYTES):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tracing, "MANY", many)
        patch.setattr(tracing, "PUSHED_BYTES", memory)
        return leaves(ag.jacobian(f, tuple(range(len(args))), mode="forward")(*args))


def assert_same(f, args, memory=tracing.PUSHED_BYTES, tolerance=1e-12):
    expected, together = columns(f, args, NEVER), columns(f, args, 1, memory)
    for got, want in zip(together, expected, strict=True):
        assert got.dtype == want.dtype
        assert got.flags.writeable
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", sorted(REGISTRY))
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_every_operation_pushes_many_tangents_as_it_pushes_each(name, dtype):
    entry = REGISTRY[name]
    with np.errstate(all="ignore"):
        for number, sample in enumerate(entry.samples):
            f, args = differentiable_call(entry.function, sample, number, dtype)
            if args:
                tolerance = 1e-12 if dtype is np.float64 else 1e-5
                assert_same(f, args, tolerance=tolerance)


@given(strategies.programs(6, inputs=2), st.integers(0, 2**20), st.integers(600, 4000))
def test_programs_in_steps_of_any_size(f, seed, memory):
    x, y = strategies.inputs_of(f, (2, 3), seed)
    assert_same(f, (x, y[:, :1]), memory)
    assert_same(f, (x, y[0]), memory)


@pytest.mark.parametrize(
    "index",
    [
        1,
        (slice(None, None, -1), 1),
        (..., 0, None),
        np.array([0, 1, 0]),
        (slice(None), np.array([2, 0])),
        (np.array([0, 1]), slice(None), np.array([3, -1])),
        (np.array([True, False]), slice(1, 3)),
        (1, slice(None), True),
        (0, slice(None), np.array([1, 1])),
        np.arange(24).reshape(2, 3, 4) % 5 == 0,
    ],
)
def test_indices(index):
    x = np.arange(24.0).reshape(2, 3, 4)
    assert_same(lambda x: x[index] ** 2, (x,))
    assert_same(ag.grad(lambda x: (x[index] ** 3).sum()), (x,))


@pytest.mark.parametrize("n", [1, 3, 4, 50])
def test_the_hessian_of_rosenbrocks_function(n):
    """In closed form: tridiagonal."""
    p = np.random.default_rng(n).uniform(-1, 1, n + 1)
    hessian = ag.hessian(lambda p: (100 * (p[1:] - p[:-1] ** 2) ** 2 + (1 - p[:-1]) ** 2).sum())(p)
    expected = np.diag(-400 * p[:-1], 1) + np.diag(-400 * p[:-1], -1)
    expected += np.diag(np.append(1200 * p[:-1] ** 2 - 400 * p[1:] + 2, 0.0))
    expected += np.diag(np.append(0.0, np.full(n, 200.0)))
    np.testing.assert_allclose(hessian, expected, rtol=1e-12, atol=1e-10)


def test_containers_constants_and_outer_variables():
    rng = np.random.default_rng(0)
    tree = {"w": rng.normal(size=(3, 4)), "b": rng.normal(size=4)}
    x = rng.normal(size=(5, 3))

    def f(tree):
        h = ag.tanh(x @ tree["w"] + tree["b"])
        return h, ag.sum(h * h), np.ones(2), tree["b"]

    assert_same(f, (tree,))
    outer = ag.Tensor(2.0, requires_grad=True)
    jacobian = ag.jacobian(lambda v: v * v * outer, mode="forward")(np.arange(5.0))
    np.testing.assert_array_equal(jacobian.data, np.diag(4 * np.arange(5.0)))
    assert ag.pullback(jacobian.sum(), outer).item() == 2 * 10.0


def test_an_anomaly_among_many_tangents_is_found():
    with ag.detect_anomaly(), pytest.raises(RuntimeError, match="a NaN in a tangent"):
        ag.jacobian(lambda x: ag.sqrt(x * 0.0), mode="forward")(np.ones(5))
