"""What `ag.show_config` says is what runs."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import numpy as np
import pytest

import autograd as ag
from autograd.kernels import backend, workers
from autograd.kernels.backend import use_kernels
from autograd.kernels.buffers import POOLED_FROM, empty, release


def shown(part, name):
    return ag.show_config(mode="dicts")[part][name]


def test_the_text_says_what_the_dicts_say(capsys):
    settings = ag.show_config(mode="dicts")
    assert capsys.readouterr().out == ""
    assert ag.show_config() is None
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    expected = []
    for title, part in settings.items():
        expected += [title, *(f"{name} {value}" for name, value in part.items())]
    assert lines == expected


def test_versions():
    assert shown("versions", "NumPy") == np.__version__ == version("numpy")
    assert shown("versions", "Python") == sys.version.split()[0]


@pytest.mark.parametrize(
    ("environment", "numba", "expected"),
    [
        (None, True, "numba (Numba is installed)"),
        ("", True, "numba (Numba is installed)"),
        (None, False, "numpy (Numba is not installed: pip install 'dagrad[fast]')"),
        ("numpy", True, "numpy (DAGRAD_KERNELS=numpy)"),
        ("numba", True, "numba (DAGRAD_KERNELS=numba)"),
    ],
)
def test_the_kernels_and_why(monkeypatch, environment, numba, expected):
    monkeypatch.setattr(backend, "_available", numba)
    monkeypatch.delenv("DAGRAD_KERNELS", raising=False)
    if environment is not None:
        monkeypatch.setenv("DAGRAD_KERNELS", environment)
    with use_kernels("auto"):
        assert shown("kernels", "used") == expected
        assert shown("kernels", "Winograd").startswith("on" if expected[:5] == "numba" else "off")
    with use_kernels("numpy"):
        assert shown("kernels", "used") == "numpy (use_kernels)"


def test_bad_settings_are_errors(monkeypatch):
    monkeypatch.setenv("DAGRAD_KERNELS", "fortran")
    with pytest.raises(ValueError, match="DAGRAD_KERNELS='fortran'"):
        ag.show_config()
    with pytest.raises(ValueError, match="mode must be 'text' or 'dicts', got 'html'"):
        ag.show_config(mode="html")


def test_threads():
    before = ag.get_num_threads()
    try:
        for count in (1, 3):
            ag.set_num_threads(count)
            assert ag.get_num_threads() == shown("threads", "number") == count
    finally:
        ag.set_num_threads(before)


def test_threads_without_threadpoolctl(monkeypatch):
    find = workers.find_spec
    monkeypatch.setattr(
        "autograd.configuration.find_spec",
        lambda name: None if name == "threadpoolctl" else find(name),
    )
    assert shown("threads", "BLAS").startswith("unknown (threadpoolctl is not installed")


def test_memory_in_use_and_kept():
    release()
    before = int(shown("memory", "in use").split()[0])
    array = empty((POOLED_FROM,), np.uint8)
    assert int(shown("memory", "in use").split()[0]) == before + POOLED_FROM
    del array
    assert int(shown("memory", "in use").split()[0]) == before
    assert shown("memory", "kept for the next") == f"{POOLED_FROM} bytes"
    release()
    assert shown("memory", "kept for the next") == "0 bytes"


def test_it_loads_no_numba():
    program = "import sys, autograd as ag; ag.show_config(); assert 'numba' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
