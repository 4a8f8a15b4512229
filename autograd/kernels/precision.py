"""The dtypes that kernels compute in."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["accumulator", "inexact"]


def inexact(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of means: double for integers.

    >>> inexact(np.dtype("int64"))
    dtype('float64')
    """
    return dtype if np.issubdtype(dtype, np.inexact) else np.dtype(np.float64)


def accumulator(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of sums: half precision is summed in single, integers in double.

    >>> accumulator(np.dtype("float16"))
    dtype('float32')
    """
    return np.dtype(np.float32) if dtype == np.float16 else inexact(dtype)
