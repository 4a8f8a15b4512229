"""Cross-entropies and the squared error."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.dispatch import operations
from autograd.families import Composite
from autograd.kernels import losses as kernels
from autograd.kernels.logistic_losses import logistic_loss, logistic_loss_pullback
from autograd.ops.axes import as_axes, constant, data_of, ndim_of, shape_of
from autograd.ops.moments import squares_over
from autograd.ops.reductions import check_entries
from autograd.ops.softmaxes import floats
from autograd.registry import bad, register
from autograd.samples import call, real
from autograd.tensor import Tensor

__all__ = [
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "mse_loss",
]

_REDUCTIONS = ("mean", "sum", "none")


def check_reduction(reduction: Any, name: str) -> None:
    if reduction not in _REDUCTIONS:
        raise ValueError(f"{name} takes reduction 'mean', 'sum' or 'none', got {reduction!r}")


def reduced(losses: Any, reduction: str) -> Any:
    if reduction == "none":
        return losses
    return operations.mean(losses) if reduction == "mean" else operations.sum(losses)


def _divisor(target: Any, weight: Any, ignore_index: int, reduction: str, dtype: Any) -> Any:
    """What the sum of the losses is divided by."""
    if reduction != "mean":
        return dtype.type(1)
    return kernels.target_total(target, weight, ignore_index, dtype)


def _forward(
    logits: Any,
    target: Any,
    weight: Any,
    smoothing: float,
    ignore_index: int,
    reduction: str,
) -> tuple[Any, tuple[Any, ...]]:
    losses, probabilities = kernels.cross_entropy_forward(
        logits, target, weight, smoothing, ignore_index
    )
    divisor = _divisor(target, weight, ignore_index, reduction, losses.dtype)
    auxiliaries = probabilities, divisor
    if reduction == "none":
        return losses, auxiliaries
    total = losses.sum(dtype=losses.dtype)
    if 0 < divisor < math.inf:
        return total / divisor, auxiliaries
    with np.errstate(invalid="ignore"):
        return total / divisor, auxiliaries


def _pullback(
    cotangent: Any,
    out: Any,
    logits: Any,
    probabilities: Any,
    divisor: Any,
    target: Any,
    weight: Any,
    smoothing: float,
    ignore_index: int,
    reduction: str,
) -> tuple[Any]:
    return (
        kernels.cross_entropy_backward(
            cotangent / divisor, probabilities, target, weight, smoothing, ignore_index
        ),
    )


def _reference(
    logits: Any,
    probabilities: Any,
    divisor: Any,
    target: Any,
    weight: Any,
    smoothing: float,
    ignore_index: int,
    reduction: str,
) -> Any:
    """Minus the sum of constant coefficients times the log-probabilities."""
    shape = shape_of(logits)
    classes = shape[1]
    kept = np.expand_dims(target != ignore_index, 1)
    numbers = np.arange(classes).reshape(1, -1, *(1,) * (len(shape) - 2))
    hot = (numbers == np.expand_dims(target, 1)).astype(probabilities.dtype)
    scale = np.ones(classes, hot.dtype) if weight is None else np.asarray(weight, hot.dtype)
    share = scale.reshape(numbers.shape)
    coefficients = kept * ((1 - smoothing) * hot * share + smoothing / classes * share)
    losses = -operations.sum(operations.log_softmax(logits, 1) * coefficients.astype(hot.dtype), 1)
    if reduction == "none":
        return losses
    return operations.sum(losses) / divisor


_cross_entropy: Composite = Composite(
    "cross_entropy",
    _forward,
    reference=_reference,
    pullback=_pullback,
    auxiliaries=True,
    analytic=False,
)
_CLASSES = np.array([2, 0])
_WEIGHT = np.array([0.5, 1.0, 2.0])
_PROBABILITIES = np.array([[0.2, 0.3, 0.5], [0.0, 1.0, 0.0]])


def _probability_losses(
    logits: Any, target: Any, weight: Any, reduction: str, smoothing: float
) -> Any:
    classes = shape_of(logits)[1]
    if shape_of(target) != shape_of(logits):
        raise ValueError(
            f"cross_entropy: probabilities of shape {shape_of(target)} do not fit logits of shape "
            f"{shape_of(logits)}; class indices must be integers"
        )
    if smoothing:
        target = target * (1 - smoothing) + smoothing / classes
    if weight is not None:
        if weight.shape != (classes,):
            raise ValueError(
                f"cross_entropy: {classes} classes need weights of shape ({classes},), got "
                f"{weight.shape}"
            )
        shape = (1, classes, *(1,) * (len(shape_of(logits)) - 2))
        target = target * weight.astype(data_of(logits).dtype).reshape(shape)
    losses = -operations.sum(operations.log_softmax(logits, 1) * target, 1)
    return reduced(losses, reduction)


@register(
    [
        call(real(2, 3), _CLASSES),
        call(real(2, 3), _CLASSES, reduction="none"),
        call(real(2, 3), _CLASSES, reduction="sum", label_smoothing=0.1),
        call(real(2, 3), _CLASSES, weight=_WEIGHT),
        call(real(2, 3), _CLASSES, weight=_WEIGHT, label_smoothing=0.2),
        call(real(2, 3), np.array([-100, 1])),
        call(real(2, 3, 2), np.array([[0, 1], [2, 0]])),
        call(real(3), 1),
        call(real(2, 3), _PROBABILITIES),
        call(real(2, 3), _PROBABILITIES, weight=_WEIGHT, label_smoothing=0.1),
        call(real(2, 3), real(2, 3, low=0.1, high=1.0), reduction="none"),
    ],
    analytic=False,
    bad=[
        bad(ValueError, "reduction", np.ones((2, 3)), _CLASSES, reduction="average"),
        bad(ValueError, "target 3 is not a class", np.ones((2, 3)), np.array([0, 3])),
        bad(ValueError, "targets have shape", np.ones((2, 3)), np.array([0])),
        bad(ValueError, "probabilities of shape", np.ones((2, 3)), np.ones((2, 2))),
        bad(ValueError, "3 classes", np.ones((2, 3)), _PROBABILITIES, weight=np.ones(2)),
        bad(ValueError, "label_smoothing", np.ones((2, 3)), _CLASSES, label_smoothing=2.0),
        bad(TypeError, "floats", np.ones((2, 3), int), _CLASSES),
    ],
)
def cross_entropy(
    logits: Any,
    target: Any,
    *,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """-log softmax(logits)[target], averaged, summed or per example.

    Logits are (N, C), (N, C, ...) or (C,); the target has class indices (N, ...) or probabilities
    of the logits' shape. `weight` (C,) scales classes, and the mean is then divided by the
    targets' weights; indices equal to `ignore_index` count nothing; `label_smoothing` s mixes the
    target with s/C everywhere (Szegedy et al., Rethinking the Inception architecture, 2016).

    Raises ValueError for shapes or classes that do not fit, TypeError for logits of integers.

    >>> import autograd as ag
    >>> ag.cross_entropy(ag.Tensor([[0.0, 0.0], [0.0, 0.0]]), [0, 1])
    Tensor(0.69314718)
    """
    logits = floats(logits, "cross_entropy")
    check_reduction(reduction, "cross_entropy")
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing={label_smoothing} must lie in [0, 1]")
    if logits.ndim == 0:
        raise ValueError("cross_entropy needs logits (N, C), (N, C, ...) or (C,), got a 0-d array")
    target = target if isinstance(target, (Tensor, np.ndarray)) else np.asarray(target)
    weight = None if weight is None else constant(weight, "cross_entropy", "weight")
    if logits.ndim == 1:
        logits = operations.reshape(logits, (1, *logits.shape))
        target = operations.reshape(target, (1, *target.shape))
        if reduction == "none":
            return operations.squeeze(
                cross_entropy(
                    logits,
                    target,
                    weight=weight,
                    ignore_index=ignore_index,
                    reduction="none",
                    label_smoothing=label_smoothing,
                ),
                0,
            )
    if target.dtype.kind == "f":
        if target.dtype != logits.dtype and not isinstance(target, Tensor):
            target = target.astype(logits.dtype)
        return _probability_losses(logits, target, weight, reduction, label_smoothing)
    return _cross_entropy(
        logits,
        target=data_of(target),
        weight=weight,
        smoothing=label_smoothing,
        ignore_index=ignore_index,
        reduction=reduction,
    )


@register(
    [
        call(real(2, 3), real(2, 3)),
        call(real(2, 3), real(2, 3), "none"),
        call(real(), real(), "sum"),
    ],
    bad=[
        bad(ValueError, r"\(2,\).*\(3,\)", np.ones(2), np.ones(3)),
        bad(ValueError, "reduction", np.ones(2), np.ones(2), "average"),
    ],
)
def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """(input - target)^2, averaged, summed or entry by entry.

    Raises ValueError unless both have the same shape.

    >>> import autograd as ag
    >>> ag.mse_loss(ag.Tensor([1.0, 2.0]), [0.0, 0.0])
    Tensor(2.5)
    """
    check_reduction(reduction, "mse_loss")
    _check_same_shape(input, target, "mse_loss")
    error = operations.subtract(input, target)
    if reduction == "none":
        return operations.square(error)
    if reduction == "mean":
        check_entries(shape_of(error), as_axes(None, ndim_of(error), "mse_loss"), "mse_loss")
    return squares_over(error, averaged=reduction == "mean")


def _check_same_shape(input: Any, target: Any, name: str) -> None:
    if shape_of(input) != shape_of(target):
        raise ValueError(
            f"{name} needs input and target of the same shape, got {shape_of(input)} and "
            f"{shape_of(target)}; broadcast them yourself if that is meant"
        )


@register(
    [
        call(real(2, 3), real(2, 3, low=0.0, high=1.0)),
        call(real(2, 3), real(2, 3, low=0.0, high=1.0), reduction="none", weight=np.ones(3) / 2),
        call(real(2, 3), real(2, 3, low=0.0, high=1.0), None, "sum", np.array([1.0, 2.0, 3.0])),
        call(real(2, 3), _PROBABILITIES),
        call(real(2, 3), _PROBABILITIES, None, "sum", np.array([1.0, 2.0, 3.0])),
    ],
    analytic=False,
    bad=[
        bad(ValueError, r"\(2,\).*\(3,\)", np.ones(2), np.ones(3)),
        bad(ValueError, "reduction", np.ones(2), np.ones(2), None, "average"),
        bad(ValueError, "pos_weight of shape", np.ones(2), np.ones(2), pos_weight=np.ones(3)),
    ],
)
def binary_cross_entropy_with_logits(
    x: Any,
    target: Any,
    weight: Any = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """-(p y log sigmoid(x) + (1 - y) log(1 - sigmoid(x))), without overflow, for targets y.

    `pos_weight` p scales the positive part, `weight` the whole; both are constants that broadcast
    to x. Raises ValueError unless x and the target have the same shape and the weights fit.

    >>> import autograd as ag
    >>> ag.binary_cross_entropy_with_logits(ag.Tensor([0.0, 0.0]), [0.0, 1.0])
    Tensor(0.69314718)
    """
    x = floats(x, "binary_cross_entropy_with_logits")
    check_reduction(reduction, "binary_cross_entropy_with_logits")
    _check_same_shape(x, target, "binary_cross_entropy_with_logits")
    dtype = data_of(x).dtype
    y = target if isinstance(target, Tensor) else np.asarray(target, dtype)
    if isinstance(y, Tensor) and y._node is None:
        y = data_of(y)
    scale = None if pos_weight is None else _scale(pos_weight, x, "pos_weight")
    if isinstance(y, Tensor):
        losses = _logistic_reference(x, y, scale)
    else:
        losses = _logistic(x, y, positive=scale)
    if weight is not None:
        losses = losses * _scale(weight, x, "weight")
    return reduced(losses, reduction)


def _logistic_reference(x: Any, y: Any, positive: Any) -> Any:
    gains = y if positive is None else y * positive
    return -(gains * operations.log_sigmoid(x) + (1.0 - y) * operations.log_sigmoid(-x))


_logistic: Composite = Composite(
    "binary_cross_entropy_with_logits",
    logistic_loss,
    reference=_logistic_reference,
    pullback=lambda cotangent, out, x, y, positive: (
        logistic_loss_pullback(cotangent, x, y, positive),
        None,
    ),
    # Each loss depends on its own logit only; targets here are constants.
    pushforward=lambda tangents, out, x, y, positive: logistic_loss_pullback(
        tangents[0], x, y, positive
    ),
    analytic=False,
)


def _scale(factors: Any, x: Any, argument: str) -> Any:
    """Constant factors that broadcast to the shape of x, in its dtype."""
    name = "binary_cross_entropy_with_logits"
    array = constant(factors, name, argument).astype(data_of(x).dtype)
    try:
        fits = np.broadcast_shapes(array.shape, x.shape) == x.shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"{name}: {argument} of shape {array.shape} does not broadcast to the inputs' {x.shape}"
        )
    return array
