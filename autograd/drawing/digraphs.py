"""Pictures as `graphviz.Digraph`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from autograd.drawing.collecting import Edge, Picture, collect, value_of
from autograd.drawing.numbers import number, summary
from autograd.markers import LEAF, OUTPUT
from autograd.node import Node

if TYPE_CHECKING:
    import graphviz

_DIRECTIONS = ("TB", "BT", "LR", "RL")

# Okabe & Ito's colours, which colour-blind readers tell apart; shapes and borders tell the same.
_LEAF = {"shape": "box", "style": "filled,rounded", "fillcolor": "#cde8f6", "penwidth": "1.2"}
_INNER = {"shape": "ellipse", "style": "filled", "fillcolor": "#ffffff"}
_OUTPUT = {"shape": "box", "style": "filled,bold", "fillcolor": "#fbe3c0", "penwidth": "2"}


def draw(
    *outputs: Any,
    max_nodes: int = 200,
    direction: str = "TB",
    values: bool = True,
    shapes: bool = True,
    tangents: Mapping[Any, Any] | None = None,
    adjoints: Any = None,
) -> graphviz.Digraph:
    """A picture of the graph that `outputs` (tracked Tensors) were computed by.

    Each node shows its operation (or its Tensor's name), its value where one was kept (small ones
    are; larger ones under `keep_values()`), and the shape and dtype of arrays. `tangents` maps
    inputs to tangents that are pushed forward, and every node shows its own; `adjoints=True` pulls
    ones back from the outputs (or give the cotangents). Edges carry the number of the operand
    where there are several; constants are drawn without a border. Of a larger graph the newest
    `max_nodes` are drawn and the rest is counted. `direction` is TB, BT, LR or RL.

    Needs the package graphviz; rendering also its program `dot`. Raises TypeError and ValueError
    for what is no graph, RuntimeError for sweeps over a graph that `backward` freed.

    >>> import autograd as ag
    >>> x = ag.Tensor(3.0, requires_grad=True, name="x")
    >>> "square" in ag.draw(ag.square(x), adjoints=True).source
    True
    """
    if direction not in _DIRECTIONS:
        raise ValueError(f"direction must be one of {', '.join(_DIRECTIONS)}, got {direction!r}")
    picture = collect(outputs, max_nodes, tangents, adjoints)
    graph = _new_graph(direction)
    for node in picture.nodes:
        style = _OUTPUT if node in picture.outputs else _LEAF if node.op is LEAF else _INNER
        graph.node(_name(picture, node), _label(picture, node, values, shapes), **style)
    for count, edge in enumerate(picture.edges):
        _add_edge(graph, picture, edge, count)
    if picture.hidden:
        graph.node("hidden", f"… {picture.hidden} older nodes not shown", shape="plaintext")
        for node in picture.nodes:
            if node in picture.cut:
                graph.edge("hidden", _name(picture, node), style="dashed")
    return graph


def _new_graph(direction: str) -> graphviz.Digraph:
    try:
        import graphviz
    except ImportError:
        raise ImportError(
            "ag.draw needs the package graphviz: pip install graphviz (and Graphviz's program "
            "`dot` to render pictures)"
        ) from None
    font = {"fontname": "Helvetica", "fontsize": "11"}
    return graphviz.Digraph(
        graph_attr={"rankdir": direction, "nodesep": "0.3", "ranksep": "0.4"},
        node_attr=font,
        edge_attr={**font, "fontsize": "9", "color": "#555555"},
    )


def _name(picture: Picture, node: Node) -> str:
    """The same graph gives the same bytes: nodes are numbered from the oldest drawn."""
    numbers = picture.__dict__.setdefault(
        "_numbers", {item: index for index, item in enumerate(picture.nodes)}
    )
    return f"n{numbers[node]}"


def _add_edge(graph: graphviz.Digraph, picture: Picture, edge: Edge, count: int) -> None:
    target = _name(picture, edge.target)
    several = len(edge.target.inputs) > 1
    label = str(edge.operand) if several else ""
    if edge.source is not None:
        graph.edge(_name(picture, edge.source), target, label=label)
        return
    if edge.constant is None:
        text = "constant"
    else:
        text = summary(edge.constant)
    graph.node(f"c{count}", _escaped(text), shape="plaintext", fontcolor="#555555")
    graph.edge(f"c{count}", target, label=label)


def _label(picture: Picture, node: Node, values: bool, shapes: bool) -> str:
    lines = [_title(node)]
    if shapes and node.shape != ():
        lines.append(_shape_text(node))
    if values and node.op is not OUTPUT and type(node.shape) is tuple:
        lines.append(_value_text(node))
    if picture.tangents is not None:
        lines.append("tangent " + _found_text(picture.tangents, node))
    if picture.adjoints is not None:
        lines.append("adjoint " + _found_text(picture.adjoints, node))
    return _escaped("\n".join(line for line in lines if line))


def _title(node: Node) -> str:
    if node.name:
        return node.name if node.op is LEAF else f"{node.name} = {node.op.name}"
    if node.op is OUTPUT:
        return f"output {node.params['index']}"
    return node.op.name


def _shape_text(node: Node) -> str:
    if node.shape and type(node.shape[0]) is tuple:
        return " ".join(str(shape) for shape in node.shape)
    return f"{node.shape} {node.dtype}"


def _value_text(node: Node) -> str:
    if node.shape and type(node.shape[0]) is tuple:
        return ""
    value = value_of(node)
    return "value not kept" if value is None else summary(value)


def _found_text(found: dict[Node, Any], node: Node) -> str:
    if node not in found:
        return number(0.0)
    value = found[node]
    return "of several outputs" if isinstance(value, tuple | list) else summary(value)


def _escaped(text: str) -> str:
    """Text as it is: the graphviz package gives a meaning to backslashes and <...>."""
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n")
    return f"{escaped} " if escaped.startswith("<") and escaped.endswith(">") else escaped
