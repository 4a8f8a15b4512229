"""Shuffled, augmented batches, each a function of the seed, the epoch and the step alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from examples.cifar10.augmentation import flip, shift
from examples.cifar10.images import LabelledImages

_SHUFFLE, _AUGMENT, _LAYERS = range(3)


class Batches:
    """The batches of `data` for any epoch; images that do not fill a batch wait for the next epoch.

    Nothing random is carried from step to step, so an epoch gives the same batches whatever came
    before it.
    """

    def __init__(
        self,
        data: LabelledImages,
        batch_size: int,
        seed: int,
        *,
        flips: bool = False,
        shift_reach: int = 0,
    ) -> None:
        self.data = data
        self.batch_size = min(batch_size, len(data))
        self.seed = seed
        self.flips = flips
        self.shift_reach = shift_reach

    def __len__(self) -> int:
        return len(self.data) // self.batch_size

    def epoch(self, epoch: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Pairs of images (B, 3, 32, 32), uint8, and labels (B,)."""
        order = np.random.default_rng([self.seed, _SHUFFLE, epoch]).permutation(len(self.data))
        for step in range(len(self)):
            rows = order[step * self.batch_size : (step + 1) * self.batch_size]
            images = self.data.images[rows]
            rng = np.random.default_rng([self.seed, _AUGMENT, epoch, step])
            if self.shift_reach:
                images = shift(images, self.shift_reach, rng)
            if self.flips:
                images = flip(images, rng)
            yield images, self.data.labels[rows]

    def layer_seed(self, epoch: int, step: int) -> int:
        """A seed for what is random inside the model in one step, such as dropout."""
        return int(np.random.SeedSequence([self.seed, _LAYERS, epoch, step]).generate_state(1)[0])
