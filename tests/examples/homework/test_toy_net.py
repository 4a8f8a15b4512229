"""The toy net's program. Its numbers are in tests/reference/test_homework_numbers.py."""

from __future__ import annotations

import numpy as np
import pytest

from examples.homework import toy_net


def test_all_losses_are_the_homeworks() -> None:
    for name, expected in toy_net.REFERENCE_LOSSES.items():
        assert toy_net.train(name)[-1] == pytest.approx(expected, rel=0, abs=1e-9)


def test_gradients() -> None:
    errors = toy_net.gradient_errors()
    assert set(errors) == {"W1", "b1", "W2", "b2"}
    assert max(errors.values()) <= 6e-8


def test_complex_step_finds_a_wrong_gradient() -> None:
    parameters = toy_net.initial_parameters()
    numeric = toy_net.complex_step(parameters, "b2")
    toy_net.loss(parameters).backward()
    gradient = parameters["b2"].grad
    assert gradient is not None
    assert toy_net.relative_error(gradient.numpy() * 1.001, numeric) > 6e-8


def test_smoke(capsys: pytest.CaptureFixture[str]) -> None:
    toy_net.main(["--smoke"])
    said = capsys.readouterr().out
    assert "-0.5328368" in said
    for name in toy_net.REFERENCE_LOSSES:
        assert f"{toy_net.train(name, 5)[-1]:.10f}" in said
    assert np.isfinite(toy_net.loss(toy_net.initial_parameters()).item())
