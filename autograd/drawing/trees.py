"""The graph as text, for terminals and logs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, TextIO

from autograd.drawing.collecting import collect
from autograd.drawing.labels import Line, Shown, lines
from autograd.drawing.numbers import NOT_KEPT, summary
from autograd.drawing.pictures import Edge, Item, Picture, compose


def show_tree(
    *outputs: Any,
    tangents: Mapping[Any, Any] | None = None,
    adjoints: Any = None,
    values: bool = True,
    shapes: bool = True,
    modules: bool = True,
    depth: int | None = None,
    max_nodes: int = 200,
    file: TextIO | None = None,
) -> None:
    """Print the graph of `outputs` as a tree of operands, with the numbers that `draw` shows.

    A node that is used again is printed once and referred to afterwards; where a node has one
    operand, the line below is that operand. In colour when the package rich is installed and
    `file` (standard output by default) is a terminal. Options and errors are `draw`'s.

    >>> import autograd as ag
    >>> x = ag.Tensor(3.0, requires_grad=True, name="x")
    >>> ag.show_tree(x * x, adjoints=True)
    n1 multiply · 9 · adjoint 1
    ├─ 0: n0 x · 3 · adjoint 6
    └─ 1: n0 x (above)
    """
    graph = collect(outputs, tangents, adjoints)
    picture = compose(graph, max_nodes, depth, True, None, modules)
    stream = sys.stdout if file is None else file
    text = tree_text(picture, Shown(values, shapes))
    if stream.isatty() and _print_in_colour(text, stream):
        return
    stream.write(text + "\n")


def tree_text(picture: Picture, shown: Shown | None = None) -> str:
    """The tree's lines, from the outputs up to the leaves."""
    operands: dict[Item, list[Edge]] = {}
    used: set[Item] = set()
    for edge in picture.edges:
        operands.setdefault(edge.target, []).append(edge)
        if edge.source is not None:
            used.add(edge.source)
    ends = [item for item in reversed(picture.items) if item not in used]
    found: list[str] = []
    printed: set[Item] = set()
    # (what to print, the text before it, the text before its operands)
    stack: list[tuple[Item | Edge, str, str]] = [(item, "", "") for item in reversed(ends)]
    while stack:
        thing, lead, below = stack.pop()
        if isinstance(thing, Edge) and thing.source is None:
            known = thing.constant is not None
            found.append(lead + (summary(thing.constant) if known else f"constant {NOT_KEPT}"))
            continue
        item = thing if isinstance(thing, Item) else thing.source
        assert item is not None
        if item in printed:
            found.append(f"{lead}n{item.number} {_title(picture, item)} (above)")
            continue
        printed.add(item)
        label = lines(picture, item, shown or Shown())
        found.append(f"{lead}n{item.number} " + " · ".join(_one_line(line) for line in label))
        edges = operands.get(item, [])
        if len(edges) == 1 and edges[0].source is not None:
            stack.append((edges[0], below, below))
            continue
        for position in range(len(edges) - 1, -1, -1):
            edge = edges[position]
            last = position == len(edges) - 1
            name = "" if edge.operand is None else f"{edge.operand}: "
            stack.append(
                (
                    edge,
                    below + ("└─ " if last else "├─ ") + name,
                    below + ("   " if last else "│  "),
                )
            )
    if picture.hidden:
        found.append(f"… {picture.hidden:,} older nodes not shown")
    return "\n".join(found)


def _one_line(line: Line) -> str:
    return " ".join(line.text.split())


def _title(picture: Picture, item: Item) -> str:
    return _one_line(lines(picture, item, Shown(values=False, shapes=False))[0])


def _print_in_colour(text: str, stream: TextIO) -> bool:
    try:
        from rich.console import Console
        from rich.text import Text
    except ImportError:
        return False
    painted = Text(text)
    painted.highlight_regex(r"tangent [^·\n]*", "blue")
    painted.highlight_regex(r"adjoint [^·\n]*", "dark_orange")
    painted.highlight_regex(r"\bn\d+\b", "dim")
    Console(file=stream).print(painted, soft_wrap=True)
    return True
