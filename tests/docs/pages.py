"""The pages of the documentation: their blocks, running them, their commands, links, pictures."""

from __future__ import annotations

import doctest
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = [README, *sorted(DOCS.glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
# Reprs are compared as a reader compares them; `...` stands for files and lines.
DOCTEST = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


@dataclass(frozen=True)
class Block:
    """A fenced block, and how many lines of the page stand before its first."""

    language: str
    lines_before: int
    text: str


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page in their order."""
    return [
        Block(match[1], text.count("\n", 0, match.start(2)), match[2])
        for match in FENCE.finditer(text)
    ]


def run(text: str, name: str) -> int:
    """Run a page's Python blocks as one script; how many there were.

    What a `pycon` block shows must be what Python prints, tracebacks included.
    """
    namespace = {"__name__": "page"}
    count = 0
    for block in blocks(text):
        if block.language == "python":
            code = "\n" * block.lines_before + block.text
            exec(compile(code, name, "exec"), namespace)
        elif block.language == "pycon":
            _compare(block, name, namespace)
        else:
            continue
        count += 1
    return count


def _compare(block: Block, name: str, namespace: dict[str, object]) -> None:
    test = doctest.DocTestParser().get_doctest(block.text, {}, name, name, block.lines_before)
    assert test.examples
    test.globs = namespace
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=DOCTEST)
    failed = runner.run(test, out=said.append, clear_globs=False).failed
    assert not failed, "".join(said)


def pictures(text: str) -> list[str]:
    """The names of the pictures that a page of docs/ shows from docs/pictures/."""
    return [Path(link).name for link in LINK.findall(text) if link.startswith("pictures/")]


def labels(svg: Path) -> list[str]:
    """The text of a picture, without where Graphviz put it, which depends on its version."""
    return sorted(
        element.text or ""
        for element in ElementTree.fromstring(svg.read_text()).iter()
        if element.tag.endswith("}text")
    )


def commands(text: str) -> Iterator[str]:
    """The command lines of a page: of blocks without Python, of indented code, of code spans."""
    shown = [block.text for block in blocks(text) if block.language in ("", "sh", "bash")]
    prose = FENCE.sub("", text)
    shown += re.findall(r"(?:^ {4}\S.*\n?)+", prose, re.MULTILINE)
    shown += re.findall(r"(?<!`)`([^`]+)`", prose)
    for part in shown:
        for line in re.sub(r"\\\n\s*", " ", part).splitlines():
            command = line.strip().split("  #")[0]
            if re.match(r"(python -m|pip install|make) ", command) and "..." not in command:
                yield command


def anchors(text: str) -> set[str]:
    """What headings can be linked to by, as GitHub and Python-Markdown make it."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", text), re.MULTILINE)
    return {
        re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower())
        for heading in headings
    }
