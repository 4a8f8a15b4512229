"""Saving states to npz files, which hold arrays and never code."""

from __future__ import annotations

import io
import json
import os
import uuid
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from autograd import Tensor

_STRUCTURE: Final = "__structure__"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


def save(state: Any, path: str | os.PathLike[str]) -> None:
    """Write a state dict to an npz file, which appears under its name only when complete.

    A mapping of names to arrays becomes one array per name, readable by `np.load`. Nested dicts,
    lists and tuples of arrays, numbers, strings, booleans and None (an optimizer's state dict)
    are kept too, with their structure as JSON in one more entry. The same state gives the same
    bytes. Nothing is pickled.

    Raises TypeError for anything else in the state, before a file is made.

    >>> import nn, tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "model.npz"
    >>> net = nn.Linear(2, 1)
    >>> nn.save(net.state_dict(), path)
    >>> bool((nn.load(path)["weight"] == net.weight.data).all())
    True
    """
    arrays: dict[str, np.ndarray] = {}
    if _is_flat(state):
        arrays = {name: _plain(value, name) for name, value in state.items()}
    else:
        structure = json.dumps(_encode(state, "state", arrays))
        arrays[_STRUCTURE] = np.frombuffer(structure.encode(), dtype=np.uint8)
    target = Path(path)
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
    try:
        with open(partial, "xb") as file:
            with zipfile.ZipFile(file, "w", allowZip64=True) as archive:
                for name, array in arrays.items():
                    entry = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
                    with archive.open(entry, "w", force_zip64=True) as stream:
                        np.lib.format.write_array(stream, array, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def load(path: str | os.PathLike[str]) -> Any:
    """Read what `save` wrote: a dict of arrays, or the nested structure.

    Raises ValueError naming the file if it is no npz file, is damaged, or holds Python objects.

    >>> import nn, tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "state.npz"
    >>> nn.save({"step": 3, "betas": (0.9, 0.999), "moments": [np.ones(2)]}, path)
    >>> nn.load(path)
    {'step': 3, 'betas': (0.9, 0.999), 'moments': [array([1., 1.])]}
    """
    arrays: dict[str, np.ndarray] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.namelist():
                content = io.BytesIO(archive.read(entry))
                name = entry.removesuffix(".npy")
                arrays[name] = np.lib.format.read_array(content, allow_pickle=False)
        if _STRUCTURE not in arrays:
            return arrays
        return _decode(json.loads(arrays.pop(_STRUCTURE).tobytes()), arrays)
    except (zipfile.BadZipFile, EOFError, ValueError, KeyError, IndexError, TypeError) as error:
        raise ValueError(
            f"{os.fspath(path)} is not a complete file written by nn.save: {error}"
        ) from error


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.generic | Tensor)


def _is_flat(state: Any) -> bool:
    return (
        isinstance(state, Mapping)
        and _STRUCTURE not in state
        and all(isinstance(name, str) and name for name in state)
        and all(_is_array(value) for value in state.values())
    )


def _plain(value: Any, where: str) -> np.ndarray:
    array = value.data if isinstance(value, Tensor) else np.asarray(value)
    if array.dtype.hasobject:
        raise TypeError(f"save: {where} has dtype {array.dtype}; only plain arrays can be saved")
    return array


def _encode(value: Any, where: str, arrays: dict[str, np.ndarray]) -> Any:
    if _is_array(value):
        arrays[where] = _plain(value, where)
        return {"array": where}
    if value is None or isinstance(value, bool | int | float | str):
        return {"value": value}
    if isinstance(value, Mapping):
        if not all(isinstance(key, str | int) for key in value):
            raise TypeError(f"save: the keys of {where} must be strings or integers")
        items = [[key, _encode(v, f"{where}[{key!r}]", arrays)] for key, v in value.items()]
        return {"dict": items}
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_encode(v, f"{where}[{i}]", arrays) for i, v in enumerate(value)]}
    raise TypeError(
        f"save: {where} is of type {type(value).__name__}; expected arrays, Tensors, numbers, "
        "strings, None, and dicts, lists and tuples of them"
    )


def _decode(code: dict[str, Any], arrays: dict[str, np.ndarray]) -> Any:
    ((kind, content),) = code.items()
    if kind == "value":
        return content
    if kind == "array":
        return arrays[content]
    if kind == "dict":
        return {key: _decode(item, arrays) for key, item in content}
    items = [_decode(item, arrays) for item in content]
    return items if kind == "list" else tuple(items)
