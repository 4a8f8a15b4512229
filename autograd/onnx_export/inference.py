"""Running a function for its calls: on the example, on other entries, in evaluation mode."""

from __future__ import annotations

import contextlib
import inspect
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd.onnx_export.building import build
from autograd.onnx_export.calls import Program, run
from autograd.onnx_export.comparison import check_same, dependent_calls
from autograd.onnx_export.naming import Names
from autograd.tensor import Tensor


def export(function: Callable[..., Any], example: Any, dynamic_batch: bool) -> Any:
    """What `to_onnx` gives."""
    if not callable(function):
        raise TypeError(f"to_onnx takes a model or a function, got {type(function).__name__}")
    given = example if isinstance(example, tuple) else (example,)
    arrays = [_array(value, index) for index, value in enumerate(given)]
    others = [_varied(array, dynamic_batch, index) for index, array in enumerate(arrays)]
    with evaluating(function):
        first = run(function, arrays)
        second = _run_on_more(function, others) if dynamic_batch else run(function, others)
        third = _run_on_noise(function, arrays)
    depends = dependent_calls(first)
    check_same(first, second, depends, dynamic_batch)
    if third is not None:
        check_same(first, third, depends, batch=False)
    names = Names(function)
    return build(
        first, second, depends, names, arrays, _argument_names(function, len(arrays)), dynamic_batch
    )


def _array(value: Any, index: int) -> np.ndarray:
    array = value.data if isinstance(value, Tensor) else np.asarray(value)
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
        raise TypeError(
            f"to_onnx: argument {index} of the example has dtype {array.dtype}; expected booleans, "
            "integers or floats of at most 64 bits"
        )
    return np.array(array)


def _varied(array: np.ndarray, batch: bool, index: int) -> np.ndarray:
    """The same entries in another order, with one more sample if the batch is dynamic."""
    turned = np.flip(array)
    if not batch:
        return turned.copy()
    if array.ndim == 0 or array.shape[0] == 0:
        raise ValueError(
            f"to_onnx: dynamic_batch needs an example with a first axis of at least one sample, "
            f"argument {index} has shape {array.shape}"
        )
    return np.concatenate([turned, turned[:1]])


def _run_on_more(function: Callable[..., Any], arrays: list[np.ndarray]) -> Program:
    try:
        return run(function, arrays)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "to_onnx: dynamic_batch calls the function with one more sample along the first axis, "
            f"which failed: {error}"
        ) from error


def _run_on_noise(function: Callable[..., Any], arrays: list[np.ndarray]) -> Program | None:
    """A run on floats of both signs; None if the function does not take them."""
    rng = np.random.default_rng(0)
    noise = [
        (rng.standard_normal(a.shape) * (np.max(np.abs(a), initial=0) or 1)).astype(a.dtype)
        if a.dtype.kind == "f"
        else a
        for a in arrays
    ]
    with warnings.catch_warnings(), np.errstate(all="ignore"), contextlib.suppress(Exception):
        warnings.simplefilter("ignore")
        return run(function, noise)
    return None


@contextlib.contextmanager
def evaluating(function: Any) -> Iterator[None]:
    """A module and all below in evaluation mode; afterwards each is in its own again."""
    if not (
        callable(getattr(function, "modules", None)) and callable(getattr(function, "eval", 0))
    ):
        yield
        return
    modes = [(module, module.training) for module in function.modules()]
    function.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def _argument_names(function: Any, count: int) -> list[str]:
    """The names of the function's parameters, as far as it names them."""
    names: list[str] = []
    with contextlib.suppress(TypeError, ValueError):
        target = getattr(function, "forward", function)
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        names = [p.name for p in inspect.signature(target).parameters.values() if p.kind in kinds]
    return [names[i] if i < len(names) else f"input_{i}" for i in range(count)]
