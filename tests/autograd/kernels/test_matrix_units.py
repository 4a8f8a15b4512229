"""When products go to the processor's matrix units."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

import autograd as ag
from autograd.kernels import matrix_units, products
from autograd.kernels.matrix_units import explain_matrix_units, matrix_units_are_on


@pytest.fixture
def fresh() -> Iterator[None]:
    """What was found out about the machine is forgotten, before and after."""
    for known in (matrix_units._found, matrix_units._granted):
        known.cache_clear()
    yield
    for known in (matrix_units._found, matrix_units._granted):
        known.cache_clear()


def said(**environment: str) -> str:
    """The line of `show_config` in a new process."""
    program = (
        "import autograd as ag; print(ag.show_config(mode='dicts')['kernels']['matrix units'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "", **environment},
    )
    return done.stdout.strip()


def test_the_environment_turns_them_off_for_a_program() -> None:
    settings = {"DAGRAD_KERNELS": "numba", "DAGRAD_MATRIX_UNITS": "0"}
    assert said(**settings) == "off (DAGRAD_MATRIX_UNITS=0)"
    assert said(DAGRAD_KERNELS="numpy") == "off (they need the compiled kernels)"


def test_code_for_another_processor_has_none(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAGRAD_MATRIX_UNITS", raising=False)
    monkeypatch.setenv("NUMBA_CPU_NAME", "generic")
    assert not matrix_units_are_on()
    assert explain_matrix_units()[1] == "this processor has none that Numba and the library know"


@pytest.mark.parametrize(("platform", "machine"), [("darwin", "arm64"), ("linux", "aarch64")])
def test_other_systems_are_not_asked(
    platform: str, machine: str, fresh: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(matrix_units.platform, "machine", lambda: machine)
    monkeypatch.setattr(matrix_units, "_granted", lambda: pytest.fail("asked"))
    assert not matrix_units_are_on()


def test_what_the_system_refuses_is_not_used(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAGRAD_MATRIX_UNITS", raising=False)
    monkeypatch.setattr(matrix_units, "_found", lambda: True)
    monkeypatch.setattr(matrix_units, "_granted", lambda: False)
    assert explain_matrix_units() == (False, "the operating system does not allow them")
    monkeypatch.setattr(products, "split_product", lambda *_: pytest.fail("used"))
    ones = np.ones((512, 512), np.float32)
    assert np.array_equal(products.matrix_product(ones, ones), 512 * ones)


def test_a_fault_handler_can_be_set_up_after_the_system_was_asked() -> None:
    """Linux needs larger stacks for signals from then on."""
    program = (
        "import faulthandler; from autograd.kernels.matrix_units import matrix_units_are_on\n"
        "matrix_units_are_on(); faulthandler.enable(); print(faulthandler.is_enabled())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout == "True\n"


def test_the_switch_is_public() -> None:
    with ag.use_matrix_units(False):
        assert not matrix_units_are_on()
        assert explain_matrix_units() == (False, "use_matrix_units")
    with pytest.raises(TypeError, match="True or False"), ag.use_matrix_units(1):  # type: ignore[arg-type]
        pass
