"""Initial values: their bounds, spreads and structure."""

from __future__ import annotations

import math

import numpy as np
import pytest

import nn


def filled(function, *arguments, shape=(200, 300), **options):
    return function(
        nn.Parameter(np.zeros(shape)), *arguments, rng=np.random.default_rng(0), **options
    ).data


def test_uniform_bounds_and_normal_spreads():
    bound = math.sqrt(6 / 500)
    values = filled(nn.init.xavier_uniform_)
    assert np.abs(values).max() <= bound
    assert values.std() == pytest.approx(bound / math.sqrt(3), rel=0.02)
    assert filled(nn.init.xavier_normal_).std() == pytest.approx(math.sqrt(2 / 500), rel=0.02)
    std = filled(nn.init.kaiming_normal_, nonlinearity="relu").std()
    assert std == pytest.approx(math.sqrt(2 / 300), rel=0.02)
    values = filled(nn.init.kaiming_uniform_, nonlinearity="relu")
    assert np.abs(values).max() <= math.sqrt(6 / 300)
    values = filled(nn.init.uniform_, -2.0, 3.0)
    assert values.min() >= -2.0
    assert values.max() <= 3.0
    assert filled(nn.init.normal_, 1.0, 0.5).mean() == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (4, 2, 3, 1)])
def test_orthogonal(shape):
    matrix = filled(nn.init.orthogonal_, shape=shape).reshape(shape[0], -1)
    small = min(matrix.shape)
    product = matrix @ matrix.T if matrix.shape[0] == small else matrix.T @ matrix
    np.testing.assert_allclose(product, np.eye(small), atol=1e-12)


def test_dirac_passes_channels_through():
    layer = nn.Conv2d(3, 3, 3, padding=1, bias=False).double()
    nn.init.dirac_(layer.weight)
    x = np.random.default_rng(0).normal(size=(1, 3, 4, 4))
    np.testing.assert_array_equal(layer(x).data, x)


def test_seeded_and_reproducible():
    first, second = (
        nn.init.normal_(nn.Parameter(np.zeros(5)), rng=np.random.default_rng(4)).data
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("use", "match"),
    [
        (lambda: nn.init.eye_(nn.Parameter(np.zeros(3))), "matrix"),
        (lambda: nn.init.dirac_(nn.Parameter(np.zeros((2, 2)))), "3 to 5"),
        (lambda: nn.init.xavier_uniform_(nn.Parameter(np.zeros(3))), "shape"),
    ],
)
def test_bad_input(use, match):
    with pytest.raises(ValueError, match=match):
        use()
