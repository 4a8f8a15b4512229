"""Comparisons with other libraries are collected only when asked for: `pytest -m peers`."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Ignore the folder under the default `-m "not peers"`; its libraries may be missing."""
    return True if config.option.markexpr == "not peers" else None
