"""Losses under PyTorch's names, and the homework's hinge loss."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd as ag
from autograd import Tensor
from nn.checks import as_floats, as_indices, as_value, check_reduction


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """-log softmax(input)[target], averaged, summed or per example.

    Input (N, C), (N, C, ...) or (C,) holds scores; the target holds classes (N, ...) or
    probabilities of the input's shape. `weight` (C,) scales classes, and the mean is then divided
    by the targets' weights; targets equal to `ignore_index` count nothing; `label_smoothing` s
    mixes the target with s/C everywhere (Szegedy et al. 2016).

    Raises ValueError for shapes or classes that do not fit, TypeError for inputs of integers.

    >>> import numpy as np
    >>> float(cross_entropy(np.zeros((1, 2)), [1])) == float(np.log(2.0))
    True
    """
    input = as_floats(input, "cross_entropy")
    return ag.cross_entropy(
        input,
        target,
        weight=_class_weights(weight, input, "cross_entropy"),
        ignore_index=ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )


def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Any:
    """-input[target] for log-probabilities (N, C), (N, C, ...) or (C,) and classes (N, ...).

    `weight`, `ignore_index` and the reductions are those of `cross_entropy`, which is this after
    `log_softmax`. Raises ValueError for shapes or classes that do not fit.

    >>> import numpy as np
    >>> float(nll_loss(np.array([[-1.0, -2.0]]), [1]))
    2.0
    """
    check_reduction(reduction)
    input = as_floats(input, "nll_loss")
    classes = as_indices(target, "nll_loss")
    if input.ndim == 0 or classes.shape != (*input.shape[:1], *input.shape[2:])[input.ndim == 1 :]:
        raise ValueError(
            f"nll_loss: an input of shape {input.shape} (N, C, ...) needs classes of shape "
            f"(N, ...), got shape {classes.shape}"
        )
    axis = min(1, input.ndim - 1)
    count = input.shape[axis]
    kept = classes != ignore_index
    wrong = kept & ((classes < 0) | (classes >= count))
    if wrong.any():
        raise ValueError(
            f"nll_loss: target {classes[wrong].flat[0]} is not a class in 0 ... {count - 1}"
        )
    numbers = np.where(kept, classes, 0)
    scale = kept.astype(input.dtype)
    weights = _class_weights(weight, input, "nll_loss")
    if weights is not None:
        scale = scale * weights[numbers]
    picked = ag.take_along_axis(input, np.expand_dims(numbers, axis), axis=axis)
    losses = -ag.where(kept, ag.squeeze(picked, axis), 0.0) * scale
    if reduction == "none":
        return losses
    total = ag.sum(losses)
    if reduction == "sum":
        return total
    # With nothing to count the mean is nan, as in PyTorch.
    with np.errstate(invalid="ignore"):
        return total / scale.sum(dtype=scale.dtype)


def mse_loss(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """(input - target)^2, averaged, summed or per element.

    Raises ValueError unless both have the same shape: broadcasting here is a mistake more often
    than a wish.

    >>> import numpy as np
    >>> float(mse_loss(np.array([1.0, 2.0]), np.array([0.0, 0.0])))
    2.5
    """
    check_reduction(reduction)
    input, target = _same_shapes(input, target, "mse_loss")
    return ag.mse_loss(input, target, reduction=reduction)


def l1_loss(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """|input - target|, averaged, summed or per element.

    Raises ValueError unless both have the same shape.

    >>> import numpy as np
    >>> float(l1_loss(np.array([1.0, -2.0]), np.array([0.0, 0.0])))
    1.5
    """
    check_reduction(reduction)
    input, target = _same_shapes(input, target, "l1_loss")
    losses = ag.absolute(input - target)
    if reduction == "none":
        return losses
    return ag.mean(losses) if reduction == "mean" else ag.sum(losses)


def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    *,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """-(p y log s(x) + (1 - y) log(1 - s(x))), s the sigmoid, for targets y in [0, 1].

    `pos_weight` p scales the positive part and `weight` the whole; both broadcast. Raises
    ValueError unless input and target have the same shape.

    >>> import numpy as np
    >>> float(binary_cross_entropy_with_logits(np.array([1000.0]), np.array([0.0])))
    1000.0
    """
    who = "binary_cross_entropy_with_logits"
    check_reduction(reduction)
    input, target = _same_shapes(input, target, who)
    return ag.binary_cross_entropy_with_logits(
        input,
        target,
        weight=_broadcast_weight(weight, input, f"{who}: weight"),
        reduction=reduction,
        pos_weight=_broadcast_weight(pos_weight, input, f"{who}: pos_weight"),
    )


def multiclass_hinge(
    input: Any, target: Any, margin: float = 1.0, *, reduction: str = "mean"
) -> Any:
    """The sum over classes j other than the target y of max(0, s_j - s_y + margin).

    Summed over classes (Weston & Watkins 1999); the reduction is over examples. Scores (N, C)
    with classes (N,), or (C,) with one class. PyTorch's `multi_margin_loss` divides by C.

    >>> import numpy as np
    >>> float(multiclass_hinge(np.array([[1.0, 2.0, 0.5]]), [0]))
    2.5
    """
    check_reduction(reduction)
    scores, classes = _scores(input, target, "multiclass_hinge")
    losses = ag.multiclass_hinge(scores, classes, margin=margin, reduction=reduction)
    return losses[0] if reduction == "none" and np.ndim(input) == 1 else losses


def multi_margin_loss(
    input: Any,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    *,
    reduction: str = "mean",
) -> Any:
    """The sum over j other than y of w[y] max(0, s_j - s_y + margin)^p, divided by the classes.

    Scores (N, C) with classes (N,), or (C,) with one class; p is 1 or 2. Raises ValueError for
    shapes, classes or a p that do not fit.

    >>> import numpy as np
    >>> float(multi_margin_loss(np.array([[1.0, 2.0, 0.5, 0.0]]), [0]))
    0.625
    """
    check_reduction(reduction)
    scores, classes = _scores(input, target, "multi_margin_loss")
    losses = ag.multi_margin_loss(
        scores,
        classes,
        p=p,
        margin=margin,
        weight=_class_weights(weight, scores, "multi_margin_loss"),
        reduction=reduction,
    )
    return losses[0] if reduction == "none" and np.ndim(input) == 1 else losses


def _same_shapes(input: Any, target: Any, who: str) -> tuple[Any, Any]:
    """Both as values; integers, booleans and lists as targets take the input's dtype."""
    input = as_floats(input, who)
    listed = not isinstance(target, (Tensor, np.ndarray, np.generic))
    target = as_value(target, who)
    if listed or target.dtype.kind not in "fc":
        target = target.astype(input.dtype)
    if input.shape != target.shape:
        raise ValueError(
            f"{who} needs input and target of the same shape, got {input.shape} and "
            f"{target.shape}; reshape one of them"
        )
    return input, target


def _class_weights(weight: Any, input: Any, who: str) -> np.ndarray | None:
    """Weights of the classes (axis 1, or the only one) in the input's dtype."""
    if weight is None:
        return None
    values = np.asarray(weight.detach().data if isinstance(weight, Tensor) else weight)
    shape = input.shape[:1] if input.ndim == 1 else input.shape[1:2]
    if values.shape != shape:
        raise ValueError(f"{who}: weight must have shape {shape}, got {values.shape}")
    return values.astype(input.dtype)


def _broadcast_weight(weight: Any, input: Any, who: str) -> Any:
    if weight is None:
        return None
    weight = as_value(weight, who)
    try:
        fits = np.broadcast_shapes(weight.shape, input.shape) == input.shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"{who} of shape {weight.shape} does not broadcast to {input.shape}")
    return weight if isinstance(weight, Tensor) else weight.astype(input.dtype)


def _scores(input: Any, target: Any, who: str) -> tuple[Any, np.ndarray]:
    """Scores (N, C) and classes (N,); a single example gets the axis N."""
    input, classes = as_floats(input, who), as_indices(target, who)
    if input.ndim == 1 and classes.ndim == 0:
        return input.reshape((1, -1)), classes.reshape(1)
    return input, classes
