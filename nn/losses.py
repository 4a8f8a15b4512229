"""Losses as modules; `nn.functional` has their formulas."""

from __future__ import annotations

from typing import Any

import numpy as np

from nn import functional as F
from nn.checks import check_reduction
from nn.module import Module
from nn.parameter import DEFAULT_DTYPE


class _Loss(Module):
    def __init__(self, reduction: str) -> None:
        check_reduction(reduction)
        self.reduction = reduction

    def _register_weight(self, name: str, weight: Any) -> None:
        """A buffer, as in PyTorch; lists of numbers become float32."""
        if weight is not None and not hasattr(weight, "dtype"):
            weight = np.asarray(weight, DEFAULT_DTYPE)
        self.register_buffer(name, weight)


class CrossEntropyLoss(_Loss):
    """-log softmax(input)[target]; targets are classes or probabilities.

    >>> import nn, numpy as np
    >>> round(float(nn.CrossEntropyLoss(reduction="sum")(np.array([[0.0, 0.0]]), [0])), 4)
    0.6931
    """

    weight: np.ndarray | None

    def __init__(
        self,
        weight: Any = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction)
        if not 0.0 <= label_smoothing <= 1.0:
            raise ValueError(f"label_smoothing must be between 0 and 1, got {label_smoothing}")
        self._register_weight("weight", weight)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Any, target: Any) -> Any:
        """The loss of scores (N, C, ...) or (C,)."""
        return F.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(_Loss):
    """-input[target] for log-probabilities: CrossEntropyLoss after LogSoftmax."""

    weight: np.ndarray | None

    def __init__(
        self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        self._register_weight("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, input: Any, target: Any) -> Any:
        """The loss of log-probabilities (N, C, ...) or (C,)."""
        return F.nll_loss(
            input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction
        )


class MSELoss(_Loss):
    """(input - target)^2.

    >>> import nn, numpy as np
    >>> float(nn.MSELoss()(np.array([1.0, 2.0]), np.array([0.0, 0.0])))
    2.5
    """

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, input: Any, target: Any) -> Any:
        """The loss; ValueError unless both have the same shape."""
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """|input - target|."""

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, input: Any, target: Any) -> Any:
        """The loss; ValueError unless both have the same shape."""
        return F.l1_loss(input, target, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """Binary cross-entropy of sigmoid(input), without overflow; targets in [0, 1]."""

    weight: np.ndarray | None
    pos_weight: np.ndarray | None

    def __init__(
        self, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None
    ) -> None:
        super().__init__(reduction)
        self._register_weight("weight", weight)
        self._register_weight("pos_weight", pos_weight)

    def forward(self, input: Any, target: Any) -> Any:
        """The loss; ValueError unless both have the same shape."""
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class MultiClassHingeLoss(_Loss):
    """The sum over j other than the target y of max(0, s_j - s_y + margin).

    >>> import nn, numpy as np
    >>> float(nn.MultiClassHingeLoss()(np.array([[1.0, 2.0, 0.5]]), [0]))
    2.5
    """

    def __init__(self, margin: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input: Any, target: Any) -> Any:
        """The loss of scores (N, C) or (C,)."""
        return F.multiclass_hinge(input, target, self.margin, reduction=self.reduction)


class MultiMarginLoss(_Loss):
    """The sum over j other than y of w[y] max(0, s_j - s_y + margin)^p, divided by the classes."""

    weight: np.ndarray | None

    def __init__(
        self, p: int = 1, margin: float = 1.0, weight: Any = None, *, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        if p not in (1, 2):
            raise ValueError(f"p must be 1 or 2, got {p}")
        self._register_weight("weight", weight)
        self.p = p
        self.margin = margin

    def forward(self, input: Any, target: Any) -> Any:
        """The loss of scores (N, C) or (C,)."""
        return F.multi_margin_loss(
            input, target, self.p, self.margin, self.weight, reduction=self.reduction
        )
