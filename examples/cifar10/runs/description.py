"""A run in words, and what has to be the same when it goes on."""

from __future__ import annotations

import platform

import numpy as np

from examples.cifar10.data.dataset import Dataset
from examples.cifar10.data.source import checksum, fingerprint
from examples.cifar10.errors import TrainingError
from examples.cifar10.runs.folder import Config


def versions() -> dict[str, str]:
    """What the bits of a result depend on besides its config, as far as it has versions."""
    return {"python": platform.python_version(), "numpy": np.__version__}


def check_data(config: Config, dataset: Dataset) -> None:
    """Raise TrainingError unless these are the images that a run was begun with."""
    same = config.data_fingerprint == fingerprint(dataset)
    if config.training_fingerprint is not None:
        same = same and config.training_fingerprint == checksum(dataset.train)
    if not same:
        raise TrainingError(
            f"{dataset.source} has other images than the run was begun with, which were "
            f"{config.data_source}; name the place of those with --data"
        )


def run_title(model: str, preset: str, seed: int) -> str:
    """A run in a few words, for pictures."""
    return f"{model}, {preset} recipe, seed {seed}"


def describe(config: Config) -> str:
    """A run in two lines: the model and the images, and how it is trained."""
    recipe = config.recipe
    augmentation = [f"{recipe.flips} flips"] if recipe.flips else []
    augmentation += ["shifts"] if recipe.shift else []
    augmentation += ["cutout"] if recipe.cutout else []
    start = "" if config.weights is None else f" from {config.weights}"
    if config.new_classifier:
        start += " with a new classifier"
    optimizers = {group.optimizer: None for group in recipe.groups}
    names = " and ".join({"sgd": "SGD", "muon": "Muon"}[kind] for kind in optimizers)
    return (
        f"{config.model}{start}: {config.parameters} parameters; {config.data_source}: "
        f"{config.train_images} training, {config.validation_images} validation, "
        f"{config.test_images} test images\n"
        f"{config.preset} recipe: {recipe.epochs} epochs of batches of {recipe.batch_size}, "
        f"{names} at learning rate {recipe.lr:g} ({recipe.schedule}), "
        f"momentum {recipe.momentum:g}, {' and '.join(augmentation) or 'no augmentation'}, "
        f"seed {config.seed}"
    )
