"""A few images, and trials that are a formula instead of a training."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from examples.cifar10.data.dataset import Dataset
from examples.cifar10.data.images import LabelledImages
from examples.cifar10.errors import TrainingError
from examples.cifar10.tuning import search
from examples.cifar10.tuning.trials import TrialEpoch


def some_images(count):
    rng = np.random.default_rng(count)
    pixels = rng.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8)
    return LabelledImages(pixels, rng.integers(0, 10, count))


@pytest.fixture(scope="session")
def few() -> Dataset:
    return Dataset(some_images(60), some_images(20), tuple("abcdefghij"), "random")


def formula(model, recipe, training, validating, seed, title="", progress=None):
    """Best at a learning rate of 0.01 and without shifts; diverges above 0.1."""
    height = math.exp(-abs(math.log10(recipe.lr) + 2) - 0.1 * recipe.shift)
    for epoch in range(1, recipe.epochs + 1):
        if recipe.lr > 0.1:
            raise TrainingError("the loss is nan")
        yield TrialEpoch(epoch, 1.0, 1.0, height * epoch / recipe.epochs, 1.0)


@pytest.fixture(scope="session")
def by_formula():
    return formula


@pytest.fixture
def quick(tmp_path, monkeypatch):
    """Settings of a search of 12 such trials."""
    monkeypatch.setattr(search, "train_trial", formula)
    return search.SearchSettings(
        model="two_layer",
        trials=12,
        seed=3,
        folder=tmp_path / "search",
        epochs=4,
        final_epochs=1,
        figures=False,
    )


@pytest.fixture
def elsewhere(quick, tmp_path):
    return lambda name, **changes: replace(quick, folder=tmp_path / name, **changes)
