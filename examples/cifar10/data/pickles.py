"""An unpickler that can build dicts, lists, strings, numbers and uint8 arrays, and nothing else.

A pickle is a program; `pickle.load` lets it call any function. Here every name that a pickle can
ask for is answered by one of the stand-ins below, which only collect what NumPy would have been
told, so that no code outside this module runs, not even NumPy's own reconstruction.
"""

from __future__ import annotations

import io
import math
import pickle
from typing import Any

import numpy as np

from examples.cifar10.errors import DataError

LARGEST = 64 * 2**20


def load_pickle(content: bytes, file: str) -> Any:
    """The object in a pickle, with byte strings as `str` (Latin-1) and arrays as uint8 arrays.

    Raises DataError, naming `file`, for anything that a CIFAR-10 file does not hold.
    """
    if len(content) > LARGEST:
        raise DataError(f"{file}: {len(content)} bytes, more than any file of CIFAR-10 has")
    stream = io.BytesIO(content)
    try:
        # latin1 keeps every byte of Python 2's strings, among them the pixels.
        return _plain(_Unpickler(stream, encoding="latin1").load(), depth=0)
    except RecursionError as error:
        raise DataError(f"{file}: nested too deeply") from error
    # A damaged pickle makes the unpickler raise almost any type.
    except Exception as error:
        raise DataError(
            f"{file}: not a complete pickle of CIFAR-10 ({type(error).__name__} at byte "
            f"{stream.tell()}: {error})"
        ) from error


class _Dtype:
    """Stands in for `numpy.dtype`: uint8 is the only one."""

    def __init__(self, code: object, *_flags: object) -> None:
        if code != "u1":
            raise pickle.UnpicklingError(f"an array of dtype {code!r}; images are 'u1'")

    def __setstate__(self, _state: object) -> None:
        """Byte order and alignment, which uint8 does not have."""


class _Array:
    """Stands in for an array until its state arrives."""

    pixels: np.ndarray | None = None

    def __setstate__(self, state: object) -> None:
        match state:
            case (int(), tuple() as shape, _Dtype(), bool() | int() as by_columns, raw):
                pass
            case _:
                raise pickle.UnpicklingError("an array whose state is not an array's")
        if isinstance(raw, str):
            raw = raw.encode("latin1")
        if not isinstance(raw, bytes) or not all(isinstance(n, int) and n >= 0 for n in shape):
            raise pickle.UnpicklingError("an array whose state is not an array's")
        if math.prod(shape) != len(raw):
            raise pickle.UnpicklingError(f"an array of shape {shape} with {len(raw)} bytes")
        flat = np.frombuffer(raw, dtype=np.uint8)
        self.pixels = flat.reshape(shape[::-1]).T if by_columns else flat.reshape(shape)


class _ArrayType:
    """Stands in for `numpy.ndarray`, which a pickle only names."""


def _reconstruct(_kind: object, _shape: object, _code: object) -> _Array:
    return _Array()


def _encode(text: object, encoding: object) -> bytes:
    """How Python 3 writes bytes in the old protocols."""
    if not isinstance(text, str) or encoding != "latin1":
        raise pickle.UnpicklingError("_codecs.encode with something other than Latin-1 text")
    return text.encode("latin1")


_KNOWN: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): _ArrayType,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _KNOWN[module, name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"it asks for {module}.{name}, which no file of CIFAR-10 needs"
            ) from None

    def persistent_load(self, pid: object) -> Any:
        raise pickle.UnpicklingError(f"it asks for the external object {pid!r}")


def _plain(value: Any, depth: int) -> Any:
    """`value` with arrays for their stand-ins and str for bytes, if it is made of plain parts."""
    if depth > 3:
        raise pickle.UnpicklingError("containers nested more than three deep")
    if isinstance(value, _Array) and value.pixels is not None:
        return value.pixels
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return value.decode("latin1")
    if isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {_plain(key, depth + 1): _plain(item, depth + 1) for key, item in value.items()}
    raise pickle.UnpicklingError(f"it holds a {type(value).__name__}")
