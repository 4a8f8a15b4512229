"""NumPy's protocols: `np.exp(t)` and `np.concatenate([t, t])` are the operations of `ag`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.errors import TrackedTensorError
from autograd.registry import NUMPY_FUNCTIONS

_ON_DATA_UFUNCS = frozenset(
    {
        np.equal,
        np.not_equal,
        np.less,
        np.less_equal,
        np.greater,
        np.greater_equal,
        np.isfinite,
        np.isnan,
        np.isinf,
        np.signbit,
        np.logical_and,
        np.logical_or,
        np.logical_xor,
        np.logical_not,
        np.bitwise_and,
        np.bitwise_or,
        np.bitwise_xor,
        np.invert,
        np.spacing,
    }
)

_ON_DATA_FUNCTIONS = frozenset(
    {
        np.argmax,
        np.argmin,
        np.argsort,
        np.argwhere,
        np.argpartition,
        np.nanargmax,
        np.nanargmin,
        np.nonzero,
        np.flatnonzero,
        np.count_nonzero,
        np.searchsorted,
        np.digitize,
        np.histogram,
        np.bincount,
        np.all,
        np.any,
        np.allclose,
        np.isclose,
        np.array_equal,
        np.array_equiv,
        np.isreal,
        np.iscomplex,
        np.isrealobj,
        np.iscomplexobj,
        np.isposinf,
        np.isneginf,
        np.zeros_like,
        np.ones_like,
        np.empty_like,
        np.full_like,
        np.shape,
        np.ndim,
        np.size,
        np.result_type,
        np.can_cast,
        np.min_scalar_type,
        np.may_share_memory,
        np.shares_memory,
        np.array_repr,
        np.array_str,
        np.array2string,
        np.savez,
        np.save,
        np.unique,
        np.isin,
        np.broadcast_shapes,
    }
)

_REDUCTIONS: dict[np.ufunc, Any] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
}
_ACCUMULATIONS: dict[np.ufunc, Any] = {np.add: np.cumsum, np.multiply: np.cumprod}


def _data(value: Any) -> Any:
    """`value` with every Tensor in it replaced by its data."""
    if hasattr(value, "_node") and hasattr(value, "_value"):
        return value.data
    if isinstance(value, list):
        return [_data(item) for item in value]
    if type(value) is tuple:
        return tuple(_data(item) for item in value)
    return value


def call_ufunc(ufunc: np.ufunc, method: str, inputs: Any, kwargs: dict[str, Any]) -> Any:
    """`ufunc(*inputs)` where an input is a Tensor."""
    name = ufunc.__name__
    if method == "at":
        raise TypeError(f"np.{name}.at changes an array in place; use t.at[i].add(x)")
    if kwargs.get("out") is not None:
        raise TrackedTensorError(
            f"np.{name}(..., out=...) and `array += tensor` would write a Tensor into an array "
            "and drop its derivative; use the result, `a = a + t`, or `.detach().numpy()`"
        )
    if ufunc in _ON_DATA_UFUNCS:
        return getattr(ufunc, method)(*map(_data, inputs), **_data_kwargs(kwargs))
    if method == "__call__":
        function = NUMPY_FUNCTIONS.get(ufunc)
        if function is None:
            raise TypeError(
                f"np.{name} has no derivative here; use `.detach().numpy()`, or define the "
                "operation with ag.op"
            )
        if kwargs:
            raise TypeError(
                f"np.{name} of a Tensor takes no {', '.join(map(repr, kwargs))}; "
                "use ag.where or ag.astype"
            )
        return function(*inputs)
    table = {"reduce": _REDUCTIONS, "accumulate": _ACCUMULATIONS}.get(method, {})
    target = NUMPY_FUNCTIONS.get(table.get(ufunc))
    if target is None:
        if method == "outer" and NUMPY_FUNCTIONS.get(ufunc) is not None and len(inputs) == 2:
            left, right = inputs
            extra = (None,) * np.ndim(_data(right))
            return NUMPY_FUNCTIONS[ufunc](left[(..., *extra)], right)
        raise TypeError(f"np.{name}.{method} of a Tensor is not supported; use functions of ag")
    allowed = {k: v for k, v in kwargs.items() if k in ("axis", "keepdims")}
    if set(kwargs) - set(allowed) - {"out"}:
        raise TypeError(
            f"np.{name}.{method} of a Tensor takes only axis and keepdims, got {sorted(kwargs)}"
        )
    return target(*inputs, **({"axis": 0} | allowed))


# What NumPy 2.0 calls the bounds, and later versions may still be given.
_CLIP_BOUNDS = {"a_min": "min", "a_max": "max"}


def call_function(function: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    """`function(*args, **kwargs)` where an argument is, or holds, a Tensor."""
    name = getattr(function, "__name__", str(function))
    ours = NUMPY_FUNCTIONS.get(function)
    if ours is None:
        if function in _ON_DATA_FUNCTIONS:
            return function(*_data(tuple(args)), **_data_kwargs(kwargs))
        module = getattr(function, "__module__", "numpy").replace("numpy", "np")
        raise TypeError(
            f"{module}.{name} has no derivative here, so it does not take a Tensor; "
            "use `.detach().numpy()`, or define the operation with ag.op"
        )
    if kwargs.get("out") is not None:
        raise TrackedTensorError(
            f"np.{name}(..., out=...) would drop a derivative; use the result instead"
        )
    if function is np.clip:
        kwargs = {_CLIP_BOUNDS.get(key, key): value for key, value in kwargs.items()}
    given = {
        key: value
        for key, value in kwargs.items()
        if not (value is np._NoValue or (key in ("out", "dtype", "where") and value is None))
    }
    return ours(*args, **given)


def _data_kwargs(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {key: _data(value) for key, value in kwargs.items()}
