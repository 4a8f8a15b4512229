"""A node of the recorded graph, and where in the user's program it was made."""

from __future__ import annotations

import itertools
import linecache
import os
import sys
import weakref
from collections.abc import Iterable
from types import CodeType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from autograd.base import Op
    from autograd.modes import Scope
    from autograd.tensor import Tensor

KEPT_SIZE: Final = 16
"""A node keeps its output's value when it has at most this many elements."""

Place = tuple[CodeType, int]
"""A code object and an instruction offset: costs no memory of the user's, unlike a frame."""

# One clock for nodes and for changes in place: "changed since recorded" is one comparison.
next_serial = itertools.count(1).__next__


class _Freed:
    """What a node has in place of its saved values after `backward` freed them."""

    def __repr__(self) -> str:
        return "FREED"


FREED: Final = _Freed()


FINISHED: Final[dict[str, Any]] = {"finished": True}
"""The params of a transform's variable once the transformed function has returned: a constant."""


class Node:
    """One recorded call: an operation, where its inputs came from, what its rules will need.

    `inputs` has one entry per operand: the operand's node when it is tracked, otherwise the
    constant itself when it is small, else None. Serial numbers grow with creation, so sorting by
    them is a topological order.
    """

    __slots__ = (
        "__weakref__",
        "dtype",
        "fingerprint",
        "inputs",
        "leaf",
        "name",
        "op",
        "params",
        "place",
        "saved",
        "scope",
        "serial",
        "shape",
        "value",
    )

    op: Op
    inputs: tuple[Any, ...]
    params: dict[str, Any]
    saved: Any
    shape: Any
    dtype: Any
    serial: int
    scope: Scope | None
    place: Place | None
    name: str | None
    value: Any
    leaf: weakref.ref[Tensor] | None
    fingerprint: Any

    def __init__(
        self,
        op: Op,
        inputs: tuple[Any, ...],
        params: dict[str, Any],
        saved: Any,
        shape: Any,
        dtype: Any,
        place: Place | None,
        scope: Scope | None,
        value: Any,
    ) -> None:
        self.op = op
        self.inputs = inputs
        self.params = params
        self.saved = saved
        self.shape = shape
        self.dtype = dtype
        self.serial = next_serial()
        self.place = place
        self.scope = scope
        self.value = value
        self.name = None
        self.leaf = None
        self.fingerprint = None

    def __repr__(self) -> str:
        return f"<Node {self.serial} {self.op.name} shape={self.shape}>"


_LIBRARY_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_LIBRARY_FOLDERS = tuple(
    os.path.join(_LIBRARY_ROOT, package) + os.sep for package in ("autograd", "nn", "optim")
)


class _LibraryFiles(dict[str, bool]):
    """Whether a file is the library's own; remembered, because it is asked at every node."""

    def __missing__(self, filename: str) -> bool:
        inside = os.path.abspath(filename).startswith(_LIBRARY_FOLDERS)
        self[filename] = inside
        return inside


is_library_file = _LibraryFiles()


def caller_place(depth: int = 1) -> Place | None:
    """The innermost place outside the library, at least `depth` frames up."""
    frame = sys._getframe(depth)
    code = frame.f_code
    while is_library_file[code.co_filename]:
        outer = frame.f_back
        if outer is None:
            break
        frame = outer
        code = frame.f_code
    return code, frame.f_lasti


def describe_place(place: Place | None) -> str:
    """`file.py:12 in f: y = x * x` for an error message."""
    if place is None:
        return "an unknown place"
    code, offset = place
    line = code.co_firstlineno
    for start, end, number in code.co_lines():
        if number is not None and start <= offset < end:
            line = number
    text = linecache.getline(code.co_filename, line).strip()
    where = f"{code.co_filename}:{line} in {code.co_name}"
    return f"{where}: {text}" if text else where


def small(value: Any) -> Any:
    """The value itself when it is small enough to keep for pictures, else None."""
    if isinstance(value, np.ndarray) and value.size > KEPT_SIZE:
        return None
    return value


def ancestors(roots: Iterable[Node]) -> list[Node]:
    """The nodes that `roots` depend on, themselves included, oldest first."""
    seen = set(roots)
    stack = list(seen)
    while stack:
        for source in stack.pop().inputs:
            if type(source) is Node and source not in seen:
                seen.add(source)
                stack.append(source)
    return sorted(seen, key=lambda node: node.serial)
