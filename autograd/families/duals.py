"""Arrays with a tangent each: elementwise operations compute both of them and record nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.registry import NUMPY_FUNCTIONS

__all__ = ["Dual", "set_dual_operator"]


class Dual:
    """A plain array and its tangent, which broadcasts to it (Clifford's dual numbers, 1873).

    Operators, NumPy's functions and the elementwise operations called directly give another; for
    anything else it raises TypeError, and whoever made it has to record instead.
    """

    __slots__ = ("tangent", "value")

    def __init__(self, value: Any, tangent: Any) -> None:
        self.value = value
        self.tangent = tangent

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        operation: Any = NUMPY_FUNCTIONS.get(ufunc)
        if method != "__call__" or options or not hasattr(operation, "on_duals"):
            raise TypeError(f"np.{ufunc.__name__} of a Dual")
        return operation.on_duals(*inputs)

    def __array_function__(self, function: Any, *_: Any) -> Any:
        raise TypeError(f"np.{function.__name__} of a Dual")

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("an array of a Dual")

    def __bool__(self) -> bool:
        raise TypeError("a Dual is neither true nor false")

    def __eq__(self, _: object) -> bool:
        raise TypeError("a Dual cannot be compared")


def set_dual_operator(name: str, operation: Callable[..., Any]) -> None:
    """Make `operation` what an operator ("add", "neg") computes where an operand is a Dual."""

    def operator(*operands: Any) -> Any:
        return operation(*operands)

    def reflected(x: Any, y: Any) -> Any:
        return operation(y, x)

    setattr(Dual, f"__{name}__", operator)
    setattr(Dual, f"__r{name}__", reflected)
