"""Embedding: rows of a table."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.dispatch import operations
from autograd.ops.axes import constant, data_of
from autograd.ops.indexing import gather
from autograd.ops.softmaxes import floats
from autograd.registry import bad, register
from autograd.samples import call, real

__all__ = ["embedding"]

_INDICES = np.array([[0, 2], [2, 1]])


@register(
    [call(_INDICES, real(3, 2)), call(1, real(3, 2)), call(np.zeros((0, 2), int), real(3, 2))],
    bad=[
        bad(IndexError, "from 0 to 2", np.array([3]), np.ones((3, 2))),
        bad(TypeError, "integers", np.ones(2), np.ones((3, 2))),
        bad(ValueError, "table", np.array([0]), np.ones(3)),
        bad(ValueError, "padding_idx 3", np.array([0]), np.ones((3, 2)), 3),
    ],
    reference=lambda indices, weight: weight[indices],
)
def embedding(indices: Any, weight: Any, padding_idx: int | None = None) -> Any:
    """weight[indices]: rows of a table (rows, features), shape indices.shape + (features,).

    The row `padding_idx` (negative counts from the end) gets no derivative. Raises IndexError for
    an index outside the rows, TypeError for indices that are no integers, ValueError for a table
    of other dimensions or a `padding_idx` outside the rows.

    >>> import autograd as ag
    >>> ag.embedding([1, 0], ag.Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([[3., 4.],
            [1., 2.]])
    """
    array = constant(indices, "embedding", "indices")
    weight = floats(weight, "embedding")
    if array.dtype.kind not in "iu":
        raise TypeError(f"embedding needs indices that are integers, got dtype {array.dtype}")
    if weight.ndim != 2:
        raise ValueError(f"embedding needs a table (rows, features), got shape {weight.shape}")
    rows = weight.shape[0]
    if array.size and not (array.min() >= 0 and array.max() < rows):
        raise IndexError(
            f"embedding: indices must be from 0 to {rows - 1}, got {array.min()} to {array.max()}"
        )
    if padding_idx is not None and not -rows <= padding_idx < rows:
        raise ValueError(
            f"embedding: padding_idx {padding_idx} is not a row of a table of shape "
            f"{weight.shape}; give one from {-rows} to {rows - 1}"
        )
    out = gather(weight, array)
    if padding_idx is None:
        return out
    padded = np.expand_dims(array == padding_idx % rows, -1)
    return operations.where(padded, data_of(out), out) if padded.any() else out
