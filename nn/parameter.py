"""Parameter: a leaf that a module owns and an optimizer changes."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike

from autograd import Tensor

DEFAULT_DTYPE: Final = np.dtype(np.float32)
"""What layers and bare Python numbers get."""


class Parameter(Tensor):
    """A Tensor that requires gradients and counts as a module's parameter wherever it is held.

    The array is copied, so later writes to the caller's array do not reach the parameter. Arrays
    and Tensors keep their dtype; Python numbers and lists become float32 unless `dtype` is given.

    Raises TypeError for a dtype without derivatives, RuntimeError (a subclass) for a tracked
    Tensor: to share a parameter, assign the same object twice; to copy it, pass `.detach()`.

    >>> import nn
    >>> import numpy as np
    >>> source = np.zeros(2)
    >>> p = nn.Parameter(source)
    >>> source += 1.0
    >>> p
    Parameter([0., 0.], requires_grad=True)
    >>> nn.Parameter([1.0, 2.0]).dtype
    dtype('float32')
    """

    def __init__(
        self,
        data: Any,
        requires_grad: bool = True,
        dtype: DTypeLike | None = None,
        name: str | None = None,
    ) -> None:
        if not isinstance(data, Tensor):
            array = np.array(data, dtype=dtype)
            if dtype is None and array.dtype == np.float64 and not _has_dtype(data):
                array = array.astype(DEFAULT_DTYPE)
            data = array
        elif not data.requires_grad:
            data = np.array(data.data, dtype=dtype)
        super().__init__(data, requires_grad, name=name)


def _has_dtype(data: Any) -> bool:
    return isinstance(data, (np.ndarray, np.generic)) or hasattr(data, "__array__")


def replace_array(parameter: Parameter, array: np.ndarray) -> None:
    """Give a parameter an array of another dtype; the object stays, its gradient is cast too."""
    tracked = parameter.requires_grad
    grad = parameter.grad
    parameter.requires_grad = False
    parameter._value = array
    parameter.requires_grad = tracked
    if grad is not None:
        parameter.grad = Tensor(grad.data.astype(array.dtype))
