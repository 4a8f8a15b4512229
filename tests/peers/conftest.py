"""Comparisons with other libraries are collected only when asked for: `pytest -m peers`."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Ignore the folder where peers are deselected, as by default; its libraries may be missing."""
    return True if "not peers" in config.option.markexpr else None
