"""Modules that hold other modules in order or by name.

What a container holds are its attributes, named "0", "1", ... or as given, which is where the
paths in a state dict come from.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, Self, overload

import numpy as np

from nn.fusion import run_fused
from nn.module import Module


class _Container(Module):
    """Keeps modules among its attributes."""

    def _held(self) -> dict[str, Module]:
        return {name: value for name, value in vars(self).items() if isinstance(value, Module)}

    def _put(self, name: Any, module: Any) -> None:
        """Make `module` an attribute, new or in the place of another module."""
        who = type(self).__name__
        if isinstance(module, type):
            raise TypeError(f"{who} holds modules, got the class {module.__name__}; call it first")
        if not isinstance(module, Module):
            raise TypeError(f"{who} holds modules, got {type(module).__name__} ({module!r})")
        if not isinstance(name, str):
            raise TypeError(f"{who}: a module's name must be a string, got {name!r}")
        if not name or "." in name:
            raise KeyError(f"{who}: a module's name cannot be empty or hold a dot, got {name!r}")
        if hasattr(self, name) and not isinstance(vars(self).get(name), Module):
            raise KeyError(f"{who} already has an attribute {name!r}; choose another name")
        setattr(self, name, module)

    def __len__(self) -> int:
        return len(self._held())


class _Numbered(_Container):
    """A list of modules."""

    def __iter__(self) -> Iterator[Module]:
        return iter(self._held().values())

    def __setitem__(self, index: int, module: Module) -> None:
        self._put(self._name(index), module)

    def __delitem__(self, index: int | slice) -> None:
        names = list(self._held())
        gone = names[index] if isinstance(index, slice) else [self._name(index)]
        self._renew({n: m for n, m in self._held().items() if n not in gone})

    def append(self, module: Module) -> Self:
        """Add a module at the end; gives the container."""
        number = len(self)
        while str(number) in vars(self):
            number += 1
        self._put(str(number), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add several modules at the end; gives the container."""
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> None:
        """Put a module before the one at `index`; the later ones get the next numbers."""
        items = list(self._held().items())
        fresh = str(len(items))
        while fresh in vars(self):
            fresh += "_"
        self._put(fresh, module)
        items.insert(index, (fresh, module))
        self._renew(dict(items), fresh)

    def pop(self, index: int = -1) -> Module:
        """Take a module out; gives it."""
        name = self._name(index)
        module = self._held()[name]
        del self[index]
        return module

    def __iadd__(self, modules: Iterable[Module]) -> Self:
        return self.extend(modules)

    def _name(self, index: int) -> str:
        if isinstance(index, bool) or not isinstance(index, (int, np.integer)):
            raise TypeError(f"{type(self).__name__} is indexed by integers, got {index!r}")
        names = list(self._held())
        if not -len(names) <= index < len(names):
            raise IndexError(f"index {index} is out of range for {len(names)} modules")
        return names[index]

    def _renew(self, items: Mapping[str, Module], fresh: str | None = None) -> None:
        """Hold just `items`: numbers count from 0 again, other names stay."""
        for name in self._held():
            delattr(self, name)
        for position, (name, module) in enumerate(items.items()):
            numbered = name == fresh or name.isdecimal()
            setattr(self, str(position) if numbered else name, module)


class Sequential(_Numbered):
    """Modules called one after another, each with the previous one's output.

    Neighbours may run as one operation where arrays are large: see `nn.fusion`.
    Takes modules, or one dict of them by name. Indexing gives a module, slicing a Sequential of
    the same modules under the same names.

    >>> import nn
    >>> net = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    >>> list(net.state_dict())
    ['0.weight', '0.bias', '2.weight', '2.bias']
    >>> net[1:]
    Sequential(
      (1): ReLU()
      (2): Linear(in_features=3, out_features=2, bias=True)
    )
    >>> nn.Sequential({"hidden": nn.Linear(4, 3), "relu": nn.ReLU()}).hidden.out_features
    3
    """

    def __init__(self, *modules: Module | Mapping[str, Module]) -> None:
        super().__init__()
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            for name, module in modules[0].items():
                self._put(name, module)
        else:
            for number, part in enumerate(modules):
                self._put(str(number), part)

    def forward(self, input: Any) -> Any:
        """The last module's output; the input itself if there are none."""
        return run_fused(tuple(self), input)

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> Sequential: ...
    def __getitem__(self, index: int | slice) -> Module:
        if isinstance(index, slice):
            return Sequential(dict(list(self._held().items())[index]))
        return self._held()[self._name(index)]

    def __add__(self, other: Sequential) -> Sequential:
        if not isinstance(other, Sequential):
            return NotImplemented
        return Sequential(*self, *other)


class ModuleList(_Numbered):
    """A list of modules. (A plain list in an attribute is found just as well.)

    >>> import nn
    >>> layers = nn.ModuleList([nn.Linear(2, 2), nn.ReLU()])
    >>> layers.append(nn.Linear(2, 1))[-1]
    Linear(in_features=2, out_features=1, bias=True)
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(modules or ())

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> ModuleList: ...
    def __getitem__(self, index: int | slice) -> Module:
        if isinstance(index, slice):
            return ModuleList(list(self)[index])
        return self._held()[self._name(index)]

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])


class ModuleDict(_Container):
    """Modules by name. (A plain dict in an attribute is found just as well.)

    Names are attributes too, so those that a module already has are an error.

    >>> import nn
    >>> heads = nn.ModuleDict({"mean": nn.Linear(2, 1), "scale": nn.Linear(2, 1)})
    >>> heads["mean"] is heads.mean
    True
    >>> list(heads)
    ['mean', 'scale']
    """

    def __init__(
        self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None
    ) -> None:
        super().__init__()
        self.update(modules or ())

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add or replace modules from a mapping or pairs."""
        for name, module in dict(modules).items():
            self._put(name, module)

    def __getitem__(self, name: str) -> Module:
        held = self._held()
        if name not in held:
            raise KeyError(f"ModuleDict has no module {name!r}; it has {list(held)}")
        return held[name]

    def __setitem__(self, name: str, module: Module) -> None:
        self._put(name, module)

    def __delitem__(self, name: str) -> None:
        self.pop(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._held())

    def __contains__(self, name: object) -> bool:
        return name in self._held()

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._held().keys()

    def values(self) -> ValuesView[Module]:
        """The modules."""
        return self._held().values()

    def items(self) -> ItemsView[str, Module]:
        """Names and modules."""
        return self._held().items()

    def pop(self, name: str) -> Module:
        """Take a module out; gives it. Raises KeyError if there is none of that name."""
        module = self[name]
        delattr(self, name)
        return module

    def clear(self) -> None:
        """Take all modules out."""
        for name in self._held():
            delattr(self, name)
