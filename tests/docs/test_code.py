"""The pages' code runs, their pictures are what it draws, their commands and links are real."""

from __future__ import annotations

import argparse
import importlib.util
import re
import runpy
import shlex
import shutil
import sys
import tomllib
import warnings

import pytest

from tests.docs.pages import (
    DOCS,
    LINK,
    PAGES,
    README,
    ROOT,
    anchors,
    blocks,
    commands,
    labels,
    pictures,
    run,
)

PLACEHOLDERS = {"MODEL": "convnet", "N": "3", "LAYERS": "1"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_code_of_a_page_runs_and_draws_its_pictures(page, tmp_path, monkeypatch):
    text = page.read_text()
    drawn = [name for name in pictures(text) if name.endswith(".svg")]
    if drawn and shutil.which("dot") is None:
        pytest.skip("Graphviz is not installed")
    monkeypatch.chdir(tmp_path)
    count = run(text, page.name)
    assert count == sum(block.language in ("python", "pycon") for block in blocks(text))
    for name in drawn:
        assert labels(tmp_path / name) == labels(DOCS / "pictures" / name), (
            f"docs/pictures/{name} is not what {page.name} draws: python -m tests.docs.drawing"
        )


def test_every_block_says_its_language():
    # One without would neither be run nor be parsed as a command.
    known = {"python", "pycon", "sh", "text"}
    strange = [
        (page.name, block.lines_before, block.language)
        for page in PAGES
        for block in blocks(page.read_text())
        if block.language not in known
    ]
    assert not strange


def test_most_pages_have_code():
    without = {page.stem for page in PAGES if not any(blocks(page.read_text()))}
    assert without <= {"index"}


@pytest.mark.parametrize("page", [README, DOCS / "errors.md"], ids=lambda page: page.name)
def test_code_that_fails_is_noticed(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NameError):
        run("```python\nnot_defined\n```", page.name)
    with pytest.raises(AssertionError, match="Expected"):
        run("```pycon\n>>> 1 + 1\n3\n```", page.name)
    with pytest.raises(AssertionError, match="ValueError: b"):
        run(
            "```pycon\n>>> raise ValueError('b')\nTraceback (most recent call last):\n"
            "ValueError: a\n```",
            page.name,
        )


class ParsedError(Exception):
    """The command line was understood."""


def check_module(command, monkeypatch):
    """Parse `python -m package.module ...` with the module's own parser, and go no further."""
    module, *arguments = shlex.split(command)[2:]
    found = importlib.util.find_spec(module)
    assert found is not None, command
    if found.submodule_search_locations is not None:
        assert importlib.util.find_spec(f"{module}.__main__") is not None, command
    if not arguments:  # the program is only named, and may need more
        return
    arguments = [PLACEHOLDERS.get(word, word) for word in arguments]
    parse = argparse.ArgumentParser.parse_args

    def parse_only(self, *given):
        parse(self, *given)
        raise ParsedError

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_only)
    monkeypatch.setattr(sys, "argv", [module, *arguments])
    with warnings.catch_warnings():
        # Other tests may have imported the module.
        warnings.filterwarnings("ignore", "'.*' found in sys.modules", RuntimeWarning)
        with pytest.raises(ParsedError):
            runpy.run_module(module, run_name="__main__")


def check_extras(command):
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    for group in re.findall(r"\[([\w,]+)\]", command):
        assert set(group.split(",")) <= set(extras), command


def check_target(command):
    words = [word for word in shlex.split(command)[1:] if "=" not in word]
    makefile = (ROOT / "Makefile").read_text()
    for word in words:
        assert re.search(rf"^[\w -]*\b{re.escape(word)}\b[\w -]*:", makefile, re.MULTILINE), command


ALL_COMMANDS = sorted({command for page in PAGES for command in commands(page.read_text())})


@pytest.mark.parametrize("command", ALL_COMMANDS)
def test_a_command_is_understood(command, monkeypatch, capsys):
    match command.split()[:3]:
        case ["pip", *_]:
            check_extras(command)
        case ["make", *_]:
            check_target(command)
        case [_, _, module] if (ROOT / module.split(".")[0]).is_dir():
            check_module(command, monkeypatch)
        case _:
            assert command.split()[2] in ("http.server", "venv"), command


def test_wrong_commands_are_noticed(monkeypatch, capsys):
    assert len(ALL_COMMANDS) > 20
    for command in ("python -m examples.cifar10 train convnet --epoch 3", "python -m autograd"):
        with pytest.raises((SystemExit, AssertionError)):
            check_module(command, monkeypatch)
    with pytest.raises(AssertionError):
        check_extras("pip install 'dagrad[quick]'")
    with pytest.raises(AssertionError):
        check_target("make tests")


def broken_links(page, text):
    """Links to files that are not there, or to headings that their page does not have."""
    for link in LINK.findall(FENCELESS.sub("", text)):
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.is_file():
            yield link
        elif not anchor or target.suffix != ".md" or target.parent.name == "api":
            continue
        elif anchor not in anchors(target.read_text()):
            yield link


FENCELESS = re.compile(r"^```.*?^```$|`[^`]*`", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(
    "page", [*PAGES, *sorted((DOCS / "api").glob("*.md"))], ids=lambda page: page.name
)
def test_internal_links_lead_somewhere(page):
    # The reference's own anchors are looked for in the built site.
    assert list(broken_links(page, page.read_text())) == []


def test_broken_links_are_noticed():
    links = "[a](docs/none.md) [b](docs/testing.md#none) [c](#good-to-know) [d](docs/testing.md)"
    assert list(broken_links(README, links)) == ["docs/none.md", "docs/testing.md#none"]
