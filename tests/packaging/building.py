"""Building the distributions from a copy of the source tree, and looking into them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("autograd", "nn", "optim")
FOLDERS = (*PACKAGES, "benchmarks", "docs", "examples", "tests")
FILES = (
    "CHANGELOG.md",
    "LICENSE",
    "MANIFEST.in",
    "mkdocs.yml",
    "Makefile",
    "README.md",
    "pyproject.toml",
)


def copy_tree(target: Path) -> Path:
    """The files that are under version control; a build writes into the tree that it builds."""
    left_out = shutil.ignore_patterns("__pycache__", "*.pyc", "*.nbi", "*.nbc", "*.egg-info")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, target / name, ignore=left_out)
    for name in FILES:
        shutil.copy2(ROOT / name, target / name)
    return target


def build(kind: str, source: Path, out: Path) -> Path:
    """A "wheel" or an "sdist" of the tree in `source`, by the setuptools that is installed."""
    code = f"import sys; from setuptools import build_meta as b; b.build_{kind}(sys.argv[1])"
    out.mkdir(parents=True, exist_ok=True)
    before = set(out.iterdir())
    run = subprocess.run(
        [sys.executable, "-c", code, str(out)],
        cwd=source,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    (made,) = set(out.iterdir()) - before
    return made


def contents(wheel: Path) -> dict[str, bytes]:
    """The files of a wheel by name."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def unpack(distribution: Path, target: Path) -> Path:
    """Extract a wheel into a folder as an installer would, or an sdist; gives where the tree is."""
    if distribution.suffix == ".whl":
        with zipfile.ZipFile(distribution) as archive:
            archive.extractall(target)
        return target
    with tarfile.open(distribution) as archive:
        archive.extractall(target, filter="data")
    (tree,) = target.iterdir()
    return tree
