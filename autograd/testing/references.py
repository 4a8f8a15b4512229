"""Values of the operations that NumPy does not have, as plain loops and formulas.

Written for reading, not for speed, and independent of the kernels they are compared with.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)


def _sides(padding: Any, kernel: Any, dilation: Any) -> tuple[tuple[int, int], ...]:
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding == "same":
        spans = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return tuple((span // 2, span - span // 2) for span in spans)
    if isinstance(padding, int):
        return ((padding, padding),) * len(kernel)
    return tuple((p, p) if isinstance(p, int) else tuple(p) for p in padding)


def _convolve(x: Array, w: Array, stride: Any, sides: Any, dilation: Any, groups: int) -> Array:
    """Every output entry as the sum of its products, for any number of spatial axes."""
    padded = np.pad(x, ((0, 0), (0, 0), *sides))
    kernel = w.shape[2:]
    out = tuple(
        (size - d * (k - 1) - 1) // s + 1
        for size, k, s, d in zip(padded.shape[2:], kernel, stride, dilation, strict=True)
    )
    y = np.zeros((x.shape[0], w.shape[0], *out))
    depth, share = w.shape[1], w.shape[0] // groups
    for n, o, *place in np.ndindex(y.shape):
        for c, *k in np.ndindex(w.shape[1:]):
            at = tuple(p * s + i * d for p, s, i, d in zip(place, stride, k, dilation, strict=True))
            y[(n, o, *place)] += w[(o, c, *k)] * padded[(n, o // share * depth + c, *at)]
    return y


def _with_bias(y: Array, b: Array) -> Array:
    return y if b is None else y + np.reshape(b, (1, -1, *(1,) * (y.ndim - 2)))


def conv1d(
    x: Array,
    w: Array,
    b: Array = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Array:
    """Cross-correlation along one axis."""
    sides = _sides(padding, w.shape[2:], (dilation,))
    return _with_bias(_convolve(x, w, (stride,), sides, (dilation,), groups), b)


def conv2d(
    x: Array,
    w: Array,
    b: Array = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    activation: str | None = None,
    max_pool: bool = False,
) -> Array:
    """Cross-correlation along two axes."""
    spread = _pair(dilation)
    sides = _sides(padding, w.shape[2:], spread)
    y = _with_bias(_convolve(x, w, _pair(stride), sides, spread, groups), b)
    y = _activated(y, activation)
    if max_pool:
        down, across = y.shape[2] // 2, y.shape[3] // 2
        halves = y[:, :, : 2 * down, : 2 * across].reshape(*y.shape[:2], down, 2, across, 2)
        y = halves.max((3, 5))
    return y


def linear(x: Array, w: Array, b: Array = None, *, activation: str | None = None) -> Array:
    """Sums of products along the last axis of x and of w."""
    return _activated(np.einsum("...i,oi->...o", x, w) + (0 if b is None else b), activation)


def _activated(y: Array, activation: str | None) -> Array:
    if activation is None:
        return y
    return np.maximum(y, 0) if activation == "relu" else gelu(y)


def conv_transpose2d(
    x: Array,
    w: Array,
    b: Array = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Array:
    """Each entry of x adds its multiple of the kernel."""
    steps, sides, extra, spread = map(_pair, (stride, padding, output_padding, dilation))
    kernel = w.shape[2:]
    geometry = zip(x.shape[2:], steps, spread, kernel, extra, strict=True)
    full = tuple((size - 1) * s + d * (k - 1) + 1 + e for size, s, d, k, e in geometry)
    share_in, share_out = x.shape[1] // groups, w.shape[1]
    y = np.zeros((x.shape[0], share_out * groups, *full))
    for n, c, *place in np.ndindex(x.shape):
        for o, *k in np.ndindex(w.shape[1:]):
            at = tuple(p * s + i * d for p, s, i, d in zip(place, steps, k, spread, strict=True))
            y[(n, c // share_in * share_out + o, *at)] += x[(n, c, *place)] * w[(c, o, *k)]
    cut = tuple(slice(p, size - p) for p, size in zip(sides, full, strict=True))
    return _with_bias(y[(slice(None), slice(None), *cut)], b)


def _pool(
    x: Array, kernel: Any, stride: Any, padding: Any, dilation: Any, reduce: Callable[..., float]
) -> Array:
    size, sides, spread = _pair(kernel), _pair(padding), _pair(dilation)
    steps = size if stride is None else _pair(stride)
    out = tuple(
        (length + 2 * p - d * (k - 1) - 1) // s + 1
        for length, p, d, k, s in zip(x.shape[2:], sides, spread, size, steps, strict=True)
    )
    y = np.zeros((*x.shape[:2], *out))
    for n, c, p, q in np.ndindex(y.shape):
        inside = []
        for i, j in itertools.product(range(size[0]), range(size[1])):
            row = p * steps[0] + i * spread[0] - sides[0]
            column = q * steps[1] + j * spread[1] - sides[1]
            if 0 <= row < x.shape[2] and 0 <= column < x.shape[3]:
                inside.append(float(x[n, c, row, column]))
        y[n, c, p, q] = reduce(inside, size[0] * size[1])
    return y


def max_pool2d(
    x: Array, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1
) -> Array:
    """The largest entry of each window."""
    return _pool(x, kernel_size, stride, padding, dilation, lambda inside, _area: max(inside))


def avg_pool2d(
    x: Array, kernel_size: Any, stride: Any = None, padding: Any = 0, count_include_pad: bool = True
) -> Array:
    """The mean of each window."""
    return _pool(
        x,
        kernel_size,
        stride,
        padding,
        1,
        lambda inside, area: sum(inside) / (area if count_include_pad else len(inside)),
    )


def adaptive_avg_pool2d(x: Array, output_size: Any) -> Array:
    """Means over bins."""
    given = output_size if isinstance(output_size, tuple) else (output_size,) * 2
    rows, columns = (x.shape[2 + i] if size is None else size for i, size in enumerate(given))
    y = np.zeros((*x.shape[:2], rows, columns))
    height, width = x.shape[2:]
    for p, q in np.ndindex(rows, columns):
        top, bottom = math.floor(p * height / rows), math.ceil((p + 1) * height / rows)
        left, right = math.floor(q * width / columns), math.ceil((q + 1) * width / columns)
        y[:, :, p, q] = x[:, :, top:bottom, left:right].mean(axis=(2, 3))
    return y


def _standard(x: Array, axes: tuple[int, ...], eps: float) -> Array:
    mean = x.mean(axis=axes, keepdims=True)
    return (x - mean) / np.sqrt(((x - mean) ** 2).mean(axis=axes, keepdims=True) + eps)


def _affine(y: Array, weight: Array, bias: Array, shape: tuple[int, ...]) -> Array:
    y = y if weight is None else y * np.reshape(weight, shape)
    return y if bias is None else y + np.reshape(bias, shape)


def batch_norm(
    x: Array,
    running_mean: Array,
    running_var: Array,
    weight: Array = None,
    bias: Array = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    activation: str | None = None,
) -> Array:
    """Per channel, by the batch or by the running statistics."""
    shape = (1, -1, *(1,) * (x.ndim - 2))
    if training:
        y = _standard(x, (0, *range(2, x.ndim)), eps)
    else:
        mean, var = np.reshape(running_mean, shape), np.reshape(running_var, shape)
        y = (x - mean) / np.sqrt(var + eps)
    return _activated(_affine(y, weight, bias, shape), activation)


def layer_norm(
    x: Array, normalized_shape: Any, weight: Array = None, bias: Array = None, eps: float = 1e-5
) -> Array:
    """Over the last axes."""
    count = len(normalized_shape) if isinstance(normalized_shape, tuple) else 1
    shape = x.shape[x.ndim - count :]
    return _affine(_standard(x, tuple(range(x.ndim - count, x.ndim)), eps), weight, bias, shape)


def group_norm(
    x: Array, num_groups: int, weight: Array = None, bias: Array = None, eps: float = 1e-5
) -> Array:
    """Over groups of channels, one after the other."""
    parts = np.split(x, num_groups, axis=1)
    y = np.concatenate([_standard(p, tuple(range(1, x.ndim)), eps) for p in parts], axis=1)
    return _affine(y, weight, bias, (1, -1, *(1,) * (x.ndim - 2)))


def _reduced(losses: Any, reduction: str, divisor: float | None = None) -> Array:
    losses = np.asarray(losses, float)
    if reduction == "none":
        return losses
    total = losses.sum()
    return total if reduction == "sum" else total / (losses.size if divisor is None else divisor)


def cross_entropy(
    logits: Array,
    target: Array,
    *,
    weight: Array = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Array:
    """Example by example, class by class."""
    target = np.asarray(target)
    if logits.ndim == 1:
        logits, target = logits[None], target[None]
    classes = logits.shape[1]
    rows = np.moveaxis(logits, 1, -1).reshape(-1, classes)
    scale = np.ones(classes) if weight is None else weight
    by_class = target.dtype.kind == "f"
    wanted = np.moveaxis(target, 1, -1).reshape(-1, classes) if by_class else target.reshape(-1)
    losses, divisor = [], 0.0
    for row, y in zip(rows, wanted, strict=True):
        logp = [v - math.log(sum(math.exp(u) for u in row)) for v in row]
        if by_class:
            q = [(1 - label_smoothing) * t + label_smoothing / classes for t in y]
            divisor += 1.0
        elif y == ignore_index:
            q = [0.0] * classes
        else:
            q = [
                (1 - label_smoothing) * (c == y) + label_smoothing / classes for c in range(classes)
            ]
            divisor += scale[y]
        losses.append(-sum(q[c] * scale[c] * logp[c] for c in range(classes)))
    shape = (logits.shape[0], *logits.shape[2:])
    return _reduced(np.reshape(losses, shape), reduction, divisor)


def multiclass_hinge(
    scores: Array, target: Array, margin: float = 1.0, reduction: str = "mean"
) -> Array:
    """Violations of the margin, summed."""
    losses = [
        sum(max(0.0, s - row[y] + margin) for j, s in enumerate(row) if j != y)
        for row, y in zip(scores, target, strict=True)
    ]
    return _reduced(losses, reduction)


def multi_margin_loss(
    scores: Array,
    target: Array,
    p: int = 1,
    margin: float = 1.0,
    weight: Array = None,
    reduction: str = "mean",
) -> Array:
    """Violations of the margin to a power, divided by the classes."""
    scale = np.ones(scores.shape[1]) if weight is None else weight
    losses = [
        sum(scale[y] * max(0.0, s - row[y] + margin) ** p for j, s in enumerate(row) if j != y)
        / len(row)
        for row, y in zip(scores, target, strict=True)
    ]
    return _reduced(losses, reduction)


def mse_loss(input: Array, target: Array, reduction: str = "mean") -> Array:
    """Squared differences."""
    return _reduced((np.asarray(input) - target) ** 2, reduction)


def binary_cross_entropy_with_logits(
    x: Array, target: Array, weight: Array = None, reduction: str = "mean", pos_weight: Array = None
) -> Array:
    """By the sigmoid itself."""
    p = 1 / (1 + np.exp(-x))
    positive = 1.0 if pos_weight is None else pos_weight
    losses = -(positive * target * np.log(p) + (1 - target) * np.log(1 - p))
    return _reduced(losses if weight is None else losses * weight, reduction)


def dropout(x: Array, p: float = 0.5, training: bool = True, *, rng: Any) -> Array:
    """With the same draws."""
    if not training or p == 0:
        return x
    kept = np.random.default_rng(rng).random(x.shape, np.float32) >= p
    return np.where(kept, x / (1 - p) if p < 1 else 0.0, 0.0)


def erf(x: Array) -> Array:
    """By the standard library."""
    return np.vectorize(math.erf, otypes=[float])(x)


def gelu(x: Array, approximate: str = "none") -> Array:
    """By the standard library's erf, or tanh."""
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + erf(x / math.sqrt(2)))


REFERENCES: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        adaptive_avg_pool2d,
        avg_pool2d,
        batch_norm,
        binary_cross_entropy_with_logits,
        conv1d,
        conv2d,
        conv_transpose2d,
        cross_entropy,
        dropout,
        erf,
        gelu,
        group_norm,
        layer_norm,
        linear,
        max_pool2d,
        mse_loss,
        multi_margin_loss,
        multiclass_hinge,
    )
}
