"""Winograd's convolutions against the definition in float64, and the switch that turns them off."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import autograd as ag
from autograd.kernels import convolution, winograd
from autograd.kernels.backend import use_kernels, winograd_is_on
from autograd.kernels.columns import Geometry
from autograd.kernels.convolution import (
    convolve,
    convolve_input_gradient,
    convolve_weight_gradient,
)
from autograd.kernels.environment import forget_environment
from autograd.kernels.winograd import winograd_pays

Array = np.ndarray[Any, Any]
MAPS = ("forward", "input gradient", "weight gradient")
VALUES = st.sampled_from([np.nan, np.inf, -np.inf, 1e38, -3e38])


@pytest.fixture(autouse=True)
def compiled_only(backend: str) -> None:
    if backend != "numba":
        pytest.skip("NumPy's kernels have no Winograd")


@st.composite
def problems(draw: st.DrawFn) -> tuple[Array, Array, Array, tuple[tuple[int, int], ...]]:
    """x, w, g and padding of a convolution that goes by tiles."""
    channels, outputs = draw(st.integers(16, 40)), draw(st.integers(16, 40))
    sizes = draw(st.tuples(st.integers(3, 24), st.integers(3, 24)))
    padding = tuple((draw(st.integers(0, 2)), draw(st.integers(0, 2))) for _ in range(2))
    out = [size + sum(pair) - 2 for size, pair in zip(sizes, padding, strict=True)]
    assume(min(out) >= 2)
    batch = draw(st.integers(1, 3)) + 128 // ((out[0] + 3) // 4 * ((out[1] + 3) // 4))
    geometry = Geometry(sizes, tuple(out), (3, 3), (1, 1), padding, (1, 1), 1, channels, outputs)
    assume(winograd_pays(geometry, batch, np.dtype(np.float32)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.standard_normal((batch, channels, *sizes)) + draw(st.sampled_from([0.0, 1.0]))
    if draw(st.booleans()):
        x = np.maximum(x, 0)
    w = rng.standard_normal((outputs, channels, 3, 3)) * draw(st.sampled_from([1e-3, 1.0, 1e3]))
    g = rng.standard_normal((batch, outputs, *out))
    return x.astype(np.float32), w.astype(np.float32), g.astype(np.float32), padding


def maps(x: Array, w: Array, g: Array, padding: tuple[tuple[int, int], ...]) -> list[Array]:
    form = ((1, 1), padding, (1, 1))
    return [
        convolve(x, w, *form),
        convolve_input_gradient(g, w, x.shape, *form),
        convolve_weight_gradient(x, g, (3, 3), *form),
    ]


def definition(x: Array, w: Array, g: Array, padding: tuple[tuple[int, int], ...]) -> list[Array]:
    """The three maps as sums over the nine shifts, in float64."""
    x, w, g = (a.astype(np.float64) for a in (x, w, g))
    wide = np.pad(x, ((0, 0), (0, 0), *padding))
    y, dw, dx = np.zeros(g.shape), np.zeros(w.shape), np.zeros(wide.shape)
    rows, columns = g.shape[2:]
    for i in range(3):
        for j in range(3):
            part = wide[:, :, i : i + rows, j : j + columns]
            y += np.einsum("nchw,oc->nohw", part, w[:, :, i, j], optimize=True)
            dw[:, :, i, j] = np.einsum("nchw,nohw->oc", part, g, optimize=True)
            dx[:, :, i : i + rows, j : j + columns] += np.einsum(
                "nohw,oc->nchw", g, w[:, :, i, j], optimize=True
            )
    (top, _), (left, _) = padding
    return [y, dx[:, :, top : top + x.shape[2], left : left + x.shape[3]], dw]


@given(problems())
def test_relative_errors_stay_under_a_ten_thousandth(problem: Any) -> None:
    for name, found, exact in zip(MAPS, maps(*problem), definition(*problem), strict=True):
        difference = found - exact
        assert np.abs(difference).max() <= 1e-4 * np.abs(exact).max(), name
        assert np.mean(difference**2) <= 1e-5**2 * np.mean(exact**2), name


@given(problems())
def test_turned_off_it_is_the_direct_sum_bit_for_bit(problem: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(convolution, "winograd_pays", lambda *_, **__: False)
        direct = maps(*problem)
    with ag.use_winograd(False):
        switched = maps(*problem)
    for name, a, b in zip(MAPS, direct, switched, strict=True):
        assert np.array_equal(a, b), name
    for found, exact in zip(switched, definition(*problem), strict=True):
        assert np.abs(found - exact).max() <= 3e-6 * np.abs(exact).max()


def test_it_is_used_where_it_pays_and_only_there(monkeypatch: pytest.MonkeyPatch) -> None:
    called = []
    original = convolution.winograd_convolve

    def spy(*args: Any) -> None:
        called.append(args)
        original(*args)

    monkeypatch.setattr(convolution, "winograd_convolve", spy)
    monkeypatch.delenv("DAGRAD_WINOGRAD", raising=False)
    x, w = np.ones((8, 16, 16, 16), np.float32), np.ones((16, 16, 3, 3), np.float32)
    padding = ((1, 1), (1, 1))

    def uses(dtype: Any = np.float32) -> bool:
        called.clear()
        convolve(x.astype(dtype), w.astype(dtype), (1, 1), padding, (1, 1))
        return bool(called)

    assert uses()
    assert not uses(np.float64)
    with ag.use_winograd(False):
        assert not uses()
        with ag.use_winograd(True):
            assert uses()
        assert not uses()
    assert uses()
    monkeypatch.setenv("DAGRAD_WINOGRAD", "0")
    forget_environment()
    assert not uses()
    with ag.use_winograd(True):
        assert uses()
    monkeypatch.setenv("DAGRAD_WINOGRAD", "1")
    forget_environment()
    assert uses()
    monkeypatch.setenv("DAGRAD_WINOGRAD", "perhaps")
    forget_environment()
    with pytest.raises(ValueError, match="DAGRAD_WINOGRAD='perhaps'"):
        uses()


def test_the_switch_restores_after_an_error_and_takes_flags_only() -> None:
    before = winograd_is_on()
    with pytest.raises(ZeroDivisionError), ag.use_winograd(not before):
        _ = 1 / 0
    assert winograd_is_on() is before
    with pytest.raises(TypeError, match="True or False"), ag.use_winograd(1):  # type: ignore[arg-type]
        pass


def test_the_environment_turns_it_off_for_a_program() -> None:
    program = "import autograd as ag; print(ag.show_config(mode='dicts')['kernels']['Winograd'])"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"DAGRAD_WINOGRAD": "0", "DAGRAD_KERNELS": "numba", "PATH": ""},
    )
    assert find_spec("numba") is not None
    assert done.stdout == "off (DAGRAD_WINOGRAD=0)\n"


def test_with_numpys_kernels_there_is_none() -> None:
    with use_kernels("numpy"), ag.use_winograd(True):
        settings = ag.show_config(mode="dicts")
    assert settings is not None
    assert settings["kernels"]["Winograd"].startswith("off")


@pytest.mark.parametrize("batch", [1, 2, 3, 5, 7, 8])
def test_a_batch_that_is_no_multiple_of_the_images_at_a_time(
    monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(winograd, "TILES_AT_A_TIME", 8)  # two images of 7x7
    monkeypatch.setattr(winograd, "FEWEST_TILES", 1)
    monkeypatch.setattr(winograd, "FEWEST_FOR_WEIGHTS", 1)
    rng = np.random.default_rng(batch)
    x = rng.normal(size=(batch, 19, 7, 7)).astype(np.float32)
    w = rng.normal(size=(37, 19, 3, 3)).astype(np.float32)
    arguments = ((1, 1), ((1, 1), (1, 1)), (1, 1))
    found = convolution.convolve(x, w, *arguments)
    expected = convolution.convolve(x.astype(float), w.astype(float), *arguments)
    assert np.max(abs(found - expected)) < 1e-4 * np.max(abs(expected))
    g = rng.normal(size=found.shape).astype(np.float32)
    found = convolution.convolve_weight_gradient(x, g, (3, 3), *arguments)
    expected = convolution.convolve_weight_gradient(
        x.astype(float), g.astype(float), (3, 3), *arguments
    )
    assert np.max(abs(found - expected)) < 1e-4 * np.max(abs(expected))


def test_a_weight_gradient_of_many_tiles_is_no_less_precise() -> None:
    """One running sum over 8,192 tiles had a root mean square error of 1.1e-5."""
    rng = np.random.default_rng(0)
    x = np.maximum(rng.normal(size=(128, 16, 32, 32)), 0).astype(np.float32)
    g = rng.normal(size=(128, 32, 32, 32)).astype(np.float32)
    arguments = ((1, 1), ((1, 1), (1, 1)), (1, 1))
    found = convolution.convolve_weight_gradient(x, g, (3, 3), *arguments)
    expected = convolution.convolve_weight_gradient(
        x.astype(float), g.astype(float), (3, 3), *arguments
    )
    assert np.sqrt(np.mean((found - expected) ** 2) / np.mean(expected**2)) < 5e-6


@pytest.mark.parametrize("map_", range(3), ids=MAPS)
@given(problem=problems(), value=VALUES, seed=st.integers(0, 2**32 - 1))
def test_what_is_not_finite_stays_where_it_is(
    map_: int, problem: Any, value: float, seed: int
) -> None:
    """One entry that is, or is too large for a tile's sums, spoils no other result of its tile."""
    x, w, g, padding = problem
    rng = np.random.default_rng(seed)
    w = w * np.float32(1e-3) / np.abs(w).max()  # no product overflows by itself
    operand = (x, g, (x, g)[seed % 2])[map_]
    operand[tuple(rng.integers(size) for size in operand.shape)] = value
    with np.errstate(all="ignore"):
        found = maps(x, w, g, padding)[map_]
        with ag.use_winograd(False):
            expected = maps(x, w, g, padding)[map_]
    strange = ~np.isfinite(expected)
    np.testing.assert_array_equal(np.isfinite(found), ~strange)
    np.testing.assert_array_equal(found[strange], expected[strange])


@pytest.mark.parametrize("activation", [None, "relu", "gelu"])
@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("value", [np.nan, -np.inf, -1e38])
def test_what_is_not_finite_is_seen_before_the_activation(
    activation: str | None, pooled: bool, value: float
) -> None:
    """Of a tile whose convolution is -inf a ReLU would leave zeros."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((8, 16, 12, 12)).astype(np.float32)
    w = np.abs(rng.standard_normal((16, 16, 3, 3))).astype(np.float32)
    x[3, 5, 6, 7] = value
    given = ((1, 1), ((1, 1), (1, 1)), (1, 1), 1, None, activation)
    with np.errstate(all="ignore"):
        found = convolve(x, w, *given, pooled=pooled)
        with ag.use_winograd(False):
            expected = convolve(x, w, *given, pooled=pooled)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


@given(problem=problems())
def test_what_is_finite_is_not_computed_twice(problem: Any) -> None:
    x, w, g, padding = problem
    seen = []

    def convolved(*given: Any, **options: Any) -> bool:
        seen.append(winograd.winograd_convolve(*given, **options))
        return seen[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(convolution, "winograd_convolve", convolved)
        maps(x, w, g, padding)
    assert seen and all(seen)
