"""Names for what a graph holds: attribute paths of modules, parameters and buffers."""

from __future__ import annotations

from typing import Any

from autograd.modes import Scope


class Names:
    """Paths within the model that is exported; without one, what each module calls its own."""

    def __init__(self, function: Any) -> None:
        self._modules: dict[int, str] = {}
        self._values: dict[int, str] = {}
        self._read(function, "")

    def _read(self, owner: Any, lead: str) -> None:
        for kind in ("modules", "parameters", "buffers"):
            listed = getattr(owner, f"named_{kind}", None)
            known = self._modules if kind == "modules" else self._values
            for path, part in listed() if callable(listed) else ():
                known.setdefault(id(part), f"{lead}.{path}" if lead and path else lead or path)

    def module(self, scope: Scope | None) -> str:
        """The path of the calling module; modules met for the first time are read."""
        if scope is None:
            return ""
        owner = scope.owner()
        if id(owner) not in self._modules:
            outer = self.module(scope.parent)
            own = scope.type_name
            self._read(owner, f"{outer}.{own}" if outer else own)
        return self._modules.get(id(owner), scope.type_name)

    def value(self, value: Any) -> str:
        """The path of a parameter or buffer, or ''."""
        return self._values.get(id(value), "")
