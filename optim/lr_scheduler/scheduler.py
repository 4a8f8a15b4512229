"""LRScheduler: a learning rate that follows the number of steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optim.optimizer import Optimizer


class LRScheduler:
    """Sets every group's "lr" from the step's number and the group's initial rate.

    The first rate is set at once; `step` goes on to the next (call it after `optimizer.step()`). A
    subclass gives `_rate`.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"{type(self).__name__} takes an Optimizer, got {type(optimizer).__name__}"
            )
        self.optimizer = optimizer
        self.base_lrs = [float(group["lr"]) for group in optimizer.param_groups]
        self.last_epoch = 0
        self._set()

    def _rate(self, base: float, index: int) -> float:
        """The rate of group `index` at step `self.last_epoch`."""
        raise AssertionError(f"{type(self).__name__} defines no rate")

    def _set(self) -> None:
        for index, (group, base) in enumerate(
            zip(self.optimizer.param_groups, self.base_lrs, strict=True)
        ):
            group["lr"] = self._rate(base, index)

    def step(self) -> None:
        """Go on to the next learning rate."""
        self.last_epoch += 1
        self._set()

    def get_last_lr(self) -> list[float]:
        """The current learning rate of every group."""
        return [float(group["lr"]) for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to go on from here: plain numbers."""
        return {"base_lrs": list(self.base_lrs), "last_epoch": self.last_epoch}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a saved state; the optimizer's rates are set to it."""
        rates = [float(rate) for rate in state_dict["base_lrs"]]
        if len(rates) != len(self.optimizer.param_groups):
            raise ValueError(
                f"{type(self).__name__}: the state has rates for {len(rates)} groups, the "
                f"optimizer has {len(self.optimizer.param_groups)}"
            )
        self.base_lrs = rates
        self.last_epoch = int(state_dict["last_epoch"])
        self._set()


def positive(value: Any, name: str, who: str) -> int:
    """A positive number of steps; ValueError or TypeError otherwise."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{who}: {name} must be an integer, got {value!r}")
    if value < 1:
        raise ValueError(f"{who}: {name} must be at least 1, got {value}")
    return value
