"""Randomness as a function of the place in training, so that a run can go on anywhere."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nn.checks import count


@dataclass
class TrainingPosition:
    """Where training is: the seed, the epoch and the step within it, from which all randomness
    follows.

    A generator for shuffling, augmentation or dropout is made anew at each place instead of being
    carried along, so a prefetch thread cannot run ahead of it and three integers are the whole
    state. Pass it to `nn.save` and `nn.load` as `loader`, or keep one inside a loader.

    Raises TypeError or ValueError for anything but integers of at least 0.

    >>> here = TrainingPosition(seed=1, epoch=3, step=40)
    >>> int(here.rng("dropout").integers(1000)) == int(here.rng("dropout").integers(1000))
    True
    >>> here.advance(steps_per_epoch=41)
    >>> here
    TrainingPosition(seed=1, epoch=4, step=0)
    """

    seed: int
    epoch: int = 0
    step: int = 0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            setattr(self, name, count(value, name, 0))

    def rng(self, stream: str) -> np.random.Generator:
        """A generator of (seed, stream, epoch, step): for what is drawn in every step."""
        return self._generator(stream, self.epoch, self.step)

    def epoch_rng(self, stream: str) -> np.random.Generator:
        """A generator of (seed, stream, epoch): for what is drawn once an epoch, as an order."""
        return self._generator(stream, self.epoch)

    def _generator(self, stream: str, *place: int) -> np.random.Generator:
        key = (zlib.crc32(stream.encode()), *place)
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))

    def advance(self, steps_per_epoch: int) -> None:
        """Go on to the next step, or to the next epoch's first."""
        steps = count(steps_per_epoch, "steps_per_epoch")
        self.step += 1
        if self.step >= steps:
            self.epoch, self.step = self.epoch + 1, 0

    def state_dict(self) -> dict[str, int]:
        """The three numbers."""
        return asdict(self)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go to a saved place; ValueError or TypeError, before anything changes, if it is none."""
        if not isinstance(state_dict, Mapping) or set(state_dict) != {"seed", "epoch", "step"}:
            raise ValueError(f"expected a saved seed, epoch and step, got {state_dict!r}")
        other = TrainingPosition(**state_dict)
        self.seed, self.epoch, self.step = other.seed, other.epoch, other.step
