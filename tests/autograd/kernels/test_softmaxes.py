"""Softmax and its logarithm along an axis, compiled, against the stable forms in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd.kernels import softmaxes, special
from autograd.kernels.losses import FEW, cross_entropy_backward, cross_entropy_forward

SHAPES = st.sampled_from(
    [
        *[(7,), (3, 5), (1, 1), (4, 1), (2, 3, 4), (5, 1030), (2, 2, 33), (0, 3), (3, 0)],
        *[(1, 2049), (130, 10), (65, 2), (70, 32)],
    ]
)
DTYPES = st.sampled_from(["float32", "float64"])
TOLERANCE = {"float32": 2e-6, "float64": 1e-13}
SEEDS = st.integers(0, 2**20)


@pytest.fixture(autouse=True, scope="module")
def _small_parts_too():
    with pytest.MonkeyPatch.context() as patch:
        for name in softmaxes.NANOSECONDS:
            patch.setitem(softmaxes.NANOSECONDS, name, np.inf)
        yield


def close(got, expected, dtype):
    assert got.dtype == np.dtype(dtype)
    assert got.shape == expected.shape
    scale = np.max(np.abs(expected), initial=1.0, where=np.isfinite(expected))
    np.testing.assert_allclose(
        got, expected, rtol=4 * TOLERANCE[dtype], atol=TOLERANCE[dtype] * scale
    )


def drawn(in_layout, layouts, data, shape, dtype, seed, scale=3.0):
    values = (np.random.default_rng(seed).normal(size=shape) * scale).astype(dtype)
    layout = data.draw(st.sampled_from(layouts))
    return in_layout(values, layout) if len(shape) > 1 else values


@pytest.mark.usefixtures("threads")
@given(SHAPES, DTYPES, SEEDS, st.data())
def test_against_higher_precision(in_layout, layouts, shape, dtype, seed, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    scale = data.draw(st.sampled_from([0.0, 1.0, 30.0, 1e4]))
    x = drawn(in_layout, layouts, data, shape, dtype, seed, scale)
    change = drawn(in_layout, layouts, data, shape, dtype, seed + 1)
    wide = np.longdouble if dtype == "float64" else np.float64
    p, log_p = (f(x.astype(wide), axis) for f in (special.softmax, special.log_softmax))
    close(softmaxes.softmax(x, axis), p, dtype)
    close(softmaxes.log_softmax(x, axis), log_p, dtype)
    near, log_near = softmaxes.softmax(x, axis), softmaxes.log_softmax(x, axis)
    weighted = p * change
    expected = weighted - p * weighted.sum(axis, keepdims=True)
    close(softmaxes.softmax_change(near, change, axis), expected, dtype)
    expected = change - p * change.sum(axis, keepdims=True)
    close(softmaxes.log_softmax_pullback(change, log_near, axis), expected, dtype)


VALUES = [0.0, -0.0, 1.0, -2.5, 90.0, 1e3, -3e38, 3e38, np.inf, -np.inf, np.nan, -np.nan]


@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=40),
        elements=st.sampled_from(VALUES),
    )
)
def test_rows_that_are_not_finite(x):
    with np.errstate(all="raise", under="ignore"):
        p, log_p = softmaxes.softmax(x), softmaxes.log_softmax(x)
    np.testing.assert_allclose(p, special.softmax(x), rtol=2e-6, atol=1e-37)
    np.testing.assert_allclose(log_p, special.log_softmax(x), rtol=2e-6, atol=1e-6)


@pytest.mark.usefixtures("threads")
@given(
    st.sampled_from([1, 2, 5, 70]),
    st.sampled_from([1, 10, FEW, FEW + 1, 47, 1030]),
    st.sampled_from([0.0, 0.1, 1.0]),
    st.booleans(),
    st.sampled_from([-100, 1]),
    st.sampled_from([np.int8, np.int64, np.uint16, ">i4"]),
    SEEDS,
    DTYPES,
)
def test_cross_entropy_by_rows(rows, classes, smoothing, weighted, ignore, kind, seed, dtype):
    rng = np.random.default_rng(seed)
    logits = (3 * rng.normal(size=(rows, classes))).astype(dtype)
    targets = rng.integers(0, min(classes, 100), rows).astype(kind)
    weight = rng.random(classes).astype(dtype) if weighted else None
    share = np.ones(classes) if weight is None else weight.astype(float)
    if np.dtype(kind).kind == "i":
        targets[rng.random(rows) < 0.3] = ignore
    kept = targets != ignore
    log_p = special.log_softmax(logits.astype(float))
    hot = (np.arange(classes) == targets[:, None]).astype(float)
    wanted = ((1 - smoothing) * hot + smoothing / classes) * kept[:, None] * share
    mass = wanted.sum(1, keepdims=True)
    loss, p = cross_entropy_forward(logits, targets, weight, smoothing, ignore)
    close(loss, -(wanted * log_p).sum(1), dtype)
    close(p, np.exp(log_p), dtype)
    g = rng.normal(size=rows).astype(dtype)
    slope = np.exp(log_p) * mass - wanted
    close(
        cross_entropy_backward(g, p, targets, weight, smoothing, ignore), g[:, None] * slope, dtype
    )
    whole = cross_entropy_backward(g[:1].sum(), p, targets, weight, smoothing, ignore)
    close(whole, g[0] * slope, dtype)


@pytest.mark.parametrize("offset", [0.0, 1e4, 1e6, 1e37])
@pytest.mark.parametrize("classes", [12, 70])
def test_smoothing_of_logits_far_from_zero(offset, classes):
    x = (np.random.default_rng(0).normal(size=(60, classes)) + offset).astype(np.float32)
    targets = np.arange(60) % classes
    log_p = special.log_softmax(x.astype(float))
    expected = -(0.8 * log_p[np.arange(60), targets] + 0.2 / classes * log_p.sum(axis=1))
    loss, _ = cross_entropy_forward(x, targets, None, 0.2)
    np.testing.assert_allclose(loss, expected, rtol=1e-6)


def test_probabilities_that_are_not_normal_numbers():
    x = np.zeros((40, 40), np.float32)
    x[:, 1:] = -np.linspace(80.0, 110.0, 39)
    wide = special.softmax(x.astype(float))
    np.testing.assert_allclose(softmaxes.softmax(x), wide, rtol=2e-6, atol=3e-45)
    assert np.all(softmaxes.softmax(x)[:, x[0] > -103] > 0)


def test_an_ignored_row_of_nan_stays_out_of_many_classes():
    logits = np.zeros((2, 50), np.float32)
    logits[0, 3] = np.nan
    targets = np.array([-100, 4])
    loss, p = cross_entropy_forward(logits, targets)
    assert loss[0] == 0.0
    np.testing.assert_allclose(loss[1], np.log(50), rtol=1e-6)
    gradient = cross_entropy_backward(np.ones(2, np.float32), p, targets)
    assert not gradient[0].any()
    np.testing.assert_allclose(gradient[1].sum(), 0.0, atol=1e-6)


def test_the_same_bits_again_and_the_operand_untouched(backend):
    x = np.random.default_rng(0).normal(size=(300, 200)).astype(np.float32)
    x.flags.writeable = False
    first = softmaxes.softmax(x)
    for _ in range(3):
        np.testing.assert_array_equal(softmaxes.softmax(x), first)
    assert (softmaxes.rows_of(1, x) is not None) == (backend == "numba")
