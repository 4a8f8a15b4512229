"""Compiled code that is kept on disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import autograd as ag

PROGRAM = """
import numpy as np
import autograd as ag
from autograd.kernels.compiled_updates import descend

with ag.watch_compilation(lambda name: print(name)):
    p = np.ones(3)
    descend(p, np.ones(3), 0.5, 0.0, 1.0)
assert p.tolist() == [0.5, 0.5, 0.5]
"""


@pytest.fixture(autouse=True, scope="module")
def backend() -> None:
    """Compiled kernels only."""


def compiled_again(home: Path) -> bool:
    """Whether a new process compiles a kernel of the package in `home`."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=True,
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(home), "NUMBA_CACHE_DIR": str(home / "cache")},
    )
    assert done.stdout in ("descend\nNone\n", "")
    return bool(done.stdout)


def test_it_is_used_until_any_kernels_source_changes(tmp_path: Path) -> None:
    """A kernel has functions of other files built in."""
    pytest.importorskip("numba")
    package = Path(ag.__file__).parent
    shutil.copytree(package, tmp_path / "autograd", ignore=shutil.ignore_patterns("__pycache__"))
    assert compiled_again(tmp_path)
    assert not compiled_again(tmp_path)
    other = tmp_path / "autograd" / "kernels" / "vector_maps.py"
    known = other.stat()
    other.write_text(other.read_text().replace("for Numba.", "for numba."))
    os.utime(other, ns=(known.st_atime_ns, known.st_mtime_ns))
    assert compiled_again(tmp_path)
    assert not compiled_again(tmp_path)
