"""Ways of computing that a program, or the environment, may turn off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from autograd.kernels.environment import setting

__all__ = ["Switch"]


class Switch:
    """On by default; `variable` in the environment decides otherwise, and `use` inside a block.

    >>> switch = Switch("use_winograd", "DAGRAD_EXAMPLE")
    >>> with switch.use(False):
    ...     switch.explain()
    (False, 'use_winograd')
    >>> switch.explain()
    (True, 'the default')
    """

    def __init__(self, function: str, variable: str) -> None:
        self.function = function
        self.variable = variable
        self._forced: bool | None = None

    @contextmanager
    def use(self, on: bool) -> Iterator[None]:
        """Holds for all threads, whose blocks should not overlap: each restores what it found.

        Raises TypeError unless `on` is True or False.
        """
        if not isinstance(on, bool):
            raise TypeError(f"{self.function} takes True or False, got {on!r}")
        before = self._forced
        self._forced = on
        try:
            yield
        finally:
            self._forced = before

    def is_on(self) -> bool:
        """Raises ValueError unless the variable, if there is one, is 0, 1 or empty."""
        forced = self._forced
        if forced is not None:
            return forced
        given = setting(self.variable)
        if given is None:
            return True
        if given not in ("0", "1"):
            raise ValueError(f"{self.variable}={given!r}: give 0 (off) or 1 (on)")
        return given == "1"

    def explain(self) -> tuple[bool, str]:
        """Whether it is on, and why."""
        on = self.is_on()
        if self._forced is not None:
            return on, self.function
        if setting(self.variable) is not None:
            return on, f"{self.variable}={int(on)}"
        return on, "the default"
