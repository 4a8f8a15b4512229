"""Docstrings on the site: plain text becomes Markdown, and operations show their own docstrings.

An extension of Griffe, which reads the source for mkdocstrings. The source's docstrings are plain
text with formulas, so what Markdown would take for markup is escaped, and examples become code
blocks. Operations that are records, such as `exp = elementwise("exp", ...)`, are assignments to a
reader of source; they are shown as the functions they are, with the docstring of the record.
"""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any

import griffe

from autograd.base import Op

CODE = re.compile(r"(`[^`]+`)")
MARKUP = re.compile(r"([\\*_\[\]#|])")
PUBLIC = re.compile(r"`((?:ag|nn|optim)\.[\w.]+)(\([^`]*\))?`")
PACKAGES = {"ag": "autograd", "nn": "nn", "optim": "optim"}


def to_markdown(text: str) -> str:
    r"""Markdown that shows a plain docstring as it is written, examples as code.

    >>> print(to_markdown("a * b, `x_1` and <w, J v>."))
    a \* b, `x_1` and &lt;w, J v>.
    """
    parts = re.split(r"\n\s*\n", inspect.cleandoc(text))
    return "\n\n".join(_paragraph(part) for part in parts)


def _paragraph(text: str) -> str:
    if text.startswith(">>>"):
        return f"```pycon\n{text}\n```"
    if text.startswith("    "):
        return text
    pieces = CODE.split(text)
    return "".join(_linked(p) if CODE.fullmatch(p) else _escaped(p) for p in pieces)


def _escaped(text: str) -> str:
    return MARKUP.sub(r"\\\1", text).replace("<", "&lt;")


def _linked(code: str) -> str:
    """A code span that names something public links to its place in the reference."""
    match = PUBLIC.fullmatch(code)
    if match is None:
        return code
    package, _, name = match[1].partition(".")
    found: Any = importlib.import_module(PACKAGES[package])
    for part in name.split("."):
        if part not in getattr(found, "__all__", ()):
            return code
        found = getattr(found, part)
    return code if inspect.ismodule(found) else f"[{code}][{PACKAGES[package]}.{name}]"


class Docstrings(griffe.Extension):
    """What mkdocstrings loads from this file."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Go through a package that has been read."""
        self._visit(pkg)

    def _visit(self, parent: griffe.Module | griffe.Class) -> None:
        for name, member in list(parent.members.items()):
            if member.is_alias:
                continue
            if isinstance(member, griffe.Attribute) and isinstance(parent, griffe.Module):
                member = _explained(parent, member)
                parent.set_member(name, member)
            if member.docstring is not None:
                member.docstring.value = to_markdown(member.docstring.value)
            if isinstance(member, griffe.Module | griffe.Class):
                self._visit(member)


def _explained(
    module: griffe.Module, attribute: griffe.Attribute
) -> griffe.Attribute | griffe.Function:
    """An operation's record as the function that it is to its callers; else what was read.

    Another name of a class gets the docstring of the class.
    """
    if attribute.name.startswith("_") or not module.path.startswith("autograd.ops."):
        return attribute
    found = getattr(importlib.import_module(module.path), attribute.name)
    if not found.__doc__ or not isinstance(found, Op | type):
        return attribute
    if isinstance(found, type):
        if attribute.docstring is None:
            attribute.docstring = griffe.Docstring(found.__doc__, parent=attribute)
        return attribute
    parameters = [
        griffe.Parameter(
            parameter.name,
            kind=griffe.ParameterKind(parameter.kind.description),
            default=None if parameter.default is parameter.empty else repr(parameter.default),
        )
        for parameter in inspect.signature(found).parameters.values()
    ]
    function = griffe.Function(
        attribute.name,
        lineno=attribute.lineno,
        endlineno=attribute.endlineno,
        parameters=griffe.Parameters(*parameters),
        parent=module,
    )
    function.docstring = griffe.Docstring(found.__doc__, parent=function)
    return function
