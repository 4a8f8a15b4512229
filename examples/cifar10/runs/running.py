"""A training run from the data to the test accuracy, and the evaluation of a finished one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import nn
from examples.cifar10.data.batches import Batches
from examples.cifar10.data.dataset import Dataset
from examples.cifar10.data.images import LabelledImages
from examples.cifar10.data.source import checksum, fingerprint
from examples.cifar10.errors import TrainingError
from examples.cifar10.models.building import build_model, fit_to_images
from examples.cifar10.models.fine_tuning import load_weights
from examples.cifar10.presets import ModelName, Recipe
from examples.cifar10.reporting.reporter import Reporter
from examples.cifar10.reporting.results import result_entry
from examples.cifar10.runs.checkpointing import DEFAULT_INTERVAL, Checkpoints, Interval
from examples.cifar10.runs.description import check_data, run_title, versions
from examples.cifar10.runs.figures import check_figures, draw_curves, draw_weights
from examples.cifar10.runs.folder import Config, RunFolder
from examples.cifar10.runs.interruptions import explained
from examples.cifar10.runs.locking import locked
from examples.cifar10.runs.report import report_mistakes
from examples.cifar10.runs.stopping import StopRequest, stop_on_signals
from examples.cifar10.training.evaluation import Measurement, measure, measure_test
from examples.cifar10.training.progress import EpochProgress
from examples.cifar10.training.trainer import EpochResult, Trainer

# Unaugmented training images on which every epoch is measured.
_LEARNT_IMAGES = 1000
# A run that goes on after them is not linted again.
_LINTED_STEPS = 3


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
    overwrite: bool = False
    lint: bool = True
    # A file of weights or the folder of a run, to begin with.
    weights: Path | None = None
    new_classifier: bool = False
    checkpoint_every: Interval = DEFAULT_INTERVAL
    # The run that is to go on, whose config has decided all that decides its result.
    resumed: Config | None = None

    @property
    def title(self) -> str:
        """Of the pictures."""
        return run_title(self.model, self.preset, self.seed)


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


def train_run(settings: Settings, dataset: Dataset, reporter: Reporter) -> list[Measurement]:
    """Train, keep the model of the best validation epoch, or of the last one without validation,
    and measure it on the test images: plainly, and averaged over views if the recipe says so.

    Raises Stopped, after a checkpoint, if a signal has asked for it; TrainingError if training
    cannot begin or go on, or another process works in the folder.
    """
    if settings.figures:
        check_figures()
    with locked(settings.folder.lock):
        prepare = _begin if settings.resumed is None else _resume
        checkpoints, training, validating = prepare(settings, dataset, reporter)
        with explained(checkpoints, settings.folder), stop_on_signals() as stop:
            _run_epochs(settings, checkpoints, training, validating, stop, reporter)
            return _finish(settings, checkpoints, dataset, stop, reporter)


def _begin(
    settings: Settings, dataset: Dataset, reporter: Reporter
) -> tuple[Checkpoints, LabelledImages, LabelledImages]:
    """A new run: its images, its model as it starts, and its folder with the first checkpoint."""
    recipe = settings.recipe
    training, validating = _images(settings, dataset)
    model = build_model(settings.model, recipe, np.random.default_rng(settings.seed))
    fit_to_images(model, recipe, training.images)
    if settings.weights is not None:
        load_weights(model, settings.weights, new_classifier=settings.new_classifier)
    config = _config(settings, dataset, len(training), len(validating), model)
    settings.folder.clear(overwrite=settings.overwrite)
    checkpoints = _checkpoints(settings, model, training)
    checkpoints.save()
    settings.folder.write_config(config)
    reporter.begin_run(config, settings.folder.path)
    if settings.lint:
        checkpoints.trainer.lint(reporter.warn)
    return checkpoints, training, validating


def _resume(
    settings: Settings, dataset: Dataset, reporter: Reporter
) -> tuple[Checkpoints, LabelledImages, LabelledImages]:
    """A run as its newest checkpoint has it, with the files that are written after a checkpoint."""
    config, folder = settings.resumed, settings.folder
    assert config is not None
    check_data(config, dataset)
    training, validating = _images(settings, dataset)
    model = build_model(settings.model, settings.recipe, np.random.default_rng(settings.seed))
    checkpoints = _checkpoints(settings, model, training)
    checkpoints.restore(reporter.warn)
    trainer, history = checkpoints.trainer, checkpoints.history
    folder.mend(history)
    if history and trainer.progress.epoch == len(history):
        _keep_if_best(folder, model, history[-1])
    reporter.begin_run(config, folder.path, trainer.step)
    if config.versions != versions():
        reporter.warn(
            f"Note: the run may not go on bit for bit: {config.versions} are now {versions()}"
        )
    reporter.note(f"going on after step {trainer.step} of {trainer.total_steps}")
    if settings.lint and trainer.step < _LINTED_STEPS:
        trainer.lint(reporter.warn)
    return checkpoints, training, validating


def _images(settings: Settings, dataset: Dataset) -> tuple[LabelledImages, LabelledImages]:
    validation = min(settings.recipe.validation_images, len(dataset.train) // 5)
    return split(dataset.train, validation, settings.train_images)


def _checkpoints(settings: Settings, model: nn.Module, training: LabelledImages) -> Checkpoints:
    recipe = settings.recipe
    batches = Batches(
        training,
        recipe.batch_size,
        settings.seed,
        flips=recipe.flips,
        shift_reach=recipe.shift,
        cutout_size=recipe.cutout,
    )
    trainer = Trainer(model, recipe, batches)
    return Checkpoints(settings.folder.checkpoints, trainer, settings.checkpoint_every)


def _finish(
    settings: Settings,
    checkpoints: Checkpoints,
    dataset: Dataset,
    stop: StopRequest,
    reporter: Reporter,
) -> list[Measurement]:
    """What follows the last epoch: pictures, and the test of the model that was kept."""
    model = checkpoints.trainer.model
    with stop.at_once():
        settings.folder.load_model(model)
        if settings.figures:
            draw_curves(checkpoints.history, settings.title, settings.folder.curves)
            draw_weights(model, dataset.class_names, settings.folder.weights)
        results = measure_test(model, dataset.test, settings.recipe.test_views)
        pictures = settings.folder if settings.figures else None
        report_mistakes(results[-1], dataset, settings.title, pictures, reporter.note)
    # Last: a run that has this line is not gone on with.
    settings.folder.add_metrics(result_entry(results))
    reporter.note(f"run folder: {settings.folder.path}")
    reporter.end_run(results, dataset.class_names)
    return results


def evaluate_run(
    folder: RunFolder,
    load: Callable[[Config], Dataset],
    reporter: Reporter,
    *,
    pictures: RunFolder | None = None,
) -> list[Measurement]:
    """Measure a finished run's model on the test images of the data set that `load` gives, as
    `train_run` does; draw its mistakes into the folder `pictures`, if any.
    """
    if pictures is not None:
        check_figures()
    config = folder.read_config()
    dataset = load(config)
    model = build_model(config.model, config.recipe, np.random.default_rng(0))
    folder.load_model(model)
    if fingerprint(dataset) != config.data_fingerprint:
        reporter.warn(
            f"Note: these are not the test images of the run, which were {config.data_source}."
        )
    reporter.begin_run(config, folder.path)
    results = measure_test(model, dataset.test, config.recipe.test_views)
    title = run_title(config.model, config.preset, config.seed)
    report_mistakes(results[-1], dataset, title, pictures, reporter.note)
    reporter.end_run(results, dataset.class_names)
    return results


def _run_epochs(
    settings: Settings,
    checkpoints: Checkpoints,
    training: LabelledImages,
    validating: LabelledImages,
    stop: StopRequest,
    reporter: Reporter,
) -> None:
    trainer, history = checkpoints.trainer, checkpoints.history
    for epoch in range(len(history) + 1, trainer.epochs + 1):
        result = _train_epoch(checkpoints, epoch, stop, reporter)
        with stop.at_once():
            entry = asdict(result) | _measure_epoch(trainer.model, training, validating, history)
        history.append(entry)
        # First, so that what is written after it can be written again from it.
        checkpoints.save()
        settings.folder.add_metrics(entry)
        _keep_if_best(settings.folder, trainer.model, entry)
        reporter.end_epoch(entry)
        stop.check()


def _train_epoch(
    checkpoints: Checkpoints, epoch: int, stop: StopRequest, reporter: Reporter
) -> EpochResult:
    trainer, progress = checkpoints.trainer, checkpoints.trainer.progress
    before = progress if progress.epoch == epoch else EpochProgress()
    steps = min(len(trainer.batches), trainer.total_steps - trainer.step + before.batches)
    images = steps * trainer.batches.batch_size
    reporter.begin_epoch(epoch, trainer.recipe.epochs, images, trainer.step)

    def on_step(images: int, loss: float, accuracy: float) -> None:
        reporter.step(images, loss, accuracy)
        checkpoints.save_if_due()
        stop.check()

    return trainer.run_epoch(epoch, on_step)


def _measure_epoch(
    model: nn.Module,
    training: LabelledImages,
    validating: LabelledImages,
    history: list[dict[str, Any]],
) -> dict[str, Any]:
    """The measurements after an epoch, and whether its model is the best so far."""
    # On at most as many images as validation has, unaugmented, so that the two compare.
    learnt = measure(model, training[: len(validating) or _LEARNT_IMAGES])
    entry: dict[str, Any] = {"train_loss": learnt.loss, "train_accuracy": learnt.accuracy}
    if len(validating):
        held_out = measure(model, validating)
        best = max((before["validation_accuracy"] for before in history), default=-1.0)
        entry |= {
            "validation_loss": held_out.loss,
            "validation_accuracy": held_out.accuracy,
            "best": held_out.accuracy > best,
        }
    return entry


def _keep_if_best(folder: RunFolder, model: nn.Module, entry: dict[str, Any]) -> None:
    """Save the model of an epoch; without validation that of every epoch."""
    if entry.get("best", True):
        folder.save_model(model)


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
        versions=versions(),
        weights=None if settings.weights is None else str(settings.weights),
        new_classifier=settings.new_classifier,
        training_fingerprint=checksum(dataset.train),
    )
