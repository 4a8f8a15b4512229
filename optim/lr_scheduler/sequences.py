"""Schedules made of others."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from optim.lr_scheduler.scheduler import LRScheduler
from optim.optimizer import Optimizer


class SequentialLR(LRScheduler):
    """The first schedule until the first milestone, then the second from its start, and so on.

    Raises ValueError unless there is one milestone fewer than schedules, in rising order, and all
    are of the same optimizer.

    >>> import nn, optim
    >>> optimizer = optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0)
    >>> warm = optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=1)
    >>> decay = optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> schedule = optim.lr_scheduler.SequentialLR(optimizer, [warm, decay], milestones=[1])
    >>> rates = []
    >>> for _ in range(3):
    ...     rates += schedule.get_last_lr()
    ...     schedule.step()
    >>> rates
    [0.5, 1.0, 0.5]
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int]
    ) -> None:
        parts, points = list(schedulers), list(milestones)
        if not parts or len(points) != len(parts) - 1:
            raise ValueError(
                f"SequentialLR needs one milestone fewer than schedules, got {len(points)} and "
                f"{len(parts)}"
            )
        if points != sorted(set(points)) or any(point < 1 for point in points):
            raise ValueError(f"SequentialLR: milestones must rise from at least 1, got {points}")
        if any(part.optimizer is not optimizer for part in parts):
            raise ValueError("SequentialLR: all schedules must be of the optimizer given")
        self.schedulers = parts
        self.milestones = points
        # Each schedule was made when the one before had already set its first rate.
        for part in parts[1:]:
            part.base_lrs = list(parts[0].base_lrs)
        super().__init__(optimizer)
        self.base_lrs = list(parts[0].base_lrs)

    def _set(self) -> None:
        number = bisect_right(self.milestones, self.last_epoch)
        part = self.schedulers[number]
        part.last_epoch = self.last_epoch - (self.milestones[number - 1] if number else 0)
        part._set()

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        for part in self.schedulers:
            part.base_lrs = [float(rate) for rate in state_dict["base_lrs"]]
        super().load_state_dict(state_dict)
