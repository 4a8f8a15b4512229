"""What the example trainer does to images before the first layer."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from benchmarks.workloads.workload import BATCHES, Step, Workload, catalogue

__all__ = ["IMAGES"]

AUGMENTED = 500
LOADED, LOADED_BATCH = 10_000, 500
REACH = 4
MEAN, DEVIATION = (125.3, 123.0, 113.9), (63.0, 62.1, 66.7)


def _pixels(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 3, 32, 32), np.uint8)


def _changed(images: np.ndarray, found: np.ndarray) -> float:
    """By the images' first pixels: their mean, and how many are not what they were."""
    before, after = images[:, 0, 0, 0], found[:, 0, 0, 0]
    return (float(after.sum()) / 255 + np.count_nonzero(before != after)) / len(after)


def _spread(found: np.ndarray) -> float:
    """The mean square of the images' first pixels."""
    pixels = found[:, 0, 0, 0]
    return float(pixels @ pixels) / len(pixels)


def _augment_ours() -> Step:
    from examples.cifar10.data.augmentation import flip, shift

    images = [_pixels(AUGMENTED, seed) for seed in range(BATCHES)]
    rng = np.random.default_rng(0)

    def step(index: int) -> float:
        before = images[index % BATCHES]
        return _changed(before, flip(shift(before, REACH, rng), rng))

    return step


def _shift_and_flip(images: Any) -> Any:
    """Batched, with PyTorch's operations: the window of every image as indices."""
    import torch

    count, _, height, width = images.shape
    padded = torch.nn.functional.pad(images, (REACH,) * 4, mode="reflect")
    down, right = torch.randint(0, 2 * REACH + 1, (2, count, 1))
    rows, columns = down + torch.arange(height), right + torch.arange(width)
    mirrored = torch.rand(count, 1) < 0.5
    columns = torch.where(mirrored, columns.flip(1), columns)
    each = torch.arange(count)[:, None, None, None]
    channels = torch.arange(3)[None, :, None, None]
    return padded[each, channels, rows[:, None, :, None], columns[:, None, None, :]]


def _augment_torch() -> Step:
    import torch

    arrays = [_pixels(AUGMENTED, seed) for seed in range(BATCHES)]
    images = [torch.from_numpy(array) for array in arrays]

    def step(index: int) -> float:
        found = _shift_and_flip(images[index % BATCHES])
        return _changed(arrays[index % BATCHES], found.numpy())

    return step


def _load_ours() -> Step:
    from examples.cifar10.data.batches import Batches
    from examples.cifar10.data.images import LabelledImages
    from examples.cifar10.models.pixels import Standardise

    labels = np.arange(LOADED) % 10
    data = Batches(
        LabelledImages(_pixels(LOADED), labels), LOADED_BATCH, 0, flips="random", shift_reach=REACH
    )
    each = np.array(MEAN).reshape(3, 1, 1), np.array(DEVIATION).reshape(3, 1, 1)
    standardise = Standardise((3, 1, 1), channels_last=True)
    standardise.fit(*each)
    endless = itertools.chain.from_iterable(data.epoch(epoch) for epoch in itertools.count())

    def step(_index: int) -> float:
        images, _ = next(endless)
        return _spread(np.asarray(standardise(images)))

    return step


def _load_torch() -> Step:
    """One permutation an epoch, whole batches at a time: faster than a DataLoader of items."""
    import torch

    images, labels = torch.from_numpy(_pixels(LOADED)), torch.arange(LOADED) % 10
    mean, deviation = (torch.tensor(part).reshape(3, 1, 1) for part in (MEAN, DEVIATION))
    factor = 1.0 / deviation

    def epochs() -> Any:
        while True:
            for rows in torch.randperm(LOADED).split(LOADED_BATCH):
                batch = _shift_and_flip(images[rows]).float().sub_(mean).mul_(factor)
                yield batch.contiguous(memory_format=torch.channels_last), labels[rows]

    endless = epochs()

    def step(_index: int) -> float:
        return _spread(next(endless)[0].numpy())

    return step


IMAGES = catalogue(
    [
        Workload(
            "augmentation",
            f"flips and shifts by up to {REACH} with reflection, {AUGMENTED} images",
            _augment_ours,
            {"torch": {"batched": _augment_torch}},
            1.0,
            # Sides draw their own: 500 pixels of 127.5 +- 74, of which 1 % stay what they were.
            agreement=0.1,
        ),
        Workload(
            "loading",
            f"a shuffled, augmented, standardised batch of {LOADED_BATCH}",
            _load_ours,
            {"torch": {"batched": _load_torch}},
            1.0,
            agreement=0.3,  # 500 squares of 1.4 +- 1.3
        ),
    ]
)
