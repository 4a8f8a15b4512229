"""The safetensors format: eight bytes of length, a JSON header, then the arrays' bytes.

Source: https://github.com/huggingface/safetensors, "Format". The reader is as strict as the
library's (no gaps, no overlaps, no repeated names) and believes nothing before it is checked
against the file's size. What `write` writes also carries a SHA-256 of the whole file.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import stat
from collections.abc import Mapping
from typing import Any, BinaryIO, Final

import numpy as np

from nn.errors import CheckpointError

HEADER_LIMIT: Final = 100_000_000
"""The library's own limit on the header's length in bytes."""
DIGEST_KEY: Final = "dagrad.sha256"
_METADATA: Final = "__metadata__"
_NO_DIGEST: Final = "0" * 64
_DIGEST: Final = re.compile(rb'"dagrad\.sha256":"([0-9a-f]{64})"')
_MOST_AXES: Final = 64

_DTYPES: Final[dict[str, str]] = {
    "BOOL": "?",
    "U8": "<u1",
    "I8": "<i1",
    "U16": "<u2",
    "I16": "<i2",
    "F16": "<f2",
    "U32": "<u4",
    "I32": "<i4",
    "F32": "<f4",
    "U64": "<u8",
    "I64": "<i8",
    "F64": "<f8",
    "C64": "<c8",
}
_NAMES: Final = {np.dtype(code): name for name, code in _DTYPES.items()}
_STORED: Final = {name: np.dtype(code) for name, code in _DTYPES.items()} | {
    # NumPy has no bfloat16; its 16 bits are the upper half of a float32.
    "BF16": np.dtype("<u2")
}


def write(file: BinaryIO, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> None:
    """Write arrays by name, in any memory order, and strings of metadata.

    Raises TypeError for a dtype that the format does not have, ValueError for the name
    `__metadata__` or a header beyond the format's limit, both before anything is written.
    """
    header: dict[str, Any] = {_METADATA: {DIGEST_KEY: _NO_DIGEST, **metadata}}
    stored = {name: _stored(name, array) for name, array in arrays.items()}
    # Wide elements first, so that every array begins at a multiple of its element's size.
    order = sorted(stored, key=lambda name: (-stored[name].dtype.itemsize, name))
    offsets: dict[str, list[int]] = {}
    end = 0
    for name in order:
        offsets[name] = [end, end := end + stored[name].nbytes]
    for name, array in stored.items():
        header[name] = {
            "dtype": _NAMES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": offsets[name],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > HEADER_LIMIT:
        raise ValueError(
            f"save: names and plain data take {len(text)} bytes, more than the {HEADER_LIMIT} of a "
            "safetensors header; store long lists of numbers as arrays"
        )
    start = len(text).to_bytes(8, "little")
    digest = hashlib.sha256(start + text)
    file.write(start + text)
    for name in order:
        data = np.ascontiguousarray(stored[name]).reshape(-1).view(np.uint8).data
        digest.update(data)
        file.write(data)
    file.seek(8 + text.index(_NO_DIGEST.encode()))
    file.write(digest.hexdigest().encode())


def _stored(name: str, array: np.ndarray) -> np.ndarray:
    """The array with an element type that the format has; no copy for the usual ones."""
    if name == _METADATA:
        raise ValueError(f"save: an array cannot have the name {_METADATA!r} in a safetensors file")
    wanted = array.dtype.newbyteorder("<") if array.dtype.itemsize > 1 else array.dtype
    if wanted not in _NAMES:
        raise TypeError(
            f"save: {name} has dtype {array.dtype}, which safetensors files cannot hold; convert "
            f"it, or save to a file named .npz. They hold {', '.join(map(str, _NAMES))}"
        )
    return array.astype(wanted, copy=False)


def read(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Arrays by name, in the header's order and native byte order, and the metadata.

    A digest of ours is verified; bfloat16 becomes float32, exactly. Nothing larger than the file
    is allocated. Raises CheckpointError naming the file and what is wrong with it, OSError where
    the file cannot be opened.
    """
    try:
        # A named pipe would block until somebody writes.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ValueError("it is no regular file")
        with open(path, "rb") as file:
            return _read(file, os.fstat(file.fileno()).st_size)
    except (ValueError, OverflowError, RecursionError, MemoryError) as error:
        reason = str(error) or type(error).__name__
        raise CheckpointError(
            f"{os.fspath(path)} is damaged or no safetensors file: {reason}"
        ) from error


def _read(file: BinaryIO, size: int) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    start = file.read(8)
    length = int.from_bytes(start, "little")
    if len(start) < 8 or length > size - 8:
        raise ValueError(f"a header of {length} bytes does not fit into a file of {size}")
    if length > HEADER_LIMIT:
        raise ValueError(f"a header of {length} bytes is above the limit of {HEADER_LIMIT}")
    text = file.read(length)
    if len(text) < length or not text.startswith(b"{"):
        raise ValueError("the header is no JSON object")
    header = json.loads(
        text.decode("utf-8"), object_pairs_hook=_without_repeats, parse_constant=_refuse
    )
    metadata = header.pop(_METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise ValueError(f"{_METADATA} is not a map of strings to strings")
    digest, expected = _expected_digest(start, text, metadata)
    arrays = {name: _empty(name, entry, size - 8 - length) for name, entry in header.items()}
    begin = 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        first, last = entry["data_offsets"]
        if first != begin:
            raise ValueError(f"the bytes of {name!r} begin at {first}, expected {begin}")
        buffer = arrays[name].reshape(-1).view(np.uint8).data
        # readinto of nothing would stop at the file's end
        if last > first and file.readinto(buffer) != last - first:  # type: ignore[attr-defined]
            raise ValueError(f"the bytes of {name!r} are missing")
        digest.update(buffer)
        begin = last
    if begin != size - 8 - length:
        raise ValueError(f"{size - 8 - length - begin} bytes after the last array")
    if expected is not None and digest.hexdigest() != expected:
        raise ValueError("its SHA-256 is not the one written into it")
    return {name: _native(name, a, header[name]["dtype"]) for name, a in arrays.items()}, metadata


def _expected_digest(start: bytes, text: bytes, metadata: dict[str, str]) -> tuple[Any, str | None]:
    """A digest fed with the header as it was before the digest was put in, and the digest."""
    if not any(key.startswith("dagrad.") for key in metadata):
        return hashlib.sha256(), None
    found = _DIGEST.search(text)
    if found is None:
        raise ValueError("its SHA-256 is missing")
    blank = text[: found.start(1)] + _NO_DIGEST.encode() + text[found.end(1) :]
    return hashlib.sha256(start + blank), found[1].decode()


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a name is given twice in the header")
    return result


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _is_size(value: Any) -> bool:
    return type(value) is int and value >= 0


def _empty(name: str, entry: Any, size: int) -> np.ndarray:
    """Memory for one array, after its entry in the header is found to fit the file."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"the entry of {name!r} needs dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _STORED:
        raise ValueError(f"{name!r} has dtype {dtype!r:.40}; known are {', '.join(_STORED)}")
    if not isinstance(shape, list) or len(shape) > _MOST_AXES or not all(map(_is_size, shape)):
        raise ValueError(f"{name!r} has shape {shape!r:.80}")
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(map(_is_size, offsets)):
        raise ValueError(f"{name!r} has data_offsets {offsets!r:.80}")
    needed = math.prod(shape) * _STORED[dtype].itemsize
    if offsets[1] - offsets[0] != needed or offsets[1] > size:
        raise ValueError(f"{name!r} of shape {shape!r:.80} does not fit its bytes, {offsets}")
    return np.empty(shape, _STORED[dtype])


def _native(name: str, array: np.ndarray, dtype: str) -> np.ndarray:
    if dtype == "BF16":
        return (array.astype(np.uint32) << np.uint32(16)).view(np.float32)
    if dtype == "BOOL" and array.size and array.view(np.uint8).max() > 1:
        raise ValueError(f"{name!r} holds booleans other than 0 and 1")
    return array.astype(array.dtype.newbyteorder("="), copy=False)
