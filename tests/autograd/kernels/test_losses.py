"""Fused cross-entropy against one row at a time in plain Python, and complex steps of that."""

from __future__ import annotations

import cmath
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd.kernels.losses import (
    FEW,
    cross_entropy_backward,
    cross_entropy_forward,
    target_weights,
)
from autograd.kernels.special import log_softmax

Array = np.ndarray[Any, Any]


def row_loss(row: Any, target: int, weight: Any, smoothing: float, ignore: int) -> Any:
    if target == ignore:
        return 0j
    log_total = cmath.log(sum(cmath.exp(v) for v in row))
    losses = [w * (log_total - v) for v, w in zip(row, weight, strict=True)]
    return (1 - smoothing) * losses[target] + smoothing * sum(losses) / len(row)


@given(
    st.integers(0, 4),
    st.integers(1, 5),
    st.sampled_from([(), (2,), (2, 3)]),
    st.booleans(),
    st.sampled_from([0.0, 0.1, 1.0]),
    st.sampled_from([-100, 1]),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["float32", "float64"]),
    st.data(),
)
def test_cross_entropy(
    in_layout: Callable[[Array, str], Array],
    layouts: tuple[str, ...],
    rows: int,
    classes: int,
    spatial: tuple[int, ...],
    weighted: bool,
    smoothing: float,
    ignore: int,
    seed: int,
    dtype: str,
    data: st.DataObject,
) -> None:
    rng = np.random.default_rng(seed)
    values = (rng.normal(size=(rows, classes, *spatial)) * 3).astype(dtype)
    logits = in_layout(values, data.draw(st.sampled_from(layouts)))
    targets = rng.integers(0, classes, (rows, *spatial))
    targets[rng.random(targets.shape) < 0.3] = ignore
    weight = rng.random(classes).astype(dtype) if weighted else None
    arguments: Any = (weight, smoothing, ignore)

    loss, p = cross_entropy_forward(logits, targets, *arguments)
    g = rng.normal(size=targets.shape).astype(dtype)
    dlogits = cross_entropy_backward(g, p, targets, *arguments)
    assert loss.dtype == dlogits.dtype == logits.dtype
    tolerance = 2e-5 if dtype == "float32" else 1e-11
    plain_weight = [1.0] * classes if weight is None else weight.tolist()
    for at in np.ndindex(*targets.shape):
        row = values[at[0], :, *at[1:]].astype(complex).tolist()
        arguments_of_row: Any = (int(targets[at]), plain_weight, smoothing, ignore)
        assert np.isclose(loss[at], row_loss(row, *arguments_of_row).real, tolerance, tolerance)
        for c in range(classes):
            moved = list(row)
            moved[c] += 1e-30j
            slope = row_loss(moved, *arguments_of_row).imag / 1e-30
            result = dlogits[at[0], c, *at[1:]]
            assert np.isclose(result, slope * g[at], tolerance, tolerance)
    kept = [plain_weight[t] if t != ignore else 0.0 for t in targets.ravel().tolist()]
    weights = target_weights(targets, weight, ignore, dtype)
    assert weights.dtype == dtype
    np.testing.assert_allclose(weights.ravel(), kept, rtol=1e-6)


def test_extreme_logits() -> None:
    logits = np.array([[1e4, 0.0], [-1e4, 0.0], [0.0, -np.inf]])
    loss, p = cross_entropy_forward(logits, np.array([1, 0, 0]))
    assert loss.tolist() == [1e4, 1e4, 0.0]
    grad = cross_entropy_backward(np.ones(3), p, np.array([1, 0, 0]))
    assert grad.tolist() == [[1.0, -1.0], [-1.0, 1.0], [0.0, 0.0]]


@given(
    st.integers(0, 4),
    st.sampled_from([1, 2, 3, FEW, FEW + 1]),
    st.sampled_from(["float32", "float64"]),
    st.booleans(),
    st.data(),
)
def test_rows_with_infinities_follow_the_log_softmax(
    rows: int, classes: int, dtype: str, spatial: bool, data: st.DataObject
) -> None:
    values = [0.0, 1.0, -2.5, 1e3, -3e38, 3e38, np.inf, -np.inf, np.nan]
    logits = data.draw(hnp.arrays(dtype, (rows, classes), elements=st.sampled_from(values)))
    targets = data.draw(hnp.arrays("int64", rows, elements=st.integers(0, classes - 1)))
    g = data.draw(hnp.arrays(dtype, rows, elements=st.sampled_from([0.0, 0.5, -2.0])))
    at = np.arange(rows), targets
    log_p = log_softmax(logits, 1)
    expected = np.exp(log_p) * g[:, None]
    expected[at] -= g
    if spatial:
        logits, targets, g = logits[..., None], targets[:, None], g[:, None]
    with np.errstate(all="raise", under="ignore"):
        loss, p = cross_entropy_forward(logits, targets)
    tolerance = 1e-6 if dtype == "float32" else 1e-14
    np.testing.assert_allclose(loss.ravel(), -log_p[at], rtol=tolerance)
    result = cross_entropy_backward(g, p, targets)
    np.testing.assert_allclose(result.reshape(rows, classes), expected, rtol=0, atol=4 * tolerance)


def test_an_ignored_row_of_nan_stays_out() -> None:
    logits = np.array([[np.nan, 0.0], [0.0, 0.0]])
    targets = np.array([-100, 0])
    loss, p = cross_entropy_forward(logits, targets)
    assert loss[0] == 0.0
    grad = cross_entropy_backward(np.ones(2), p, targets)
    assert grad.tolist() == [[0.0, 0.0], [-0.5, 0.5]]


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int64, np.uint8, np.uint16, ">i2"])
def test_targets_of_small_integers(dtype: object) -> None:
    """Also where there are more classes than the dtype can name."""
    classes = 300
    logits = np.random.default_rng(0).normal(size=(4, classes))
    ignored = 0 if np.dtype(dtype).kind == "u" else -100
    targets = np.array([1, ignored, 3, ignored])
    expected, _ = cross_entropy_forward(logits, targets, ignore_index=ignored)
    found, p = cross_entropy_forward(logits, targets.astype(dtype), ignore_index=ignored)
    np.testing.assert_array_equal(found, expected)
    assert not found[1] and not found[3]
    g = cross_entropy_backward(np.ones(4), p, targets.astype(dtype), ignore_index=ignored)
    assert not g[1].any() and g[0].any()
    if ignored < 0:
        with pytest.raises(ValueError, match="target -5"):
            cross_entropy_forward(logits, np.array([1, 2, 3, -5]).astype(dtype))


def test_a_scalar_cotangent_is_broadcast() -> None:
    logits, targets = np.array([[1.0, 2.0], [0.5, 0.0]]), np.array([0, 1])
    _, p = cross_entropy_forward(logits, targets)
    whole = cross_entropy_backward(np.full(2, 0.5), p, targets)
    assert np.array_equal(cross_entropy_backward(np.float64(0.5), p, targets), whole)


@pytest.mark.parametrize(
    ("logits", "targets", "keywords", "error", "words"),
    [
        ((2, 3), [0, 3], {}, ValueError, "target 3"),
        ((2, 3), [0, -1], {}, ValueError, "target -1"),
        ((2, 3), np.array([0, 200], np.uint8), {}, ValueError, "target 200"),
        ((2, 3), np.array([0, -1], ">i4"), {}, ValueError, "target -1"),
        (
            (2, 3),
            np.array([0, 2**64 - 100], np.uint64),
            {},
            ValueError,
            "target 18446744073709551516",
        ),
        ((2, 3), [0.0, 1.0], {}, TypeError, "float64"),
        ((2, 3), [0], {}, ValueError, r"\(1,\)"),
        ((2,), [0, 1], {}, ValueError, "N, C"),
        ((2, 3), [0, 1], {"label_smoothing": 1.5}, ValueError, "label_smoothing"),
        ((2, 3), [0, 1], {"weight": np.ones(2)}, ValueError, "class weights"),
    ],
)
def test_bad_arguments(
    logits: tuple[int, ...], targets: Any, keywords: Any, error: type[Exception], words: str
) -> None:
    for dtype in (np.float32, np.float64):
        with pytest.raises(error, match=words):
            cross_entropy_forward(np.zeros(logits, dtype), np.array(targets), **keywords)


def test_negative_targets_that_look_like_classes_to_a_byte() -> None:
    """-5 is 251 to an unsigned byte, a class of 256."""
    logits = np.zeros((2, 256))
    with pytest.raises(ValueError, match="target -5 is not a class"):
        cross_entropy_forward(logits, np.array([-5, 1], np.int8))
    loss, _ = cross_entropy_forward(logits, np.array([-100, 1], np.int8))
    np.testing.assert_allclose(loss, [0, np.log(256)])


def test_an_ignored_index_beyond_all_integers() -> None:
    logits, targets = np.zeros((600, 2), np.float32), np.zeros(600, int)
    loss, p = cross_entropy_forward(logits, targets, ignore_index=1 << 64)
    np.testing.assert_allclose(loss, np.log(2), rtol=1e-6)
    gradient = cross_entropy_backward(np.float32(1), p, targets, ignore_index=1 << 64)
    np.testing.assert_allclose(gradient, [[-0.5, 0.5]] * 600)
