"""DLPack: arrays shared with PyTorch, JAX and others through Python's array exchange protocol."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.errors import TrackedTensorError
from autograd.tensor import Tensor


def from_dlpack(x: Any, *, copy: bool | None = None) -> Tensor:
    """An untracked Tensor on the memory of another library's array, without a copy.

    `x` has `__dlpack__` and `__dlpack_device__` and lies in the CPU's memory. Each side sees what
    the other writes; what the other library writes is, as a write by NumPy on `.data`, no change
    that a sweep notices (`ag.detect_anomaly()` does). Arrays that are not to be written to (JAX's)
    give read-only data; NumPy 2.0 makes all data read-only. `copy=True` gives memory of its own.

    Raises TypeError for an object without the protocol or a dtype that Tensors do not have,
    ValueError for memory elsewhere. Source: the Python array API standard, 2023.12, "Data
    interchange mechanisms".

    >>> import autograd as ag, numpy as np
    >>> array = np.array([1.0, 2.0])
    >>> t = ag.from_dlpack(array)
    >>> array[0] = 5.0
    >>> t
    Tensor([5., 2.])
    """
    if not hasattr(x, "__dlpack__") or not hasattr(x, "__dlpack_device__"):
        raise TypeError(
            f"from_dlpack takes an object with __dlpack__, such as a torch.Tensor, a jax.Array or "
            f"an ndarray, got {type(x).__name__}; for lists and numbers use ag.Tensor(x)"
        )
    kind, number = x.__dlpack_device__()
    if int(kind) != 1:
        raise ValueError(
            f"from_dlpack got memory on device ({int(kind)}, {number}), and dagrad computes on the "
            "CPU; move it first, as with x.cpu()"
        )
    try:
        array = np.from_dlpack(x)
    except TrackedTensorError:
        raise
    except (BufferError, RuntimeError) as error:
        raise TypeError(
            f"from_dlpack cannot take this {type(x).__name__}: {error}. Detach what is tracked, "
            "and convert dtypes that NumPy does not have"
        ) from error
    return Tensor(array.copy() if copy else array)
