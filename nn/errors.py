"""Exceptions of files that hold states."""

from __future__ import annotations


class CheckpointError(ValueError):
    """A file of saved state is damaged, is of another kind, or does not fit; the text names it."""
