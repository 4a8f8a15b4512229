"""What a Tensor becomes outside the graph: numbers, arrays, memory of other libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from autograd.errors import TrackedTensorError

if TYPE_CHECKING:
    from autograd.node import Node


class Conversions:
    """Conversions of an untracked Tensor; of a tracked one each is an error that names the mend."""

    __slots__ = ()

    if TYPE_CHECKING:
        _value: Any
        _node: Node | None

        @property
        def data(self) -> np.ndarray: ...

    def _untracked(self, what: str) -> Any:
        if self._node is not None:
            raise TrackedTensorError(
                f"{what} of a tracked Tensor would drop its derivative; use `.detach()` or "
                "`.item()` to drop it on purpose, or `ag.stack` to join Tensors into one"
            )
        return self._value

    def __float__(self) -> float:
        return float(self._untracked("float(t)"))

    def __int__(self) -> int:
        return int(self._untracked("int(t)"))

    def __complex__(self) -> complex:
        return complex(self._untracked("complex(t)"))

    def __index__(self) -> int:
        value = self._untracked("an index made")
        number: int = value.__index__()
        return number

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        value = np.asarray(self._untracked("np.asarray(t)"))
        return np.array(value, dtype=dtype, copy=copy)

    def __dlpack__(self, **options: Any) -> Any:
        """A capsule for `torch.from_dlpack(t)` and its like, which then share this memory.

        Raises TrackedTensorError for a tracked Tensor, BufferError for negative strides.
        """
        self._untracked("from_dlpack(t)")
        if any(stride < 0 for stride in self.data.strides) and not options.get("copy"):
            # PyTorch would end the process.
            raise BufferError(
                f"from_dlpack(t) of an array that runs backwards in memory, with strides "
                f"{self.data.strides}; share a copy, t.copy()"
            )
        return self.data.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        """The CPU, (1, 0)."""
        device: tuple[int, int] = self.data.__dlpack_device__()
        return device
