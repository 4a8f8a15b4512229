"""Saving and loading weights, states and checkpoints of training runs; nothing is ever pickled."""

from __future__ import annotations

import json
import os
import re
import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np

from nn import npz_format, safetensors_format
from nn.atomic_files import remove_partial_files, write_atomically
from nn.checkpoints import PARTS, Checkpoint, is_flat, read_checkpoint, restore, to_arrays
from nn.errors import CheckpointError
from nn.plain_data import decode, encode, plain_array, to_json

PathLike = str | os.PathLike[str]

_STRUCTURE: Final = "__structure__"
_PREFIX: Final = "checkpoint-"
_NAME: Final = re.compile(r"checkpoint-(\d{6,})(?:-step-\d+)?\.safetensors")


def save(
    path: Any,
    model: Any,
    optimizer: Any = None,
    scheduler: Any = None,
    rng: Any = None,
    loader: Any = None,
    step: int | None = None,
    *,
    metadata: Any = None,
    keep: int | None = None,
) -> Path:
    """Write a model's weights and the state of a training run to a safetensors file.

    `model` is a Module, a state dict, or nested plain data with arrays. The others are objects
    with `state_dict()`, `numpy.random.Generator`s, lists, tuples or dicts of them, or plain data;
    generators that the model's modules hold are saved too. Weights keep their names, so that the
    safetensors library and PyTorch read them; arrays of the rest are named after their place, and
    what is no array is JSON in the header, with a SHA-256 of the file.

    The file appears under its name only when it is complete and on the disk. With `keep`, `path`
    is a folder (made if it is missing, for one writer at a time): each call adds a file and then
    deletes all but the `keep` newest. A path that ends in `.npz` gives NumPy's format, for weights
    or plain data alone. `save(model, path)`, PyTorch's order, is understood.

    Returns the file's path. Raises TypeError or ValueError, before a file is made, for what cannot
    be saved, OSError naming the file if it cannot be written; an older one is then intact.

    >>> import nn, optim, tempfile, pathlib
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> net = nn.Linear(2, 1)
    >>> optimizer = optim.Adam(net.parameters())
    >>> nn.save(folder, net, optimizer, step=7, keep=2).name
    'checkpoint-000001-step-7.safetensors'
    >>> checkpoint = nn.load(folder, net, optimizer)
    >>> checkpoint.step, list(checkpoint)
    (7, ['weight', 'bias'])
    """
    if isinstance(model, (str, os.PathLike)) and not isinstance(path, (str, os.PathLike)):
        path, model = model, path
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(
            f"save takes a path and what to save, got {type(path).__name__}; write "
            "nn.save('model.safetensors', model)"
        )
    if step is not None and (isinstance(step, bool) or not isinstance(step, (int, np.integer))):
        raise TypeError(f"save: step must be an integer, got {step!r}")
    step = None if step is None else int(step)
    target = Path(path)
    values = (optimizer, scheduler, rng, loader, step, metadata)
    parts = dict(zip(PARTS, values, strict=True))
    if target.suffix == ".npz" and keep is None:
        given = [name for name, part in parts.items() if part is not None]
        if given:
            raise ValueError(
                f"save: {target.name} holds weights or plain data only, not {', '.join(given)}; "
                "give the file a name that ends in .safetensors"
            )
        arrays = _npz_arrays(model.state_dict() if hasattr(model, "state_dict") else model)
        write_atomically(target, lambda file: npz_format.write(file, arrays))
        return target
    arrays, texts = to_arrays(model, parts)
    if keep is None:
        if target.is_dir():
            raise IsADirectoryError(
                f"save: {target} is a folder; name a file in it, or pass keep=3 to write numbered "
                "checkpoints into it and keep the last three"
            )
        write_atomically(target, lambda file: safetensors_format.write(file, arrays, texts))
        return target
    if isinstance(keep, bool) or not isinstance(keep, int) or keep < 1:
        raise ValueError(f"save: keep must be an integer of at least 1, got {keep!r}")
    target.mkdir(parents=True, exist_ok=True)
    found = _numbered(target)
    number = found[0][0] + 1 if found else 1
    suffix = "" if step is None else f"-step-{step}"
    newest = target / f"{_PREFIX}{number:06}{suffix}.safetensors"
    remove_partial_files(target, _PREFIX)
    write_atomically(newest, lambda file: safetensors_format.write(file, arrays, texts))
    for _, old in found[keep - 1 :]:
        old.unlink(missing_ok=True)
    return newest


def load(
    path: PathLike,
    model: Any = None,
    optimizer: Any = None,
    scheduler: Any = None,
    rng: Any = None,
    loader: Any = None,
    *,
    strict: bool = True,
) -> Any:
    """Read what `save`, the safetensors library, PyTorch (through it) or NumPy's `savez` wrote.

    Gives a `Checkpoint`: a dict of the weights by name, with the rest as attributes; where nested
    plain data was saved, that data. What is passed (as it was to `save`) gets its saved state:
    all of it, or nothing if a part does not fit; `strict` is `load_state_dict`'s. Training then
    continues bit for bit. A digest written by `save` is verified.

    For a folder that `save(..., keep=K)` filled, its newest intact file is read; a warning names
    those that were newer and damaged.

    Raises CheckpointError, a ValueError naming the file, if it is damaged, of another kind, or
    does not fit; FileNotFoundError if there is none.

    >>> import nn, tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "state.safetensors"
    >>> nn.save(path, {"step": 3, "betas": (0.9, 0.999), "moments": [np.ones(2)]}) == path
    True
    >>> nn.load(path)
    {'step': 3, 'betas': (0.9, 0.999), 'moments': [array([1., 1.])]}
    """
    target = Path(path)
    targets = {
        "model": model,
        "optimizer": optimizer,
        "scheduler": scheduler,
        "rng": rng,
        "loader": loader,
    }
    wanted = [name for name, part in targets.items() if part is not None]
    found = _newest_intact(target) if target.is_dir() else _read(target)
    if wanted:
        if not isinstance(found, Checkpoint):
            raise CheckpointError(
                f"{target} holds nested data, no checkpoint of {', '.join(wanted)}; read it with "
                "nn.load(path)"
            )
        restore(found, targets, strict)
    return found


def _read(path: Path) -> Any:
    if path.is_file():
        with open(path, "rb") as file:
            start = file.read(4)
        if start.startswith(b"PK"):
            return _read_npz(path)
        if start.startswith(b"\x80") and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
            raise CheckpointError(
                f"{path} looks like a pickle, which could run code when it is read; save the "
                "weights as safetensors or npz instead"
            )
    return read_checkpoint(path)


def _npz_arrays(state: Any) -> dict[str, np.ndarray]:
    if is_flat(state) and _STRUCTURE not in state:
        return {name: plain_array(value, name) for name, value in state.items()}
    arrays: dict[str, np.ndarray] = {}
    text = to_json(encode(state, "state", arrays))
    return arrays | {_STRUCTURE: np.frombuffer(text.encode(), dtype=np.uint8)}


def _read_npz(path: Path) -> Any:
    arrays = npz_format.read(path)
    if _STRUCTURE not in arrays:
        return Checkpoint(arrays, path, {})
    try:
        return decode(json.loads(arrays.pop(_STRUCTURE).tobytes()), arrays)
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{path} is not a complete file of nn.save: {error}") from error


def _numbered(folder: Path) -> list[tuple[int, Path]]:
    """The checkpoints of a folder with their numbers, newest first."""
    found = [(match, path) for path in folder.iterdir() if (match := _NAME.fullmatch(path.name))]
    return sorted(((int(match[1]), path) for match, path in found), reverse=True)


def _newest_intact(folder: Path) -> Any:
    skipped: list[tuple[Path, str]] = []
    for _, path in _numbered(folder):
        try:
            found = read_checkpoint(path)
        except (CheckpointError, OSError) as error:
            skipped.append((path, str(error)))
            continue
        if skipped:
            warnings.warn(
                f"loaded {path}, because newer checkpoints cannot be read: "
                + "; ".join(reason for _, reason in skipped),
                stacklevel=3,
            )
        if isinstance(found, Checkpoint):
            found.skipped = tuple(skipped)
        return found
    if not skipped:
        raise FileNotFoundError(
            f"{folder} holds no checkpoints of nn.save(folder, ..., keep=K), which are named "
            "checkpoint-000001....safetensors"
        )
    raise CheckpointError(
        f"no checkpoint in {folder} is intact: " + "; ".join(reason for _, reason in skipped)
    )
