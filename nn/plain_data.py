"""Nested dicts, lists and tuples of numbers, strings and arrays as JSON plus named arrays.

Every value is a JSON object with one key, its kind, so that tuples, integer keys, infinities and
NumPy's scalars come back as what they were.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

import numpy as np

from autograd import Tensor


def is_array(value: Any) -> bool:
    """Whether a value is stored among the arrays."""
    return isinstance(value, (np.ndarray, np.generic, Tensor))


def plain_array(value: Any, where: str) -> np.ndarray:
    """The array behind a value; TypeError naming `where` for one of Python objects."""
    array = value.data if isinstance(value, Tensor) else np.asarray(value)
    if array.dtype.hasobject:
        raise TypeError(f"save: {where} has dtype {array.dtype}; only plain arrays can be saved")
    return array


def encode(value: Any, where: str, arrays: dict[str, np.ndarray]) -> Any:
    """The JSON form of `value`; its arrays are added to `arrays` under names made of `where`.

    Raises TypeError, naming the place, for what is neither plain data nor an array.

    >>> arrays = {}
    >>> encode({"step": 3, "moments": (np.ones(2),)}, "state", arrays)
    {'dict': [['step', {'value': 3}], ['moments', {'tuple': [{'array': 'state/moments/0'}]}]]}
    >>> arrays
    {'state/moments/0': array([1., 1.])}
    """
    if is_array(value):
        name = where
        while name in arrays:
            name += "'"
        arrays[name] = plain_array(value, where)
        return {"scalar" if isinstance(value, np.generic) else "array": name}
    if isinstance(value, float) and not isfinite(value):
        return {"float": str(float(value))}
    if value is None or isinstance(value, (bool, int, float, str)):
        return {"value": value}
    if isinstance(value, Mapping):
        if not all(isinstance(key, (str, int)) for key in value):
            raise TypeError(f"save: the keys of {where} must be strings or integers")
        return {"dict": [[key, encode(v, f"{where}/{key}", arrays)] for key, v in value.items()]}
    if isinstance(value, (list, tuple)):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [encode(v, f"{where}/{i}", arrays) for i, v in enumerate(value)]}
    raise TypeError(
        f"save: {where} is of type {type(value).__name__}; expected arrays, Tensors, numbers, "
        "strings, None, and dicts, lists and tuples of them"
    )


def decode(code: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """What `encode` was given. Raises ValueError, KeyError or TypeError for another code."""
    if not isinstance(code, dict) or len(code) != 1:
        raise ValueError(f"expected an object with one key, got {code!r:.80}")
    ((kind, content),) = code.items()
    if kind == "value":
        return content
    if kind == "array":
        return arrays[content]
    if kind == "scalar":
        return arrays[content][()]
    if kind == "float":
        return float(content)
    if kind == "dict":
        return {key: decode(item, arrays) for key, item in content}
    if kind not in ("list", "tuple"):
        raise ValueError(f"unknown kind of value {kind!r:.80}")
    items = [decode(item, arrays) for item in content]
    return items if kind == "list" else tuple(items)


def names_used(code: Any) -> set[str]:
    """Names of the arrays that an encoded value refers to."""
    ((kind, content),) = code.items()
    if kind in ("array", "scalar"):
        return {content}
    if kind == "dict":
        return set().union(*(names_used(item) for _, item in content))
    if kind in ("list", "tuple"):
        return set().union(*(names_used(item) for item in content))
    return set()


def to_json(code: Any) -> str:
    """Compact JSON that every reader takes."""
    return json.dumps(code, allow_nan=False, separators=(",", ":"))
