"""Groups, messages and warnings that all optimizers share; clipping."""

from __future__ import annotations

import copy
import pickle
import warnings
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
import nn
import optim


def parameter(*values):
    return nn.Parameter(np.array(values, float))


def test_groups_have_options_of_their_own():
    a, b = parameter(1.0), parameter(1.0)
    optimizer = optim.SGD([{"params": [a]}, {"params": [b], "lr": 0.5}], lr=0.1)
    a.grad, b.grad = [1.0], [1.0]
    optimizer.step()
    assert (a.item(), b.item()) == (0.9, 0.5)


def test_zero_grad():
    p = parameter(1.0)
    optimizer = optim.SGD([p], lr=0.1)
    p.grad = [1.0]
    array = p.grad.data
    optimizer.zero_grad(set_to_none=False)
    assert array[0] == 0.0
    optimizer.zero_grad()
    assert p.grad is None


def test_a_parameter_without_gradient_is_warned_of_once():
    used, unused, frozen = parameter(1.0), parameter(1.0), parameter(1.0)
    frozen.requires_grad = False
    optimizer = optim.SGD([("used", used), ("unused", unused), ("frozen", frozen)], lr=0.1)
    used.grad = [1.0]
    with pytest.warns(UserWarning, match=r"parameter 'unused' of shape \(1,\)"):
        optimizer.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer.step()


def test_an_update_that_is_not_finite_is_named():
    p = nn.Parameter(np.array([1.0]), name="weight")
    p.grad = [np.inf]
    with ag.detect_anomaly(), pytest.raises(ag.AnomalyError, match="'weight'"):
        optim.SGD([p], lr=0.1).step()


P = parameter(1.0, 2.0)


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: optim.SGD([], lr=0.1), ValueError, "no parameters"),
        (lambda: optim.SGD(P, lr=0.1), TypeError, r"write \[p\]"),
        (lambda: optim.SGD([P, P], lr=0.1), ValueError, "twice"),
        (lambda: optim.SGD([P * 2.0], lr=0.1), TypeError, "computed"),
        (lambda: optim.SGD([np.ones(2)], lr=0.1), TypeError, "ndarray"),
        (lambda: optim.SGD([ag.Tensor([1, 2])], lr=0.1), TypeError, "int64"),
        (lambda: optim.SGD([P], lr=-1.0), ValueError, "lr must be at least 0"),
        (lambda: optim.SGD([P], lr=float("nan")), ValueError, "lr"),
        (lambda: optim.SGD([P], lr="big"), TypeError, "lr must be a number"),
        (lambda: optim.SGD([P], lr=0.1, nesterov=True), ValueError, "nesterov"),
        (lambda: optim.Adam([P], betas=(0.9, 1.0)), ValueError, "betas"),
        (lambda: optim.Adam([P], betas=0.9), ValueError, "two numbers"),
        (lambda: optim.RMSprop([P], alpha=1.5), ValueError, r"in \[0, 1\]"),
        (lambda: optim.Muon([P]), ValueError, "matrices"),
        (lambda: optim.SGD([{"params": [P], "speed": 1}], lr=0.1), ValueError, "speed"),
    ],
)
def test_bad_input(make, error, match):
    with pytest.raises(error, match=match):
        make()


def test_nothing_changes_when_a_gradient_does_not_fit():
    a, b = parameter(1.0), parameter(1.0)
    optimizer = optim.SGD([a, b], lr=0.1)
    a.grad = [1.0]
    b._grad = ag.Tensor([1.0, 2.0])
    with pytest.raises(ValueError, match="has shape"):
        optimizer.step()
    assert a.item() == 1.0


def test_a_state_dict_of_another_optimizer_is_refused():
    optimizer = optim.SGD([parameter(1.0)], lr=0.1)
    other = optim.SGD([parameter(1.0), parameter(2.0)], lr=0.1)
    with pytest.raises(ValueError, match="do not fit"):
        optimizer.load_state_dict(other.state_dict())


@given(st.integers(0, 2**20), st.sampled_from([0.5, 100.0]), st.sampled_from([1.0, 2.0, np.inf]))
def test_clipping_by_norm(seed, bound, order):
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=shape) for shape in ((3, 2), (4,))]
    parameters = [nn.Parameter(np.zeros_like(array)) for array in arrays]
    for p, array in zip(parameters, arrays, strict=True):
        p.grad = ag.Tensor(array.copy())
    norm = np.linalg.norm(np.concatenate([array.ravel() for array in arrays]), order)
    assert optim.clip_grad_norm_(parameters, bound, order) == pytest.approx(norm, rel=1e-12)
    scale = min(1.0, bound / (norm + 1e-6))
    for p, array in zip(parameters, arrays, strict=True):
        np.testing.assert_allclose(p.grad.data, array * scale, rtol=1e-12)


def test_clipping_by_value_and_its_errors():
    p = parameter(0.0, 0.0, 0.0)
    p.grad = [-3.0, 0.2, 3.0]
    optim.clip_grad_value_(p, 0.5)
    assert p.grad.data.tolist() == [-0.5, 0.2, 0.5]
    p.grad = [np.nan, 0.0, 0.0]
    with pytest.raises(RuntimeError, match="nan"):
        optim.clip_grad_norm_(p, 1.0, error_if_nonfinite=True)
    with pytest.raises(ValueError, match="max_norm"):
        optim.clip_grad_norm_(p, -1.0)
    with pytest.raises(ValueError, match="clip_value"):
        optim.clip_grad_value_(p, -1.0)
    with pytest.raises(TypeError, match="parameters"):
        optim.clip_grad_norm_([3.0], 1.0)


@pytest.mark.parametrize("make", [partial(optim.SGD, momentum=0.9), optim.Adam, optim.Muon])
def test_a_copied_or_pickled_optimizer_changes_its_own_parameters(make):
    """Also where an array gets the memory, or the `id`, of one that is gone."""
    gradient = np.random.default_rng(0).normal(size=(200, 200)).astype(np.float32)

    def trained(pass_on):
        parameter = nn.Parameter(np.ones((200, 200), np.float32))
        optimizer = make([parameter], lr=0.01)
        for _ in range(6):
            parameter.grad = gradient
            optimizer.step()
            parameter.grad = None
            parameter, optimizer = pass_on((parameter, optimizer))
        return parameter.data

    def pickled(pair):
        given = [pickle.dumps(pair)]
        del pair
        return pickle.loads(given.pop())

    expected = trained(lambda pair: pair)
    np.testing.assert_array_equal(trained(copy.deepcopy), expected)
    np.testing.assert_array_equal(trained(pickled), expected)


def test_a_pickled_optimizer_has_no_addresses():
    pytest.importorskip("numba")
    parameter = nn.Parameter(np.ones((200, 200), np.float32))
    optimizer = optim.SGD([parameter], lr=0.01)
    parameter.grad = np.ones((200, 200), np.float32)
    optimizer.step()
    assert optimizer._places
    assert not pickle.loads(pickle.dumps(optimizer))._places
    assert not copy.deepcopy(optimizer)._places


def test_what_was_changed_before_an_error_is_known_as_changed(monkeypatch):
    first, second = (nn.Parameter(np.ones(3)) for _ in range(2))
    loss = ag.sum(first * first) + ag.sum(second)
    first.grad, second.grad = np.ones(3), np.ones(3)
    optimizer = optim.SGD([first, second], lr=0.1)
    update, calls = optimizer._update, []

    def fail(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyError
        update(*arguments)

    monkeypatch.setattr(optimizer, "_update", fail)
    with pytest.raises(KeyError):
        optimizer.step()
    assert first.data[0] != 1
    with pytest.raises(RuntimeError, match="changed"):
        loss.backward()
