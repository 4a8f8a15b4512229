"""Pictures as `graphviz.Digraph`."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from autograd.drawing.collecting import Graph, collect
from autograd.drawing.grouping import Group
from autograd.drawing.labels import Line, Shown, lines
from autograd.drawing.local import edge_number
from autograd.drawing.numbers import NOT_KEPT, summary
from autograd.drawing.pictures import Edge, Item, Picture, compose
from autograd.markers import LEAF

if TYPE_CHECKING:
    from autograd.drawing.drawings import Drawing

DIRECTIONS = ("TB", "BT", "LR", "RL")

# Okabe & Ito's colours, which colour-blind readers tell apart; shapes, borders and words tell the
# same to those who print in black and white.
BLUE, ORANGE, VERMILLION, PURPLE = "#0072B2", "#E69F00", "#B34700", "#CC79A7"
STYLES = {
    "leaf": {"shape": "box", "style": "rounded,filled", "fillcolor": "#DCEEF8"},
    "operation": {"shape": "ellipse", "style": "filled", "fillcolor": "#FFFFFF"},
    "output": {
        "shape": "box",
        "style": "filled,bold",
        "fillcolor": "#FCEFCF",
        "peripheries": "2",
    },
    "module": {
        "shape": "box3d",
        "style": "filled",
        "fillcolor": "#EFEFEF",
        "margin": "0.15,0.09",
    },
}
_FONTS = {
    "title": "<B>{}</B>",
    "note": '<FONT POINT-SIZE="9" COLOR="#444444">{}</FONT>',
    "value": "{}",
    "missing": '<FONT POINT-SIZE="9" COLOR="#444444"><I>{}</I></FONT>',
    "tangent": f'<FONT COLOR="{BLUE}">{{}}</FONT>',
    "adjoint": f'<FONT COLOR="{VERMILLION}"><I>{{}}</I></FONT>',
}


def draw(
    *outputs: Any,
    direction: str = "TB",
    values: bool = True,
    shapes: bool = True,
    statistics: bool = True,
    operands: bool = True,
    edge_numbers: str | None = None,
    tangents: Mapping[Any, Any] | None = None,
    adjoints: Any = None,
    modules: bool = True,
    depth: int | None = None,
    fold_repeats: bool = True,
    max_nodes: int = 200,
    highlight: Any = None,
    legend: bool = False,
) -> Drawing:
    """A picture of the graph that `outputs` (tracked Tensors) were computed by.

    Each node shows its operation (or its Tensor's name), its value where one was kept (small ones
    are; larger ones under `keep_values()`, as `statistics`: range, mean and deviation), and the
    shape and dtype of arrays. `tangents` maps inputs to tangents that are pushed forward, and
    every node shows its own; `adjoints=True` pulls ones back from the outputs (or give the
    cotangents). Edges carry the number of the operand where there are several.

    Nodes made by a module's call lie in a frame with its attribute path (unless `modules` is
    False), and so do nodes that a sweep recorded. Modules inside more than `depth` others are
    folded to one box; None folds as many levels as it takes to draw at most `max_nodes`. Equal
    modules in a row are drawn once, with 'x12'. If it is still too much, the newest `max_nodes`
    are drawn and the rest is counted. `highlight` is 'nonfinite', or a Tensor or several: the
    paths through them. `direction` is TB, BT, LR or RL.

    The result is a `graphviz.Digraph`; its `save` writes SVG, PNG, PDF, HTML or DOT by the
    suffix. Rendering needs Graphviz's program `dot`, or the extra `draw`. Raises TypeError and
    ValueError for what is no graph, RuntimeError for sweeps over a graph that `backward` freed.

    >>> import autograd as ag
    >>> x = ag.Tensor(3.0, requires_grad=True, name="x")
    >>> "square" in ag.draw(ag.square(x), adjoints=True).source
    True
    """
    if direction not in DIRECTIONS:
        raise ValueError(f"direction must be one of {', '.join(DIRECTIONS)}, got {direction!r}")
    graph = collect(outputs, tangents, adjoints)
    _check_edge_numbers(edge_numbers, graph)
    picture = compose(graph, max_nodes, depth, fold_repeats, highlight, modules)
    try:
        from autograd.drawing.drawings import Drawing
    except ImportError:
        raise ImportError(
            "ag.draw needs the package graphviz: pip install graphviz (and Graphviz's program "
            "`dot` to render pictures); ag.show_tree prints the graph without it"
        ) from None
    drawing = Drawing(picture, direction)
    _add_groups(drawing, picture, Shown(values, shapes, statistics))
    for count, edge in enumerate(picture.edges):
        travelling = edge_number(graph, edge, edge_numbers) if edge_numbers else ""
        _add_edge(drawing, edge, f"c{count}", operands, travelling, statistics)
    if picture.hidden:
        drawing.node("hidden", f"… {picture.hidden:,} older nodes not shown", shape="plaintext")
        for item in picture.cut:
            drawing.edge("hidden", _name(item), style="dashed")
    if legend:
        _add_legend(drawing, picture)
    return drawing


def _check_edge_numbers(kind: str | None, graph: Graph) -> None:
    if kind not in (None, "value", "tangent", "adjoint"):
        raise ValueError(f"edge_numbers is 'value', 'tangent' or 'adjoint', got {kind!r}")
    if kind == "tangent" and graph.tangents is None:
        raise ValueError("edge_numbers='tangent' needs tangents={x: ...}")
    if kind == "adjoint" and graph.adjoints is None:
        raise ValueError("edge_numbers='adjoint' needs adjoints=True")


def _name(item: Item) -> str:
    """The same graph gives the same bytes: items are numbered from the oldest drawn."""
    return f"n{item.number}"


def _add_groups(drawing: Any, picture: Picture, shown: Shown) -> None:
    inside: dict[Group, list[Item]] = {}
    for item in picture.items:
        cluster = item.cluster or picture.groups.root
        inside.setdefault(cluster, []).append(item)
    # Groups without drawn items of their own still frame those inside them.
    frames: dict[Group, list[Group]] = {}
    for group in list(inside):
        at: Group | None = group
        while at is not None and at.parent is not None:
            siblings = frames.setdefault(at.parent, [])
            if at in siblings:
                break
            siblings.append(at)
            at = at.parent
    count = 0

    # Subgraphs nest as text, so open frames are a stack instead of a recursion.
    stack: list[Any] = [picture.groups.root]
    while stack:
        top = stack.pop()
        if top is None:
            drawing.body.append("\t}\n")
            continue
        if top.parent is not None:
            label = _html([Line("title", top.title or "module")])
            attributes = (
                f'label={label} labeljust=l style="rounded,dashed" color="#777777" margin=10'
            )
            drawing.body.append(f"\tsubgraph cluster_{count} {{\n\t\tgraph [{attributes}]\n")
            count += 1
        for item in inside.get(top, ()):
            _add_item(drawing, picture, item, shown)
        if top.parent is not None:
            stack.append(None)
        stack.extend(reversed(frames.get(top, ())))


def _add_item(drawing: Any, picture: Picture, item: Item, shown: Shown) -> None:
    style = dict(STYLES[_style(picture, item)])
    if picture.lit is not None and any(node in picture.lit for node in item.members):
        style |= {"color": PURPLE, "penwidth": "4"}
    drawing.node(_name(item), _html(lines(picture, item, shown)), **style)


def _style(picture: Picture, item: Item) -> str:
    if item.node is None:
        return "module"
    if item.node in picture.graph.outputs:
        return "output"
    return "leaf" if item.node.op is LEAF else "operation"


def _add_edge(
    drawing: Any, edge: Edge, constant: str, operands: bool, travelling: str, statistics: bool
) -> None:
    node = edge.target.node
    several = operands and edge.operand is not None and node is not None and len(node.inputs) > 1
    label = ": ".join(t for t in (str(edge.operand) if several else "", travelling) if t)
    label = f" {label} " if label else ""
    if edge.source is not None:
        lit = {"color": PURPLE, "penwidth": "4"} if edge.lit else {}
        drawing.edge(_name(edge.source), _name(edge.target), label=label, **lit)
        return
    known = edge.constant is not None
    text = summary(edge.constant, statistics) if known else f"constant {NOT_KEPT}"
    drawing.node(constant, _html([Line("value" if known else "missing", text)]), shape="plain")
    drawing.edge(constant, _name(edge.target), label=label)


def _add_legend(drawing: Any, picture: Picture) -> None:
    rows = [
        ("leaf", [Line("title", "leaf"), Line("note", "requires gradients")]),
        ("operation", [Line("title", "operation"), Line("value", "its value")]),
        ("output", [Line("title", "output")]),
        ("module", [Line("title", "folded module")]),
    ]
    if picture.graph.tangents is not None:
        rows[1][1].append(Line("tangent", "tangent"))
    if picture.graph.adjoints is not None:
        rows[1][1].append(Line("adjoint", "adjoint"))
    with drawing.subgraph(name="cluster_legend") as legend:
        legend.attr(label="legend", style="solid", color="#777777")
        names = []
        for index, (style, label) in enumerate(rows):
            names.append(f"legend{index}")
            legend.node(names[-1], _html(label), **STYLES[style])
        for first, second in itertools.pairwise(names):
            legend.edge(first, second, style="invis")


def _html(found: list[Line]) -> str:
    """A label in Graphviz's HTML-like language, with any text in it as it is."""
    return "<" + "<BR/>".join(_FONTS[line.kind].format(_escaped(line.text)) for line in found) + ">"


def _escaped(text: str) -> str:
    plain = "".join(
        c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text
    )
    return escape(plain).replace("\n", "<BR/>") or " "
