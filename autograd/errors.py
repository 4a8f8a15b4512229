"""Exceptions that several modules raise."""

from __future__ import annotations


class GraphNeeded(BaseException):
    """What jvp has let go of is asked for: jvp begins again, and records the whole graph.

    Only jvp catches it, which is why it is no Exception.
    """

    def __init__(self, transform: object) -> None:
        super().__init__("the graph of a jvp that runs; only the function it calls can ask for it")
        self.transform = transform


class TrackedTensorError(TypeError, RuntimeError):
    """A conversion that would silently drop a derivative."""
