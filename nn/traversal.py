"""Finding parameters, buffers and modules by walking a module's attributes.

Nothing is registered when an attribute is assigned: what a module holds is what its attributes
hold, also inside lists, tuples and dicts, and a name is the path to it (`layers.0.weight`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from types import MappingProxyType, NoneType
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from nn.parameter import Parameter

if TYPE_CHECKING:
    from nn.module import Module

Found = TypeVar("Found")

_PLAIN = frozenset({NoneType, bool, int, float, str, np.ndarray, np.dtype, np.random.Generator})

stand_ins: ContextVar[frozenset[int]] = ContextVar("dagrad_nn_stand_ins", default=frozenset())
"""Identities of values that `functional_call` has put in the place of parameters."""


class ModuleTree:
    """The naming half of Module: who is held where."""

    _buffer_names: Mapping[str, bool] = MappingProxyType({})
    """Names of the attributes that are buffers, and whether the state dict keeps them."""

    def _members(self) -> list[tuple[str, Any]]:
        """Names and values of the parameters and modules that this module itself holds."""
        found: list[tuple[str, Any]] = []
        substituted = stand_ins.get()
        for name, value in vars(self).items():
            if type(value) not in _PLAIN or id(value) in substituted:
                _collect(name, value, found, substituted, ())
        return found

    def _own_parameters(self) -> list[tuple[str, Parameter]]:
        return [item for item in self._members() if not isinstance(item[1], ModuleTree)]

    def _own_buffers(self, persistent_only: bool = False) -> list[tuple[str, np.ndarray]]:
        return [
            (name, getattr(self, name))
            for name, persistent in self._buffer_names.items()
            if (persistent or not persistent_only) and getattr(self, name, None) is not None
        ]

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Names and modules held directly, each module once."""
        seen: set[int] = set()
        for name, value in self._members():
            if isinstance(value, ModuleTree) and id(value) not in seen:
                seen.add(id(value))
                yield name, cast("Module", value)

    def children(self) -> Iterator[Module]:
        """Modules held directly, each once."""
        return (child for _, child in self.named_children())

    def named_modules(
        self, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Paths and modules of the whole tree, this one first (its path is `prefix`).

        A module held in two places is yielded once, or at every path with
        `remove_duplicate=False`.

        >>> import nn
        >>> net = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU()))
        >>> [name for name, _ in net.named_modules()]
        ['', '0', '1', '1.0']
        """
        return self._walk(prefix, set(), remove_duplicate)

    def _walk(self, path: str, seen: set[int], once: bool) -> Iterator[tuple[str, Module]]:
        # With once=False, `seen` holds the modules on the way here, which ends cycles.
        if id(self) in seen:
            return
        seen.add(id(self))
        yield path, cast("Module", self)
        for name, value in self._members():
            if isinstance(value, ModuleTree):
                yield from value._walk(_joined(path, name), seen, once)
        if not once:
            seen.discard(id(self))

    def modules(self) -> Iterator[Module]:
        """All modules of the tree, this one first, each once."""
        return (module for _, module in self.named_modules())

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Paths and parameters, a module's own before its children's; a shared one once.

        >>> import nn
        >>> [name for name, _ in nn.Sequential(nn.Linear(2, 3)).named_parameters()]
        ['0.weight', '0.bias']
        """
        seen: set[int] = set()
        for path, module in self._reached(prefix, recurse, remove_duplicate):
            for name, parameter in module._own_parameters():
                if not (remove_duplicate and id(parameter) in seen):
                    seen.add(id(parameter))
                    yield _joined(path, name), parameter

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters, each once: what an optimizer takes."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, np.ndarray]]:
        """Paths and buffers: arrays that belong to the state but are not trained."""
        seen: set[int] = set()
        for path, module in self._reached(prefix, recurse, remove_duplicate):
            for name, buffer in module._own_buffers():
                if not (remove_duplicate and id(buffer) in seen):
                    seen.add(id(buffer))
                    yield _joined(path, name), buffer

    def buffers(self, recurse: bool = True) -> Iterator[np.ndarray]:
        """All buffers, each once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def _reached(self, prefix: str, recurse: bool, once: bool) -> Iterator[tuple[str, Module]]:
        return (
            self.named_modules(prefix, once) if recurse else iter([(prefix, cast("Module", self))])
        )

    def get_submodule(self, target: str) -> Module:
        """The module at a path. Raises AttributeError, listing the paths, if there is none."""
        return _lookup(dict(self.named_modules(remove_duplicate=False)), target, "module", self)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a path. Raises AttributeError, listing the paths, if there is none.

        >>> import nn
        >>> nn.Sequential(nn.Linear(2, 3)).get_parameter("0.bias").shape
        (3,)
        """
        return _lookup(
            dict(self.named_parameters(remove_duplicate=False)), target, "parameter", self
        )

    def get_buffer(self, target: str) -> np.ndarray:
        """The buffer at a path. Raises AttributeError, listing the paths, if there is none."""
        return _lookup(dict(self.named_buffers(remove_duplicate=False)), target, "buffer", self)


def _lookup(found: dict[str, Found], target: str, kind: str, tree: ModuleTree) -> Found:
    if target not in found:
        raise AttributeError(
            f"{type(tree).__name__} has no {kind} {target!r}; it has {list(found)}"
        )
    return found[target]


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _collect(
    name: str,
    value: Any,
    found: list[tuple[str, Any]],
    substituted: frozenset[int],
    inside: tuple[int, ...],
) -> None:
    if isinstance(value, (Parameter, ModuleTree)) or id(value) in substituted:
        found.append((name, value))
    elif isinstance(value, (list, tuple, dict)):
        if id(value) in inside:
            return
        inside = (*inside, id(value))
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            if type(item) not in _PLAIN or id(item) in substituted:
                _collect(f"{name}.{key}", item, found, substituted, inside)
