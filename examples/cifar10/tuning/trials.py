"""One trial: a model trained by one recipe, measured on held-out images after every epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from examples.cifar10.data.batches import Batches
from examples.cifar10.data.images import LabelledImages
from examples.cifar10.models.building import build_model, fit_to_images
from examples.cifar10.presets import ModelName, Recipe
from examples.cifar10.training.evaluation import measure
from examples.cifar10.training.trainer import OnStep, Trainer

# Given an epoch's title and the number of its images, what is told how far it is.
Progress = Callable[[str, int], AbstractContextManager[OnStep]]


def no_progress(_title: str, _images: int) -> AbstractContextManager[OnStep]:
    """Shows nothing."""
    return nullcontext(lambda _images, _loss, _accuracy: None)


@dataclass(frozen=True)
class TrialEpoch:
    """What an epoch of a trial gave."""

    epoch: int
    loss: float
    validation_loss: float
    validation_accuracy: float
    # Training and measuring.
    seconds: float


def train_trial(
    model: ModelName,
    recipe: Recipe,
    training: LabelledImages,
    validating: LabelledImages,
    seed: int,
    title: str = "",
    progress: Progress = no_progress,
) -> Iterator[TrialEpoch]:
    """Train a new model an epoch at a time; the same seed gives the same bits.

    Nothing is written, and the caller may stop after any epoch. Raises TrainingError when the loss
    is not finite.
    """
    network = build_model(model, recipe, np.random.default_rng(seed))
    fit_to_images(network, recipe, training.images)
    batches = Batches(
        training,
        recipe.batch_size,
        seed,
        flips=recipe.flips,
        shift_reach=recipe.shift,
        cutout_size=recipe.cutout,
    )
    trainer = Trainer(network, recipe, batches)
    epoch = 0
    while not trainer.finished:
        epoch += 1
        began = perf_counter()
        images = len(batches) * batches.batch_size
        # Where training diverges, NumPy need not say so as well.
        with np.errstate(over="ignore", invalid="ignore"):
            with progress(f"{title}, epoch {epoch}/{recipe.epochs}", images) as on_step:
                result = trainer.run_epoch(epoch, on_step)
            held_out = measure(network, validating)
        yield TrialEpoch(
            epoch, result.loss, held_out.loss, held_out.accuracy, perf_counter() - began
        )
