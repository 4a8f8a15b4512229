"""A side that leaves work out has no ratio."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import autograd as ag
import optim
from benchmarks.comparison import compare, failed
from benchmarks.workloads import WORKLOADS
from benchmarks.workloads.workload import weighed

SMALL = ["softmax", "mlp_small"]


@pytest.fixture(autouse=True)
def short_samples(monkeypatch):
    monkeypatch.setattr("benchmarks.measuring.SAMPLE", 1e-3)


def compared(name, peer, setting):
    """Next to one setting of a peer, which a compiler is not needed for."""
    workload = WORKLOADS[name]
    chosen = {peer: {setting: workload.peers[peer][setting]}}
    return compare(replace(workload, peers=chosen), [peer], 1)


def assert_no_ratio(result, peer):
    assert failed(result)
    assert "ArithmeticError: step" in result["peers"][peer]["failure"]
    assert "ratio" not in result["peers"][peer]


@pytest.mark.parametrize("name", SMALL)
def test_training_that_is_complete_agrees(name):
    pytest.importorskip("torch")
    assert compared(name, "torch", "")["peers"]["torch"]["ratio"] > 0


@pytest.mark.parametrize("name", SMALL)
def test_a_missing_backward_pass(name, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setattr(ag.Tensor, "backward", lambda self, *given, **named: None)
    assert_no_ratio(compared(name, "torch", ""), "torch")


@pytest.mark.parametrize("name", [*SMALL, "adam", "muon"])
def test_a_missing_update(name, monkeypatch):
    pytest.importorskip("torch")
    for optimizer in (optim.SGD, optim.Adam, optim.Muon):
        monkeypatch.setattr(optimizer, "step", lambda self: None)
    assert_no_ratio(compared(name, "torch", ""), "torch")


@pytest.mark.parametrize("name", [*SMALL, "adam", "muon"])
def test_half_the_learning_rate(name, monkeypatch):
    pytest.importorskip("torch")
    for optimizer in (optim.SGD, optim.Adam, optim.Muon):
        init = optimizer.__init__

        def half(self, parameters, lr, init=init, **options):
            init(self, parameters, lr=lr / 2, **options)

        monkeypatch.setattr(optimizer, "__init__", half)
    assert_no_ratio(compared(name, "torch", ""), "torch")


@pytest.mark.parametrize("factor", [0.0, 0.5, -1.0])
def test_a_wrong_tangent(factor, monkeypatch):
    monkeypatch.setattr("benchmarks.workloads.higher_order.ROWS", 2)
    assert compared("jvp_deep", "dagrad", "plain")["peers"]["dagrad"]["ratio"] > 0
    right = ag.jvp

    def wrong(*given):
        out, tangent = right(*given)
        return out, factor * tangent

    monkeypatch.setattr(ag, "jvp", wrong)
    assert_no_ratio(compared("jvp_deep", "dagrad", "plain"), "dagrad")


def test_dropout_of_another_mask_than_its_gradients(monkeypatch):
    pytest.importorskip("torch")
    assert compared("dropout_both", "torch", "")["peers"]["torch"]["ratio"] > 0
    # The gradient is that of numbers which are all kept.
    monkeypatch.setattr("nn.functional.dropout", lambda x, p: x / (1 - p))
    assert_no_ratio(compared("dropout_both", "torch", ""), "torch")


def test_images_that_are_not_augmented(monkeypatch):
    pytest.importorskip("torch")
    for name in ("flip", "shift"):
        monkeypatch.setattr(
            f"examples.cifar10.data.augmentation.{name}", lambda images, *others: images
        )
    assert_no_ratio(compared("augmentation", "torch", "batched"), "torch")


@pytest.mark.parametrize("where", range(6))
def test_every_entry_weighs(where):
    array = np.ones((2, 3), np.float32)
    before = weighed(array)
    array.reshape(-1)[where] = 2.0
    assert abs(weighed(array) - before) > 1e-3
