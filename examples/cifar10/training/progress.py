"""How far an epoch is, with what was summed up over its batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass
class EpochProgress:
    """The batches of an epoch that are done; sums are over their images."""

    epoch: int = 0
    batches: int = 0
    images: int = 0
    correct: int = 0
    loss: float = 0.0
    # Of the last step.
    lr: float = 0.0
    seconds: float = 0.0
    # Of these, spent waiting for batches.
    waited_seconds: float = 0.0
    # Trained to its end; what follows an epoch, such as a step of the schedule, is done too.
    ended: bool = False

    @property
    def mean_loss(self) -> float:
        """Loss per image."""
        return self.loss / self.images

    @property
    def accuracy(self) -> float:
        """The share of images whose class had the highest score."""
        return self.correct / self.images

    def state_dict(self) -> dict[str, Any]:
        """All fields, for `nn.save`."""
        return asdict(self)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave; ValueError, before anything changes, if it is not."""
        names = {field.name for field in fields(self)}
        if not isinstance(state_dict, Mapping) or set(state_dict) != names:
            raise ValueError(f"expected the progress of an epoch, got {state_dict!r}")
        for name, value in state_dict.items():
            setattr(self, name, value)
