"""Modules that hold modules: Sequential, ModuleList, ModuleDict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from nn.module import Module


def _checked(module: Any, who: str) -> Module:
    if not isinstance(module, Module):
        raise TypeError(f"{who} holds modules, got {type(module).__name__} ({module!r})")
    return module


class _Numbered(Module):
    """Modules under the names '0', '1', ..., as PyTorch's state dicts have them."""

    def _add(self, name: str, module: Any) -> None:
        if not name or "." in name:
            raise ValueError(f"a module's name must be non-empty and without dots, got {name!r}")
        if name in vars(self) or hasattr(type(self), name):
            raise ValueError(f"{type(self).__name__} already has an attribute {name!r}")
        vars(self)[name] = _checked(module, type(self).__name__)

    def _named(self) -> dict[str, Module]:
        return {name: value for name, value in vars(self).items() if isinstance(value, Module)}

    def _replace_all(self, modules: Iterable[Module]) -> None:
        for name in self._named():
            del vars(self)[name]
        for index, module in enumerate(modules):
            vars(self)[str(index)] = module

    def append(self, module: Module) -> Self:
        """Add a module at the end."""
        self._add(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add modules at the end; all are checked before the first is added."""
        for module in [_checked(module, type(self).__name__) for module in modules]:
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Add a module before position `index`; those after it are renumbered."""
        modules = list(self._named().values())
        modules.insert(index, _checked(module, type(self).__name__))
        self._replace_all(modules)
        return self

    def __len__(self) -> int:
        return len(self._named())

    def __iter__(self) -> Iterator[Module]:
        return iter(self._named().values())

    def _name_at(self, index: int) -> str:
        names = list(self._named())
        if not -len(names) <= index < len(names):
            raise IndexError(f"{type(self).__name__} has {len(names)} modules, got index {index}")
        return names[index]

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)._of(list(self._named().items())[index])
        return self._named()[self._name_at(index)]

    def __setitem__(self, index: int, module: Module) -> None:
        vars(self)[self._name_at(index)] = _checked(module, type(self).__name__)

    def __delitem__(self, index: int | slice) -> None:
        modules = list(self._named().values())
        del modules[index]
        self._replace_all(modules)

    @classmethod
    def _of(cls, items: list[tuple[str, Module]]) -> Self:
        part = cls()
        for name, module in items:
            vars(part)[name] = module
        return part


class Sequential(_Numbered):
    """Modules one after the other; each one's output is the next one's input.

    Takes modules, or one mapping of names to modules. Slices are Sequentials that share them.

    >>> import nn, numpy as np
    >>> net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    >>> net(np.ones((5, 3), np.float32)).shape
    (5, 2)
    >>> [name for name, _ in net.named_parameters()]
    ['0.weight', '0.bias', '2.weight', '2.bias']
    """

    def __init__(self, *modules: Any) -> None:
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            for name, module in modules[0].items():
                self._add(name, module)
        else:
            for module in modules:
                self.append(module)

    def forward(self, input: Any) -> Any:
        """The input through every module in turn."""
        for module in self:
            input = module(input)
        return input


class ModuleList(_Numbered):
    """A list of modules for a `forward` of one's own.

    >>> import nn
    >>> layers = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 1)])
    >>> [name for name, _ in layers.named_parameters()]
    ['0.weight', '0.bias', '1.weight', '1.bias']
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self.extend(modules)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """A list has no order of computation."""
        raise RuntimeError(
            "a ModuleList is a list and is not called; loop over it, or use Sequential"
        )


class ModuleDict(Module):
    """A dict of modules for a `forward` of one's own.

    >>> import nn
    >>> parts = nn.ModuleDict({"in": nn.Linear(2, 2)})
    >>> parts["out"] = nn.Linear(2, 1)
    >>> list(parts.state_dict())
    ['in.weight', 'in.bias', 'out.weight', 'out.bias']
    """

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        for name, module in (modules or {}).items():
            self[name] = module

    def _named(self) -> dict[str, Module]:
        return {name: value for name, value in vars(self).items() if isinstance(value, Module)}

    def __getitem__(self, name: str) -> Module:
        found = self._named()
        if name not in found:
            raise KeyError(f"ModuleDict has no module {name!r}; it has {list(found)}")
        return found[name]

    def __setitem__(self, name: str, module: Module) -> None:
        if not isinstance(name, str) or not name or "." in name:
            raise ValueError(f"a module's name must be non-empty and without dots, got {name!r}")
        if name not in self._named() and (name in vars(self) or hasattr(type(self), name)):
            raise ValueError(f"a ModuleDict cannot hold a module under the name {name!r}")
        vars(self)[name] = _checked(module, "ModuleDict")

    def __delitem__(self, name: str) -> None:
        del vars(self)[self._require(name)]

    def _require(self, name: str) -> str:
        self[name]
        return name

    def __contains__(self, name: object) -> bool:
        return name in self._named()

    def __len__(self) -> int:
        return len(self._named())

    def __iter__(self) -> Iterator[str]:
        return iter(self._named())

    def keys(self) -> Iterable[str]:
        """Names in the order they were added."""
        return self._named().keys()

    def values(self) -> Iterable[Module]:
        """Modules in the order they were added."""
        return self._named().values()

    def items(self) -> Iterable[tuple[str, Module]]:
        """Names and modules in the order they were added."""
        return self._named().items()

    def update(self, modules: Mapping[str, Module]) -> None:
        """Add or replace modules."""
        for name, module in modules.items():
            self[name] = module

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """A dict has no order of computation."""
        raise RuntimeError("a ModuleDict is a dict and is not called; call the modules in it")
