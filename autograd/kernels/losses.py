"""Softmax cross-entropy with index targets: fused forward and backward kernels."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from autograd.kernels.buffers import empty
from autograd.kernels.softmaxes import NANOSECONDS, rows_of, softmax_of_rows
from autograd.kernels.special import finite_top
from autograd.kernels.workers import parallel_parts

__all__ = ["cross_entropy_backward", "cross_entropy_forward", "target_total", "target_weights"]

Array = np.ndarray[Any, Any]

FEW = 32
"""Classes up to which reducing over them is quicker when each class is together in memory."""

FEW_ROWS = 1 << 14
"""Up to so many the numbers of rows are kept from call to call."""

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
    all_classes = _check(logits, targets, weight, label_smoothing, ignore_index)
    classes = logits.shape[1]
    safe, kept = (targets, None) if all_classes else _safe(targets, ignore_index)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        p, picked, log_total, spread = _by_rows(logits, safe, weight, label_smoothing)
        dtype = p.dtype
        loss: Array = log_total - picked
        if weight is not None:
            loss *= weight[safe].astype(dtype)
        if label_smoothing:
            mass = dtype.type(classes if weight is None else weight.sum())
            loss *= 1 - label_smoothing
            loss += (mass * log_total - spread) * (label_smoothing / classes)
    if kept is not None:
        loss = np.where(kept, loss, dtype.type(0))
    return loss, p


def _by_rows(
    logits: Array, targets: Array, weight: Array | None, smoothing: float
) -> tuple[Array, Array, Array, Any]:
    """The softmax over the classes, and of logits less their largest: those of the targets, the
    logarithm of the sum of their exponentials, and, with smoothing, their sum by class weights.
    """
    classes = logits.shape[1]
    rows = None
    if weight is None and logits.ndim == 2 and classes > FEW:
        rows = rows_of(1, logits)
    if rows is not None:
        p, tops, logs = softmax_of_rows(rows[0])
        picked = _picked(logits, targets) - tops
        spread = np.add.reduce(logits - tops[:, None], axis=1) if smoothing else None
        return p, picked, logs.astype(p.dtype), spread
    scores = np.asfortranarray(logits) if logits.ndim == 2 and classes <= FEW else logits
    p = scores - finite_top(scores, 1)
    picked, spread = _picked(p, targets), None
    if smoothing:
        shares = None if weight is None else _per_class(weight, logits).astype(p.dtype)
        spread = (p if shares is None else p * shares).sum(axis=1)
    np.exp(p, out=p)
    total = np.add.reduce(p, axis=1, keepdims=True)
    p /= total
    return p, picked, np.log(total)[:, 0], spread


def cross_entropy_backward(
    g: Array,
    probabilities: Array,
    targets: Array,
    weight: Array | None = None,
    label_smoothing: float = 0.0,
    ignore_index: int = -100,
) -> Array:
    """The cotangent of the logits for a cotangent g of the loss (its shape, or broadcast to it).

    Each class c gets g * ((1-s) w[t] (p[c] - [c = t]) + s/C (p[c] sum(w) - w[c])).

    >>> cross_entropy_backward(np.ones(1), np.array([[0.25, 0.75]]), np.array([1])).tolist()
    [[0.25, -0.25]]
    """
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
    rows = rows_of(1, probabilities) if weight is None and probabilities.ndim == 2 else None
    if rows is not None:
        from autograd.kernels.compiled_softmaxes import cross_entropy_gradient_rows

        out = empty(probabilities.shape, dtype)
        places = np.ascontiguousarray(safe, np.int64)
        given = (np.broadcast_to(v, targets.shape) for v in (mass, hard, soft))
        parallel_parts(
            cross_entropy_gradient_rows,
            (*rows, places, *(np.ascontiguousarray(v, dtype) for v in given), out),
            len(out),
            nanoseconds=NANOSECONDS["cross_entropy"] * out.size,
        )
        if kept is not None:
            out[~kept] = 0
        return out
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


def _check(
    logits: Array, targets: Array, weight: Array | None, smoothing: float, ignore_index: int
) -> bool:
    """Raise for arguments that do not fit; whether it was seen that no target is ignored."""
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
