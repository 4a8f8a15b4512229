"""A training run from the data to the test accuracy, and the evaluation of a finished one."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import nn
from examples.cifar10.data.batches import Batches
from examples.cifar10.data.dataset import Dataset
from examples.cifar10.data.images import LabelledImages
from examples.cifar10.data.source import fingerprint
from examples.cifar10.display import check_bar, epoch_bar
from examples.cifar10.errors import TrainingError
from examples.cifar10.models.building import build_model, fit_to_images
from examples.cifar10.models.fine_tuning import load_weights
from examples.cifar10.presets import ModelName, Recipe
from examples.cifar10.runs.figures import check_figures, draw_curves, draw_weights
from examples.cifar10.runs.folder import Config, RunFolder
from examples.cifar10.training.evaluation import Measurement, measure, measure_test
from examples.cifar10.training.trainer import Trainer

# Unaugmented training images on which every epoch is measured.
_LEARNT_IMAGES = 1000

Say = Callable[[str], object]


@dataclass(frozen=True)
class Settings:
    """What the command line decides besides the recipe."""

    model: ModelName
    # A name, or the path of a file.
    preset: str
    recipe: Recipe
    seed: int
    data: str
    folder: RunFolder
    train_images: int | None = None
    figures: bool = True
    quiet: bool = False
    overwrite: bool = False
    lint: bool = True
    # A file of weights or the folder of a run, to begin with.
    weights: Path | None = None
    new_classifier: bool = False


def split(
    images: LabelledImages, validation: int, limit: int | None
) -> tuple[LabelledImages, LabelledImages]:
    """The first images for training (at most `limit`), the last `validation` for validation.

    Of CIFAR-10's 50,000 that is 49,000 and 1,000, the homework's split, or all and none.
    """
    rest = len(images) - validation
    if limit is not None and not 1 <= limit <= rest:
        raise TrainingError(f"--train-images must be from 1 to {rest}, got {limit}")
    return images[: rest if limit is None else limit], images[rest:]


def train_run(settings: Settings, dataset: Dataset, say: Say) -> list[Measurement]:
    """Train, keep the model of the best validation epoch, or of the last one without validation,
    and measure it on the test images: plainly, and averaged over views if the recipe says so.
    """
    check_bar(settings.quiet)
    if settings.figures:
        check_figures()
    recipe = settings.recipe
    validation = min(recipe.validation_images, len(dataset.train) // 5)
    training, validating = split(dataset.train, validation, settings.train_images)
    model = build_model(settings.model, recipe, np.random.default_rng(settings.seed))
    fit_to_images(model, recipe, training.images)
    if settings.weights is not None:
        load_weights(model, settings.weights, new_classifier=settings.new_classifier)
    config = _config(settings, dataset, len(training), len(validating), model)
    settings.folder.begin(config, overwrite=settings.overwrite)
    say(describe(config))
    batches = Batches(
        training,
        recipe.batch_size,
        settings.seed,
        flips=recipe.flips,
        shift_reach=recipe.shift,
        cutout_size=recipe.cutout,
    )
    trainer = Trainer(model, recipe, batches)
    if settings.lint:
        trainer.lint(say)
    history = _run_epochs(settings, trainer, training, validating, say)
    settings.folder.load_model(model)
    if settings.figures:
        title = f"{settings.model}, {settings.preset} recipe, seed {settings.seed}"
        draw_curves(history, title, settings.folder.curves)
        draw_weights(model, config.class_names, settings.folder.weights)
    results = measure_test(model, dataset.test, recipe.test_views)
    plain, averaged = results[0], results[-1]
    entry = {"test_loss": plain.loss, "test_accuracy": plain.accuracy}
    if averaged.views > 1:
        entry |= {
            "views": averaged.views,
            "averaged_test_loss": averaged.loss,
            "averaged_test_accuracy": averaged.accuracy,
        }
    settings.folder.add_metrics(entry)
    say(f"run folder: {settings.folder.path}")
    return results


def evaluate_run(
    folder: RunFolder, load: Callable[[Config], Dataset], say: Say
) -> list[Measurement]:
    """Measure a finished run's model on the test images of the data set that `load` gives, as
    `train_run` does.
    """
    config = folder.read_config()
    dataset = load(config)
    model = build_model(config.model, config.recipe, np.random.default_rng(0))
    folder.load_model(model)
    if fingerprint(dataset) != config.data_fingerprint:
        say(f"Note: these are not the test images of the run, which were {config.data_source}.")
    results = measure_test(model, dataset.test, config.recipe.test_views)
    confusion = results[-1].confusion
    per_class = np.diagonal(confusion) / np.maximum(confusion.sum(axis=1), 1)
    width = max(len(name) for name in dataset.class_names)
    for name, share in zip(dataset.class_names, per_class, strict=True):
        say(f"{name:>{width}}  {share:.3f}")
    return results


def _run_epochs(
    settings: Settings,
    trainer: Trainer,
    training: LabelledImages,
    validating: LabelledImages,
    say: Say,
) -> list[dict[str, Any]]:
    history: list[dict[str, Any]] = []
    best = -1.0
    epoch = 0
    while not trainer.finished:
        epoch += 1
        title = f"epoch {epoch}/{settings.recipe.epochs}"
        images = min(len(trainer.batches), trainer.total_steps - trainer.step)
        images *= trainer.batches.batch_size
        with epoch_bar(title, images, settings.quiet) as bar:
            result = trainer.run_epoch(epoch, bar.show)
        # On at most as many images as validation has, unaugmented, so that the two compare.
        learnt = measure(trainer.model, training[: len(validating) or _LEARNT_IMAGES])
        entry = {
            **asdict(result),
            "train_loss": learnt.loss,
            "train_accuracy": learnt.accuracy,
        }
        line = f"{title}: loss {result.loss:.4f}, training accuracy {learnt.accuracy:.4f}, "
        better = True
        if len(validating):
            held_out = measure(trainer.model, validating)
            better = held_out.accuracy > best
            best = max(best, held_out.accuracy)
            entry |= {
                "validation_loss": held_out.loss,
                "validation_accuracy": held_out.accuracy,
                "best": better,
            }
            line += f"validation accuracy {held_out.accuracy:.4f}{' (best)' if better else ''}, "
        history.append(entry)
        settings.folder.add_metrics(entry)
        if better:
            settings.folder.save_model(trainer.model)
        say(f"{line}{result.images_per_second:.0f} images/s, {result.seconds:.1f} s")
    return history


def _config(
    settings: Settings, dataset: Dataset, training: int, validation: int, model: nn.Module
) -> Config:
    return Config(
        model=settings.model,
        preset=settings.preset,
        seed=settings.seed,
        recipe=settings.recipe,
        data=settings.data,
        data_source=dataset.source,
        data_fingerprint=fingerprint(dataset),
        train_images=training,
        validation_images=validation,
        test_images=len(dataset.test),
        class_names=dataset.class_names,
        parameters=sum(parameter.size for parameter in model.parameters()),
        versions={"python": platform.python_version(), "numpy": np.__version__},
        weights=None if settings.weights is None else str(settings.weights),
        new_classifier=settings.new_classifier,
    )


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
