"""Another project's `autograd` in the way is named, with the remedy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import autograd
from nn._engine_check import check_engine

ROOT = Path(__file__).resolve().parents[2]


def test_our_engine_passes():
    check_engine(autograd, "nn")


def test_another_engine_is_named_with_the_remedy():
    other = ModuleType("autograd")
    other.__file__ = "/somewhere/autograd/__init__.py"
    with pytest.raises(ImportError, match=r"(?s)/somewhere.*no Tensor.*pip uninstall autograd"):
        check_engine(other, "nn")


def test_importing_nn_over_another_engine_says_so(tmp_path):
    package = tmp_path / "autograd"
    package.mkdir()
    (package / "__init__.py").write_text("def grad(f): ...\n")
    code = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]; import nn"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert run.returncode != 0
    assert "another project's" in run.stderr
    assert "pip uninstall autograd" in run.stderr
