"""Operators and NumPy-named methods of Tensor, each the public operation of the same name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from autograd.dispatch import operations

if TYPE_CHECKING:
    from autograd.tensor import Tensor

Axis = int | tuple[int, ...] | None


class ArrayMethods:
    """What Tensor shares with ndarray. None of the methods works in place."""

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def data(self) -> np.ndarray: ...

        # Set where the operations are defined, so that an operator is one call.
        def __add__(self, other: Any) -> Tensor: ...
        def __radd__(self, other: Any) -> Tensor: ...
        def __sub__(self, other: Any) -> Tensor: ...
        def __rsub__(self, other: Any) -> Tensor: ...
        def __mul__(self, other: Any) -> Tensor: ...
        def __rmul__(self, other: Any) -> Tensor: ...
        def __truediv__(self, other: Any) -> Tensor: ...
        def __rtruediv__(self, other: Any) -> Tensor: ...
        def __pow__(self, other: Any) -> Tensor: ...
        def __rpow__(self, other: Any) -> Tensor: ...
        def __matmul__(self, other: Any) -> Tensor: ...
        def __rmatmul__(self, other: Any) -> Tensor: ...
        def __floordiv__(self, other: Any) -> Tensor: ...
        def __rfloordiv__(self, other: Any) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __mod__(self, other: Any) -> Tensor: ...
        def __rmod__(self, other: Any) -> Tensor: ...

    def __divmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return other // self, other % self

    def __pos__(self) -> Tensor:
        return operations.positive(self)

    def __abs__(self) -> Tensor:
        return operations.absolute(self)

    def __round__(self, decimals: int = 0) -> Tensor:
        return operations.round(self, decimals)

    def __lt__(self, other: Any) -> Any:
        return self.data < _data(other)

    def __le__(self, other: Any) -> Any:
        return self.data <= _data(other)

    def __gt__(self, other: Any) -> Any:
        return self.data > _data(other)

    def __ge__(self, other: Any) -> Any:
        return self.data >= _data(other)

    __hash__ = object.__hash__

    def __eq__(self, other: Any) -> Any:
        return self.data == _data(other)

    def __ne__(self, other: Any) -> Any:
        return self.data != _data(other)

    def __and__(self, other: Any) -> Any:
        return self.data & _data(other)

    def __rand__(self, other: Any) -> Any:
        return _data(other) & self.data

    def __or__(self, other: Any) -> Any:
        return self.data | _data(other)

    def __ror__(self, other: Any) -> Any:
        return _data(other) | self.data

    def __xor__(self, other: Any) -> Any:
        return self.data ^ _data(other)

    def __rxor__(self, other: Any) -> Any:
        return _data(other) ^ self.data

    def __invert__(self) -> Any:
        return ~self.data

    def __getitem__(self, index: Any) -> Tensor:
        return operations.getitem(self, index)

    @property
    def at(self) -> Any:
        """`t.at[i].set(x)` and `t.at[i].add(x)`: changed copies."""
        return operations.at(self)

    @property
    def T(self) -> Tensor:
        """All axes reversed."""
        return operations.transpose(self)

    @property
    def mT(self) -> Tensor:
        """The last two axes swapped."""
        return operations.swapaxes(self, -1, -2)

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        return operations.sum(self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        return operations.mean(self, axis=axis, keepdims=keepdims)

    def prod(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        return operations.prod(self, axis=axis, keepdims=keepdims)

    def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        return operations.max(self, axis=axis, keepdims=keepdims)

    def min(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        return operations.min(self, axis=axis, keepdims=keepdims)

    def var(self, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Tensor:
        return operations.var(self, axis=axis, ddof=ddof, keepdims=keepdims)

    def std(self, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Tensor:
        return operations.std(self, axis=axis, ddof=ddof, keepdims=keepdims)

    def cumsum(self, axis: int | None = None) -> Tensor:
        return operations.cumsum(self, axis=axis)

    def cumprod(self, axis: int | None = None) -> Tensor:
        return operations.cumprod(self, axis=axis)

    def argmax(self, axis: int | None = None, keepdims: bool = False) -> Any:
        return np.argmax(self.data, axis=axis, keepdims=keepdims)

    def argmin(self, axis: int | None = None, keepdims: bool = False) -> Any:
        return np.argmin(self.data, axis=axis, keepdims=keepdims)

    def all(self, axis: Axis = None, keepdims: bool = False) -> Any:
        return np.all(self.data, axis=axis, keepdims=keepdims)

    def any(self, axis: Axis = None, keepdims: bool = False) -> Any:
        return np.any(self.data, axis=axis, keepdims=keepdims)

    def argsort(self, axis: int | None = -1) -> Any:
        return np.argsort(self.data, axis=axis, kind="stable")

    def reshape(self, *shape: Any) -> Tensor:
        return operations.reshape(self, _unpacked(shape))

    def transpose(self, *axes: Any) -> Tensor:
        chosen = _unpacked(axes) if axes else None
        return operations.transpose(self, chosen)

    def ravel(self) -> Tensor:
        return operations.ravel(self)

    def flatten(self) -> Tensor:
        return operations.ravel(self)

    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        return operations.swapaxes(self, axis1, axis2)

    def squeeze(self, axis: Axis = None) -> Tensor:
        return operations.squeeze(self, axis)

    def repeat(self, repeats: Any, axis: int | None = None) -> Tensor:
        return operations.repeat(self, repeats, axis)

    def take(self, indices: Any, axis: int | None = None) -> Tensor:
        return operations.take(self, indices, axis)

    def sort(self, axis: int | None = -1) -> Tensor:
        """A sorted copy (unlike ndarray.sort, which works in place)."""
        return operations.sort(self, axis)

    def clip(self, min: Any = None, max: Any = None) -> Tensor:
        return operations.clip(self, min, max)

    def round(self, decimals: int = 0) -> Tensor:
        return operations.round(self, decimals)

    def dot(self, other: Any) -> Tensor:
        return operations.dot(self, other)

    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        return operations.trace(self, offset, axis1, axis2)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        return operations.diagonal(self, offset, axis1, axis2)

    def astype(self, dtype: DTypeLike) -> Tensor:
        """Cast; the derivative is cast back. Integers and booleans are constants."""
        return operations.astype(self, dtype)

    def copy(self) -> Tensor:
        """A copy of the data that is still part of the graph."""
        return operations.copy(self)


def _data(value: Any) -> Any:
    return value.data if isinstance(value, ArrayMethods) else value


def _unpacked(values: tuple[Any, ...]) -> Any:
    """`(2, 3)` from both `t.reshape(2, 3)` and `t.reshape((2, 3))`."""
    return values[0] if len(values) == 1 else values


def set_operator(
    name: str, function: Callable[[Any, Any], Any], operation: Callable[[Any, Any], Any]
) -> None:
    """Make `function` what `x + y` calls (for the name "add") when x is a Tensor.

    `operation` computes the same for any operands: where only y is a Tensor, it is called.
    """

    def reflected(x: Any, y: Any) -> Any:
        return operation(y, x)

    setattr(ArrayMethods, f"__{name}__", function)
    setattr(ArrayMethods, f"__r{name}__", reflected)


def set_unary_operator(name: str, function: Callable[[Any], Any]) -> None:
    """Make `function` what `-x` calls (for the name "neg")."""
    setattr(ArrayMethods, f"__{name}__", function)
