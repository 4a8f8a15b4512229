"""How a Tensor shows itself in a notebook."""

from __future__ import annotations

from html import escape
from typing import Any

from autograd.drawing.collecting import collect
from autograd.drawing.pictures import compose
from autograd.drawing.trees import tree_text

SHOWN_NODES = 40


def mimebundle(tensor: Any) -> dict[str, str]:
    """The repr; for a computed Tensor also HTML with its newest nodes, to be unfolded."""
    text = repr(tensor)
    if tensor.node is None or tensor.is_leaf:
        return {"text/plain": text}
    tree = tree_text(compose(collect([tensor], None, None), SHOWN_NODES))
    html = (
        f"<pre>{escape(text)}</pre><details><summary>graph</summary>"
        f"<pre>{escape(tree)}</pre></details>"
    )
    return {"text/plain": text, "text/html": html}
