"""Losses as modules."""

from __future__ import annotations

from typing import Any

import numpy as np

from nn import functional
from nn.checks import check_reduction
from nn.module import Module


class _Loss(Module):
    """A loss with a reduction: 'mean', 'sum' or 'none'."""

    def __init__(self, reduction: str = "mean") -> None:
        check_reduction(reduction)
        self.reduction = reduction

    def extra_repr(self) -> str:
        return f"reduction={self.reduction!r}"


class CrossEntropyLoss(_Loss):
    """-log softmax(x)[target] for logits (N, C, ...) and class indices or probabilities.

    `weight` (C,) scales classes and is a buffer. See `nn.functional.cross_entropy`.

    >>> import nn, numpy as np
    >>> round(float(nn.CrossEntropyLoss()(np.zeros((1, 10)), [3])), 4)
    2.3026
    """

    weight: np.ndarray | None

    def __init__(
        self,
        weight: Any = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction)
        if not 0.0 <= label_smoothing <= 1.0:
            raise ValueError(f"label_smoothing must be from 0 to 1, got {label_smoothing}")
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Any, target: Any) -> Any:
        """Logits and targets to the loss."""
        return functional.cross_entropy(
            input, target, self.weight, self.ignore_index, self.reduction, self.label_smoothing
        )


class NLLLoss(_Loss):
    """-x[target] for log-probabilities x (N, C).

    >>> import nn, numpy as np
    >>> nn.NLLLoss()(np.array([[-1.0, -2.0]]), [1])
    np.float64(2.0)
    """

    weight: np.ndarray | None

    def __init__(
        self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, input: Any, target: Any) -> Any:
        """Log-probabilities and targets to the loss."""
        return functional.nll_loss(input, target, self.weight, self.ignore_index, self.reduction)


class MSELoss(_Loss):
    """(x - y)^2, averaged over all entries.

    >>> import nn, numpy as np
    >>> nn.MSELoss()(np.array([1.0, 2.0]), np.zeros(2))
    np.float64(2.5)
    """

    def forward(self, input: Any, target: Any) -> Any:
        """Two arrays of one shape to the loss."""
        return functional.mse_loss(input, target, self.reduction)


class L1Loss(_Loss):
    """|x - y|, averaged over all entries.

    >>> import nn, numpy as np
    >>> nn.L1Loss()(np.array([1.0, -2.0]), np.zeros(2))
    np.float64(1.5)
    """

    def forward(self, input: Any, target: Any) -> Any:
        """Two arrays of one shape to the loss."""
        return functional.l1_loss(input, target, self.reduction)


class BCEWithLogitsLoss(_Loss):
    """Binary cross-entropy of sigmoid(x) with targets in [0, 1], without overflow.

    >>> import nn, numpy as np
    >>> round(float(nn.BCEWithLogitsLoss()(np.zeros(2), np.ones(2))), 4)
    0.6931
    """

    weight: np.ndarray | None
    pos_weight: np.ndarray | None

    def __init__(self, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Any, target: Any) -> Any:
        """Logits and targets of one shape to the loss."""
        return functional.binary_cross_entropy_with_logits(
            input, target, self.weight, self.reduction, self.pos_weight
        )


class MultiClassHingeLoss(_Loss):
    """sum over j != y of max(0, s_j - s_y + margin), for scores (N, C): the homework's.

    >>> import nn, numpy as np
    >>> nn.MultiClassHingeLoss()(np.array([[1.0, 2.0, 0.5]]), [0])
    np.float64(2.5)
    """

    def __init__(self, margin: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input: Any, target: Any) -> Any:
        """Scores and classes to the loss."""
        return functional.multiclass_hinge(input, target, self.margin, self.reduction)


class MultiMarginLoss(_Loss):
    """PyTorch's multi-class hinge: sum of max(0, margin - s_y + s_j)^p, divided by the classes.

    >>> import nn, numpy as np
    >>> round(float(nn.MultiMarginLoss()(np.array([[1.0, 2.0, 0.5]]), [0])), 4)
    0.8333
    """

    weight: np.ndarray | None

    def __init__(
        self, p: int = 1, margin: float = 1.0, weight: Any = None, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        if p not in (1, 2):
            raise ValueError(f"MultiMarginLoss takes p 1 or 2, got {p!r}")
        self.p = p
        self.margin = margin
        self.register_buffer("weight", weight)

    def forward(self, input: Any, target: Any) -> Any:
        """Scores and classes to the loss."""
        return functional.multi_margin_loss(
            input, target, self.p, self.margin, self.weight, self.reduction
        )
