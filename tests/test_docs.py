"""The documentation's code runs, and what it lists is what the registry holds."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from autograd.testing.table import conventions

DOCS = Path(__file__).parent.parent / "docs"
PAGES = sorted(DOCS.glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_code_of_a_page_runs(page, tmp_path, monkeypatch):
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    assert blocks
    if "Graphviz's program" in page.read_text() and shutil.which("dot") is None:
        pytest.skip("Graphviz is not installed")
    monkeypatch.chdir(tmp_path)
    exec(compile("\n".join(blocks), page.name, "exec"), {"__name__": "page"})


def test_every_picture_of_a_page_is_there():
    for page in PAGES:
        for name in re.findall(r"\]\((pictures/[^)]*)\)", page.read_text()):
            assert (DOCS / name).exists()


def test_the_conventions_are_the_registrys():
    assert conventions() in (DOCS / "testing.md").read_text()
