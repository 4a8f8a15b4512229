"""Losses under PyTorch's names (and the homework's hinge)."""

from __future__ import annotations

from typing import Any

import autograd as ag
from nn.checks import as_floats, as_indices, as_value, check_reduction


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """-log softmax(x)[target] for logits (N, C, ...) or (C,) and class indices or probabilities.

    The mean is divided by the targets' weights; `ignore_index` counts nothing; `label_smoothing` s
    mixes the target with s/C everywhere. Raises ValueError for shapes or classes that do not fit.

    >>> import numpy as np
    >>> round(float(cross_entropy(np.zeros((1, 10)), [3])), 4)
    2.3026
    """
    return ag.cross_entropy(
        as_floats(input, "cross_entropy"),
        target,
        weight=weight,
        ignore_index=ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )


def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Any:
    """-x[target] for log-probabilities x (N, C): what `cross_entropy` does after log_softmax.

    Raises ValueError for shapes or classes that do not fit.

    >>> import numpy as np
    >>> nll_loss(np.array([[-1.0, -2.0]]), [1])
    np.float64(2.0)
    """
    log_probabilities = as_floats(input, "nll_loss")
    check_reduction(reduction)
    indices = as_indices(target, "nll_loss")
    if log_probabilities.ndim != 2 or indices.shape != log_probabilities.shape[:1]:
        raise ValueError(
            f"nll_loss takes log-probabilities (N, C) and classes (N,), got shapes "
            f"{log_probabilities.shape} and {indices.shape}"
        )
    kept = indices != ignore_index
    classes = log_probabilities.shape[1]
    wrong = kept & ((indices < 0) | (indices >= classes))
    if wrong.any():
        raise ValueError(f"nll_loss: target {indices[wrong][0]} is not in 0 ... {classes - 1}")
    safe = indices * kept
    dtype = log_probabilities.dtype
    scale = kept.astype(dtype)
    if weight is not None:
        scale = scale * as_value(weight, "nll_loss")[safe].astype(dtype)
    losses = -ag.take_along_axis(log_probabilities, safe[:, None], 1)[:, 0] * scale
    if reduction == "none":
        return losses
    return ag.sum(losses) / scale.sum() if reduction == "mean" else ag.sum(losses)


def multiclass_hinge(input: Any, target: Any, margin: float = 1.0, reduction: str = "mean") -> Any:
    """sum over j != y of max(0, s_j - s_y + margin), summed over classes: the homework's.

    Scores are (N, C), classes (N,). Raises ValueError for shapes or classes that do not fit.

    >>> import numpy as np
    >>> multiclass_hinge(np.array([[1.0, 2.0, 0.5]]), [0])
    np.float64(2.5)
    """
    return ag.multiclass_hinge(
        as_floats(input, "multiclass_hinge"), target, margin=margin, reduction=reduction
    )


def multi_margin_loss(
    input: Any,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    reduction: str = "mean",
) -> Any:
    """sum over j != y of max(0, margin - s_y + s_j)^p, divided by the number of classes.

    Scores are (N, C), classes (N,). Raises ValueError for shapes or classes that do not fit.

    >>> import numpy as np
    >>> round(float(multi_margin_loss(np.array([[1.0, 2.0, 0.5]]), [0])), 4)
    0.8333
    """
    return ag.multi_margin_loss(
        as_floats(input, "multi_margin_loss"),
        target,
        p=p,
        margin=margin,
        weight=weight,
        reduction=reduction,
    )


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """(x - y)^2, averaged over all entries. Raises ValueError unless the shapes are equal.

    >>> import numpy as np
    >>> mse_loss(np.array([1.0, 2.0]), np.zeros(2))
    np.float64(2.5)
    """
    return ag.mse_loss(
        as_floats(input, "mse_loss"), as_value(target, "mse_loss"), reduction=reduction
    )


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """|x - y|, averaged over all entries. Raises ValueError unless the shapes are equal.

    >>> import numpy as np
    >>> l1_loss(np.array([1.0, -2.0]), np.zeros(2))
    np.float64(1.5)
    """
    input, target = as_floats(input, "l1_loss"), as_value(target, "l1_loss")
    check_reduction(reduction)
    if input.shape != target.shape:
        raise ValueError(
            f"l1_loss needs input and target of the same shape, got {input.shape} and "
            f"{target.shape}"
        )
    losses = ag.absolute(input - target)
    if reduction == "none":
        return losses
    return ag.mean(losses) if reduction == "mean" else ag.sum(losses)


def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """-(p y log sigmoid(x) + (1 - y) log(1 - sigmoid(x))), without overflow.

    Raises ValueError unless the shapes are equal.

    >>> import numpy as np
    >>> round(float(binary_cross_entropy_with_logits(np.zeros(2), np.ones(2))), 4)
    0.6931
    """
    return ag.binary_cross_entropy_with_logits(
        as_floats(input, "binary_cross_entropy_with_logits"),
        as_value(target, "binary_cross_entropy_with_logits"),
        weight=weight,
        reduction=reduction,
        pos_weight=pos_weight,
    )
