"""A node of the recorded graph, and where in the user's program it was made."""

from __future__ import annotations

import itertools
import linecache
import os
import sys
import weakref
from collections.abc import Iterable
from types import CodeType, FrameType
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


class FromNodes:
    """What a node of numbers has in place of saved values: the nodes have them, and numbers never
    change.

    `keeps` says which of `(out, *operands)` rules read, `both` that two operands are tracked. Where
    `adds` or `multiplies` is True, the sweep knows what `quick` would give.
    """

    __slots__ = ("adds", "both", "keeps", "multiplies")

    def __init__(self, keeps: tuple[bool, ...], both: bool, adds: bool, multiplies: bool) -> None:
        self.keeps = keeps
        self.both = both
        self.adds = adds
        self.multiplies = multiplies

    def of(self, node: Node) -> tuple[Any, ...]:
        """What the node would have saved."""
        second = node.second.value if self.both else node.second
        values = (node.value, node.first.value, second)[: len(self.keeps)]
        return tuple([v if keep else None for v, keep in zip(values, self.keeps, strict=True)])


class Transform(dict[str, Any]):
    """The params, empty, of one running transform's variables.

    Once the transformed function has returned, `finished`, they are constants. Where `pushes`,
    tangents are pushed while the function runs, and its nodes let go of what they were made from:
    they have no inputs, and the params of the outermost such transform that they depend on.
    """

    __slots__ = ("finished", "level", "needed", "pushes")

    def __init__(self, level: int, pushes: bool) -> None:
        super().__init__()
        self.level = level
        self.pushes = pushes
        self.finished = self.needed = False


class Node:
    """One recorded call: an operation, where its inputs came from, what its rules will need.

    `inputs` has one entry per operand: the operand's node when it is tracked, otherwise the
    constant itself when it is small, else None. Serial numbers grow with creation, so sorting by
    them is a topological order.

    `held` is what it saved for its rules, or what stands in its place, FREED or a FromNodes; a leaf
    made from a number holds its array there.

    `quick` is set where a sweep on plain arrays may take a short way, at elementwise operations:
    the function of (cotangent, *saved) that gives the cotangent of the one tracked operand,
    `first`, or those of both, `first` and `second`, which then have the result's shape and dtype.
    With one tracked operand `second` is None, or the number that was the other.
    Where `operands` is None, the inputs are `first` and, unless it is None, `second`: without the
    tuple, the garbage collector has half as much to walk, again and again, while a graph of scalars
    grows.
    `tangents` and `level` are set only while a jvp runs (see `autograd.pushing`).

    There is no `__init__`, because calling one would take as long as all else: see `make_node`.
    """

    __slots__ = (
        "__weakref__",
        "code",
        "dtype",
        "fingerprint",
        "first",
        "held",
        "leaf",
        "level",
        "name",
        "offset",
        "op",
        "operands",
        "params",
        "quick",
        "scope",
        "second",
        "serial",
        "shape",
        "tangents",
        "value",
    )

    op: Op
    operands: tuple[Any, ...] | None
    first: Any
    second: Any
    params: dict[str, Any]
    held: Any
    shape: Any
    dtype: Any
    serial: int
    scope: Scope | None
    code: CodeType | None
    offset: int
    quick: Any
    name: str | None
    value: Any
    leaf: weakref.ref[Tensor] | None
    fingerprint: Any
    tangents: dict[Any, Any]
    level: float

    @property
    def inputs(self) -> tuple[Any, ...]:
        """One entry per operand."""
        operands = self.operands
        if operands is not None:
            return operands
        return (self.first,) if self.second is None else (self.first, self.second)

    @property
    def saved(self) -> Any:
        """What its rules read, `(out, *inputs, *extra)`, each None if they do not; or FREED."""
        held = self.held
        return held.of(self) if type(held) is FromNodes else held

    @property
    def place(self) -> Place | None:
        """Where the user's program made it."""
        return None if self.code is None else (self.code, self.offset)

    def __repr__(self) -> str:
        return f"<Node {self.serial} {self.op.name} shape={self.shape}>"


def make_node(
    op: Op,
    inputs: tuple[Any, ...],
    params: dict[str, Any],
    saved: Any,
    shape: Any,
    dtype: Any,
    place: Place | None,
    scope: Scope | None,
    value: Any,
) -> Node:
    """A new node, the youngest of all."""
    node = Node()
    node.op = op
    node.operands = inputs
    node.params = params
    node.held = saved
    node.shape = shape
    node.dtype = dtype
    node.serial = next_serial()
    node.code, node.offset = (None, 0) if place is None else place
    node.scope = scope
    node.value = value
    node.name = node.leaf = node.fingerprint = node.quick = None
    return node


def is_finished(node: Node) -> bool:
    """Whether it is a variable of a transform that has finished."""
    params = node.params
    return type(params) is Transform and params.finished


def is_cut(node: Node) -> bool:
    """Whether it depends on variables of transforms that push tangents, and on nothing else."""
    params = node.params
    return type(params) is Transform and params.pushes and not node.inputs


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


last_user_code: list[CodeType | None] = [None]
"""The code that recorded last: mostly the one that records next, and known not to be ours."""


def user_frame(frame: FrameType) -> FrameType:
    """`frame`, or the innermost frame outside it whose code is not the library's."""
    code = frame.f_code
    while code is not last_user_code[0] and is_library_file[code.co_filename]:
        outer = frame.f_back
        if outer is None:
            return frame
        frame, code = outer, outer.f_code
    last_user_code[0] = code
    return frame


def caller_place(depth: int = 1) -> Place | None:
    """The innermost place outside the library, at least `depth` frames up."""
    frame = user_frame(sys._getframe(depth))
    return frame.f_code, frame.f_lasti


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


def value_of(node: Node) -> Any:
    """A node's value where it was kept, else None; a leaf's is the one that its Tensor has now."""
    leaf = None if node.leaf is None else node.leaf()
    return node.value if leaf is None else leaf._value


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
