"""Normalizations against float64 formulas, and running statistics that move once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.kernels.windows import is_channels_last
from tests.oracles import five_point

EPS = 0.1
seeds = st.integers(0, 2**20)
shapes = st.sampled_from([(3, 2), (5, 1), (2, 4, 3), (2, 2, 2, 3), (1, 4, 2, 2)])
affine = st.tuples(st.booleans(), st.booleans())


def plain(x, axes, weight, bias):
    """The formula; weight and bias in a shape that broadcasts, or None."""
    mean = x.mean(axis=axes, keepdims=True)
    y = (x - mean) / np.sqrt(((x - mean) ** 2).mean(axis=axes, keepdims=True) + EPS)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def per_channel(value, ndim):
    return None if value is None else value.reshape(-1, *(1,) * (ndim - 2))


def parameters(rng, shape, kinds):
    return [rng.normal(size=shape) if kind else None for kind in kinds]


def check(f, x, weight, bias, formula):
    """Value and derivatives to second order, in x and in what is given of weight and bias.

    `formula(x, weight, bias)` takes complex arrays, and a complex step through it is exact.
    """
    rng = np.random.default_rng(0)
    operands = [value for value in (x, weight, bias) if value is not None]
    tangents = [rng.normal(size=value.shape) for value in operands]
    cotangent = rng.normal(size=x.shape)

    def arguments(values):
        rest = iter(values)
        return [None if value is None else next(rest) for value in (x, weight, bias)]

    def call(*values):
        return f(*arguments(values))

    def along(function):
        """The derivative of `function` of all operands along the tangents."""
        moved = [value + 1e-30j * t for value, t in zip(operands, tangents, strict=True)]
        return function(*arguments(moved)).imag / 1e-30

    def close(a, b):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-9)

    np.testing.assert_allclose(call(*operands), formula(x, weight, bias), rtol=1e-10, atol=1e-10)
    expected = along(formula)
    close(ag.jvp(call, operands, tangents)[1], expected)
    fast = ag.vjp(call, *operands)[1](cotangent)
    total = sum(np.sum(d * t) for d, t in zip(fast, tangents, strict=True))
    close(total, np.sum(expected * cotangent))
    # The kernel's pullback entry by entry against the recorded reference's, and that one's change
    # along the tangents, by forward over reverse and reverse over reverse, against differences.
    leaves = [ag.Tensor(value, requires_grad=True) for value in operands]
    slow = ag.pullback([call(*leaves)], leaves, [ag.Tensor(cotangent)], create_graph=True)
    for a, b in zip(fast, slow, strict=True):
        close(a, b.data)
    sizes = np.cumsum([value.size for value in operands])[:-1]

    def split(flat):
        parts = zip(np.split(flat, sizes), operands, strict=True)
        return [part.reshape(value.shape) for part, value in parts]

    def gradient(flat):
        return np.concatenate([d.ravel() for d in ag.vjp(call, *split(flat))[1](cotangent)])

    place, direction = (np.concatenate([v.ravel() for v in vs]) for vs in (operands, tangents))
    second = five_point(gradient, place, direction)
    forward = ag.jvp(lambda *v: ag.vjp(call, *v)[1](cotangent), operands, tangents)[1]
    contracted = sum(ag.sum(d * t) for d, t in zip(slow, tangents, strict=True))
    reverse = ag.pullback([contracted], leaves, [ag.Tensor(1.0)])
    for found in (forward, [d.data for d in reverse]):
        flat = np.concatenate([d.ravel() for d in found])
        np.testing.assert_allclose(flat, second, rtol=1e-5, atol=1e-5)


def by_channel(x, weight, bias):
    return per_channel(weight, x.ndim), per_channel(bias, x.ndim)


@given(shapes, affine, seeds)
def test_batch_norm_in_training(shape, kinds, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape) + 0.5
    weight, bias = parameters(rng, shape[1:2], kinds)

    def f(x, weight, bias):
        return ag.batch_norm(x, None, None, weight, bias, training=True, eps=EPS)

    def formula(x, weight, bias):
        return plain(x, (0, *range(2, x.ndim)), *by_channel(x, weight, bias))

    check(f, x, weight, bias, formula)


@given(shapes, affine, seeds)
def test_batch_norm_by_running_statistics(shape, kinds, seed):
    rng = np.random.default_rng(seed)
    x, mean, variance = rng.normal(size=shape), rng.normal(size=shape[1]), rng.random(shape[1])
    weight, bias = parameters(rng, shape[1:2], kinds)
    before = mean.copy(), variance.copy()

    def formula(x, weight, bias):
        weight, bias = by_channel(x, weight, bias)
        y = (x - per_channel(mean, x.ndim)) / np.sqrt(per_channel(variance, x.ndim) + EPS)
        y = y if weight is None else y * weight
        return y if bias is None else y + bias

    check(lambda x, w, b: ag.batch_norm(x, mean, variance, w, b, eps=EPS), x, weight, bias, formula)
    assert np.array_equal(mean, before[0]) and np.array_equal(variance, before[1])


@given(shapes, st.floats(0.0, 1.0), seeds)
def test_running_statistics_move_towards_the_batch(shape, momentum, seed):
    rng = np.random.default_rng(seed)
    x, mean, variance = rng.normal(size=shape), rng.normal(size=shape[1]), rng.random(shape[1])
    axes = (0, *range(2, x.ndim))
    expected = (
        (1 - momentum) * mean + momentum * x.mean(axis=axes),
        (1 - momentum) * variance + momentum * x.var(axis=axes, ddof=1),
    )
    ag.batch_norm(x, mean, variance, training=True, momentum=momentum)
    np.testing.assert_allclose(mean, expected[0], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(variance, expected[1], rtol=1e-9, atol=1e-9)


def test_no_sweep_moves_the_running_statistics_again():
    mean, variance = np.zeros(2), np.ones(2)
    x = ag.Tensor(np.arange(8.0).reshape(4, 2) ** 2, requires_grad=True)
    y = ag.batch_norm(x, mean, variance, training=True)
    after = mean.copy(), variance.copy()
    y.jvp({x: np.ones((4, 2))})
    (first,) = ag.pullback([ag.sum(y**3)], [x], [ag.Tensor(1.0)], create_graph=True)
    ag.pullback([ag.sum(first**2)], [x], [ag.Tensor(1.0)])
    ag.sum(y**3).backward()
    assert np.array_equal(mean, after[0]) and np.array_equal(variance, after[1])


def test_statistics_of_tensors_are_updated_too():
    mean, variance = ag.Tensor(np.zeros(1)), ag.Tensor(np.ones(1))
    ag.batch_norm(np.array([[1.0], [3.0]]), mean, variance, training=True, momentum=0.5)
    np.testing.assert_allclose(mean.data, [1.0])
    np.testing.assert_allclose(variance.data, [1.5])


@pytest.mark.parametrize("running", [[0.0, 0.0], np.zeros(2, int)])
@pytest.mark.parametrize("place", [0, 1])
def test_statistics_that_cannot_be_updated(running, place):
    good = np.ones(2)
    arguments = (running, good) if place == 0 else (good, running)
    with pytest.raises(TypeError, match=("running_mean", "running_var")[place]):
        ag.batch_norm(np.ones((3, 2)), *arguments, training=True)
    assert np.array_equal(good, np.ones(2))


@given(shapes, st.integers(1, 3), affine, seeds)
def test_layer_norm(shape, axes, kinds, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape)
    inner = shape[-min(axes, len(shape)) :]
    weight, bias = parameters(rng, inner, kinds)

    def formula(x, weight, bias):
        return plain(x, tuple(range(-len(inner), 0)), weight, bias)

    check(lambda x, w, b: ag.layer_norm(x, inner, w, b, EPS), x, weight, bias, formula)


@given(
    st.sampled_from([(2, 4, 3), (1, 4, 2, 2), (3, 4)]), st.sampled_from([1, 2, 4]), affine, seeds
)
def test_group_norm(shape, groups, kinds, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape)
    weight, bias = parameters(rng, shape[1:2], kinds)

    def formula(x, weight, bias):
        weight, bias = by_channel(x, weight, bias)
        y = plain(x.reshape(shape[0], groups, -1), (2,), None, None).reshape(shape)
        y = y if weight is None else y * weight
        return y if bias is None else y + bias

    check(lambda x, w, b: ag.group_norm(x, groups, w, b, EPS), x, weight, bias, formula)


NORMS = {
    "batch": lambda x: ag.batch_norm(x, None, None, training=True),
    "evaluation": lambda x: ag.batch_norm(x, np.zeros(3, x.dtype), np.ones(3, x.dtype)),
    "group": lambda x: ag.group_norm(x, 3),
}


@pytest.mark.parametrize("norm", NORMS.values(), ids=NORMS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_layout_and_dtype_stay(norm, dtype):
    x = np.moveaxis(np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype(dtype), -1, 1)
    out, pullback = ag.vjp(norm, x)
    (back,) = pullback(np.ones_like(out))
    assert out.dtype == back.dtype == dtype
    assert is_channels_last(out) and is_channels_last(back)
    close = {"rtol": 1e-5, "atol": 1e-5}
    np.testing.assert_allclose(out, norm(np.ascontiguousarray(x)), **close)


def test_group_norm_of_one_group_is_layer_norm_and_of_one_channel_is_per_instance():
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    np.testing.assert_allclose(ag.group_norm(x, 1), ag.layer_norm(x, (3, 4)), atol=1e-12)
    np.testing.assert_allclose(ag.group_norm(x, 3), ag.layer_norm(x, 4), atol=1e-12)


def test_a_shift_has_no_derivative():
    x = np.random.default_rng(0).normal(size=(4, 3))
    gradient = ag.grad(lambda x: ag.sum(ag.layer_norm(x, 3) ** 3))(x)
    np.testing.assert_allclose(gradient.sum(axis=1), 0.0, atol=1e-12)


BY_NORM = {
    "batch": lambda x, w, b: ag.batch_norm(x, None, None, w, b, training=True),
    "layer": lambda x, w, b: ag.layer_norm(x, 4, w, b),
    "group": lambda x, w, b: ag.group_norm(x, 2, w, b),
}


@pytest.mark.parametrize("norm", BY_NORM.values(), ids=BY_NORM)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_arrays_in_the_other_byte_order_give_the_same(norm, dtype):
    """Bit for bit: NumPy's sums of these small arrays are the same in both orders."""
    rng = np.random.default_rng(0)
    native = [rng.normal(size=shape).astype(dtype) for shape in ((3, 4, 4), (4,), (4,))]
    swapped = [array.astype(array.dtype.newbyteorder()) for array in native]

    def results(arrays):
        tangents = [array + array for array in arrays]
        out, pullback = ag.vjp(norm, *arrays)
        along = ag.jvp(norm, arrays, tangents)[1]
        second = ag.jvp(lambda *a: ag.vjp(norm, *a)[1](arrays[0]), arrays, tangents)[1]
        return [norm(*arrays), out, along, *pullback(arrays[0]), *second]

    for found, expected in zip(results(swapped), results(native), strict=True):
        np.testing.assert_array_equal(found, expected)
        assert found.dtype.newbyteorder("=") == expected.dtype == dtype
