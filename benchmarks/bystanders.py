"""Objects that were there before: garbage collections leave them alone while steps are timed.

A full collection visits every object of the process, those of the other sides' libraries too, and
some sides need such collections more than others.
"""

from __future__ import annotations

import gc

__all__ = ["bring_back", "set_aside"]


def set_aside() -> None:
    """Have collections visit only what is made from now on."""
    gc.collect()
    gc.freeze()
    # Full collections are put off while few objects are new next to those that the last one left:
    # now none.
    gc.collect()


def bring_back() -> None:
    """Undo it."""
    gc.unfreeze()
