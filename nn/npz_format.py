"""NumPy's npz archives: arrays by name, never Python objects."""

from __future__ import annotations

import errno
import io
import math
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any, BinaryIO, Final

import numpy as np

from nn.errors import CheckpointError

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_HEADERS: Final[dict[tuple[int, int], Any]] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}

_DAMAGE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    SyntaxError,
    MemoryError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
    OSError,
)
"""What zipfile and NumPy raise for a damaged archive; OSError for a place before its beginning."""


def write(file: BinaryIO, arrays: Mapping[str, np.ndarray]) -> None:
    """Write an archive that `np.load` reads; the same arrays give the same bytes."""
    with zipfile.ZipFile(file, "w", allowZip64=True) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
            with archive.open(entry, "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, array, allow_pickle=False)


def read(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """The arrays of an archive that `write`, `np.savez` or `np.savez_compressed` wrote.

    Raises CheckpointError naming the file if it is damaged or holds Python objects, OSError where
    it cannot be opened.
    """
    try:
        with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            _check_count(file, len(names))
            if any(name.endswith("data.pkl") for name in names):
                raise ValueError(
                    "it was written by torch.save, which pickles; in PyTorch, save the weights "
                    "with safetensors.torch.save_file(model.state_dict(), path)"
                )
            return {name.removesuffix(".npy"): _array(archive.read(name), name) for name in names}
    except _DAMAGE as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise
        raise CheckpointError(
            f"{os.fspath(path)} is not a complete npz file: {str(error) or type(error).__name__}"
        ) from error


def _check_count(file: BinaryIO, found: int) -> None:
    """That the archive's last record counts as many entries as zipfile found before it."""
    file.seek(max(0, os.fstat(file.fileno()).st_size - 66_000))
    tail = file.read()
    start = tail.rfind(b"PK\x05\x06")
    (count,) = struct.unpack_from("<H", tail, start + 10)
    # 65535 refers to a record for larger archives.
    if count not in (found, 0xFFFF):
        raise ValueError(f"it has {count} entries, of which {found} can be found")


def _array(content: bytes, name: str) -> np.ndarray:
    """One entry, after its header is found to fit its bytes."""
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    if version not in _HEADERS:
        raise ValueError(f"{name} has the unknown version {version} of the npy format")
    shape, _, dtype = _HEADERS[version](stream)
    if dtype.hasobject:
        raise ValueError(f"{name} holds Python objects, which could run code when they are read")
    if math.prod(shape) * dtype.itemsize != len(content) - stream.tell():
        raise ValueError(f"{name} of shape {shape} does not fit its bytes")
    stream.seek(0)
    array: np.ndarray = np.lib.format.read_array(stream, allow_pickle=False)
    return array
