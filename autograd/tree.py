"""Nested tuples, lists and dicts of arrays: what the transforms take and give."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.tensor import Tensor


@dataclass(frozen=True)
class Structure:
    """The shape of a container: its type, its keys, and its children (None: a leaf)."""

    kind: Any
    keys: tuple[Any, ...]
    children: tuple[Structure, ...]
    leaf_count: int


LEAF = Structure(None, (), (), 1)


def _entries(tree: Any) -> list[tuple[Any, Any]] | None:
    """`(key, child)` pairs of a container; None for a leaf."""
    if isinstance(tree, dict):
        return list(tree.items())
    if isinstance(tree, (list, tuple)):
        return list(enumerate(tree))
    return None


def _step(tree: Any, key: Any) -> str:
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return f".{tree._fields[key]}"
    return f"[{key!r}]"


def flatten(
    tree: Any, path: str, check: Callable[[Any, str], None] | None = None
) -> tuple[list[Any], Structure]:
    """The leaves of `tree` in order, and its structure. `check(leaf, path)` may raise."""
    leaves: list[Any] = []
    structure = _collect(tree, path, check, leaves)
    return leaves, structure


# Functions of the module: a function that calls itself from its closure is a reference cycle,
# which would keep the leaves' graphs.
def _collect(
    item: Any, where: str, check: Callable[[Any, str], None] | None, leaves: list[Any]
) -> Structure:
    entries = _entries(item)
    if entries is None:
        if check is not None:
            check(item, where)
        leaves.append(item)
        return LEAF
    before = len(leaves)
    children = tuple(
        [_collect(child, where + _step(item, key), check, leaves) for key, child in entries]
    )
    keys = tuple([key for key, _ in entries])
    return Structure(type(item), keys, children, len(leaves) - before)


def unflatten(structure: Structure, leaves: Sequence[Any]) -> Any:
    """The container of `structure` with these leaves."""
    assert structure.leaf_count == len(leaves)
    return _build(structure, iter(leaves))


def _build(part: Structure, remaining: Iterator[Any]) -> Any:
    if part.kind is None:
        return next(remaining)
    children = [_build(child, remaining) for child in part.children]
    if issubclass(part.kind, dict):
        pairs = zip(part.keys, children, strict=True)
        return dict(pairs) if part.kind is dict else _rebuilt_mapping(part.kind, pairs)
    if hasattr(part.kind, "_fields"):
        return part.kind(*children)
    return part.kind(children)


def _rebuilt_mapping(kind: Any, pairs: Any) -> Any:
    result = kind()
    result.update(pairs)
    return result


def flatten_like(tree: Any, structure: Structure, path: str, what: str) -> list[Any]:
    """The leaves of `tree`, which must have `structure`; ValueError naming the path if not."""
    leaves: list[Any] = []
    _collect_like(tree, structure, path, what, leaves)
    return leaves


def _collect_like(item: Any, part: Structure, where: str, what: str, leaves: list[Any]) -> None:
    if part.kind is None:
        if _entries(item) is not None and not _is_numbers(item):
            raise ValueError(f"{where} is a {type(item).__name__}, expected {what} (one array)")
        leaves.append(item)
        return
    entries = _entries(item)
    keys = None if entries is None else tuple(key for key, _ in entries)
    if entries is None or set(keys or ()) != set(part.keys) or len(entries) != len(part.keys):
        got = type(item).__name__ if keys is None else f"{type(item).__name__} {list(keys)}"
        raise ValueError(
            f"{where} is a {got}, expected {what}: a {part.kind.__name__} with {list(part.keys)}"
        )
    by_key = dict(entries)
    for key, child in zip(part.keys, part.children, strict=True):
        _collect_like(by_key[key], child, where + _step(item, key), what, leaves)


def _is_numbers(item: Any) -> bool:
    """Nested lists of numbers stand for one array where an array is expected."""
    if isinstance(item, (list, tuple)):
        return all(_is_numbers(child) for child in item)
    return isinstance(item, (int, float, np.generic)) and not isinstance(item, bool)


def check_differentiable(leaf: Any, path: str) -> None:
    """Raise TypeError unless `leaf` is a float, a float array or a float Tensor."""
    if isinstance(leaf, (Tensor, np.ndarray, np.generic)):
        kind = leaf.dtype.kind
        if kind == "f":
            return
        got = f"an array of dtype {leaf.dtype}"
    elif isinstance(leaf, float):
        return
    else:
        got = f"{leaf!r} ({type(leaf).__name__})"
    raise TypeError(
        f"{path} is {got}, which has no derivative; differentiated arguments hold floats, float "
        "arrays and Tensors in tuples, lists and dicts. Write 3.0 for 3, use .astype(float), or "
        "leave the argument out of argnums (pass it by closure)"
    )


def check_output(leaf: Any, path: str) -> None:
    """Raise TypeError unless `leaf` can be an output of a transformed function."""
    if isinstance(leaf, (Tensor, int, float, np.ndarray, np.generic)):
        if isinstance(leaf, np.ndarray) and leaf.dtype.kind not in "fiub":
            raise TypeError(f"{path} of the function has dtype {leaf.dtype}, expected real floats")
        return
    raise TypeError(
        f"{path} of the function is {type(leaf).__name__}; expected a Tensor, an array or a "
        "float, or nested tuples, lists and dicts of them"
        + (" (is a `return` missing?)" if leaf is None else "")
    )
