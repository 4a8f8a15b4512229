"""Softmax cross-entropy with index targets: fused forward and backward kernels."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from autograd.kernels.buffers import empty
from autograd.kernels.softmaxes import NANOSECONDS, along, rows_of
from autograd.kernels.special import finite_top
from autograd.kernels.workers import parallel_parts

__all__ = ["cross_entropy_backward", "cross_entropy_forward", "target_total", "target_weights"]

Array = np.ndarray[Any, Any]

FEW = 32
"""Classes up to which reducing over them is quicker when each class is together in memory."""

PASSES = 32
"""Sums that cost as much for each logit as NumPy's twenty calls do."""

FEW_ROWS = 1 << 14
"""Up to so many the numbers of rows are kept from call to call."""

_ONE = np.ones(1, np.float32)

_SIGNED = {np.dtype(char): (np.dtype(char.upper()), np.iinfo(char).max) for char in "bhilq"}
"""What sees negative numbers as large ones, and the largest number that is none."""


def cross_entropy_forward(
    logits: Array,
    targets: Array,
    weight: Array | None = None,
    label_smoothing: float = 0.0,
    ignore_index: int = -100,
) -> tuple[Array, Array]:
    """(loss, probabilities) of logits (N, C, *S) and class indices (N, *S).

    loss = (1 - s) * w[t] * -log p[t] + s/C * sum over c of w[c] * -log p[c], with s the label
    smoothing and w the class weights; 0 where the target is `ignore_index`. The loss has the
    shape of the targets; PyTorch's mean is loss.sum() / target_weights(...).sum(). The
    probabilities p are softmax(logits, axis=1), of the logits' shape.
    Raises TypeError for targets that are no integers, ValueError for targets out of range.

    >>> cross_entropy_forward(np.zeros((1, 2)), np.array([1]))[0].round(4).tolist()
    [0.6931]
    """
    _check(logits, targets, weight, label_smoothing)
    rows = rows_of(1, logits, passes=PASSES)
    if rows is not None and _are_int64(targets, ignore_index):
        loss, p = _forward_of_rows(rows[0], targets, weight, label_smoothing, ignore_index)
        return loss.reshape(targets.shape), along(p, logits, 1)
    return _forward(logits, targets, weight, label_smoothing, ignore_index)


def _forward(
    logits: Array, targets: Array, weight: Array | None, smoothing: float, ignore_index: int
) -> tuple[Array, Array]:
    """See `cross_entropy_forward`; by NumPy."""
    classes = logits.shape[1]
    all_classes = _check_classes(targets, classes, ignore_index)
    safe, kept = (targets, None) if all_classes else _safe(targets, ignore_index)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        p, picked, log_total, spread = _softmax(logits, safe, weight, smoothing)
        dtype = p.dtype
        loss: Array = log_total - picked
        if weight is not None:
            loss *= weight[safe].astype(dtype)
        if smoothing:
            mass = dtype.type(classes if weight is None else weight.sum())
            loss *= 1 - smoothing
            loss += (mass * log_total - spread) * (smoothing / classes)
    if kept is not None:
        loss = np.where(kept, loss, dtype.type(0))
    return loss, p


def _softmax(
    logits: Array, targets: Array, weight: Array | None, smoothing: float
) -> tuple[Array, Array, Array, Any]:
    """The softmax over the classes, and of logits less their largest: those of the targets, the
    logarithm of the sum of their exponentials, and, with smoothing, their sum by class weights.
    """
    few = logits.ndim == 2 and logits.shape[1] <= FEW
    scores = np.asfortranarray(logits) if few else logits
    p = scores - finite_top(scores, 1)
    picked, spread = _picked(p, targets), None
    if smoothing:
        shares = None if weight is None else _per_class(weight, logits).astype(p.dtype)
        spread = (p if shares is None else p * shares).sum(axis=1)
    np.exp(p, out=p)
    total = np.add.reduce(p, axis=1, keepdims=True)
    p /= total
    return p, picked, np.log(total)[:, 0], spread


def _forward_of_rows(
    rows: Array, targets: Array, weight: Array | None, smoothing: float, ignore_index: int
) -> tuple[Array, Array]:
    """See `cross_entropy_forward`; compiled. Rows without a finite largest logit are NumPy's."""
    from autograd.kernels.compiled_losses import cross_entropy_rows

    count, dtype = len(rows), rows.dtype
    places = np.ascontiguousarray(targets, np.int64).reshape(-1)
    p, losses = empty(rows.shape, dtype), np.empty(count, dtype)
    tops, logs = np.empty(count, dtype), np.empty(count)
    strange, wrong = np.zeros(count, np.bool_), np.zeros(1, np.bool_)
    given = rows, rows.view(np.int32), places, *_plain(weight, smoothing, ignore_index)
    parallel_parts(
        cross_entropy_rows,
        (*given, p, tops, logs, losses, strange, wrong),
        count,
        nanoseconds=NANOSECONDS["softmax"] * rows.size,
    )
    if wrong[0]:
        _check_classes(targets, rows.shape[1], ignore_index)
    if strange.any():
        some = rows[strange], places[strange], weight, smoothing, ignore_index
        losses[strange], p[strange] = _forward(*some)
    return losses, p


def _are_int64(targets: Array, ignore_index: int) -> bool:
    """Whether all numbers have a place in an int64."""
    return targets.dtype.char not in "QL" and -(1 << 63) <= ignore_index < 1 << 63


def _plain(
    weight: Array | None, smoothing: float, ignore_index: int
) -> tuple[Array, np.float32, int]:
    """As the compiled kernels take them: class weights of one entry hold for all classes."""
    weights = _ONE if weight is None else np.ascontiguousarray(weight, np.float32)
    return weights, np.float32(smoothing), ignore_index


def cross_entropy_backward(
    g: Array,
    probabilities: Array,
    targets: Array,
    weight: Array | None = None,
    label_smoothing: float = 0.0,
    ignore_index: int = -100,
) -> Array:
    """The cotangent of the logits for a cotangent g of the loss (its shape, or broadcast to it) and
    targets that `cross_entropy_forward` took.

    Each class c gets g * ((1-s) w[t] (p[c] - [c = t]) + s/C (p[c] sum(w) - w[c])).

    >>> cross_entropy_backward(np.ones(1), np.array([[0.25, 0.75]]), np.array([1])).tolist()
    [[0.25, -0.25]]
    """
    rows = rows_of(1, probabilities, passes=PASSES)
    if rows is not None and _are_int64(targets, ignore_index):
        given = weight, label_smoothing, ignore_index
        return along(_backward_of_rows(g, rows[0], targets, *given), probabilities, 1)
    classes = probabilities.shape[1]
    dtype = probabilities.dtype
    safe, kept = _safe(targets, ignore_index)
    seed = np.asarray(g, dtype)
    if seed.ndim:
        seed = np.broadcast_to(seed, targets.shape)
    if kept is not None:
        seed = np.where(kept, seed, dtype.type(0))
    hard = (1 - label_smoothing) * seed if label_smoothing else seed
    if weight is not None:
        hard = hard * weight[safe].astype(dtype)
    mass, soft = hard, dtype.type(0)
    if label_smoothing:
        total = float(classes) if weight is None else float(weight.sum())
        soft = seed * (label_smoothing / classes)
        mass = hard + soft * dtype.type(total)
    out = np.asarray(probabilities * _along_classes(mass))
    if out.ndim == 2:
        out[_numbers(len(out)), safe] -= hard
    else:
        at = np.expand_dims(safe, 1)
        change = np.take_along_axis(out, at, 1) - _along_classes(hard)
        np.put_along_axis(out, at, change, 1)
    if label_smoothing:
        share = _along_classes(soft)
        out -= share if weight is None else share * _per_class(weight, out).astype(dtype)
    if kept is not None:  # a row of NaN that is ignored gives zeros
        np.copyto(out, 0, where=~np.expand_dims(kept, 1))
    return out


def _backward_of_rows(
    g: Array,
    rows: Array,
    targets: Array,
    weight: Array | None,
    smoothing: float,
    ignore_index: int,
) -> Array:
    """See `cross_entropy_backward`; compiled."""
    from autograd.kernels.compiled_losses import cross_entropy_gradient_rows

    seed = np.asarray(g, rows.dtype)
    if seed.size != 1 and seed.shape != targets.shape:
        seed = np.broadcast_to(seed, targets.shape)
    places = np.ascontiguousarray(targets, np.int64).reshape(-1)
    out = empty(rows.shape, rows.dtype)
    given = rows, places, np.ascontiguousarray(seed).reshape(-1)
    parallel_parts(
        cross_entropy_gradient_rows,
        (*given, *_plain(weight, smoothing, ignore_index), out),
        len(rows),
        nanoseconds=NANOSECONDS["cross_entropy"] * rows.size,
    )
    return out


def target_weights(
    targets: Array,
    weight: Array | None = None,
    ignore_index: int = -100,
    dtype: Any = np.float32,
) -> Array:
    """w[t] for each target, 1 without class weights, 0 where it is ignored.

    >>> target_weights(np.array([0, -100, 1]), np.array([1.0, 2.0])).tolist()
    [1.0, 0.0, 2.0]
    """
    safe, kept = _safe(targets, ignore_index)
    weights = np.ones(targets.shape, dtype) if weight is None else weight[safe].astype(dtype)
    return weights if kept is None else np.where(kept, weights, weights.dtype.type(0))


def target_total(
    targets: Array, weight: Array | None = None, ignore_index: int = -100, dtype: Any = np.float32
) -> Any:
    """The sum of `target_weights`, a scalar of `dtype`.

    >>> float(target_total(np.array([0, -100, 1])))
    2.0
    """
    if weight is None:
        return np.dtype(dtype).type(np.count_nonzero(targets != ignore_index))
    return target_weights(targets, weight, ignore_index, dtype).sum(dtype=dtype)


def _numbers(count: int) -> Array:
    return _few_numbers(count) if count <= FEW_ROWS else np.arange(count)


@lru_cache(maxsize=1 << 4)
def _few_numbers(count: int) -> Array:
    return np.arange(count)


def _picked(rows: Array, at: Array) -> Array:
    """rows[n, at[n, *s], *s]."""
    if rows.ndim == 2:
        return rows[_numbers(len(rows)), at]
    return np.take_along_axis(rows, np.expand_dims(at, 1), axis=1).squeeze(1)


def _check(logits: Array, targets: Array, weight: Array | None, smoothing: float) -> None:
    """Raise for arguments that do not fit; `_check_classes` looks at the targets' values."""
    if logits.ndim < 2 or logits.shape[1] == 0:
        raise ValueError(f"cross-entropy needs logits (N, C, ...) with C > 0, not {logits.shape}")
    if targets.dtype.kind not in "iu":
        raise TypeError(f"targets must be integers (class indices), not {targets.dtype}")
    if targets.shape != (logits.shape[0], *logits.shape[2:]):
        raise ValueError(
            f"targets have shape {targets.shape}; logits {logits.shape} need "
            f"{(logits.shape[0], *logits.shape[2:])}"
        )
    if not 0 <= smoothing <= 1:
        raise ValueError(f"label_smoothing={smoothing} must lie in [0, 1]")
    classes = logits.shape[1]
    if weight is not None and weight.shape != (classes,):
        raise ValueError(
            f"class weights have shape {weight.shape}; {classes} classes need ({classes},)"
        )


def _check_classes(targets: Array, classes: int, ignore_index: int) -> bool:
    """Raise for targets that are no classes; whether it was seen that none is ignored."""
    unsigned, largest = _SIGNED.get(targets.dtype, (None, 0))
    if (
        unsigned is not None
        and classes <= largest
        and not np.count_nonzero(targets.view(unsigned) >= classes)
    ):
        return not 0 <= ignore_index < classes
    wrong = ((targets < 0) | (targets >= classes)) & (targets != ignore_index)
    if wrong.any():
        raise ValueError(
            f"target {targets[wrong].flat[0]} is not a class in 0 ... {classes - 1} and not "
            f"ignore_index={ignore_index}"
        )
    return False


def _safe(targets: Array, ignore_index: int) -> tuple[Array, Array | None]:
    """Targets with the ignored ones replaced by class 0, and which are kept (None: all)."""
    kept = targets != ignore_index
    if np.count_nonzero(kept) == kept.size:
        return targets, None
    return np.where(kept, targets, 0), kept


def _along_classes(values: Any) -> Any:
    """Values (N, *S) as (N, 1, *S); a scalar as it is."""
    return values[:, None] if values.ndim else values


def _per_class(weight: Array, logits: Array) -> Array:
    return weight.reshape(1, -1, *(1,) * (logits.ndim - 2))
