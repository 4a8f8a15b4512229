"""Pictures of graphs."""

from __future__ import annotations

from autograd.drawing.digraphs import draw

__all__ = ["draw"]
