"""What a checkpoint holds: weights, and the state of whatever else a training run consists of."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from nn import safetensors_format
from nn.errors import CheckpointError
from nn.module import Module
from nn.plain_data import decode, encode, is_array, names_used, plain_array, to_json

STATE_KEY: Final = "dagrad.state"
PARTS: Final = ("optimizer", "scheduler", "rng", "loader", "step", "metadata")
_VERSION: Final = 1
_MISFITS: Final = (ValueError, TypeError, KeyError, IndexError, AttributeError, RuntimeError)


class Checkpoint(dict[str, Any]):
    """A saved model's weights by name, and beside them the rest of a training run.

    `optimizer`, `scheduler`, `rng`, `loader`, `step` and `metadata` are what was saved of each, as
    plain data, or None. `path` is the file it came from, `skipped` the damaged files of a folder
    that were newer, with the reason for each.
    """

    def __init__(self, weights: Mapping[str, Any], path: Path, parts: Mapping[str, Any]) -> None:
        super().__init__(weights)
        self.path = path
        self.optimizer: Any = parts.get("optimizer")
        self.scheduler: Any = parts.get("scheduler")
        self.rng: Any = parts.get("rng")
        self.loader: Any = parts.get("loader")
        self.step: Any = parts.get("step")
        self.metadata: Any = parts.get("metadata")
        self.module_generators: dict[str, Any] = parts.get("module_generators") or {}
        self.skipped: tuple[tuple[Path, str], ...] = ()

    def __repr__(self) -> str:
        step = "" if self.step is None else f", step={self.step}"
        held = f", holds {', '.join(self.holds())}" if self.holds() else ""
        return f"Checkpoint({os.fspath(self.path)!r}, {len(self)} arrays{step}{held})"

    def holds(self) -> list[str]:
        """Names of the parts that were saved."""
        return [name for name in PARTS if getattr(self, name) is not None]


def captured(part: Any) -> Any:
    """The state of a generator, of an object with `state_dict()`, or of containers of them."""
    if isinstance(part, np.random.Generator):
        return dict(part.bit_generator.state)
    if callable(getattr(part, "state_dict", None)):
        return part.state_dict()
    if isinstance(part, Mapping):
        return {key: captured(value) for key, value in part.items()}
    if isinstance(part, (list, tuple)):
        return [captured(value) for value in part]
    return part


def restorers(
    part: Any, state: Any, where: str
) -> Iterator[tuple[str, Callable[[Any], None], Any, Any]]:
    """Places, functions that set a state, the part they set, and the state each is to be given."""
    if isinstance(part, np.random.Generator):
        yield where, _generator_setter(part), part, state
    elif callable(getattr(part, "load_state_dict", None)):
        yield where, part.load_state_dict, part, state
    elif isinstance(part, Mapping):
        if not isinstance(state, Mapping) or set(part) != set(state):
            raise ValueError(f"{where}: saved under other names than {list(part)}")
        for key, value in part.items():
            yield from restorers(value, state[key], f"{where}[{key!r}]")
    elif isinstance(part, (list, tuple)):
        if not isinstance(state, (list, tuple)) or len(part) != len(state):
            raise ValueError(f"{where} was not saved as {len(part)} in a row")
        for index, value in enumerate(part):
            yield from restorers(value, state[index], f"{where}[{index}]")
    else:
        raise TypeError(
            f"{where} is a {type(part).__name__}, which has no load_state_dict; read what was "
            f"saved as load(path).{where}"
        )


def _generator_setter(generator: np.random.Generator) -> Callable[[Any], None]:
    def put(state: Any) -> None:
        generator.bit_generator.state = state

    return put


def module_generators(model: Any) -> dict[str, np.random.Generator]:
    """Random generators that a model's modules hold, such as a Dropout's `rng`, by path."""
    if not isinstance(model, Module):
        return {}
    return {
        f"{path}.{name}" if path else name: value
        for path, module in model.named_modules()
        for name, value in vars(module).items()
        if isinstance(value, np.random.Generator)
    }


def to_arrays(model: Any, parts: Mapping[str, Any]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """All arrays of a checkpoint by name, and the rest as the file's metadata.

    TypeError, naming the place, for what is neither plain data nor arrays.
    """
    state = model.state_dict() if callable(getattr(model, "state_dict", None)) else model
    arrays: dict[str, np.ndarray] = {}
    codes: dict[str, Any] = {}
    if is_flat(state):
        arrays = {name: plain_array(value, name) for name, value in state.items()}
    elif any(part is not None for part in parts.values()):
        raise TypeError(
            "save: with the rest of a training run, the model must be a Module or a state dict of "
            f"names and arrays, got {type(model).__name__}"
        )
    else:
        codes["structure"] = encode(state, "state", arrays)
    given = dict(parts)
    generators = module_generators(model)
    if generators:
        given["module_generators"] = generators
    for name, part in given.items():
        if part is not None:
            codes[name] = encode(captured(part), name, arrays)
    return arrays, {STATE_KEY: to_json({"version": _VERSION, "parts": codes})}


def is_flat(state: Any) -> bool:
    """Whether a state is a mapping of names to arrays, so that each can keep its own name."""
    return (
        isinstance(state, Mapping)
        and all(isinstance(name, str) and name for name in state)
        and all(is_array(value) for value in state.values())
    )


def read_checkpoint(path: Path) -> Any:
    """A Checkpoint, or the nested structure that was saved without a model.

    Raises CheckpointError naming the file, OSError where it cannot be opened.
    """
    arrays, metadata = safetensors_format.read(path)
    if STATE_KEY not in metadata:
        return Checkpoint(arrays, path, {})
    try:
        code = json.loads(metadata[STATE_KEY])
        version, codes = code["version"], code["parts"]
        if version != _VERSION:
            raise ValueError(f"version {version} of its state is unknown; update dagrad")
        used: set[str] = set().union(*(names_used(part) for part in codes.values()))
        parts = {name: decode(part, arrays) for name, part in codes.items()}
    except (*_MISFITS, RecursionError) as error:
        raise CheckpointError(
            f"{os.fspath(path)} holds a state that cannot be read: {error}"
        ) from error
    if "structure" in parts:
        return parts["structure"]
    weights = {name: array for name, array in arrays.items() if name not in used}
    return Checkpoint(weights, path, parts)


def restore(checkpoint: Checkpoint, targets: Mapping[str, Any], strict: bool) -> None:
    """Give the saved states to the objects of `targets`: all of them, or none if one refuses.

    Raises CheckpointError naming the file, the part and the reason.
    """
    place = "the checkpoint"
    done: list[tuple[Callable[[Any], None], Any]] = []
    try:
        for place, steps in _plan(checkpoint, targets, strict):
            for where, put, part, state in steps:
                place = where
                done.append((put, captured(part)))
                put(state)
    except _MISFITS as error:
        for put, before in reversed(done):
            put(before)
        raise CheckpointError(
            f"{os.fspath(checkpoint.path)}: {place} cannot be restored, so nothing was: {error}"
        ) from error


def _plan(
    checkpoint: Checkpoint, targets: Mapping[str, Any], strict: bool
) -> Iterator[tuple[str, Iterator[tuple[str, Callable[[Any], None], Any, Any]]]]:
    """Each part's name, and what is to be set in it."""
    model = targets.get("model")
    if model is not None:
        yield "model", iter([("model", _loader_of(model, strict), model, dict(checkpoint))])
    # The scheduler before the optimizer: its load sets learning rates, and the optimizer's own are
    # exact.
    for name in ("scheduler", "optimizer", "rng", "loader"):
        part = targets.get(name)
        if part is not None:
            yield name, _restorers_of(part, name, checkpoint)
    if targets.get("optimizer") is not None:
        name = "the model's generators"
        yield name, restorers(module_generators(model), checkpoint.module_generators, name)


def _restorers_of(part: Any, name: str, checkpoint: Checkpoint) -> Iterator[Any]:
    state = getattr(checkpoint, name)
    if state is None:
        raise ValueError(f"it was saved without one; it holds {checkpoint.holds()}")
    yield from restorers(part, state, name)


def _loader_of(model: Any, strict: bool) -> Callable[[Any], None]:
    def put(state: Any) -> None:
        model.load_state_dict(state, strict=strict)

    return put
