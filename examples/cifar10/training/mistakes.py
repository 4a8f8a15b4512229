"""The wrong predictions that a model is surest of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from examples.cifar10.training.evaluation import Measurement


@dataclass(frozen=True)
class Mistake:
    """An image that was taken for another class, and the probabilities of that one and its own."""

    image: int
    label: int
    predicted: int
    probability: float
    label_probability: float


def worst_mistakes(measurement: Measurement, labels: np.ndarray, most: int) -> list[Mistake]:
    """The wrong predictions of highest cross-entropy, worst first: of the lowest probability of
    the true class.
    """
    wrong = np.flatnonzero(measurement.predicted != labels)
    order = np.argsort(-measurement.losses[wrong], kind="stable")[:most]
    return [
        Mistake(
            image=int(i),
            label=int(labels[i]),
            predicted=int(measurement.predicted[i]),
            probability=float(measurement.probabilities[i]),
            label_probability=float(np.exp(-np.float64(measurement.losses[i]))),
        )
        for i in wrong[order]
    ]
