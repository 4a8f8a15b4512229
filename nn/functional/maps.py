"""Functions of layers that are neither convolutions, norms nor losses, under PyTorch's names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd as ag
from nn.checks import as_floats, as_indices, as_value, count, probability
from nn.randomness import choose_rng

_PAD_MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge"}


def linear(input: Any, weight: Any, bias: Any = None, *, activation: str | None = None) -> Any:
    """x W^T + b on the last axis: input (..., in), weight (out, in), bias (out,) or None.

    The `activation`, "relu" or "gelu", is applied to the result in the same pass. Raises ValueError
    if the sizes do not fit, TypeError for integers.

    >>> import numpy as np
    >>> linear(np.array([1.0, 2.0]), np.array([[3.0, 4.0]]), np.array([0.5]))
    array([11.5])
    """
    return ag.linear(input, weight, bias, activation=activation)


def embedding(input: Any, weight: Any, padding_idx: int | None = None) -> Any:
    """Rows of `weight` (rows, features) by integer `input`: shape input.shape + (features,).

    The row `padding_idx` gets no gradient. Raises IndexError for numbers outside the rows,
    TypeError for numbers that are not integers.

    >>> import numpy as np
    >>> embedding([1, 1], np.array([[0.0, 1.0], [2.0, 3.0]]))
    array([[2., 3.],
           [2., 3.]])
    """
    indices = as_indices(input, "embedding")
    rows = weight.shape[0]
    if indices.size and (indices.min() < 0 or indices.max() >= rows):
        raise IndexError(
            f"embedding: indices must be from 0 to {rows - 1}, got values from {indices.min()} "
            f"to {indices.max()}"
        )
    if padding_idx is not None:
        padding_idx = padding_index(padding_idx, rows)
    return ag.embedding(indices, weight, padding_idx=padding_idx)


def padding_index(padding_idx: int, rows: int) -> int:
    """A padding index counted from the front; ValueError if it is outside the rows."""
    if not -rows <= padding_idx < rows:
        raise ValueError(f"padding_idx must be within {rows} rows, got {padding_idx}")
    return padding_idx % rows


def one_hot(input: Any, num_classes: int = -1) -> np.ndarray:
    """Integers as rows of 0 and a single 1, in int64; -1 means as many classes as needed.

    Raises ValueError for a number outside the classes.

    >>> one_hot([0, 2])
    array([[1, 0, 0],
           [0, 0, 1]])
    """
    indices = as_indices(input, "one_hot")
    if num_classes == -1:
        if indices.size == 0:
            raise ValueError("one_hot of no elements needs num_classes")
        num_classes = int(indices.max()) + 1
    if indices.size and (indices.min() < 0 or indices.max() >= num_classes):
        raise ValueError(
            f"one_hot: classes must be from 0 to {num_classes - 1}, got values from "
            f"{indices.min()} to {indices.max()}"
        )
    rows: np.ndarray = (indices[..., None] == np.arange(num_classes)).astype(np.int64)
    return rows


def dropout(
    input: Any,
    p: float = 0.5,
    training: bool = True,
    *,
    rng: np.random.Generator | None = None,
) -> Any:
    """Zeros with probability p, the rest divided by 1 - p (Srivastava et al. 2014).

    The identity when not training.

    >>> import numpy as np
    >>> dropout(np.ones(3), p=0.0)
    array([1., 1., 1.])
    """
    input = as_floats(input, "dropout")
    p = probability(p)
    if not training or p == 0.0:
        return input
    return ag.dropout(input, p=p, training=True, rng=choose_rng(rng))


def drop_path(
    input: Any,
    drop_prob: float = 0.0,
    training: bool = False,
    scale_by_keep: bool = True,
    *,
    rng: np.random.Generator | None = None,
) -> Any:
    """Whole samples of input (N, ...) zero with probability drop_prob, the rest divided by
    1 - drop_prob (as they are, without `scale_by_keep`); the identity when not training.

    Raises ValueError for an input without a batch axis. Source: Huang et al., Deep networks with
    stochastic depth, 2016; Larsson et al., FractalNet, 2017.

    >>> import numpy as np
    >>> drop_path(np.ones((4, 2)), 0.5, training=True, rng=np.random.default_rng(0))
    array([[2., 2.],
           [2., 2.],
           [2., 2.],
           [0., 0.]])
    """
    input = as_floats(input, "drop_path")
    drop_prob = probability(drop_prob, "drop_prob")
    if input.ndim == 0:
        raise ValueError("drop_path takes samples along the first axis, got an input of shape ()")
    if not training or drop_prob == 0.0:
        return input
    kept = choose_rng(rng).random((len(input), *(1,) * (input.ndim - 1)), np.float32) >= drop_prob
    scale = 1.0 / (1.0 - drop_prob) if scale_by_keep and drop_prob < 1.0 else 1.0
    return input * (kept * input.dtype.type(scale))


def pad(input: Any, pad: tuple[int, ...], mode: str = "constant", value: float = 0.0) -> Any:
    """Padding in PyTorch's order: (left, right) of the last axis, then of the one before, ...

    Modes are constant, reflect, replicate and circular; negative widths are refused.

    >>> import numpy as np
    >>> pad(np.array([[1.0, 2.0]]), (1, 2))
    array([[0., 1., 2., 0., 0.]])
    """
    input = as_value(input, "pad")
    widths = tuple(count(width, "pad", 0) for width in pad)
    if len(widths) % 2 or len(widths) > 2 * input.ndim:
        raise ValueError(
            f"pad must hold two widths for each of at most {input.ndim} axes, got {pad!r}"
        )
    sides = list(zip(widths[::2], widths[1::2], strict=True))
    pairs = [(0, 0)] * (input.ndim - len(sides)) + sides[::-1]
    if mode == "circular":
        for axis, (before, after) in enumerate(pairs):
            input = _wrap(input, axis, before, after)
        return input
    if mode not in _PAD_MODES:
        raise ValueError(f"mode must be constant, reflect, replicate or circular; got {mode!r}")
    if mode == "constant":
        return ag.pad(input, pairs, mode="constant", constant_values=value)
    for axis, (before, after) in enumerate(pairs):
        limit = input.shape[axis] - (mode == "reflect")
        if (before or after) and (limit < 0 or (mode == "reflect" and max(before, after) > limit)):
            raise ValueError(
                f"pad: mode {mode!r} cannot pad axis {axis} of size {input.shape[axis]} by "
                f"({before}, {after})"
            )
    return ag.pad(input, pairs, mode=_PAD_MODES[mode])


def _wrap(input: Any, axis: int, before: int, after: int) -> Any:
    if not before and not after:
        return input
    size = input.shape[axis]
    if max(before, after) > size:
        raise ValueError(
            f"pad: mode 'circular' cannot pad axis {axis} of size {size} by ({before}, {after})"
        )
    lead = (slice(None),) * axis
    parts = [input[(*lead, slice(size - before, size))], input, input[(*lead, slice(0, after))]]
    return ag.concatenate(parts, axis=axis)


def normalize(input: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Any:
    """x / max(||x||_p, eps) along `dim`.

    >>> import numpy as np
    >>> normalize(np.array([[3.0, 4.0]]))
    array([[0.6, 0.8]])
    """
    input = as_floats(input, "normalize")
    length = ag.norm(input, ord=p, axis=dim, keepdims=True)
    return input / ag.maximum(length, eps)


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Axes `start_dim` to `end_dim` joined into one.

    >>> import numpy as np
    >>> flatten(np.zeros((2, 3, 4)), 1).shape
    (2, 12)
    """
    input = as_value(input, "flatten")
    if input.ndim == 0:
        return input.reshape(1)
    start, end = _axis(start_dim, input.ndim, "start_dim"), _axis(end_dim, input.ndim, "end_dim")
    if start > end:
        raise ValueError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    joined = math.prod(input.shape[start : end + 1])
    return input.reshape((*input.shape[:start], joined, *input.shape[end + 1 :]))


def unflatten(input: Any, dim: int, sizes: tuple[int, ...]) -> Any:
    """Axis `dim` split into axes of `sizes`, one of which may be -1.

    >>> import numpy as np
    >>> unflatten(np.zeros((2, 12)), 1, (3, -1)).shape
    (2, 3, 4)
    """
    input = as_value(input, "unflatten")
    axis = _axis(dim, input.ndim, "dim")
    sizes = tuple(count(size, "sizes", -1) for size in sizes)
    known = math.prod(size for size in sizes if size != -1)
    whole = input.shape[axis]
    free = sizes.count(-1)
    if free > 1 or (free == 0 and known != whole) or (free and (not known or whole % known)):
        raise ValueError(f"unflatten: axis {dim} of size {whole} cannot be split into {sizes}")
    return input.reshape((*input.shape[:axis], *sizes, *input.shape[axis + 1 :]))


def _axis(dim: int, ndim: int, name: str) -> int:
    if not -ndim <= dim < ndim:
        raise ValueError(f"{name} must be from {-ndim} to {ndim - 1}, got {dim}")
    return dim % ndim
