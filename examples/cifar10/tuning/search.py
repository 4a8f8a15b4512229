"""A search from the first trial to the test accuracy of what it found."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

from examples.cifar10.data.images import LabelledImages
from examples.cifar10.errors import TrainingError
from examples.cifar10.preset_files import write_preset
from examples.cifar10.presets import ModelName, Recipe
from examples.cifar10.runs.folder import RunFolder
from examples.cifar10.runs.running import split
from examples.cifar10.training.evaluation import Measurement
from examples.cifar10.tuning.log import Log, Search, TrialRecord, best_of
from examples.cifar10.tuning.spaces import recipe_with, start_of, trial_epochs
from examples.cifar10.tuning.study import RunningTrial, Study, open_study
from examples.cifar10.tuning.trials import Progress, TrialEpoch, no_progress, train_trial

Say = Callable[[str], object]
# Trains by a recipe, which is that preset, into a run folder, and measures on the test images.
TrainInFull = Callable[[Recipe, Path, RunFolder], Sequence[Measurement]]


@dataclass(frozen=True)
class SearchSettings:
    """What the command line decides."""

    model: ModelName
    # Of those that end; a search that goes on counts those it has.
    trials: int
    seed: int
    folder: Path
    # Of a trial, and of the full training at the end; None is the model's own number.
    epochs: int | None = None
    final_epochs: int | None = None
    # Held out from the training images to compare trials: more than a run's own 1,000, since the
    # best of many trials is otherwise the luckiest.
    validation_images: int = 5000
    train_images: int | None = None
    # No trial begins after so many seconds.
    timeout: float | None = None
    # See `first_pruned_epoch`.
    pruned_from: int | None = None
    pruning: bool = True
    figures: bool = True


class SearchFolder:
    """Where the files of a search are."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.study = path / "study.db"
        self.log = path / "trials.jsonl"
        self.preset = path / "preset.json"
        self.best = path / "best"

    def write_log(self, study: Study) -> None:
        """Replace trials.jsonl by what the study holds."""
        Log(study.search, study.machine, study.records(), study.final).write(self.log)


def tune(
    settings: SearchSettings,
    images: LabelledImages,
    train_in_full: TrainInFull,
    say: Say,
    progress: Progress = no_progress,
) -> None:
    """Search, or go on searching, with training images alone; then have the best trial's recipe
    trained in full and measured, unless that was done or the time was over before.

    Raises TrainingError if no trial was trained to its end, and as `open_study` does.
    """
    folder = SearchFolder(settings.folder)
    held_out = min(settings.validation_images, len(images) // 5)
    training, validating = split(images, held_out, settings.train_images)
    epochs = settings.epochs or trial_epochs(settings.model)
    search = Search.of(
        settings.model,
        settings.seed,
        epochs,
        training,
        validating,
        pruned_from=first_pruned_epoch(settings, epochs),
    )
    with open_study(folder.study, search) as study:
        complete = run_trials(settings, study, training, validating, say, progress)
        best = best_of(study.records())
        if best is None:
            raise TrainingError(
                f"no trial of {settings.trials} was trained to its end; ask for more --trials"
            )
        write_found(settings, study, best)
        folder.write_log(study)
        _describe(study, best, say)
        if settings.figures:
            from examples.cifar10.tuning.figures import draw_search

            for path in draw_search(study.records(), study.importances(), folder.path):
                say(f"picture: {path}")
        if complete:
            _finish(settings, study, best, train_in_full, say)
            folder.write_log(study)
    say(f"to train it: {train_command(settings, folder)}")


def first_pruned_epoch(settings: SearchSettings, epochs: int) -> int | None:
    """As asked for, else in the middle: under one_cycle an epoch tells little before the learning
    rate has come down from its peak.
    """
    if not settings.pruning:
        return None
    return math.ceil(epochs / 2) if settings.pruned_from is None else settings.pruned_from


def run_trials(
    settings: SearchSettings,
    study: Study,
    training: LabelledImages,
    validating: LabelledImages,
    say: Say,
    progress: Progress = no_progress,
) -> bool:
    """Trials until there are enough or, False, the time is over; the log is written after each."""
    folder = SearchFolder(settings.folder)
    began = monotonic()
    while (done := _ended(study)) < settings.trials:
        if settings.timeout is not None and monotonic() - began >= settings.timeout:
            say(f"time is over after {done} of {settings.trials} trials; the same command goes on")
            return False
        trial = study.begin_trial()
        title = f"trial {trial.number} ({done + 1} of {settings.trials})"
        try:
            recipe = recipe_with(settings.model, trial.values)
            recipe = replace(recipe, epochs=study.search.trial_epochs, max_steps=None)
            epochs = train_trial(
                settings.model, recipe, training, validating, study.search.seed, title, progress
            )
            record = _run_trial(trial, epochs, recipe.epochs)
        except BaseException:
            trial.interrupt()
            folder.write_log(study)
            say(f"trial {trial.number} was interrupted; the same command goes on with it")
            raise
        folder.write_log(study)
        best = best_of(study.records())
        if best is not None and best.trial == record.trial:
            write_found(settings, study, best)
        say(f"{title}: {_outcome(record, best)}; {_listed(record)}; {record.seconds:.0f} s")
    return True


def _ended(study: Study) -> int:
    return sum(record.state != "interrupted" for record in study.records())


def _run_trial(trial: RunningTrial, epochs: Iterable[TrialEpoch], last: int) -> TrialRecord:
    try:
        for epoch in epochs:
            hopeless = trial.report(epoch)
            if hopeless and epoch.epoch < last:
                return trial.prune()
    except TrainingError as error:
        return trial.prune(diverged=str(error))
    return trial.finish()


def write_found(settings: SearchSettings, study: Study, best: TrialRecord) -> None:
    """Replace preset.json by the recipe of the best trial, for as many epochs as in full."""
    recipe = _full_recipe(settings, best)
    found = {
        "by": _command(study.search, settings.trials),
        "trial": best.trial,
        "validation_accuracy": best.accuracy,
        "epochs": study.search.trial_epochs,
    }
    write_preset(SearchFolder(settings.folder).preset, settings.model, recipe, found)


def _full_recipe(settings: SearchSettings, best: TrialRecord) -> Recipe:
    recipe = recipe_with(settings.model, best.values)
    if settings.final_epochs is None:
        return recipe
    return replace(recipe, epochs=settings.final_epochs, max_steps=None)


def _finish(
    settings: SearchSettings, study: Study, best: TrialRecord, train_in_full: TrainInFull, say: Say
) -> None:
    recipe = _full_recipe(settings, best)
    folder = SearchFolder(settings.folder)
    done = study.final
    if done is not None and (done["trial"], done["epochs"]) == (best.trial, recipe.epochs):
        say(f"trained in full before: test accuracy {done['test_accuracy']:.4f}")
        return
    say(f"training the recipe of trial {best.trial} in full")
    results = train_in_full(recipe, folder.preset, RunFolder(folder.best))
    study.final = {
        "trial": best.trial,
        "epochs": recipe.epochs,
        "test_accuracy": results[0].accuracy,
        "test_images": results[0].count,
    }


def _command(search: Search, trials: int) -> str:
    """The search's command, all its options spelled out."""
    pruning = "--no-pruning"
    if search.pruned_from is not None:
        pruning = f"--prune-from {search.pruned_from}"
    return (
        f"tune {search.model} --trials {trials} --seed {search.seed} --epochs "
        f"{search.trial_epochs} --train-images {search.training_images} --validation-images "
        f"{search.validation_images} {pruning}"
    )


def train_command(settings: SearchSettings, folder: SearchFolder) -> str:
    """How to train with what was found."""
    return f"python -m examples.cifar10 train {settings.model} --preset {folder.preset}"


def _outcome(record: TrialRecord, best: TrialRecord | None) -> str:
    accuracy = "" if record.accuracy is None else f" {record.accuracy:.4f}"
    if record.state == "finished":
        text = f"validation accuracy{accuracy}"
        if best is not None:
            own = best.trial == record.trial
            text += " (best)" if own else f" (best: {best.accuracy:.4f}, trial {best.trial})"
        return text
    return f"{record.state} after {len(record.accuracies)} epochs{accuracy and ' at' + accuracy}"


def _listed(record: TrialRecord) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in record.values.items())


def _describe(study: Study, best: TrialRecord, say: Say) -> None:
    records = study.records()
    counts = {
        state: sum(record.state == state for record in records)
        for state in dict.fromkeys(record.state for record in records)
    }
    say("trials: " + ", ".join(f"{count} {state}" for state, count in counts.items()))
    say(f"best: trial {best.trial}, {_outcome(best, None)}; {_listed(best)}")
    start = start_of(study.search.model)
    for record in records:
        if record.state == "finished" and record.values == start:
            say(f"the model's own recipe, trial {record.trial}: {_outcome(record, None)}")
            break
    shares = study.importances()
    if shares:
        say("importance: " + ", ".join(f"{name} {share:.2f}" for name, share in shares.items()))
