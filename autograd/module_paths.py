"""The attribute path of the module that a node or a call belongs to."""

from __future__ import annotations

import weakref
from typing import Any

from autograd.modes import Scope, Sweep

NO_MODULE = "(no module)"


class ModulePaths:
    """Names like `Net.features.0 (Conv2d)`: the outermost caller's class, the path, the class.

    Modules are held weakly, and modules of the same name share it.
    """

    def __init__(self) -> None:
        self._last: tuple[Scope | None, str] = (None, NO_MODULE)
        self._known: dict[int, tuple[Any, dict[int, tuple[Any, str]]]] = {}

    def name(self, scope: Scope | None) -> str:
        """The name of the module whose call `scope` is."""
        if scope is None:
            return NO_MODULE
        last, name = self._last
        if last is not scope:
            name = self._resolved(scope)
            self._last = (scope, name)
        return name

    def _resolved(self, scope: Scope) -> str:
        at: Scope | None = scope
        while at is not None and isinstance(at.owner(), Sweep):
            at = at.parent
        if at is None:
            return NO_MODULE
        owner, kind = at.owner(), at.type_name
        callers = []
        above = at.parent
        while above is not None:
            if not isinstance(above.owner(), Sweep):
                callers.append(above)
            above = above.parent
        for caller in reversed(callers):
            path = self._path(caller.owner(), owner)
            if path:
                return f"{caller.type_name}.{path} ({kind})"
        return kind

    def _path(self, root: Any, owner: Any) -> str:
        if root is None or owner is None:
            return ""
        held, paths = self._known.get(id(root), (None, {}))
        found, path = paths.get(id(owner), (None, ""))
        if held is None or held() is not root or found is None or found() is not owner:
            list_them = getattr(root, "named_modules", None)
            pairs = list_them() if callable(list_them) else ()
            paths = {id(part): (weakref.ref(part), name) for name, part in pairs}
            self._known[id(root)] = (weakref.ref(root), paths)
            path = paths.get(id(owner), (None, ""))[1]
        return path
