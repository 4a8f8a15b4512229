"""How a Tensor shows itself in a notebook."""

from __future__ import annotations

from html import escape
from typing import Any

from autograd.drawing.collecting import collect
from autograd.drawing.pictures import compose
from autograd.drawing.trees import tree_text
from autograd.node import Node

SHOWN_NODES = 40
LARGEST_GRAPH = 5_000
"""Nodes; a larger graph is not walked each time that its Tensor is shown."""


def mimebundle(tensor: Any) -> dict[str, str]:
    """The repr; for a computed Tensor also HTML with its newest nodes, to be unfolded."""
    text = repr(tensor)
    if tensor.node is None or tensor.is_leaf:
        return {"text/plain": text}
    if _is_large(tensor.node):
        tree = f"more than {LARGEST_GRAPH:,} nodes; ag.show_tree(...) prints the newest"
    else:
        tree = tree_text(compose(collect([tensor], None, None), SHOWN_NODES))
    html = (
        f"<pre>{escape(text)}</pre><details><summary>graph</summary>"
        f"<pre>{escape(tree)}</pre></details>"
    )
    return {"text/plain": text, "text/html": html}


def _is_large(node: Node) -> bool:
    seen, stack = {node}, [node]
    while stack and len(seen) <= LARGEST_GRAPH:
        for source in stack.pop().inputs:
            if type(source) is Node and source not in seen:
                seen.add(source)
                stack.append(source)
    return len(seen) > LARGEST_GRAPH
