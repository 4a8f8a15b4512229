"""What stands at an item: its title, shape, value, tangent and adjoint, each with its kind."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from autograd.drawing.numbers import NOT_COMPUTED, NOT_KEPT, number, summary
from autograd.drawing.pictures import Item, Picture
from autograd.markers import LEAF, OUTPUT
from autograd.node import Node, value_of


@dataclass(frozen=True)
class Line:
    """One line of a label; `kind` is title, note, value, missing, tangent or adjoint."""

    kind: str
    text: str


@dataclass(frozen=True)
class Shown:
    """Which lines labels have."""

    values: bool = True
    shapes: bool = True
    statistics: bool = True


def lines(picture: Picture, item: Item, shown: Shown) -> list[Line]:
    """The label of an item."""
    if item.node is None:
        return _folded(picture, item, shown)
    node = item.node
    found = [Line("title", title(picture, node))]
    if shown.shapes and node.shape != ():
        found.append(Line("note", shape_text(node)))
    if shown.values and node.op is not OUTPUT:
        found.append(_value(node, shown))
    return found + _swept(picture, node, shown)


def title(picture: Picture, node: Node) -> str:
    """A node's own name, a parameter's path in its module, or its operation."""
    name = node.name
    if node.op is LEAF:
        return name or picture.groups.leaf_name(node) or "leaf"
    kind = f"output {node.params['index']}" if node.op is OUTPUT else node.op.name
    return f"{name} = {kind}" if name else kind


def shape_text(node: Node) -> str:
    """'(3, 2) float32', or several shapes."""
    if several(node):
        return " ".join(str(shape) for shape in node.shape)
    return f"{node.shape} {node.dtype}"


def several(node: Node) -> bool:
    """Whether the node has several outputs."""
    return bool(node.shape) and type(node.shape[0]) is tuple


def value_line(node: Node, statistics: bool = True) -> tuple[bool, str]:
    """Whether a node's value is known, and what is shown for it."""
    if several(node):
        return False, NOT_COMPUTED
    value = value_of(node)
    return (False, NOT_KEPT) if value is None else (True, summary(value, statistics))


def _value(node: Node, shown: Shown) -> Line:
    known, text = value_line(node, shown.statistics)
    return Line("value" if known else "missing", text if known else f"value {text}")


def _swept(picture: Picture, node: Node, shown: Shown) -> list[Line]:
    found = []
    for kind, mapping in (
        ("tangent", picture.graph.tangents),
        ("adjoint", picture.graph.adjoints),
    ):
        if mapping is not None:
            found.append(Line(kind, f"{kind} {swept_text(mapping, node, shown.statistics)}"))
    return found


def swept_text(mapping: dict[Node, Any], node: Node, statistics: bool = True) -> str:
    """A tangent or adjoint; a node that the sweep did not reach has exactly 0."""
    return summary(mapping[node], statistics) if node in mapping else number(0.0)


def _folded(picture: Picture, item: Item, shown: Shown) -> list[Line]:
    group = item.group
    found = [Line("title", group.title or "module")]
    made = [node for node in item.members if node.op is not LEAF]
    operations = parameters = 0
    for node, times in item.group.counted():
        if node.op is LEAF:
            parameters += times * math.prod(node.shape)
        else:
            operations += times
    notes = [shape_text(made[-1])] if shown.shapes and made else []
    if shown.values:
        notes.append(_counted(operations, "operation"))
    if parameters:
        notes.append(_counted(parameters, "parameter"))
    if notes:
        found.append(Line("note", ", ".join(notes)))
    if made:
        if shown.values and value_of(made[-1]) is not None:
            found.append(_value(made[-1], shown))
        found += _swept(picture, made[-1], shown)
    return found


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
