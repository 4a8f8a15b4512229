"""Part 2: the homework's numbers, and four ways to the same Jacobian."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.homework import part2

SMALL = st.floats(-1.0, 0.5, width=16)


def test_the_values_with_exp_w2() -> None:
    expected = {
        (1.0, 2.0): (24521.662861313, 2.73105857863),
        (1.01, 2.0): (25200.8058793246, 2.75302014923886),
        (1.0, 2.01): (26411.9854338567, 2.74105857863),
    }
    for point, values in expected.items():
        np.testing.assert_allclose(part2.f(np.array(point), k=1), values, rtol=3e-12)


def test_the_values_as_written() -> None:
    assert float(part2.f1(1.0, 2.0)) == pytest.approx(7.802074264952215e24, rel=1e-14)
    exact = [[2.1208236698707567e25, 8.519576425751891e26], [2.1966119332414817, 1.0]]
    w = np.array([1.0, 2.0])
    for method in (part2.closed_form, part2.forward_mode, part2.reverse_mode):
        np.testing.assert_allclose(method(w), exact, rtol=1e-13)


@given(w1=SMALL, w2=SMALL, k=st.sampled_from([1, 2]))
def test_the_methods_agree(w1: float, w2: float, k: int) -> None:
    w = np.array([w1, w2])
    closed = part2.closed_form(w, k)
    np.testing.assert_allclose(part2.forward_mode(w, k), closed, rtol=1e-13)
    np.testing.assert_allclose(part2.reverse_mode(w, k), closed, rtol=1e-13)
    # One-sided differences are off by about half the step times the second derivative.
    wide, narrow = (np.abs(part2.numerical(w, k, step) - closed) for step in (1e-4, 1e-6))
    assert np.all(narrow <= wide / 50 + 1e-7)
    np.testing.assert_allclose(part2.numerical(w, k, 1e-6), closed, rtol=1e-4, atol=1e-6)


@given(w1=SMALL, w2=SMALL, k=st.sampled_from([1, 2]))
def test_the_closed_form_against_a_complex_step(w1: float, w2: float, k: int) -> None:
    def f(a: complex, b: complex) -> np.ndarray:
        s = np.exp(a) + np.exp(k * b)
        return np.array([np.exp(s) + np.sin(s), a * b + 1 / (1 + np.exp(-a))])

    step = 1e-30
    columns = [f(w1 + 1j * step, w2).imag / step, f(w1, w2 + 1j * step).imag / step]
    closed = part2.closed_form(np.array([w1, w2]), k)
    np.testing.assert_allclose(closed, np.stack(columns, axis=1), rtol=1e-13, atol=1e-300)


def test_smoke(capsys: pytest.CaptureFixture[str]) -> None:
    part2.main(["--smoke"])
    said = capsys.readouterr().out
    assert "24521.66286131" in said
    assert "2.7310585786" in said
    assert said.count("2.1966119332414") >= 6
    for name in ("closed form", "forward mode", "reverse mode", "numerical, step 0.01"):
        assert said.count(name) == 2
