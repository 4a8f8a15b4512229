"""A drawing as one self-contained page: pan, zoom, search, fold, and step through the sweeps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from autograd.drawing.collecting import collect
from autograd.drawing.grouping import Group
from autograd.drawing.labels import shape_text, swept_text, title, value_line
from autograd.drawing.numbers import NOT_KEPT, summary
from autograd.drawing.pictures import Picture, compose
from autograd.drawing.steps import Steps
from autograd.markers import LEAF
from autograd.node import Node, describe_place

LARGEST_PAGE = 2000


class Page:
    """What `draw_html` returns: `save("graph.html")`, or its text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text

    def save(self, path: Any) -> str:
        """Write the page; the file is replaced as a whole or not at all.

        Returns the path. Raises ValueError unless its suffix is .html, OSError where it cannot
        write.
        """
        from autograd.drawing.files import write

        target = Path(path)
        if target.suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"a page is saved as .html, got {str(path)!r}")
        write(target, self.text.encode())
        return str(target)


def draw_html(
    *outputs: Any,
    tangents: Mapping[Any, Any] | None = None,
    adjoints: Any = True,
    name: str = "Computation graph",
    modules: bool = True,
    depth: int | None = None,
    max_nodes: int = 200,
) -> Page:
    """A page that shows the graph of `outputs` and steps through its sweeps, without a network.

    Arguments and errors are `draw`'s; `name` is the page's title. The page starts with the
    modules folded that `draw` folds, and can unfold them down to single operations (the newest
    2,000 of them). It steps through the evaluation, the pushforward of `tangents` if they are
    given, and the pullback of `adjoints` (ones by default), with the rule applied at each node.

    >>> import autograd as ag
    >>> x = ag.Tensor(3.0, requires_grad=True, name="x")
    >>> "adj(x)" in str(ag.draw_html(x * x))
    True
    """
    graph = collect(outputs, tangents, adjoints)
    picture = compose(graph, max_nodes, depth, False, None, modules)
    return Page(page(picture, name))


def page(picture: Picture, name: str = "Computation graph") -> str:
    """The page of a picture in which no repeated modules stand for each other."""
    template = files("autograd.drawing").joinpath("page.html").read_text("utf-8")
    # No '</script>' in a label can end the script.
    data = json.dumps(_data(picture), ensure_ascii=True).replace("<", "\\u003c")
    return template.replace("{{title}}", escape(name)).replace("{{data}}", data)


def _data(picture: Picture) -> dict[str, Any]:
    graph, groups = picture.graph, picture.groups
    nodes = graph.nodes[-LARGEST_PAGE:]
    steps = Steps(picture, nodes)
    numbers = {group: index for index, group in enumerate(groups.root.walk())}
    opened = {group for item in picture.items for group in _above(item.cluster)}
    return {
        "hidden": len(graph.nodes) - len(nodes),
        "nodes": [_node(picture, steps, node, numbers) for node in nodes],
        "groups": [
            {
                "parent": -1 if group.parent is None else numbers[group.parent],
                "title": group.title or "module",
                "open": group in opened or group.parent is None,
            }
            for group in groups.root.walk()
        ],
        "sweeps": [
            {"name": label, "steps": found}
            for label, found in (
                ("evaluation", steps.evaluation()),
                ("forward mode", steps.pushforward()),
                ("reverse mode", steps.pullback()),
            )
            if found
        ],
    }


def _above(group: Group | None) -> list[Group]:
    found = []
    while group is not None:
        found.append(group)
        group = group.parent
    return found


def _node(picture: Picture, steps: Steps, node: Node, numbers: dict[Group, int]) -> dict[str, Any]:
    graph = picture.graph
    label, symbol = title(picture, node), steps.symbols[steps.number[node]]
    kind = "output" if node in graph.outputs else "leaf" if node.op is LEAF else "operation"
    inputs = []
    for source in node.inputs:
        if type(source) is Node:
            place = steps.number.get(source, -1)
            inputs.append({"node": place, "text": "" if place >= 0 else "an older node"})
        else:
            text = f"constant {NOT_KEPT}" if source is None else summary(source)
            inputs.append({"node": -1, "text": text})
    return {
        "title": label if symbol == node.name else f"{symbol} = {label}",
        "symbol": symbol,
        "operation": node.op.name,
        "kind": kind,
        "group": numbers[picture.groups.of[node]],
        "shape": shape_text(node),
        "place": describe_place(node.place),
        "value": value_line(node)[1],
        "tangent": None if graph.tangents is None else swept_text(graph.tangents, node),
        "adjoint": None if graph.adjoints is None else swept_text(graph.adjoints, node),
        "inputs": inputs,
    }
