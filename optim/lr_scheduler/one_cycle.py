"""One cycle: up to a large learning rate and down to almost none."""

from __future__ import annotations

from collections.abc import Mapping
from math import cos, pi
from typing import Any

from optim.lr_scheduler.scheduler import LRScheduler, positive
from optim.optimizer import Optimizer


def _along_cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + cos(pi * share)) / 2


def _along_line(start: float, end: float, share: float) -> float:
    return start + (end - start) * share


_ANNEALING = {"cos": _along_cosine, "linear": _along_line}


class OneCycleLR(LRScheduler):
    """From max_lr / div_factor up to max_lr in the first `pct_start` of `total_steps`, then down to
    max_lr / (div_factor final_div_factor), along cosines or lines.

    With `cycle_momentum` the momentum (or beta1) goes the other way, from `max_momentum` to
    `base_momentum` and back; with `three_phase` the way down first mirrors the way up. Source:
    Smith & Topin, Super-convergence, 2017, in PyTorch's form. Raises ValueError for options out of
    range, RuntimeError for a step beyond the last.

    >>> import nn, optim
    >>> optimizer = optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0, momentum=0.9)
    >>> schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=10)
    >>> [round(lr, 6) for lr in schedule.get_last_lr()]
    [0.04]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float = 0.85,
        max_momentum: float = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
    ) -> None:
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("OneCycleLR needs total_steps, or epochs and steps_per_epoch")
            total_steps = positive(epochs, "epochs", "OneCycleLR") * positive(
                steps_per_epoch, "steps_per_epoch", "OneCycleLR"
            )
        self.total_steps = positive(total_steps, "total_steps", "OneCycleLR")
        if not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR: pct_start must be in [0, 1], got {pct_start}")
        if anneal_strategy not in _ANNEALING:
            raise ValueError(
                f"OneCycleLR: anneal_strategy must be 'cos' or 'linear', got {anneal_strategy!r}"
            )
        groups = optimizer.param_groups
        self.max_lrs = list(max_lr) if isinstance(max_lr, (list, tuple)) else [max_lr] * len(groups)
        if len(self.max_lrs) != len(groups):
            raise ValueError(f"OneCycleLR: max_lr has {len(self.max_lrs)} rates, not {len(groups)}")
        self.cycle_momentum = cycle_momentum
        if cycle_momentum and not all("momentum" in g or "betas" in g for g in groups):
            raise ValueError("OneCycleLR: the optimizer has no momentum; pass cycle_momentum=False")
        self.momenta = (max_momentum, base_momentum)
        self.div_factor = div_factor
        self.final_div_factor = final_div_factor
        self.anneal_strategy = anneal_strategy
        rise = float(pct_start * self.total_steps) - 1
        last = float(self.total_steps - 1)
        if three_phase:
            self.ends = [rise, float(2 * pct_start * self.total_steps) - 2, last]
        else:
            self.ends = [rise, last]
        super().__init__(optimizer)

    def _at(self, points: list[float]) -> float:
        """The value between the points, the first of which holds at step 0."""
        start = 0.0
        for number, end in enumerate(self.ends):
            if self.last_epoch <= end or number == len(self.ends) - 1:
                share = (self.last_epoch - start) / (end - start) if end > start else 1.0
                anneal = _ANNEALING[self.anneal_strategy]
                return anneal(points[number], points[number + 1], share)
            start = end
        raise AssertionError("a step lies in some phase")

    def _rate(self, base: float, index: int) -> float:
        top = self.max_lrs[index]
        initial = top / self.div_factor
        points = [initial, top, initial / self.final_div_factor]
        if len(self.ends) == 3:
            points.insert(2, initial)
        return self._at(points)

    def _set(self) -> None:
        if self.last_epoch >= self.total_steps:
            raise RuntimeError(
                f"OneCycleLR was made for {self.total_steps} steps and has no rate for step "
                f"{self.last_epoch + 1}"
            )
        super()._set()
        if not self.cycle_momentum:
            return
        top, bottom = self.momenta
        points = [top, bottom, top, top] if len(self.ends) == 3 else [top, bottom, top]
        momentum = self._at(points)
        for group in self.optimizer.param_groups:
            if "betas" in group:
                group["betas"] = (momentum, *group["betas"][1:])
            else:
                group["momentum"] = momentum

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "total_steps": self.total_steps}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        if state_dict.get("total_steps", self.total_steps) != self.total_steps:
            raise ValueError(
                f"OneCycleLR: the state is of a cycle of {state_dict['total_steps']} steps, this "
                f"one has {self.total_steps}"
            )
        super().load_state_dict(state_dict)
