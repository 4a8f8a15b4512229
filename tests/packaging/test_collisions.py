"""The other distribution with an `autograd` (HIPS): both orders of installation are explained.

Here its files are laid by hand over, or under, those of our wheel; the tests marked `packaging`
install the real one.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.building import unpack

OTHER = {
    "autograd/__init__.py": "from .differential_operators import grad\n",
    "autograd/differential_operators.py": "def grad(f): ...\n",
    "autograd/numpy/__init__.py": "from .numpy_wrapper import *\n",
    "autograd/numpy/numpy_wrapper.py": "",
}
REMEDY = "`pip uninstall autograd`"


def lay_other(place: Path) -> None:
    for name, text in OTHER.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def import_from(place: Path, package: str) -> subprocess.CompletedProcess[str]:
    code = f"import sys; sys.path.insert(0, {str(place)!r}); import {package}"
    return subprocess.run(
        [sys.executable, "-I", "-c", code],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("package", ["autograd", "autograd.testing", "nn", "optim"])
def test_installed_after_the_other_one(wheel, tmp_path, package):
    lay_other(tmp_path)
    unpack(wheel, tmp_path)
    run = import_from(tmp_path, package)
    assert run.returncode != 0
    assert "from an earlier installation" in run.stderr
    assert REMEDY in run.stderr


@pytest.mark.parametrize("package", ["nn", "optim"])
def test_installed_before_the_other_one(wheel, tmp_path, package):
    unpack(wheel, tmp_path)
    lay_other(tmp_path)
    assert import_from(tmp_path, "autograd").returncode == 0  # theirs, which knows nothing of us
    run = import_from(tmp_path, package)
    assert run.returncode != 0
    assert "is another project's" in run.stderr
    assert REMEDY in run.stderr
