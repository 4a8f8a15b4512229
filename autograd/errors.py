"""Exceptions that several modules raise."""

from __future__ import annotations


class TrackedTensorError(TypeError, RuntimeError):
    """A conversion that would silently drop a derivative."""
