"""The site builds strictly, needs no network, leads nowhere that is not there, and is complete."""

from __future__ import annotations

import importlib
import inspect
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.docs.pages import ROOT

PUBLIC = (
    "autograd",
    "autograd.linalg",
    "autograd.testing",
    "autograd.testing.strategies",
    "nn",
    "nn.functional",
    "nn.init",
    "optim",
    "optim.lr_scheduler",
)
# Constants and types that a page need not explain.
UNEXPLAINED = {"autograd.testing.strategies.LAYOUTS", "nn.LINT_RULES"}


class Page(HTMLParser):
    """What a page links to, loads, can be linked to by, and says."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.words: list[str] = []
        self.feed(path.read_text())
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids.add(given.get("id") or "")
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "link":
            self.loads.append(given.get("href") or "")
        self.loads += [given[name] for name in ("src", "srcset", "data") if given.get(name)]

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the site and its pages by name."""
    for name in ("mkdocs", "material", "mkdocstrings"):
        pytest.importorskip(name, reason="the extra docs is not installed")
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert built.returncode == 0, built.stderr
    pages = {str(path.relative_to(folder)): Page(path) for path in sorted(folder.rglob("*.html"))}
    assert len(pages) > 20
    return folder, pages


def test_nothing_is_loaded_from_a_network(site):
    folder, pages = site
    loads = {address for page in pages.values() for address in page.loads}
    assert loads
    assert not {a for a in loads if re.match(r"(https?:)?//", a)}
    for path in folder.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", path.read_text()), path


def broken(folder, pages):
    for name, page in pages.items():
        for address in (*page.links, *page.loads):
            if re.match(r"\w+:", address) or name == "404.html":
                continue
            path, _, anchor = unquote(address).partition("#")
            target = ((folder / name).parent / path).resolve() if path else folder / name
            if target.is_dir():
                target /= "index.html"
            if not target.is_file():
                yield name, address
            elif not anchor or target.suffix != ".html":
                continue
            elif anchor not in pages[str(target.relative_to(folder))].ids:
                yield name, address


def test_links_and_anchors_lead_somewhere(site):
    folder, pages = site
    assert list(broken(folder.resolve(), pages)) == []


def first_sentence(found):
    """The beginning of a docstring as a page says it, without spaces."""
    text = inspect.cleandoc(found.__doc__ or "").split("\n\n")[0]
    return re.sub(r"[`\s]", "", text)


def test_every_public_name_is_in_the_reference(site):
    _, pages = site
    reference = [page for name, page in pages.items() if name.startswith("api")]
    ids = {anchor for page in reference for anchor in page.ids}
    # Markup inside a docstring puts spaces where none were.
    said = re.sub(r"\s", "", " ".join(page.text for page in reference))
    missing, silent = [], []
    for package in (*PUBLIC, "autograd.op"):
        module = importlib.import_module(package)
        listed = getattr(module, "__all__", None) or [
            name
            for name, value in vars(module).items()
            if inspect.isfunction(value) and not name.startswith("_")
        ]
        for name in listed:
            found = getattr(module, name)
            if inspect.ismodule(found):
                continue
            full = f"{package}.{name}"
            if full not in ids:
                missing.append(full)
            elif full not in UNEXPLAINED and first_sentence(found) not in said:
                silent.append(full)
    assert missing == []
    assert silent == []
