"""Variables of the environment that kernels ask for, as they were when first asked for."""

from __future__ import annotations

import os

__all__ = ["forget_environment", "setting"]

_known: dict[str, str | None] = {}


def setting(variable: str) -> str | None:
    """What the variable says, None if there is none or it is empty. Kept: kernels ask at every
    call, and asking `os.environ` for what is not there takes microseconds.

    >>> setting("DAGRAD_THAT_NOBODY_SETS") is None
    True
    """
    try:
        return _known[variable]
    except KeyError:
        return _known.setdefault(variable, os.environ.get(variable) or None)


def forget_environment() -> None:
    """Ask anew from now on.

    >>> forget_environment()
    """
    _known.clear()
