"""Switches that a block, or the environment, may turn."""

from __future__ import annotations

import pytest

from autograd.kernels.environment import forget_environment
from autograd.kernels.switches import Switch


def test_the_block_inside_decides_then_the_block_outside_then_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    switch = Switch("use_example", "DAGRAD_EXAMPLE")
    monkeypatch.delenv("DAGRAD_EXAMPLE", raising=False)
    assert switch.explain() == (True, "the default")
    monkeypatch.setenv("DAGRAD_EXAMPLE", "0")
    forget_environment()
    assert switch.explain() == (False, "DAGRAD_EXAMPLE=0")
    with switch.use(True):
        assert switch.explain() == (True, "use_example")
        with switch.use(False):
            assert switch.explain() == (False, "use_example")
        with pytest.raises(ZeroDivisionError), switch.use(False):
            _ = 1 / 0
        assert switch.is_on()
    assert not switch.is_on()


def test_an_empty_variable_is_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    switch = Switch("use_example", "DAGRAD_EXAMPLE")
    monkeypatch.setenv("DAGRAD_EXAMPLE", "")
    assert switch.explain() == (True, "the default")


@pytest.mark.parametrize("given", ["2", "on", "-1"])
def test_other_values_in_the_environment_are_named(
    given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch = Switch("use_example", "DAGRAD_EXAMPLE")
    monkeypatch.setenv("DAGRAD_EXAMPLE", given)
    with pytest.raises(ValueError, match=rf"DAGRAD_EXAMPLE='{given}': give 0 \(off\) or 1 \(on\)"):
        switch.is_on()


@pytest.mark.parametrize("given", [1, 0, None, "on"])
def test_it_takes_flags_only(given: object) -> None:
    switch = Switch("use_example", "DAGRAD_EXAMPLE")
    expected = f"use_example takes True or False, got {given!r}"
    with pytest.raises(TypeError, match=expected), switch.use(given):  # type: ignore[arg-type]
        pass
    assert switch.is_on()
