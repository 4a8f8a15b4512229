"""backward, pullback and pushforward: accumulation, freeing, errors."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag


def leaf(value=2.0):
    return ag.Tensor(value, requires_grad=True)


def test_gradients_accumulate():
    x = leaf()
    (x * x).backward()
    (x * x).backward()
    assert x.grad.item() == 8.0
    x.zero_grad()
    assert x.grad is None


def test_a_second_backward_says_what_to_do():
    x = leaf()
    y = x * x
    y.backward()
    for sweep in (y.backward, lambda: ag.pullback(y, x), lambda: y.jvp({x: 1.0})):
        with pytest.raises(RuntimeError, match="retain_graph=True"):
            sweep()


def test_a_freed_graph_raises_even_where_nothing_was_saved():
    x = leaf()
    y = x + 1.0
    y.backward()
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        y.backward()


def test_only_backward_frees():
    x = leaf()
    y = x * x
    ag.pullback(y, x)
    y.jvp({x: 1.0})
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 8.0


def test_create_graph_retains_and_can_be_swept_again():
    x = leaf(3.0)
    y = x * x * x
    y.backward(create_graph=True)
    first = x.grad
    x.zero_grad()
    first.backward()
    assert first.item() == 27.0
    assert x.grad.item() == 18.0


def test_a_deposited_gradient_is_writable_and_shares_nothing():
    x, y = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    seed = np.ones(2)
    (x + y).backward(seed)
    for one, others in ((x, (y, seed)), (y, (x, seed))):
        assert one.grad.data.flags.writeable
        for other in others:
            array = other if isinstance(other, np.ndarray) else other.grad.data
            assert not np.shares_memory(one.grad.data, array)
    before = x.grad
    (x * 2.0).sum().backward()
    assert not np.shares_memory(before.data, x.grad.data)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_expanded_and_reshaped_cotangents_are_copied_into_grad(shape):
    x = leaf(np.ones(shape))
    x.sum().backward()
    assert x.grad.data.flags.writeable
    assert x.grad.data.flags.owndata
    x.grad.data[...] = 7.0


def test_a_leaf_reached_only_through_a_zero_derivative_gets_zeros():
    x = leaf([1.5, -0.5])
    ag.floor(x).sum().backward()
    assert np.array_equal(x.grad.data, [0.0, 0.0])


def test_a_leaf_as_output():
    x = leaf()
    x.backward()
    assert x.grad.item() == 1.0
    assert x.jvp({x: 4.0}).item() == 4.0


@pytest.mark.parametrize(
    ("action", "error", "match"),
    [
        (lambda x: ag.Tensor(1.0).backward(), RuntimeError, "not tracked"),
        (lambda x: (x * x).backward(), ValueError, "cotangent"),
        (lambda x: (x * x).backward([1.0]), ValueError, r"\(1,\).*\(2,\)"),
        (lambda x: (x * x).backward([1j, 2.0]), TypeError, "complex"),
        (lambda x: (x * x).jvp({ag.Tensor(1.0): 1.0}), RuntimeError, "not tracked"),
        (lambda x: (x * x).jvp([x]), TypeError, "mapping"),
        (lambda x: (x * x).jvp({x: [1.0, 2.0, 3.0]}), ValueError, r"\(3,\).*\(2,\)"),
        (lambda x: ag.pullback(x * x, [x, 3.0], [1.0, 1.0]), TypeError, "inputs"),
        (lambda x: ag.pullback([x * x], x, [1.0, 2.0]), ValueError, "2 cotangents"),
    ],
)
def test_errors(action, error, match):
    with pytest.raises(error, match=match):
        action(leaf([1.0, 2.0]))


def test_nothing_is_deposited_when_a_sweep_fails():
    x = leaf([1.0, 2.0])
    broken = ag.op.elementwise("broken", np.sin, (lambda out, v: 1 / 0,))
    y = x * 2.0 + broken(x)
    with pytest.raises(ZeroDivisionError):
        y.sum().backward()
    assert x.grad is None


def test_cotangents_take_their_primals_dtype():
    x = ag.Tensor(np.ones(3, np.float32), requires_grad=True)
    y = ag.exp(x) * np.float64(2.0)
    assert y.dtype == np.float64
    y.sum().backward()
    assert x.grad.dtype == np.float32
    assert ag.exp(x).jvp({x: np.ones(3)}).dtype == np.float32


def test_tracked_gradients_accumulate_and_stay_tracked():
    """x^3 twice: the gradients add, and so do their derivatives."""
    for first_tracked, second_tracked in ((True, True), (True, False), (False, True)):
        x = ag.Tensor(2.0, requires_grad=True)
        for tracked in (first_tracked, second_tracked):
            (x * x * x).backward(create_graph=tracked)
        assert float(x.grad.data) == 24.0
        second = ag.pullback(x.grad, x)
        assert float(second.data) == 12.0 * (first_tracked + second_tracked)


def test_an_input_given_twice_moves_twice():
    x = ag.Tensor(3.0, requires_grad=True)
    y = x * x
    assert float(ag.pushforward(y, [x, x], [1.0, 0.5]).data) == 6.0 * 1.5
    assert [float(t.data) for t in ag.pullback([y, y], [x], [1.0, 0.5])] == [6.0 * 1.5]


@pytest.mark.parametrize("chosen", [0, 1])
def test_one_of_several_outputs_alone(chosen):
    """What does not arrive at the other outputs is zero, of its own shape."""
    matrix = np.array([[2.0, 1.0], [0.5, 3.0], [1.0, -1.0]])

    def alone(x):
        return ag.sum(ag.linalg.qr(x)[chosen] ** 2 * np.arange(1.0, 3.0))

    x = ag.Tensor(matrix, requires_grad=True)
    alone(x).backward()
    numerical = ag.testing.numerical_jacobian(alone, matrix)
    np.testing.assert_allclose(x.grad.data, numerical, rtol=1e-7, atol=1e-9)


def test_a_rule_may_leave_its_tangent_unbroadcast_and_in_another_dtype():
    spread = ag.op.composite(
        "spread",
        lambda x: np.broadcast_to(x, (2, 3)).copy(),
        lambda x: ag.broadcast_to(x, (2, 3)),
        pushforward=lambda tangents, out, x: np.asarray(tangents[0], np.float64),
    )
    x = ag.Tensor(np.ones(3, np.float32), requires_grad=True)
    tangent = ag.pushforward(spread(x), x, [1.0, 2.0, 3.0])
    assert tangent.shape == (2, 3)
    assert tangent.dtype == np.float32
    np.testing.assert_array_equal(tangent.data, [[1.0, 2.0, 3.0]] * 2)
    unfit = ag.op.composite(
        "unfit", np.sin, ag.sin, pushforward=lambda tangents, out, x: np.ones((5, 7))
    )
    with pytest.raises(ValueError, match=r"unfit made a tangent of shape \(5, 7\)"):
        ag.pushforward(unfit(x), x, np.ones(3))


def test_a_reference_with_an_output_that_does_not_depend_on_the_input():
    halves = ag.op.linearised(
        "halves",
        lambda x: (x * 2.0, np.ones(4)),
        lambda out, x, dx: (dx * 2.0, np.zeros(4)),
    )
    x = ag.Tensor([1.0, 2.0], requires_grad=True)
    moved, still = halves(x)
    np.testing.assert_array_equal(ag.pushforward(moved, x, [1.0, 1.0]).data, [2.0, 2.0])
    np.testing.assert_array_equal(ag.pushforward(still, x, [1.0, 1.0]).data, np.zeros(4))


def test_results_for_what_does_not_depend_are_zeros_of_the_right_dtype():
    x = ag.Tensor(np.ones(2, np.float32), requires_grad=True)
    other = ag.Tensor(np.ones(3, np.float32), requires_grad=True)
    zeros = ag.pullback(ag.sum(x * x), other)
    assert zeros.dtype == np.float32
    assert zeros.shape == (3,)
    whole = ag.Tensor(np.ones(3, int))
    assert ag.pushforward([x * x, whole], x, [1.0, 1.0])[1].dtype == np.float64
    single = np.float32(1.0)
    assert ag.jvp(lambda x: (x, np.float32(2.0)), (single,), (single,))[1][1].dtype == np.float32
    assert ag.jvp(lambda x: (x, np.int64(2)), (single,), (single,))[1][1].dtype == np.float64


def test_no_sweep_records_under_no_grad():
    x = ag.Tensor(2.0, requires_grad=True)
    y = x * x
    seed = ag.Tensor(1.0, requires_grad=True)
    assert ag.pushforward(y, x, seed).requires_grad
    assert ag.pullback(y, x, seed).requires_grad
    with ag.no_grad():
        assert not ag.pushforward(y, x, seed).requires_grad
        assert not ag.pullback(y, x, seed).requires_grad
        assert ag.pullback(y, x, create_graph=True).requires_grad
    assert not ag.pullback(y, x).requires_grad
