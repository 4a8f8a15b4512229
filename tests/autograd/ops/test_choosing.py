"""Rounding's declared kinks lie where its values jump."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd.testing import check_grads


@pytest.mark.parametrize("decimals", [-1, 0, 2])
@given(number=st.integers(-40, 40), offset=st.floats(-0.3, 0.3))
def test_round_jumps_at_its_kinks_and_nowhere_else(decimals, number, offset):
    node = ag.round(ag.Tensor(0.3, requires_grad=True), decimals).node
    (kink,) = node.op.kinks
    unit = 10.0**-decimals
    middle = (number + 0.5) * unit
    assert abs(kink(middle, **node.params)) < 1e-9
    assert abs(kink(number * unit + offset * unit, **node.params)) > 0.1
    below, above = ag.round(np.array([middle - unit / 50, middle + unit / 50]), decimals)
    assert above - below == pytest.approx(unit)


def test_checks_near_a_half_know_that_round_jumps_there():
    with pytest.warns(ag.testing.NotDifferentiableWarning, match="round"):
        check_grads(lambda x: ag.round(x) + x, np.array([0.5 + 1e-6]), order=1)


def test_kinks_know_the_parameters():
    with pytest.warns(ag.testing.NotDifferentiableWarning, match="round"):
        check_grads(lambda x: ag.round(x, 1) + x, np.array([0.25 + 1e-6]), order=1)
    for f in (lambda x: ag.leaky_relu(x, 0.3), lambda x: ag.elu(x, 2.0)):
        with pytest.warns(ag.testing.NotDifferentiableWarning, match="leaky_relu|elu"):
            check_grads(f, np.array([0.0, 1.0]), order=1)
