"""Changes in place: which stretch of memory was changed, when, and by which line.

Versions belong to storage, not to tensors: a change is noted under the array that owns the
memory, with the bytes it touched, so that a view saved for a sweep (`x @ W.T`) sees a change of
its base. Nothing is stored when a value is saved; the node's serial number is the version.
"""

from __future__ import annotations

import sys
import weakref
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

from autograd.node import Node, Place, caller_place, describe_place, next_serial

Changes = dict[tuple[int, int], tuple[int, Place | None]]

EVERYWHERE = (0, sys.maxsize)
"""Bounds of all memory, for a change of all that an array owns: its own take long to ask for."""

last_change: list[int] = [0]
_changes: dict[int, tuple[weakref.ref[Any], Changes]] = {}


def _owner(array: np.ndarray) -> np.ndarray:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def mark_changed(*arrays: np.ndarray) -> None:
    """Note that `arrays` were changed in place just now, from the user's current line."""
    change = next_serial(), caller_place(2)
    for array in arrays:
        if not array.size:
            continue
        owner = _owner(array)
        entry = _changes.get(id(owner))
        if entry is None or entry[0]() is not owner:
            entry = _watch(owner)
        entry[1][EVERYWHERE if array is owner else byte_bounds(array)] = change
    last_change[0] = change[0]


def _watch(owner: np.ndarray) -> tuple[weakref.ref[Any], Changes]:
    """A new entry for the changes of one array's memory."""
    key = id(owner)

    def forget(_: object) -> None:
        _changes.pop(key, None)

    entry = _changes[key] = (weakref.ref(owner, forget), {})
    return entry


def change_after(array: Any, serial: int) -> tuple[bool, Place | None]:
    """Whether memory of `array` was changed after `serial`, and where."""
    if not isinstance(array, np.ndarray):
        return False, None
    entry = _changes.get(id(_owner(array)))
    if entry is None:
        return False, None
    low, high = byte_bounds(array)
    for (start, end), (changed, place) in entry[1].items():
        if changed > serial and start < high and low < end:
            return True, place
    return False, None


def saved_arrays(saved: Any) -> list[np.ndarray]:
    """The arrays among a node's saved values."""
    found: list[np.ndarray] = []
    if isinstance(saved, (tuple, list)):
        for item in saved:
            found.extend(saved_arrays(item))
    elif isinstance(saved, np.ndarray):
        found.append(saved)
    return found


def _read_leaves(node: Node) -> list[np.ndarray]:
    """The arrays of 0-d leaves whose numbers this node saved in their place."""
    found: list[np.ndarray] = []
    for source, kept in zip(node.inputs, node.saved[1:], strict=False):
        if isinstance(kept, np.generic) and type(source) is Node and source.leaf is not None:
            leaf = source.leaf()
            if leaf is not None:
                found.append(leaf._value)
    return found


def check_unchanged(node: Node) -> None:
    """Raise if an array this node saved was changed in place since."""
    for array in (*saved_arrays(node.saved), *_read_leaves(node)):
        changed, place = change_after(array, node.serial)
        if changed:
            raise RuntimeError(
                f"a value of shape {array.shape} that {node.op.name} saved for the sweep was "
                f"changed in place before the sweep used it.\n"
                f"  saved at   {describe_place(node.place)}\n"
                f"  changed at {describe_place(place)}\n"
                "Run the sweep before the change, or run the forward pass again after it."
            )
