"""The first NaN or infinity is stopped at and named."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn
import optim


def leaf(value):
    return ag.Tensor(value, requires_grad=True)


@pytest.fixture(autouse=True)
def _quiet_numpy():
    with np.errstate(all="ignore"):
        yield


def test_forward_names_operation_and_line():
    x = leaf([-1.0, 1.0])
    with ag.detect_anomaly(), pytest.raises(ag.AnomalyError, match=r"log made a NaN.*the culprit"):
        ag.log(x)  # the culprit


def test_infinity_from_finite_inputs():
    x = leaf(0.0)
    with ag.detect_anomaly(), pytest.raises(ag.AnomalyError, match="infinity"):
        ag.log(x)
    with ag.detect_anomaly(infinity=False):
        assert np.isinf(ag.log(x).item())


def test_reverse_and_forward_sweep():
    x = leaf(0.0)
    y = ag.sqrt(x)  # the culprit
    with ag.detect_anomaly():
        with pytest.raises(ag.AnomalyError, match=r"sqrt made.*cotangent.*the culprit"):
            y.backward(retain_graph=True)
        with pytest.raises(ag.AnomalyError, match=r"sqrt made.*tangent.*the culprit"):
            y.jvp({x: 1.0})


class Root(nn.Module):
    def __init__(self):
        self.body = nn.Sequential(nn.ReLU(), nn.Sequential(nn.Linear(2, 2)))

    def forward(self, x):
        return ag.sqrt(self.body(x))


def test_the_layer_is_named_where_there_is_one():
    net = Root()
    layer = net.body[1][0]
    layer.weight.data[...] = 3e38
    layer_name = r"in Root\.body\.1\.0 \(Linear\)$"
    with ag.detect_anomaly(), pytest.raises(ag.AnomalyError, match=layer_name):
        net(np.full((1, 2), 2, np.float32))
    layer.weight.data[...] = 0
    layer.bias.data[...] = 0
    with ag.detect_anomaly(), pytest.raises(ag.AnomalyError, match=r"rule of sqrt .*in Root$"):
        net(np.ones((1, 2), np.float32)).sum().backward()
    with ag.detect_anomaly(), pytest.raises(ag.AnomalyError, match=r"# no layer$"):
        ag.log(leaf(-1.0))  # no layer


def test_masks_of_minus_infinity_are_exempt():
    scores = leaf(np.zeros((2, 3)))
    mask = np.where(np.eye(2, 3, dtype=bool), -np.inf, 0.0)
    with ag.detect_anomaly():
        ag.exp(scores + mask).sum().backward()
    assert np.isfinite(scores.grad.data).all()


def test_a_write_behind_the_engines_back():
    x = leaf(np.ones(50))
    with ag.detect_anomaly():
        y = (x * x).sum()
        x.data[3] = 5.0
        with pytest.raises(ag.AnomalyError, match="behind the"):
            y.backward()


def test_an_optimizer_update():
    parameter = nn.Parameter(np.ones(3, np.float32))
    optimizer = optim.SGD([parameter], lr=1.0)
    parameter.grad = np.array([1.0, np.nan, 1.0], np.float32)
    with ag.detect_anomaly(), pytest.raises(ag.AnomalyError, match="update"):
        optimizer.step()


def test_off_outside():
    assert np.isnan(ag.log(leaf(-1.0)).item())
