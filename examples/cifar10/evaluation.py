"""Measuring a model on images, without recording."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import nn
from autograd import no_grad
from examples.cifar10.images import CLASSES, LabelledImages

# Fixed, so that a measurement repeats bit for bit.
_BATCH = 500


@dataclass(frozen=True)
class Measurement:
    """Mean cross-entropy and accuracy; `confusion[i, j]` counts images of class i taken for j."""

    loss: float
    accuracy: float
    confusion: np.ndarray

    @property
    def count(self) -> int:
        """How many images were measured."""
        return int(self.confusion.sum())


def measure(
    model: nn.Module,
    data: LabelledImages,
    on_batch: Callable[[int], object] = lambda _images: None,
) -> Measurement:
    """Run the model over all images in evaluation mode, which it leaves as it found it."""
    was_training = model.training
    model.eval()
    confusion = np.zeros((CLASSES, CLASSES), dtype=np.int64)
    loss = 0.0
    try:
        with no_grad():
            for start in range(0, len(data), _BATCH):
                part = data[start : start + _BATCH]
                scores = model(part.images)
                loss += nn.functional.cross_entropy(scores, part.labels, reduction="sum").item()
                np.add.at(confusion, (part.labels, scores.numpy().argmax(axis=1)), 1)
                on_batch(len(part))
    finally:
        model.train(was_training)
    accuracy = float(np.trace(confusion) / len(data))
    return Measurement(loss / len(data), accuracy, confusion)


def test_line(measurement: Measurement) -> str:
    """The line that ends a run: `test accuracy: 0.4123 on 10000 images`."""
    return f"test accuracy: {measurement.accuracy:.4f} on {measurement.count} images"
