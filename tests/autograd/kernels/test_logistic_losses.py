"""Binary cross-entropy of logits against NumPy's logaddexp in double precision."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd.kernels import logistic_losses as kernels
from autograd.kernels.logistic_losses import logistic_loss, logistic_loss_pullback

VALUES = [0.0, -0.0, 1.0, -2.5, 17.0, -30.0, 88.0, -100.0, 1e4, -3e38, np.inf, -np.inf]
TOLERANCE = {"float32": 1e-6, "float64": 1e-14}


@pytest.fixture(autouse=True, scope="module")
def _small_parts_too() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "NANOSECONDS", np.inf)
        yield


@pytest.mark.usefixtures("threads")
@given(
    hnp.array_shapes(min_dims=0, max_dims=3, max_side=20),
    st.sampled_from(["float32", "float64"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["C", "fortran", "channels_last", "strided"]),
    st.integers(0, 2**20),
)
def test_loss_and_gradient(
    in_layout: Any,
    shape: tuple[int, ...],
    dtype: str,
    hard: bool,
    weighted: bool,
    layout: str,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    x: Any = (rng.normal(size=shape) * 30).astype(dtype)
    x = np.where(rng.random(shape) < 0.2, rng.choice(VALUES[:9], shape), x).astype(dtype)
    y = rng.integers(0, 2, shape).astype(dtype) if hard else rng.random(shape).astype(dtype)
    x = in_layout(x, layout) if x.ndim else x
    p = (rng.random(shape[-1:]) * 3).astype(dtype) if weighted else None
    wide, share = x.astype(np.longdouble), y.astype(np.longdouble)
    gains = share if p is None else share * p
    below, above = np.logaddexp(0, -wide), np.logaddexp(0, wide)
    expected = gains * below + (1 - share) * above
    tolerance = TOLERANCE[dtype]
    found = np.asarray(logistic_loss(x, y, p))
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected.astype(float), rtol=4 * tolerance, atol=1e-37)
    g: Any = np.asarray(rng.normal(size=shape)).astype(dtype)
    slope = (1 - share) * np.exp(-below) - gains * np.exp(-above)
    found = np.asarray(logistic_loss_pullback(g, x, y, p))
    scale = (1 - share) * np.exp(-below) + gains * np.exp(-above)
    error = np.abs(found - g * slope)
    assert np.all(error <= 8 * tolerance * np.abs(g) * scale + 1e-37)


@given(hnp.arrays(np.float32, 40, elements=st.sampled_from(VALUES)))
def test_certain_answers(x: np.ndarray[Any, Any]) -> None:
    with np.errstate(all="raise", under="ignore"):
        right, wrong = (logistic_loss(x, np.full_like(x, y)) for y in (1.0, 0.0))
    finite = np.abs(x) < 80
    np.testing.assert_allclose(right[finite], np.logaddexp(0, -x[finite].astype(float)), rtol=1e-6)
    assert np.all(right[x == -np.inf] == np.inf)
    assert np.all(wrong[x == np.inf] == np.inf)
    assert np.all(right[(x > 1e3) & (x < np.inf)] == 0)


def test_a_confident_right_answer_keeps_its_derivative(backend: str) -> None:
    x, y = np.full(4, 60.0, np.float32), np.ones(4, np.float32)
    found = logistic_loss_pullback(np.ones_like(x), x, y)
    np.testing.assert_allclose(found, -np.exp(-60.0), rtol=1e-6)
