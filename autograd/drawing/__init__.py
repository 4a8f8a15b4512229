"""Pictures of graphs."""

from __future__ import annotations

from autograd.drawing.digraphs import draw
from autograd.drawing.layout import RenderingError
from autograd.drawing.pages import draw_html
from autograd.drawing.trees import show_tree

__all__ = ["RenderingError", "draw", "draw_html", "show_tree"]
