"""Measuring a model on images, without recording."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import nn
from autograd import no_grad
from examples.cifar10.data.images import CLASSES, LabelledImages

# Fixed, so that a measurement repeats bit for bit.
_BATCH = 500


@dataclass(frozen=True)
class Measurement:
    """Mean cross-entropy and accuracy; `confusion[i, j]` counts images of class i taken for j.

    Of each image, arrays of shape (N,): its cross-entropy, the class it was taken for, and that
    class's probability. The scores of each image were averaged over `views` of it.
    """

    loss: float
    accuracy: float
    confusion: np.ndarray
    losses: np.ndarray
    predicted: np.ndarray
    probabilities: np.ndarray
    views: int = 1

    @property
    def count(self) -> int:
        """How many images were measured."""
        return int(self.confusion.sum())


def views_of(images: np.ndarray, views: int) -> list[tuple[float, np.ndarray]]:
    """Views of images (N, C, H, W) for test-time averaging, with their weights, which add to 1.

    1: the image; 2: the image and its mirror; 6: these two weigh 1/4 each, and the image moved by
    one pixel along the diagonal, both ways, reflected at the border, and the mirrors of the two
    weigh 1/8 each (Jordan 2024, 94% on CIFAR-10 in 3.29 seconds). Raises ValueError for another
    number.

    >>> [weight for weight, _ in views_of(np.zeros((1, 3, 4, 4)), 6)]
    [0.25, 0.25, 0.125, 0.125, 0.125, 0.125]
    """
    if views not in (1, 2, 6):
        raise ValueError(f"views must be 1, 2 or 6, got {views}")
    if views == 1:
        return [(1.0, images)]
    centred = 0.5 if views == 2 else 0.25
    found = [(centred, images), (centred, images[..., ::-1])]
    if views == 6:
        height, width = images.shape[2:]
        padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="reflect")
        for start in (0, 2):
            moved = padded[:, :, start : start + height, start : start + width]
            found += [(0.125, moved), (0.125, moved[..., ::-1])]
    return found


def measure(
    model: nn.Module,
    data: LabelledImages,
    on_batch: Callable[[int], object] = lambda _images: None,
    *,
    views: int = 1,
) -> Measurement:
    """Run the model over all images in evaluation mode, which it leaves as it found it."""
    was_training = model.training
    model.eval()
    confusion = np.zeros((CLASSES, CLASSES), dtype=np.int64)
    losses, predicted, probabilities = [], [], []
    try:
        with no_grad():
            for start in range(0, len(data), _BATCH):
                part = data[start : start + _BATCH]
                scores = sum(w * model(view).numpy() for w, view in views_of(part.images, views))
                taken = scores.argmax(axis=1)
                np.add.at(confusion, (part.labels, taken), 1)
                losses.append(nn.functional.cross_entropy(scores, part.labels, reduction="none"))
                predicted.append(taken)
                probabilities.append(nn.functional.softmax(scores, dim=1).max(axis=1))
                on_batch(len(part))
    finally:
        model.train(was_training)
    each = np.concatenate(losses)
    return Measurement(
        float(each.sum(dtype=np.float64) / len(data)),
        float(np.trace(confusion) / len(data)),
        confusion,
        each,
        np.concatenate(predicted),
        np.concatenate(probabilities),
        views,
    )


def measure_test(model: nn.Module, data: LabelledImages, views: int) -> list[Measurement]:
    """The plain measurement of the test images, and with more than one view the averaged one."""
    plain = measure(model, data)
    return [plain] if views == 1 else [plain, measure(model, data, views=views)]


def test_line(measurement: Measurement) -> str:
    """A line that ends a run: `test accuracy: 0.4123 on 10000 images`."""
    line = f"test accuracy: {measurement.accuracy:.4f} on {measurement.count} images"
    if measurement.views > 1:
        line += f", averaged over {measurement.views} views of each"
    return line
