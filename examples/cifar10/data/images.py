"""Labelled images in memory, and the checks that every reader shares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from examples.cifar10.errors import DataError

IMAGE_SHAPE = (3, 32, 32)
IMAGE_BYTES = 3 * 32 * 32
CLASSES = 10
BATCH_RECORDS = 10_000
TRAIN_BATCHES = 5
CLASS_NAMES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)


@dataclass(frozen=True)
class LabelledImages:
    """Images of shape (N, 3, 32, 32), uint8, and their classes, int64 of shape (N,)."""

    images: np.ndarray
    labels: np.ndarray

    def __post_init__(self) -> None:
        assert self.images.dtype == np.uint8
        assert self.images.shape == (len(self.labels), *IMAGE_SHAPE)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, rows: slice | np.ndarray) -> LabelledImages:
        return LabelledImages(self.images[rows], self.labels[rows])


def join(parts: list[LabelledImages]) -> LabelledImages:
    """All the parts' images in one, in order."""
    return LabelledImages(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.labels for part in parts]),
    )


def check_labels(labels: np.ndarray, file: str) -> None:
    """Raise DataError, naming the record, unless every label is from 0 to 9."""
    wrong = np.flatnonzero((labels < 0) | (labels >= CLASSES))
    if wrong.size:
        record = int(wrong[0])
        raise DataError(
            f"{file}: record {record} has label {labels[record]}; labels are 0 to {CLASSES - 1}"
        )
