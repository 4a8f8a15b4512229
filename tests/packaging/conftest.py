"""The distributions, built once for all tests here."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

from tests.packaging.building import build, copy_tree


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        major = int(version("setuptools").partition(".")[0])
    except ImportError:
        major = 0
    if major < 77:
        pytest.skip("building needs setuptools 77 or newer (the extra `test`)")
    return copy_tree(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="session")
def wheel(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", tree, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def sdist(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("sdist", tree, tmp_path_factory.mktemp("sdist"))
