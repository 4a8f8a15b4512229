"""State dicts: a module's parameters and persistent buffers as plain arrays, by path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autograd import Tensor
from autograd.storage import mark_changed

if TYPE_CHECKING:
    from nn.module import Module


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict(strict=False)` did not find, and what it did not know."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class StateDictError(RuntimeError, ValueError):
    """A state dict does not fit the module; nothing was changed."""


def state_entries(module: Module, prefix: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """Paths and live arrays of everything a state dict holds, under every path it has."""
    for path, part in module.named_modules(prefix, remove_duplicate=False):
        lead = f"{path}." if path else ""
        for name, parameter in part._own_parameters():
            yield lead + name, np.asarray(parameter.data)
        for name, buffer in part._own_buffers(persistent_only=True):
            yield lead + name, buffer


def collect_state(module: Module, prefix: str = "") -> dict[str, np.ndarray]:
    """Copies of all entries by path."""
    return {name: array.copy() for name, array in _by_name(module, prefix).items()}


def restore_state(
    module: Module, state_dict: Mapping[str, Any], strict: bool = True
) -> IncompatibleKeys:
    """Copy the arrays of `state_dict` into the module in place, after checking all of them."""
    if not isinstance(state_dict, Mapping):
        raise TypeError(
            f"load_state_dict takes a mapping of names to arrays, got {type(state_dict).__name__}"
        )
    targets = _by_name(module, "")
    missing = [name for name in targets if name not in state_dict]
    unexpected = [name for name in state_dict if name not in targets]
    sources = {name: _as_array(state_dict[name]) for name in targets if name in state_dict}
    problems: list[str] = []
    if strict and unexpected:
        problems.append("Unexpected key(s) in state_dict: " + _quoted(unexpected))
    if strict and missing:
        problems.append("Missing key(s) in state_dict: " + _quoted(missing))
    for name, source in sources.items():
        target = targets[name]
        if source.shape != target.shape:
            problems.append(
                f"size mismatch for {name}: the state dict has shape {source.shape}, "
                f"the module has shape {target.shape}."
            )
        elif not np.can_cast(source.dtype, target.dtype, casting="same_kind"):
            problems.append(
                f"dtype mismatch for {name}: the state dict has {source.dtype}, which cannot "
                f"be stored in {target.dtype}."
            )
    if problems:
        raise StateDictError(
            f"Error(s) in loading state_dict for {type(module).__name__} (nothing was loaded):"
            + "".join(f"\n    {problem}" for problem in problems)
        )
    for name, source in sources.items():
        np.copyto(targets[name], source, casting="same_kind")
        mark_changed(targets[name])
    return IncompatibleKeys(missing, unexpected)


def _by_name(module: Module, prefix: str) -> dict[str, np.ndarray]:
    entries: dict[str, np.ndarray] = {}
    for name, array in state_entries(module, prefix):
        if name in entries:
            raise ValueError(
                f"{type(module).__name__} holds two different things under the path {name!r}; "
                "rename an attribute or a dict key"
            )
        entries[name] = array
    return entries


def _as_array(value: Any) -> np.ndarray:
    return value.data if isinstance(value, Tensor) else np.asarray(value)


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names) + "."
