"""Where two operands are infinite, or both zero."""

from __future__ import annotations

import numpy as np

import autograd as ag


def test_logaddexp_of_infinities():
    low = np.float64(-np.inf)
    out, pullback = ag.vjp(ag.logaddexp, low, low)
    assert out == -np.inf
    assert pullback(np.float64(1.0)) == (0.0, 0.0)
    out, pullback = ag.vjp(ag.logaddexp, low, np.float64(2.0))
    assert out == 2.0
    assert pullback(np.float64(1.0)) == (0.0, 1.0)


def test_second_derivatives_at_the_origin_are_finite():
    for f in (ag.hypot, ag.arctan2):
        slopes = ag.grad(lambda x, f=f: ag.grad(lambda y: f(y, y) * x)(x))(np.float64(0.0))
        assert np.isfinite(slopes)
