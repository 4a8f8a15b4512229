"""When products go to the processor's matrix units."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest

import autograd as ag
from autograd.kernels import matrix_units, products
from autograd.kernels.matrix_units import explain_matrix_units, matrix_units_are_on


@pytest.fixture
def fresh() -> Iterator[None]:
    """What was found out about the machine is forgotten, before and after."""
    known = matrix_units.has_matrix_units, matrix_units._compiled_for, matrix_units._granted
    for answer in known:
        answer.cache_clear()
    yield
    for answer in known:
        answer.cache_clear()


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


@pytest.mark.parametrize("setting", ["CPU_NAME", "CPU_FEATURES"])
def test_code_for_another_processor_uses_none(
    setting: str, fresh: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However Numba was told: by the environment, a file or a program."""
    config = pytest.importorskip("numba").core.config
    monkeypatch.delenv("DAGRAD_MATRIX_UNITS", raising=False)
    monkeypatch.setattr(matrix_units, "has_matrix_units", lambda: True)
    monkeypatch.setattr(matrix_units, "_granted", lambda: pytest.fail("asked"))
    monkeypatch.setattr(config, setting, "generic")
    assert not matrix_units_are_on()
    assert explain_matrix_units() == (False, "Numba compiles for another processor")


@pytest.mark.parametrize("missing", ["amx-tile", "amx-bf16", "avx512bw"])
def test_units_that_the_compiler_does_not_know_are_not_used(
    missing: str, fresh: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    binding = pytest.importorskip("llvmlite.binding")
    features = {"amx-tile": True, "amx-bf16": True, "avx512bw": True, missing: False}
    monkeypatch.setattr(binding, "get_host_cpu_features", lambda: features)
    monkeypatch.setattr(matrix_units, "has_matrix_units", lambda: True)
    monkeypatch.setattr(matrix_units, "_granted", lambda: pytest.fail("asked"))
    assert not matrix_units_are_on()


@pytest.mark.parametrize(
    ("platform", "machine"), [("darwin", "x86_64"), ("win32", "x86_64"), ("linux", "aarch64")]
)
def test_other_systems_are_not_asked(
    platform: str, machine: str, fresh: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(matrix_units.platform, "machine", lambda: machine)
    monkeypatch.setattr(matrix_units, "_granted", lambda: pytest.fail("asked"))
    monkeypatch.setattr("builtins.open", lambda *_, **__: pytest.fail("read"))
    assert not matrix_units_are_on()


@pytest.mark.parametrize("missing", ["amx_tile", "amx_bf16", "avx512f", "avx512bw", None])
def test_the_processor_is_asked_for_all_that_is_needed(
    missing: str | None, fresh: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = {"fpu", "amx_tile", "amx_bf16", "avx512f", "avx512bw"} - {missing}
    text = f"processor\t: 0\nflags\t\t: {' '.join(sorted(flags))}\nbugs\t\t:\n"
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(matrix_units.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr("builtins.open", lambda *_, **__: io.StringIO(text))
    assert matrix_units.has_matrix_units() is (missing is None)


@pytest.mark.parametrize("answer", [0, -1])
def test_the_system_is_asked_once(
    answer: int, fresh: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[int, ...]] = []

    def syscall(*given: int) -> int:
        calls.append(given)
        return answer

    library = SimpleNamespace(syscall=syscall)
    monkeypatch.setattr(matrix_units.ctypes, "CDLL", lambda *_, **__: library)
    assert matrix_units._granted() is matrix_units._granted() is (answer == 0)
    assert calls == [(158, 0x1023, 18)]


def test_what_the_system_refuses_is_not_used(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAGRAD_MATRIX_UNITS", raising=False)
    monkeypatch.setattr(matrix_units, "has_matrix_units", lambda: True)
    monkeypatch.setattr(matrix_units, "_compiled_for", lambda: True)
    assert explain_matrix_units() == (True, "the default")  # it asks for nothing
    with monkeypatch.context() as patch:
        library = SimpleNamespace(syscall=lambda *_: -1)
        patch.setattr(matrix_units.ctypes, "CDLL", lambda *_, **__: library)
        assert not matrix_units_are_on()
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
