"""Losses that ask for a margin between the right score and the others."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.dispatch import operations
from autograd.ops.axes import constant
from autograd.ops.losses import check_reduction, reduced
from autograd.ops.softmaxes import floats
from autograd.registry import Kink, bad, register
from autograd.samples import call, real

__all__ = ["multi_margin_loss", "multiclass_hinge"]

_CLASSES = np.array([2, 0])
_WEIGHT = np.array([0.5, 1.0, 2.0])


def _classes_of(scores: Any, target: Any, name: str) -> Any:
    """Class indices (N,) that fit scores (N, C)."""
    indices = constant(target, name, "target")
    if scores.ndim != 2 or scores.shape[1] == 0:
        raise ValueError(f"{name} needs scores (N, C) with C > 0, got shape {scores.shape}")
    if indices.dtype.kind not in "iu":
        raise TypeError(f"{name} needs class indices as integers, got dtype {indices.dtype}")
    if indices.shape != scores.shape[:1]:
        raise ValueError(
            f"{name} needs one class for each of the {scores.shape[0]} rows of scores, got target "
            f"of shape {indices.shape}"
        )
    wrong = (indices < 0) | (indices >= scores.shape[1])
    if wrong.any():
        raise ValueError(
            f"{name}: target {indices[wrong][0]} is not a class in 0 ... {scores.shape[1] - 1}"
        )
    return indices


def _margins(scores: Any, indices: Any, margin: float) -> Any:
    """max(0, s_j - s_y + margin), and 0 at j = y."""
    own = operations.take_along_axis(scores, indices[:, None], 1)
    others = (np.arange(scores.shape[1]) != indices[:, None]).astype(scores.dtype)
    return operations.relu(scores - own + margin) * others


def _on_both_sides(x: Any) -> Any:
    """Scores of which some are within a margin of 1, and some not."""
    return x / 8.0 + np.array([[0.0, 0.5, 2.0], [3.0, 2.5, 0.0]])


_HINGE_ERRORS = (
    bad(ValueError, "target 3 is not a class", np.ones((2, 3)), np.array([0, 3])),
    bad(ValueError, "one class for each", np.ones((2, 3)), np.array([0])),
    bad(TypeError, "integers", np.ones((2, 3)), np.ones(2)),
    bad(ValueError, "reduction", np.ones((2, 3)), _CLASSES, reduction="average"),
)


@register(
    [
        call(real(2, 3, low=-0.3, high=0.3), _CLASSES),
        call(real(2, 3, low=-0.3, high=0.3), _CLASSES, reduction="none"),
        call(real(2, 3, low=-0.3, high=0.3), _CLASSES, 2.0, "sum"),
        call(real(2, 3, transform=_on_both_sides), _CLASSES),
    ],
    analytic=False,
    bad=_HINGE_ERRORS,
    kinks=(
        Kink(
            (np.array([[0.0, 1.0]]), np.array([1])),
            (np.zeros((1, 2)), None),
            "hinge'(0) = 0, where a score is one margin below the right one",
        ),
    ),
)
def multiclass_hinge(scores: Any, target: Any, margin: float = 1.0, reduction: str = "mean") -> Any:
    """sum over j != y of max(0, s_j - s_y + margin), for scores (N, C) and classes y (N,).

    Summed over classes, averaged or summed over examples, or per example. Raises ValueError for
    shapes or classes that do not fit. Source: Weston & Watkins, Support vector machines for
    multi-class pattern recognition, 1999.

    >>> import autograd as ag
    >>> ag.multiclass_hinge(ag.Tensor([[1.0, 2.0, 0.5]]), [0])
    Tensor(2.5)
    """
    scores = floats(scores, "multiclass_hinge")
    check_reduction(reduction, "multiclass_hinge")
    indices = _classes_of(scores, target, "multiclass_hinge")
    return reduced(operations.sum(_margins(scores, indices, margin), 1), reduction)


@register(
    [
        call(real(2, 3, low=-0.3, high=0.3), _CLASSES),
        call(real(2, 3, low=-0.3, high=0.3), _CLASSES, p=2, reduction="none"),
        call(real(2, 3, low=-0.3, high=0.3), _CLASSES, weight=_WEIGHT, reduction="sum"),
    ],
    analytic=False,
    bad=[*_HINGE_ERRORS, bad(ValueError, "p", np.ones((2, 3)), _CLASSES, p=3)],
)
def multi_margin_loss(
    scores: Any,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    reduction: str = "mean",
) -> Any:
    """PyTorch's form: sum over j != y of w[y] max(0, margin - s_y + s_j)^p, divided by C.

    p is 1 or 2. Raises ValueError for shapes or classes that do not fit.

    >>> import autograd as ag
    >>> ag.multi_margin_loss(ag.Tensor([[1.0, 2.0, 0.5]]), [0])
    Tensor(0.83333333)
    """
    scores = floats(scores, "multi_margin_loss")
    check_reduction(reduction, "multi_margin_loss")
    if p not in (1, 2):
        raise ValueError(f"multi_margin_loss takes p 1 or 2, got {p!r}")
    indices = _classes_of(scores, target, "multi_margin_loss")
    margins = _margins(scores, indices, margin)
    if p == 2:
        margins = operations.square(margins)
    losses = operations.sum(margins, 1) / scores.shape[1]
    if weight is not None:
        scale = constant(weight, "multi_margin_loss", "weight")
        if scale.shape != scores.shape[1:]:
            raise ValueError(
                f"multi_margin_loss: weight must have shape {scores.shape[1:]}, got {scale.shape}"
            )
        losses = losses * scale[indices].astype(scores.dtype)
    return reduced(losses, reduction)
