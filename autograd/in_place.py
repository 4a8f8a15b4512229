"""Changing a leaf's array in place, with a note for the sweeps that saved it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from autograd import storage
from autograd.dispatch import operations
from autograd.modes import current_modes

if TYPE_CHECKING:
    from autograd.node import Node


class InPlaceMethods:
    """`t.copy_(x)` and `t += x`: in place on leaves, functional on computed Tensors."""

    __slots__ = ()

    if TYPE_CHECKING:
        _value: Any
        _node: Node | None

        @property
        def data(self) -> np.ndarray: ...

        @property
        def shape(self) -> tuple[int, ...]: ...

        @property
        def is_leaf(self) -> bool: ...

    def copy_(self, source: Any) -> Self:
        """Overwrite the data in place; a leaf that requires gradients only under `no_grad`."""
        self._check_writable("copy_")
        value = source.data if isinstance(source, InPlaceMethods) else np.asarray(source)
        if np.broadcast_shapes(value.shape, self.shape) != self.shape:
            raise ValueError(f"copy_ into shape {self.shape} got shape {value.shape}")
        np.copyto(self.data, value, casting="same_kind")
        storage.mark_changed(self.data)
        return self

    def _check_writable(self, what: str) -> None:
        if self._node is not None and (current_modes().recording or not self.is_leaf):
            kind = "a leaf that requires gradients" if self.is_leaf else "a computed Tensor"
            raise RuntimeError(
                f"{what} would change {kind} in place while its graph is recorded; "
                "do it under `with ag.no_grad():` on a leaf, or compute a new Tensor"
            )

    def _in_place(self, ufunc: np.ufunc, symbol: str, functional: Any, other: Any) -> Any:
        node = self._node
        recording = current_modes().recording
        if not self.is_leaf or (
            node is None
            and recording
            and isinstance(other, InPlaceMethods)
            and other._node is not None
        ):
            return functional(self, other)
        if node is None and not isinstance(self._value, np.ndarray):
            return functional(self, other)
        self._check_writable(f"`t {symbol} x`")
        value = other._value if isinstance(other, InPlaceMethods) else np.asarray(other)
        if np.broadcast_shapes(value.shape, self.shape) != self.shape:
            raise ValueError(
                f"`t {symbol} x` in place: x of shape {value.shape} does not broadcast to "
                f"{self.shape}; write `t = t {symbol[:-1]} x`"
            )
        operand = other._value if isinstance(other, InPlaceMethods) else other
        array = self.data
        ufunc(array, operand, out=array, casting="same_kind")
        storage.mark_changed(array)
        return self

    def __iadd__(self, other: Any) -> Any:
        return self._in_place(np.add, "+=", operations.add, other)

    def __isub__(self, other: Any) -> Any:
        return self._in_place(np.subtract, "-=", operations.subtract, other)

    def __imul__(self, other: Any) -> Any:
        return self._in_place(np.multiply, "*=", operations.multiply, other)

    def __itruediv__(self, other: Any) -> Any:
        return self._in_place(np.divide, "/=", operations.divide, other)

    def __ipow__(self, other: Any) -> Any:
        return self._in_place(np.power, "**=", operations.power, other)
