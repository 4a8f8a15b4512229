"""The calls of modules as a tree of groups, their names, and which of them repeat each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autograd.markers import LEAF
from autograd.modes import Scope, Sweep
from autograd.node import Node


class Group:
    """One call of a module (or a recorded sweep): its nodes, and the calls inside it."""

    def __init__(self, parent: Group | None, scope: Scope | None) -> None:
        self.parent = parent
        self.scope = scope
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.children: list[Group] = []
        self.nodes: list[Node] = []
        self.times = 1
        self.path = ""
        if parent is not None:
            parent.children.append(self)

    def walk(self) -> Iterator[Group]:
        """This group and all inside it."""
        stack = [self]
        while stack:
            group = stack.pop()
            yield group
            stack.extend(reversed(group.children))

    def all_nodes(self) -> Iterator[Node]:
        """The nodes of this group and of all inside it."""
        for group in self.walk():
            yield from group.nodes

    def counted(self) -> Iterator[tuple[Node, int]]:
        """All nodes, with how many equal ones each stands for."""
        stack = [(self, self.times)]
        while stack:
            group, times = stack.pop()
            yield from ((node, times) for node in group.nodes)
            stack.extend((child, times * child.times) for child in group.children)

    @property
    def title(self) -> str:
        """'conv1: Conv2d', with the times it is repeated."""
        owner = None if self.scope is None else self.scope.owner()
        if isinstance(owner, Sweep):
            return owner.title
        kind = "" if self.scope is None else self.scope.type_name
        title = f"{self.path}: {kind}" if self.path else kind
        return f"{title} ×{self.times}" if self.times > 1 else title


class Groups:
    """The tree of groups of a graph, and the group of every node."""

    def __init__(self, nodes: Sequence[Node], modules: bool = True) -> None:
        self.root = Group(None, None)
        self.of: dict[Node, Group] = {}
        self.first_use: dict[Node, tuple[int, int]] = {}
        by_scope: dict[Scope, Group] = {}
        users: dict[Node, list[Group]] = {}
        for node in nodes:
            if node.op is LEAF:
                users[node] = []
                continue
            scope = node.scope if modules else None
            group = self.of[node] = self._group_of(scope, by_scope)
            group.nodes.append(node)
            for operand, source in enumerate(node.inputs):
                if type(source) is Node and source in users:
                    users[source].append(group)
                    self.first_use.setdefault(source, (node.serial, operand))
        for leaf, groups in users.items():
            same = groups and all(group is groups[0] for group in groups)
            self.of[leaf] = groups[0] if same else self.root
            self.of[leaf].nodes.append(leaf)
        self.names = _Names()
        self._name_groups()

    def _group_of(self, scope: Scope | None, known: dict[Scope, Group]) -> Group:
        if scope is None:
            return self.root
        missing = []
        at: Scope | None = scope
        while at is not None and at not in known:
            missing.append(at)
            at = at.parent
        group = self.root if at is None else known[at]
        for item in reversed(missing):
            group = known[item] = Group(group, item)
        return group

    def _name_groups(self) -> None:
        for group in self.root.walk():
            if group.scope is not None and group.parent is not None:
                above = group.parent.scope
                group.path = self.names.inside(group.scope.owner(), above)

    def leaf_name(self, node: Node) -> str | None:
        """The attribute path of a parameter inside the module that uses it."""
        leaf = None if node.leaf is None else node.leaf()
        group = self.of[node]
        while leaf is not None and group is not None:
            name = self.names.parameter(leaf, group.scope)
            if name:
                return name
            if group.parent is None:
                break
            group = group.parent
        return None

    def fold_repeats(self) -> dict[Node, Node]:
        """Runs of equal sibling calls stand for their first: from the others' nodes to its."""
        alias: dict[Node, Node] = {}
        for group in self.root.walk():
            kept: list[Group] = []
            shape: Any = None
            for child in group.children:
                own = self._signature(child)
                if kept and own == shape and _feeds(kept[-1], child, alias):
                    first = kept[-1]
                    first.times += 1
                    pairs = zip(self._ordered(child), self._ordered(first), strict=True)
                    alias.update(pairs)
                else:
                    kept.append(child)
                    shape = own
            group.children[:] = kept
        return alias

    def _ordered(self, group: Group) -> list[Node]:
        """Nodes in an order that equal groups share: parameters where they are first used."""
        return sorted(
            group.all_nodes(), key=lambda node: self.first_use.get(node, (node.serial, -1))
        )

    def _signature(self, group: Group) -> Any:
        nodes = self._ordered(group)
        place = {node: index for index, node in enumerate(nodes)}
        return (
            group.scope and group.scope.type_name,
            [
                (
                    node.op.name,
                    node.shape,
                    str(node.dtype),
                    self.of[node].depth,
                    [
                        place.get(source) if type(source) is Node else _described(source)
                        for source in node.inputs
                    ],
                    {key: _described(value) for key, value in node.params.items()},
                )
                for node in nodes
            ],
        )


def _described(value: Any) -> str:
    """A parameter or a constant, for comparing; arrays by their bytes."""
    if isinstance(value, np.ndarray):
        return f"{value.shape} {value.dtype} {hash(value.tobytes())}"
    if isinstance(value, tuple | list):
        return f"({', '.join(_described(item) for item in value)})"
    return repr(value)


def _feeds(first: Group, second: Group, alias: dict[Node, Node]) -> bool:
    """Whether the second group takes what the first (or what it stands for) has computed."""
    made = set(first.all_nodes())
    return any(
        type(source) is Node and alias.get(source, source) in made
        for node in second.all_nodes()
        for source in node.inputs
    )


class _Names:
    """Attribute paths of modules and parameters; what has no `named_modules` has no names."""

    def __init__(self) -> None:
        self._modules: dict[int, dict[int, str]] = {}
        self._parameters: dict[int, dict[int, str]] = {}

    def inside(self, owner: Any, scope: Scope | None) -> str:
        """The path of a module in the nearest calling module that holds it."""
        while scope is not None and owner is not None:
            above = scope.owner()
            if above is not None and (path := self._paths(above, "modules").get(id(owner))):
                return path
            scope = scope.parent
        return ""

    def parameter(self, leaf: Any, scope: Scope | None) -> str:
        owner = None if scope is None else scope.owner()
        return "" if owner is None else self._paths(owner, "parameters").get(id(leaf), "")

    def _paths(self, owner: Any, what: str) -> dict[int, str]:
        known = self._modules if what == "modules" else self._parameters
        if id(owner) not in known:
            list_them = getattr(owner, f"named_{what}", None)
            pairs = list_them() if callable(list_them) else ()
            known[id(owner)] = {id(part): path for path, part in pairs}
        return known[id(owner)]
