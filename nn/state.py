"""State dicts: a module's parameters and persistent buffers as plain arrays, by path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from autograd import Tensor
from autograd.storage import mark_changed

if TYPE_CHECKING:
    from nn.module import Module

_MOST_NAMES: Final = 20
"""How many names of one kind a message lists."""


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
    sources = {name: _as_array(name, state_dict[name]) for name in targets if name in state_dict}
    problems: list[str] = []
    if strict and unexpected:
        problems.append("Unexpected key(s) in state_dict: " + _quoted(unexpected, missing))
    if strict and missing:
        problems.append("Missing key(s) in state_dict: " + _quoted(missing))
    if strict:
        problems += _prefix_hint(missing, unexpected)
    for name, source in sources.items():
        target = targets[name]
        if source.shape != target.shape:
            problems.append(
                f"size mismatch for {name}: the state dict has shape {source.shape}, "
                f"the module has shape {target.shape}." + _transpose_hint(source, target)
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


def _as_array(name: str, value: Any) -> np.ndarray:
    if isinstance(value, Tensor):
        return value.data
    try:
        return np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise StateDictError(
            f"load_state_dict: {name} of type {type(value).__name__} cannot become an array "
            f"(nothing was loaded): {error}"
        ) from error


def _quoted(names: list[str], known: list[str] | None = None) -> str:
    """Names in quotes, each with the one of `known` that it may have been meant as."""
    shown = []
    for name in names[:_MOST_NAMES]:
        close = get_close_matches(str(name), known or (), n=1, cutoff=0.8)
        shown.append(f'"{name}"' + (f' (close to the missing "{close[0]}")' if close else ""))
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(shown) + more + "."


def _prefix_hint(missing: list[str], unexpected: list[str]) -> list[str]:
    """What to write if the names differ by one prefix, as those of wrapped models do."""
    for longer, shorter, change in (
        (unexpected, missing, "name.removeprefix({!r})"),
        (missing, unexpected, "{!r} + name"),
    ):
        first = str(longer[0]) if longer else ""
        for other in shorter:
            prefix = first.removesuffix(str(other))
            if prefix != first and {str(n) for n in longer} == {prefix + str(n) for n in shorter}:
                return [
                    f"The names differ by the prefix {prefix!r}; pass "
                    f"{{{change.format(prefix)}: array for name, array in state_dict.items()}}."
                ]
    return []


def _transpose_hint(source: np.ndarray, target: np.ndarray) -> str:
    if source.ndim == 2 and source.shape == target.shape[::-1]:
        return " Is it transposed? Weights are (out, in)."
    return ""
